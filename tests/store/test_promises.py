"""The board of promises: what is due, late, kept and broken, why, and how well promises are kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product

import pytest

from dialer.core import kpi
from dialer.core.callbacks import LATE_AFTER_S
from dialer.core.model import OperatorState, Outcome
from dialer.engine.ports import Journal
from dialer.errors import Refused
from dialer.store import campaigns
from dialer.store.callbacks import Sought, pass_on
from dialer.store.keeping import Keeper
from dialer.store.kpi_hours import HourRows
from dialer.store.standing import Rules
from dialer.store.users import Actor

pytestmark = pytest.mark.postgres

SOON = HOUR = timedelta(hours=1)


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
    assert (rows[mine]["why"], rows[other]["why"]) == ("owner_away", "nobody_at_work")
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


async def test_a_promise_whose_time_was_forbidden_since_moves_and_says_so(place, ann, monkeypatch):
    """The rules close the day after the promise was made; it is looked for once a minute."""
    mine, _later = await promised(place, ann, SOON, timedelta(days=3))
    keeper, before = Keeper(place.pools.web), (await shown(place))[mine]["due_at"]
    assert await keeper.settle(place.now, None) == 0
    read = Rules.of

    async def closed(rules, campaign_id, countries):
        campaign = await read(rules, campaign_id, countries)
        windows = {**campaign.profile.windows, before.weekday(): ()}
        return replace(campaign, profile=replace(campaign.profile, windows=windows))

    monkeypatch.setattr(Rules, "of", closed)
    assert await keeper.settle(place.now + timedelta(seconds=30), None) == 0
    assert await keeper.settle(place.now + timedelta(seconds=61), None) == 1
    [row] = (await shown(place, "moved")).values()
    assert (row["id"], row["moves"], row["state"]) == (mine, 1, "pending")
    assert row["due_at"] == before.replace(hour=21, minute=0), "the next midnight in Moscow"
    assert (row["changed_what"], row["changed_reason"], row["due_before"]) == ("moved", "outside_window", before)


@pytest.mark.parametrize(("to_bob", "days"), [(True, 0), (False, 1)])
async def test_what_a_person_changes_at_the_same_moment_stands(place, ann, to_bob, days):
    """The service has read a promise, and finds when it writes that somebody was there before."""
    owner = await place.add_operator("bob") if to_bob else ann
    [mine] = await promised(place, ann, SOON)
    place.now += SOON + timedelta(seconds=61)
    change = "UPDATE callback SET operator_id = $2, due_at = due_at + make_interval(days => $3) WHERE id = $1"
    async with place.pools.intake.acquire() as other, other.transaction():
        await other.execute(change, mine, owner, days)
        passing = asyncio.create_task(pass_on(place.pools.web, place.now))
        await asyncio.sleep(0.3)
    assert await passing == 0
    assert (await shown(place))[mine]["operator_id"] == owner


async def test_a_promise_that_a_person_moves_as_the_rules_would_stays_where_it_was_put(place, ann, monkeypatch):
    [mine] = await promised(place, ann, SOON)
    read, later = Rules.of, place.now + timedelta(days=2)

    async def closed(rules, campaign_id, countries):
        campaign = await read(rules, campaign_id, countries)
        return replace(campaign, profile=replace(campaign.profile, windows={**campaign.profile.windows, 1: ()}))

    monkeypatch.setattr(Rules, "of", closed)
    async with place.pools.intake.acquire() as other, other.transaction():
        await other.execute("UPDATE callback SET due_at = $2, next_at = $2 WHERE id = $1", mine, later)
        settling = asyncio.create_task(Keeper(place.pools.web).settle(place.now, None))
        await asyncio.sleep(0.3)
    assert await settling == 0
    assert (await shown(place))[mine]["due_at"] == later


async def test_a_late_promise_keeps_why_it_was_late_also_when_it_is_kept_then(place, ann):
    """Receivers are told before its time, and when it is late; each once."""
    [mine] = await promised(place, ann, SOON)
    kinds = ["callback.soon", "callback.late", "callback.changed"]
    await place.pools.web.execute(
        "INSERT INTO webhook (name, url, seed, kinds) VALUES ('x', 'https://example.org', decode(repeat('00', 16), 'hex'), $1)",
        kinds,
    )
    keeper, told = Keeper(place.pools.web), "SELECT kind, body->>'late_because' AS why FROM delivery ORDER BY id"
    await place.start_shift(ann, "seat1")
    for minutes in (30, 46, 47, 60):
        await keeper.settle(place.now + timedelta(minutes=minutes), None)
    assert [tuple(row) for row in await place.pools.web.fetch(told)] == [("callback.soon", None)]
    place.now += SOON + timedelta(seconds=61)
    for _ in range(2):
        await keeper.settle(place.now, "switch_down")
    row = (await shown(place, "late"))[mine]
    assert (row["why"], row["late_because"], row["late_at"]) == ("others_first", "stopped.switch_down", place.now)
    assert [tuple(row) for row in await place.pools.web.fetch(told)][1:] == [("callback.late", "stopped.switch_down")]
    [again] = await place.dial(1, ready=[ann])
    await place.end(await place.talk(again, ann), Outcome.CONNECTED)
    kept = (await shown(place, "kept"))[mine]
    assert (kept["why"], kept["late_because"]) == ("kept_late", "stopped.switch_down")


async def test_a_promise_that_the_counters_of_the_number_would_forbid_is_refused_when_it_is_made(
    place, ann, monkeypatch
):
    """Where a number may be called once a day, nobody is promised another call today."""
    once_a_day = replace(place.campaign, profile=replace(place.campaign.profile, per_day=1))
    [mine] = await promised(place, ann, SOON)
    move = partial(place.stores.callbacks.move, mine, reason="x", actor=Actor(user_id=ann), now=place.now)
    monkeypatch.setattr(campaigns, "for_callee", lambda *_: once_a_day)
    with pytest.raises(Refused) as refused:
        await move(due_at=place.now + timedelta(hours=23))
    assert refused.value.code == "callback.too_soon"
    await move(due_at=place.now + timedelta(hours=24))


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
    assert (by_operator["name"], by_operator["kept_share"]) == ("ann", 50)
    assert [by_operator[f"promises_{name}"] for name in ("kept", "kept_late", "broken", "late")] == [1, 0, 1, 0]
    [by_campaign] = await place.stores.callbacks.shares(
        "campaign", campaign_id=place.campaign.id, since=place.now - timedelta(days=1), now=place.now
    )
    assert by_campaign["kept_share"] == 50
    await the_board_tells_what_the_reports_tell(place)


async def the_board_tells_what_the_reports_tell(place) -> None:
    since, now = place.now - timedelta(days=1), place.now
    for folded in (False, True):
        for by in ("operator", "campaign"):
            shares = await place.stores.callbacks.shares(by, campaign_id=None, since=since, now=now)
            rows = await place.stores.kpi.table(since=since, until=now, by=by, now=now, apart=False)
            told = {row.key: row for row in rows if row.values["promises_due"]}
            assert {str(row["id"] or ""): row["kept_share"] for row in shares} == {
                key: row.values["kept_share"] for key, row in told.items()
            }
            for row in shares:
                facts = told[str(row["id"] or "")].facts
                assert {name: facts[name] for name in row if name in facts} == {n: row[n] for n in row if n in facts}
        rows = HourRows(place.pools.intake)
        found = await rows.check(since - timedelta(days=2), now + timedelta(days=3))
        assert (found.compared > 0, found.different) == (True, 0)
        assert await rows.fold() > 0 or folded


async def test_a_promise_that_waits_too_long_is_late_in_its_hour_and_kept_when_it_is_kept(place, ann):
    """Moved, it belongs to the hour it was moved to; what became of it is told by that hour alone."""
    [one] = await promised(place, ann, SOON)
    due = place.now + SOON

    async def told() -> dict[str, float]:
        rows = await place.stores.kpi.table(since=due - HOUR, until=due + HOUR, by="total", now=place.now, apart=False)
        return {name: rows[0].facts[name] for name in kpi.PROMISED if rows[0].facts[name]}

    made = {"promises_made": 1}
    assert await told() == made
    place.now = due + timedelta(seconds=60)
    assert await told() == made
    place.now += timedelta(seconds=1)
    assert await told() == made | {"promises_late": 1}
    await place.stores.callbacks.move(
        one, due_at=place.now + 5 * HOUR, reason="asked to", actor=Actor(user_id=ann), now=place.now
    )
    assert await told() == made
    due = place.now + 5 * HOUR
    assert await told() == {"promises_moved": 1}
    place.now = due + timedelta(seconds=61)
    await place.start_shift(ann, "seat1")
    [again] = await place.dial(1, ready=[ann])
    await place.end(await place.talk(again, ann), Outcome.CONNECTED)
    assert await told() == {"promises_moved": 1, "promises_kept": 1, "promises_kept_late": 1}
    found = await HourRows(place.pools.intake).check(due - 9 * HOUR, due + HOUR)
    assert (found.compared > 0, found.different) == (True, 0)


async def test_the_database_and_the_service_mean_the_same_by_late(place):
    grace = await place.pools.web.fetchval("SELECT promise_grace()")
    assert grace == timedelta(seconds=LATE_AFTER_S)


@pytest.mark.parametrize("by", [by for by in kpi.OWNERS if by not in {"code", "reason"}])
async def test_each_cell_of_a_number_of_promises_opens_as_many(place, ann, by):
    kept, broken, cancelled, moved, _ = await promised(place, ann, *(SOON + timedelta(minutes=n) for n in range(5)))
    boss = Actor(user_id=ann)
    since = place.now - HOUR
    await place.stores.callbacks.cancel(cancelled, reason="asked to", actor=boss, now=place.now)
    due_at = place.now + SOON
    await place.stores.callbacks.move(moved, due_at=due_at, reason="sooner", actor=boss, now=place.now)
    await place.stores.callbacks.hand_over(moved, operator_id=None, reason="x", actor=boss, now=place.now)
    place.now += SOON + timedelta(minutes=30)
    ends = "UPDATE callback SET state = $2, closed_at = $3, kept_by_attempt = $4 WHERE id = $1"
    call = await place.pools.web.fetchval("SELECT attempt_id FROM attempt LIMIT 1")
    await place.pools.web.execute(ends, kept, "kept", place.now, call)
    await place.pools.web.execute(ends, broken, "broken", place.now, None)
    period = {"since": since, "until": place.now}
    rows = await place.stores.kpi.table(**period, by=by, now=place.now, apart=False)
    seen: dict[str, int] = dict.fromkeys(kpi.PROMISED, 0)
    for row, fact in product(rows, kpi.PROMISED):
        sought = Sought(fact=fact, since=since, to=place.now, by=by, part=row.key)
        page = await place.stores.callbacks.board(sought, now=place.now)
        assert len(page.rows) == row.facts[fact], (fact, row.key)
        seen[fact] += len(page.rows)
    told = {"promises_made": 5, "promises_kept": 1, "promises_broken": 1, "promises_late": 2}
    assert seen == told | {"promises_kept_late": 0, "promises_cancelled": 1, "promises_moved": 1}


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
