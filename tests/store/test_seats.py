"""Seats are given once, stay with whoever works, and come back from those who left."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from dialer.errors import NotFound, Refused
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres

POOL = ["seat-001", "seat-002"]


@pytest.fixture
async def people(stores):
    async def add(login):
        return await stores.users.add(
            login=login, name=login, role="operator", password_hash="-", team="one", language="en", actor=SYSTEM
        )

    return [await add(f"operator{number}") for number in range(4)]


async def give(stores, user, pool=POOL):
    return await stores.seats.give(user.id, switch="main", pool=pool)


async def log_in(stores, user):
    await stores.users.open_session(user.login.encode(), user=user, lasts=timedelta(hours=1), ip="127.0.0.1")


async def test_a_seat_stays_with_whoever_has_it(stores, people):
    first, second, *_ = people
    assert [await give(stores, first), await give(stores, second), await give(stores, first)] == [*POOL, "seat-001"]


async def test_many_who_log_in_at_once_get_a_seat_each(stores, people):
    pool = [f"seat-{number:03}" for number in range(1, 5)]
    assert sorted(await asyncio.gather(*(give(stores, user, pool) for user in people))) == pool


async def test_who_is_logged_in_keeps_the_seat_and_who_is_not_gives_it_to_the_next(stores, people):
    first, second, third, fourth = people
    await log_in(stores, first)
    await give(stores, first)
    await give(stores, second)
    assert await give(stores, third) == "seat-002"
    await log_in(stores, third)
    with pytest.raises(Refused) as refused:
        await give(stores, fourth)
    assert refused.value.code == "seat.none_free"


async def test_a_seat_with_a_desk_phone_or_a_shift_is_nobody_elses(stores, people, pools):
    first, second, third, _ = people
    await give(stores, first)
    assert await stores.seats.show(first.id, mark="a", actor=SYSTEM)
    assert not await stores.seats.show(first.id, mark="a", actor=SYSTEM)
    assert await stores.seats.show(first.id, mark="rotated", actor=SYSTEM)
    await give(stores, second)
    await pools.web.execute(
        "INSERT INTO operator_live (operator_id, session_id, switch, seat, team_id, name, state, since) "
        "VALUES ($1, gen_random_uuid(), 'main', 'seat-002-web', $2, '', 'ready', now())",
        second.id,
        second.team_id,
    )
    with pytest.raises(Refused):
        await give(stores, third)
    await stores.seats.take_back("seat-001", switch="main", actor=SYSTEM)
    assert await give(stores, third) == "seat-001"
    assert [(seat.name, seat.login, seat.desk) for seat in await stores.seats.list("main")] == [
        ("seat-001", third.login, False),
        ("seat-002", second.login, False),
    ]


async def test_a_pool_that_shrank_gives_another_seat(stores, people):
    first, *_ = people
    await give(stores, first)
    assert await give(stores, first, ["seat-009"]) == "seat-009"
    with pytest.raises(NotFound):
        await stores.seats.take_back("seat-001", switch="main", actor=SYSTEM)
