"""Two thousand files out of seeds: none makes the reader fall over, and no row of them is lost."""

from __future__ import annotations

from string import ascii_uppercase

import pytest

from dialer.intake import work
from dialer.intake.folder import ROWS
from dialer.store.bases import Batch
from dialer.store.users import Actor
from tests.intake import fuzz

FILES = 2000


@pytest.mark.parametrize("first", range(0, FILES, 200))
def test_every_row_of_a_fuzzed_file_is_loaded_or_rejected(first, tmp_path):
    verdicts = [fuzz.judge(seed, tmp_path) for seed in range(first, first + 200)]
    assert [(verdict.seed, verdict.failure) for verdict in verdicts if verdict.failure] == []
    assert sum(verdict.rows for verdict in verdicts) > sum(verdict.accepted for verdict in verdicts) > 200


@pytest.mark.postgres
async def test_what_is_accepted_of_fuzzed_files_is_in_the_database(place, tmp_path):
    loaded = 0
    for seed in range(40):
        verdict = fuzz.judge(seed, tmp_path)
        if not verdict.accepted:
            continue
        base = await load(place, tmp_path, verdict)
        assert (base.rows_loaded, base.rows_in) == (verdict.accepted, verdict.rows), seed
        loaded += base.rows_loaded
    assert loaded == await place.count("contact") > 50


async def load(place, folder, verdict):
    async def blocks():
        yield (folder / ROWS).read_bytes()

    lanes = [(["Europe/Moscow"], priority, [f"A{letter}"]) for letter in ascii_uppercase for priority in range(10)]
    batch = Batch(rows=blocks(), lanes=lanes, rejected=verdict.rows - verdict.accepted, in_campaign="keep")
    base, _, _ = await place.stores.bases.take(
        batch,
        campaign_id=place.campaign.id,
        name="f",
        source="",
        file_hash=verdict.seed.to_bytes(8, "big"),
        actor=Actor(),
    )
    return base


def test_the_oracle_sees_a_row_that_is_lost(tmp_path, monkeypatch):
    """A reader that drops rows in silence fails."""
    original = work.Verdicts.__iter__
    monkeypatch.setattr(work.Verdicts, "__iter__", lambda self: (row for n, row in enumerate(original(self)) if n % 2))
    assert any("lost" in fuzz.judge(seed, tmp_path).failure or "rows are" in fuzz.judge(seed, tmp_path).failure
               for seed in range(40))  # fmt: skip
