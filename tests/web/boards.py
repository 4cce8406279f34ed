"""What a page makes of the messages of the board's socket; the same as ``board.js``."""

from __future__ import annotations

IDS = {"operators": "operator_id", "campaigns": "campaign_id"}


def merge(page: dict, message: dict) -> dict:
    """The picture after this message; ``page`` is changed and returned."""
    if message["whole"]:
        page.clear()
    for name, id_name in IDS.items():
        rows = {row[id_name]: row for row in page.get(name, [])}
        rows |= {row[id_name]: row for row in message.get(name, [])}
        page[name] = [row for id_, row in rows.items() if id_ not in message.get(f"{name}_gone", [])]
    page |= {name: value for name, value in message.items() if name not in IDS}
    return page
