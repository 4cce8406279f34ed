"""Who calls back: only people whose phone rang and who spoke to nobody, each at most once for a call, some of them."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from dialer.world import returning
from dialer.world.log import WorldCall


def call(n, *, rang=True, ended=True, seats=()):
    return WorldCall(
        call=f"c{n}", number=f"1202555{n:04}", who="person", call_id="", called_at=float(n), rang_at=1.0 if rang else None,
        ended_at=2.0 if ended else None, seats=dict.fromkeys(seats, 1.5),
    )  # fmt: skip


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(returning, "AFTER_S", (0.0, 0.0))
    monkeypatch.setattr(returning, "LOOK_S", 0.01)


async def who(calls, seed=1):
    dialled = []

    async def dial(number):
        dialled.append(number)

    work = asyncio.create_task(returning.call_back(lambda: calls, dial, Random(seed)))
    await asyncio.sleep(0.2)
    work.cancel()
    return dialled


async def test_some_of_those_who_were_rung_in_vain_call_once(quick):
    dialled = await who([call(n) for n in range(1000)])
    assert 20 < len(dialled) < 90
    assert len(set(dialled)) == len(dialled)
    assert dialled == await who([call(n) for n in range(1000)])


@pytest.mark.parametrize("more", [{"rang": False}, {"ended": False}, {"seats": ["seat-001"]}])
async def test_nobody_who_was_not_rung_still_rings_or_has_spoken_to_somebody(quick, more):
    assert await who([call(n, **more) for n in range(1000)]) == []
