"""The board of promises: what is due, late, kept and broken, why, and how well promises are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core.model import OperatorState, Outcome
from dialer.engine.ports import Journal
from dialer.errors import Refused
from dialer.store.callbacks import Sought, pass_on
from dialer.store.users import Actor

pytestmark = pytest.mark.postgres

SOON = timedelta(hours=1)


async def promised(place, operator_id, *dues):
    """Conversations that ended with a promise each, to be kept so much later; their callbacks."""
    numbers = [f"+7903555{operator_id:02}{number:02}" for number in range(len(dues))]
    contacts = await place.add_contacts(*numbers)
    for due_in, attempt in zip(dues, await place.dial(len(dues)), strict=True):
        await place.end(await place.talk(attempt, operator_id), Outcome.CONNECTED)
        owner = {"due_at": place.now + due_in, "callback_operator_id": operator_id}
        await place.save(attempt.id, operator_id, "callback", key=str(attempt.id), **owner)
    rows = await place.pools.web.fetch(
        "SELECT id FROM callback WHERE contact_id = ANY($1) ORDER BY due_at, id", contacts
    )
    return [row["id"] for row in rows]


async def shown(place, show="pending", **sought):
    found = await place.stores.callbacks.board(Sought(show=show, **sought), now=place.now)
    return {row["id"]: row for row in found.rows}


@pytest.fixture
async def ann(place):
    return await place.add_operator("ann")


async def test_a_promise_goes_from_pending_over_due_to_late_with_what_holds_it_back(place, ann):
    mine, other = await promised(place, ann, SOON, SOON)
    await place.stores.callbacks.hand_over(other, operator_id=None, reason="x", actor=Actor(user_id=ann), now=place.now)
    rows = await shown(place)
    assert {rows[mine]["shown"], rows[other]["shown"]} == {"pending"}
    assert set(await shown(place, "due")) == set()
    place.now += SOON + timedelta(seconds=30)
    assert {row["shown"] for row in (await shown(place, "due")).values()} == {"due"}
    assert await shown(place, "late") == {}
    place.now += timedelta(seconds=60)
    rows = await shown(place, "late")
    assert (rows[mine]["why"], rows[other]["why"]) == ("owner_away", "nobody_free")
    counts = await place.stores.callbacks.counts(campaign_id=None, since=place.now - SOON, now=place.now)
    assert (counts["pending"], counts["late"], counts["due"]) == (2, 2, 0)
    assert set(await shown(place, anybody=True)) == {other}
    assert set(await shown(place, operator_id=ann)) == {mine}


async def test_a_promise_of_who_is_away_passes_to_the_team_and_says_so(place, ann):
    """After a minute; before that and while the owner is ready it stays."""
    [mine] = await promised(place, ann, SOON)
    place.now += SOON
    assert await pass_on(place.pools.web, place.now + timedelta(seconds=59)) == 0
    shift = await place.start_shift(ann, "seat1")
    assert await pass_on(place.pools.web, place.now + timedelta(minutes=30)) == 0
    await place.store.write(Journal(operators=[replace(shift, state=OperatorState.PAUSED)]))
    assert await pass_on(place.pools.web, place.now + timedelta(seconds=61)) == 1
    assert await pass_on(place.pools.web, place.now + timedelta(seconds=62)) == 0
    row = (await shown(place))[mine]
    assert (row["operator_id"], row["changed_what"], row["changed_reason"]) == (None, "handed_over", "owner_paused")
    assert (row["owner_before"], row["changed_by"]) == ("ann", "")


async def test_what_became_of_promises_is_listed_and_shared_out(place, ann):
    """One kept in time, one broken; one moved, one cancelled: cancelled counts for nobody."""
    kept, broken, cancelled, moved = await promised(place, ann, *(SOON + timedelta(minutes=n) for n in range(4)))
    boss = Actor(user_id=ann)
    await place.stores.callbacks.cancel(cancelled, reason="asked to", actor=boss, now=place.now)
    later = place.now + timedelta(hours=30)
    await place.stores.callbacks.move(moved, due_at=later, reason="on a journey", actor=boss, now=place.now)
    place.now += SOON
    await place.start_shift(ann, "seat1")
    [again] = await place.dial(1, ready=[ann])
    assert again.callback_id == kept
    await place.end(await place.talk(again, ann), Outcome.CONNECTED)
    await place.pools.web.execute(
        "UPDATE callback SET state = 'broken', closed_at = $2 WHERE id = $1", broken, place.now
    )
    place.now += timedelta(minutes=30)
    lists = {show: set(await shown(place, show)) for show in ("pending", "kept", "broken", "moved", "cancelled")}
    assert lists == {"pending": {moved}, "kept": {kept}, "broken": {broken}, "moved": {moved}, "cancelled": {cancelled}}
    assert (await shown(place, "kept"))[kept]["why"] == "in_time"
    [by_operator] = await place.stores.callbacks.shares(
        "operator", campaign_id=None, since=place.now - timedelta(days=1), now=place.now
    )
    assert (by_operator["name"], by_operator["kept_share"]) == ("ann", 0.5)
    assert (by_operator["in_time"], by_operator["broken"], by_operator["late"]) == (1, 1, 0)
    [by_campaign] = await place.stores.callbacks.shares(
        "campaign", campaign_id=place.campaign.id, since=place.now - timedelta(days=1), now=place.now
    )
    assert by_campaign["kept_share"] == 0.5


async def test_the_board_comes_page_by_page_without_a_gap(place, ann):
    made = await promised(place, ann, *(SOON + timedelta(minutes=n // 2) for n in range(7)))
    seen, cursor = [], None
    while True:
        page = await place.stores.callbacks.board(Sought(cursor=cursor), now=place.now, rows=2)
        seen += [row["id"] for row in page.rows]
        if page.next is None:
            break
        cursor = page.next
    assert sorted(seen) == sorted(made)
    for bad in ("x", "2026-01-01_1", f"{place.now.isoformat()}_x", f"{place.now.isoformat()}_{2**70}"):
        with pytest.raises(Refused, match="not one of ours"):
            await place.stores.callbacks.board(Sought(cursor=bad), now=place.now)
