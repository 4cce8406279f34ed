"""People of the world who call the shown number back, on the real Asterisk: put through, missed and called, over a crash."""

from __future__ import annotations

import asyncio

import pytest

from tests.real.office import SOON, number, until
from tests.real.test_service_real import office, rig, server, someone_talks  # noqa: F401 - fixtures of the same office

pytestmark = [pytest.mark.real, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

SHOWN = "12025550199"


async def facts(office, table):  # noqa: F811 - the fixture's value
    text = "SELECT * FROM {} ORDER BY 1"
    return await office.pools.web.fetch(text.format(table))


async def card_of(desk):
    """The card on the operator's page; the engine is ahead of the database by a moment."""
    return (await desk.ask("GET", "/operator"))["card"]


async def test_who_calls_back_hears_an_operator_with_the_card_and_who_is_missed_is_called_at_once(office):  # noqa: F811
    person = number(SOON, 70)
    await office.campaign([person], return_wait_s=5)
    ann = await office.desk("ann")
    await office.start()
    await ann.work("seat-001")
    await someone_talks(office, ann, [person])
    await ann.close_call("agreed")

    await ann.post("/operator/ready")
    await office.rig.call_back(person.lstrip("+"), SHOWN)
    [caller] = await until(office.callers, 10, "the person calls")
    await until(lambda: "seat-001" in office.callers()[0].seats, 15, "the caller hears the operator")
    card = await until(lambda: card_of(ann), 5, "the card")
    assert (card["phone"], card["came_in"], [one["code"] for one in card["history"]]) == (person, True, ["agreed"])
    await office.service.kill()
    await asyncio.sleep(1)
    await office.start()
    await until(lambda: ann.is_in("talking"), 20, "the conversation went on")
    assert office.callers()[0].ended_at is None
    attempt = await ann.close_call("thinking")
    await until(lambda: office.callers()[0].ended_at, 10, "hung up")
    assert caller.number == person.lstrip("+")

    await ann.post("/operator/ready")
    await ann.post("/operator/pause", {"reason": "lunch"})
    await office.rig.call_back(person.lstrip("+"), SHOWN)
    await until(lambda: len(office.callers()) == 2 and office.callers()[1].ended_at, 25, "told that nobody is free")
    assert office.callers()[1].ended_at - office.callers()[1].called_at > 5
    assert not office.callers()[1].seats

    async def owed():
        return [row for row in await facts(office, "callback") if row["urgent"]]

    [promise] = await until(owed, 5, "an urgent callback")
    assert promise["state"] == "pending"
    assert sorted(row["outcome"] for row in await facts(office, "return_call")) == ["connected", "missed"]
    assert [str(row["attempt_id"]) for row in await facts(office, "attempt") if row["came_in"]] == [attempt]

    await ann.post("/operator/ready")
    await until(lambda: len(office.calls(person)) == 2, 20, "called at once")
    await until(lambda: ann.is_in("talking"), 10, "they talk")
    history = (await until(lambda: card_of(ann), 5, "the card"))["history"]
    assert history[0]["outcome"] == "missed"
    await ann.close_call()
    kept = "SELECT state FROM callback WHERE urgent"
    assert await until(lambda: office.pools.web.fetchval(kept), 5, "kept") == "kept"


async def test_a_stranger_hears_that_nobody_is_there(office):  # noqa: F811
    await office.campaign([number(SOON, 71)])
    await office.start()
    await office.rig.call_back("12025550777", SHOWN)
    await until(lambda: office.callers() and office.callers()[0].ended_at, 20, "told and hung up")
    [row] = await facts(office, "return_call")
    assert (row["outcome"], row["why"], row["phone_id"]) == ("refused", "unknown", None)
