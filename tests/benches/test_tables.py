"""The bench of tables asks everything that pages ask; small here, since only that it does is judged."""

from __future__ import annotations

from scripts.benches import tables


async def test_every_list_is_asked_and_quick_when_small(capsys):
    assert await tables.run(1_000) == 0
    said = capsys.readouterr().out
    assert all(f"{name}," in said for name in ("people", "audit", "do-not-call", "leads", "letters")), said
    assert said.splitlines()[-1].startswith("tables: ")
