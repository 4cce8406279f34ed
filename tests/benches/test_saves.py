"""``bench saves`` in small: killed around each save, nothing is torn, lost or told of what is not there; and it sees one."""

from __future__ import annotations

from collections import Counter

import pytest

from scripts.benches import saves


@pytest.mark.postgres
async def test_a_save_that_is_killed_is_whole_or_not_there_and_receivers_know_repetitions(url):
    """Disposition, callback, lead and events; the long run is ``scripts/bench saves``."""
    found = await saves.run(url, 24, seed=3)
    assert {name: found[name] for name in saves.WRONG} == dict.fromkeys(saves.WRONG, 0)
    assert 2 <= found["saved"] <= 24


def test_the_last_line_says_when_something_was_torn_and_when_no_kill_was_early():
    well = Counter(saved=50)
    assert "falls short" not in saves.sentence(well, 100)
    assert "falls short" in saves.sentence(well + Counter(torn=1), 100)
    assert "falls short" in saves.sentence(Counter(saved=100), 100)
