"""Looks before a call, on a real PostgreSQL: what is counted is what the list shows."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from dialer.core.preview import How
from dialer.errors import Refused
from dialer.store.looks import HOWS, Of
from tests.store.places import Place

pytestmark = pytest.mark.postgres

ROW = """INSERT INTO preview_end (preview_id, operator_id, campaign_id, contact_id, offered_at, ended_at, how, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


@pytest.fixture
async def looked(pools, url, stores, store):
    """Two operators who looked at contacts of two campaigns, one look a minute, in turn."""
    place = await Place.make(pools, url, stores, store, mode="preview")
    place.other = await place.add_campaign("survey", mode="preview")
    place.ann, place.bob = await place.add_operator("ann"), await place.add_operator("bob")
    for number in range(20):
        how = HOWS[number % len(HOWS)]
        at = place.now + timedelta(minutes=number)
        campaign = place.campaign if number < 15 else place.other
        await pools.web.execute(
            ROW, uuid4(), place.ann if number % 3 else place.bob, campaign.id, number + 1,
            at - timedelta(seconds=10), at, how, "bad_data" if how == "skipped" else "",
        )  # fmt: skip
    return place


async def test_what_is_counted_for_each_operator_is_what_the_list_behind_it_shows(looked):
    looks, since = looked.stores.looks, looked.now + timedelta(minutes=2)
    period = {"since": since, "until": looked.now + timedelta(minutes=18)}
    for ids, expected in ((None, 16), ([looked.campaign.id], 13), ([looked.other.id], 3), ([], 0)):
        counts = await looks.counts(Of(**period, campaign_ids=ids))
        assert sum(row["looked"] for row in counts) == expected
        for row in counts:
            assert row["look_s"] == 10
            for how in HOWS:
                found = await looks.find(
                    Of(**period, campaign_ids=ids, operator_id=row["operator_id"], how=How(how)), rows=100
                )
                assert len(found.rows) == row[how], (ids, row["name"], how)


async def test_skips_are_counted_by_their_reason(looked):
    [row] = await looked.stores.looks.reasons(Of(since=looked.now, until=looked.now + timedelta(hours=1)))
    found = await looked.stores.looks.find(Of(reason="bad_data"))
    assert (row["reason"], row["skipped"], len(found.rows)) == ("bad_data", 4, 4)
    assert {one["how"] for one in found.rows} == {"skipped"}


async def test_a_list_goes_on_from_its_cursor_and_shows_each_look_once(looked):
    looks, seen, cursor = looked.stores.looks, [], None
    while True:
        found = await looks.find(Of(), cursor=cursor, rows=7)
        seen += [row["preview_id"] for row in found.rows]
        cursor = found.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 20
    assert not found.rows[-1]["known"]
    with pytest.raises(Refused, match="not one of ours"):
        await looks.find(Of(), cursor="2026-01-01_x")
