"""What an operator had on the screen in a conversation: the version of brief and script that it showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import script
from dialer.errors import NotFound
from dialer.store.facts import Sought
from dialer.web import pages
from dialer.web.supervisor import masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from aiohttp import web

    from dialer.store.scripts import Version
    from dialer.web.call import Call

#: Attempts of a contact that are looked at for an earlier conversation.
_EARLIER = 200


async def page(call: Call) -> web.Response:
    """Brief and script as this attempt showed them, filled in from the contact, its number masked.

    Raises:
        NotFound: ``script.not_shown``: nobody saw a card, or nothing was written yet.
    """
    row, _ = await call.stores.facts.attempt(call.uuid())
    version = await call.stores.scripts.shown(call.uuid())
    if version is None:
        raise NotFound("script.not_shown", "No script was shown in this attempt.")
    found = await call.stores.scripts.read(row["campaign_id"], version)
    steps: Sequence[Mapping[str, Any]] = found.body.get("steps", [])
    return pages.page_for(
        call,
        "shown.html",
        "/attempts",
        help_of="shown",
        attempt=row,
        script=found,
        versions=await call.stores.scripts.versions(row["campaign_id"]),
        begin=script.begin(found.body.get("scenarios", {}), [step["id"] for step in steps], await _kind(call, row)),
        titles={step["id"]: (place, step["title"]) for place, step in enumerate(steps, 1)},
        filled=await _filler(call, row),
    )


async def _kind(call: Call, row: Mapping[str, Any]) -> script.Scenario:
    """The kind of contact it was then."""
    sought = Sought(contact_id=row["contact_id"], campaign_id=row["campaign_id"], until=row["sent_at"])
    before = await call.stores.facts.find(sought, rows=_EARLIER)
    talked = any(one["connected_at"] for one in before.rows)
    return script.kind_of(number=row["number"], talked_before=talked, promised=row["callback_id"] is not None)


async def _filler(call: Call, row: Mapping[str, Any]) -> Any:
    contact = await call.stores.facts.contact(row["contact_id"], team_id=None)
    words = {"name": row["contact"], "phone": masked(str(row["phone"])), "campaign": row["campaign"]}
    known = words | {str(name): str(value) for name, value in contact["attributes"].items()}
    return lambda text: script.filled(text, known)


def of_row(row: Mapping[str, Any], versions: Sequence[Version]) -> int | None:
    """The version a row of a list showed; None where there was no conversation, or nothing written yet."""
    if row["connected_at"] is None:
        return None
    return next((one.version for one in versions if one.saved_at <= row["connected_at"]), None)
