"""The whole service on the real Asterisk and PostgreSQL: what a callee, an operator and a supervisor live through."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from dialer.errors import Misconfigured
from dialer.store.server import OwnServer
from dialer.world import console, root
from dialer.world import rig as world
from dialer.world.judge import Stored, judge
from dialer.world.process import ServiceProcess
from dialer.world.robot import Manner
from tests.real.office import CROWD, LATE, LATER, PORTS, REFUSES, SOON, TABLE, Desk, Office, number, until

pytestmark = [pytest.mark.real, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

#: The dead-man switch begins to speak 2.0 s after the answer.
VOICE_S_MAX = 2.1
#: A window with room for uncovered lines.
CARRIED = (2000, 20)
ZONES = ("Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata", "Europe/London", "America/New_York", "America/Los_Angeles")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rig(tmp_path_factory):
    try:
        await asyncio.to_thread(root.find)
    except Misconfigured as error:
        pytest.skip(f"{error.message} {error.remedy}")
    plan = world.Plan(seats=4, population=CROWD, table=TABLE, ports=PORTS)
    async with world.running(plan, tmp_path_factory.mktemp("service-rig")) as pair:
        yield pair


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory):
    own = OwnServer(tmp_path_factory.mktemp("service-postgres"))
    async with own:
        yield own


@pytest_asyncio.fixture(loop_scope="session")
async def office(rig, server, tmp_path):
    async with Office.open(rig, server, tmp_path) as opened:
        yield opened


async def someone_talks(office: Office, desk: Desk, numbers: list[str], seat: str = "seat-001") -> str:
    """The number whose callee hears this seat, once the operator's page says so too."""

    def heard():
        return next((one for one in numbers if office.hears(one, seat)), None)

    talking_to = await until(heard, 15, "a callee hears the operator")
    await until(lambda: desk.is_in("talking"), 5, "talking")
    return talking_to


async def test_a_conversation_is_recorded_paused_sealed_and_heard_again(office):
    """From connect to the end, kept by the service under seal; a killed service finds what was left and keeps it too."""
    numbers = [number(SOON, line) for line in range(30, 34)]
    await office.campaign(numbers, recording="told", recording_operator=True)
    anna = await office.desk("anna")
    await office.start()
    await anna.work("seat-001")
    await someone_talks(office, anna, numbers)
    assert (await anna.ask("GET", "/operator"))["operator"]["recording"] == "told"
    for wish in ("pause", "keep"):
        await anna.post("/operator/recording", {"wish": wish})
        await asyncio.sleep(1)
    first = await anna.close_call()
    stored = lambda: recorded(office, first, "stored")  # noqa: E731 - waited for once
    await until(stored, 20, "the recording is sealed")
    row = (await anna.ask("GET", f"/recordings/{first}"))["recording"]
    assert 1500 < row["duration_ms"] < 12_000
    assert [one["resumed_at"] is not None for one in row["pauses"]] == [True]
    link = await anna.post(f"/recordings/{first}/link")
    async with anna._session.get(f"{anna.url}{link['url']}") as answer:
        sound = await answer.read()
    assert (sound[:4], len(sound)) == (b"RIFF", row["bytes"])
    await anna.post("/operator/ready")
    await someone_talks(office, anna, numbers)
    await office.service.kill()
    await office.rig.hang_up_callees()
    await office.start()
    await until(lambda: left_over(office), 40, "what the dead service left is kept")
    assert not list((office.rig.switch.home / "spool" / "monitor").iterdir())


async def recorded(office: Office, attempt: str, state: str) -> bool:
    return await office.pools.web.fetchval("SELECT state FROM recording WHERE attempt_id = $1", UUID(attempt)) == state


async def left_over(office: Office) -> bool:
    """Whether nothing is still to be kept, and both conversations are."""
    states = [row["state"] for row in await office.pools.web.fetch("SELECT state FROM recording")]
    return states == ["stored"] * 2


async def test_a_day_of_calls_is_told_alike_by_the_ledger_the_numbers_and_the_world(office):
    """Must show 5: who was called, who answered, who talked to whom, by the world's own log."""
    numbers = [one for line in range(50, 60) for one in (number(SOON, line), number(LATER, line), number("1202", line))]
    campaign_id = await office.campaign(numbers, mode="predictive", carried=CARRIED, ring_timeout_s=8)
    robots = await office.robots(4, Manner(talk_s=(7.0, 9.0), wrap_up_s=(0.2, 0.5)))
    began = datetime.now(UTC) - timedelta(seconds=1)
    await office.start()
    work = asyncio.gather(*(robot.run() for robot in robots))
    try:
        await until(lambda: len(office.calls()) == len(numbers), 90, "everybody was called")
        await until(office.quiet, 30, "nobody is on the line")
        await until(
            lambda: sum(robot.saved for robot in robots) >= sum(bool(c.seats) for c in office.calls()), 10, "saves"
        )
    finally:
        for robot in robots:
            robot.leave()
        await asyncio.wait_for(work, 30)
    await office.service.stop()
    assert office.service.exit_code == 0

    calls, ledger = office.calls(), await office.attempts()
    seats = {robot.login: robot.seat for robot in robots}
    verdict = judge(calls, [stored(row, seats) for row in ledger])
    assert (verdict.double_dials, verdict.disagreements) == (0, [])

    table = office.stores.kpi.table
    period = {"since": began, "until": datetime.now(UTC) + timedelta(seconds=1), "campaign_id": campaign_id}
    [total] = await table(**period, by="total")
    talks = [call for call in calls if call.seats]
    answered = [call for call in calls if call.answered_at is not None]
    codes = [json.loads(line)["code"] for line in (office.folder / "saves.jsonl").read_text().splitlines()]
    assert len(talks) >= 10
    assert {name: total.facts[name] for name in ("attempts", "answered", "connected", "abandoned")} == {
        "attempts": len(calls),
        "answered": len(answered),
        "connected": len(talks),
        "abandoned": len(answered) - len(talks),
    }
    assert total.facts["rang"] == sum(bool(call.rang_at or call.answered_at) for call in calls)
    assert total.facts["contacts_dialled"] == len({call.number for call in calls})
    assert total.facts["results"] == sum(code in {"lead", "agreed"} for code in codes)
    assert len(codes) == len(talks)
    shortest = sum(call.ended_at - min(call.seats.values()) for call in talks)
    longest = sum(call.ended_at - call.answered_at for call in talks)
    assert shortest - len(talks) * 0.3 <= total.facts["talk_s"] <= longest + len(talks) * 0.3

    by_seat = Counter(next(iter(call.seats)) for call in talks)
    operators = {row.label: row.facts["connected"] for row in await table(**period, by="operator") if row.key}
    assert {login: count for login, count in operators.items() if count} == {
        robot.login: by_seat[robot.seat] for robot in robots if by_seat[robot.seat]
    }
    hours = await table(**period, by="hour")
    for name in ("attempts", "answered", "connected", "abandoned", "results"):
        assert sum(row.facts.get(name, 0) for row in hours) == total.facts[name]
    if all(2 < call.called_at % 3600 < 3598 for call in calls):
        by_hour = Counter(datetime.fromtimestamp(call.called_at - call.called_at % 3600, UTC) for call in calls)
        assert {
            datetime.fromisoformat(row.key): row.facts["attempts"] for row in hours if row.facts["attempts"]
        } == by_hour


def stored(row, seats) -> Stored:
    def at(name):
        return row[name].timestamp() if row[name] else None

    return Stored(
        attempt_id=str(row["attempt_id"]),
        number=row["e164"],
        sent_at=at("sent_at"),
        ended_at=at("ended_at"),
        outcome=row["outcome"],
        answered_at=at("answered_at"),
        connected_at=at("connected_at"),
        seat=seats.get(row["login"]),
    )


async def test_a_conversation_goes_on_while_the_service_is_killed_and_started_again(office):
    numbers = [number(SOON, 0), number(SOON, 1)]
    await office.campaign(numbers)
    desk = await office.desk("ann")
    await office.start()
    await desk.work("seat-001")
    first = await someone_talks(office, desk, numbers)

    await office.service.kill()
    await asyncio.sleep(2)
    await office.start()
    assert await desk.state() == "talking"
    [call] = office.calls(first)
    assert call.ended_at is None

    await desk.close_call()
    [second] = {*numbers} - {first}
    assert await someone_talks(office, desk, [second]) == second
    await desk.close_call()
    await until(office.quiet, 10, "nobody is on the line")
    assert Counter(call.number for call in office.calls()) == {one.lstrip("+"): 1 for one in numbers}
    assert [row["outcome"] for row in await office.attempts()] == ["connected", "connected"]


async def is_killed_while_somebody_waits(office: Office, desk: Desk, callee: str) -> None:
    """A second after this callee answered and found the only operator in a pause."""
    await desk.work("seat-001")
    await until(lambda: office.calls(callee) and office.calls(callee)[0].rang_at, 10, "it rings")
    await desk.post("/operator/pause", {"reason": "lunch"})
    await until(lambda: office.calls(callee)[0].answered_at, 10, "somebody answers")
    await asyncio.sleep(max(0.0, office.calls(callee)[0].answered_at + 1.0 - time.time()))
    await office.service.kill()


async def test_whoever_waits_while_the_service_is_killed_hears_the_message_in_time_and_counts_as_abandoned(office):
    lost, next_one = number(LATER, 0), number(SOON, 2)
    await office.campaign([lost, next_one], carried=CARRIED)
    desk = await office.desk("ann")
    await office.start()
    await is_killed_while_somebody_waits(office, desk, lost)
    await until(lambda: office.calls(lost)[0].first_voice_at, 5, "a voice")
    assert office.calls(lost)[0].first_voice_at - office.calls(lost)[0].answered_at <= VOICE_S_MAX

    await office.start()
    await desk.post("/operator/ready")
    assert await someone_talks(office, desk, [next_one]) == next_one
    await desk.close_call()
    await until(office.quiet, 30, "nobody is on the line")
    await asyncio.sleep(1)
    assert len(office.calls(lost)) == 1
    [row] = [row for row in await office.attempts() if row["e164"] == lost]
    assert row["outcome"] in {"abandoned", "unknown"}
    assert (row["legal_answered"], row["legal_abandoned"], row["connected_at"]) == (True, True, None)


async def test_whoever_refuses_by_key_while_the_service_is_dead_is_never_called_again(office):
    refuses = number(REFUSES, 0)
    await office.campaign([refuses], carried=CARRIED, retry={"abandoned": {"delay_s": 1}, "unknown": {"delay_s": 1}})
    desk = await office.desk("ann")
    await office.start()
    await is_killed_while_somebody_waits(office, desk, refuses)
    await until(lambda: office.calls(refuses)[0].ended_at, 20, "the callee pressed 9 and the call is over")
    assert office.calls(refuses)[0].keys == ["9"]

    await office.start()
    forbidden = "SELECT scope FROM do_not_call d JOIN phone p ON p.id = d.phone_id WHERE e164 = $1"
    assert await until(lambda: office.pools.web.fetchval(forbidden, refuses), 5, "the refusal is stored") == "customer"
    await until(office.quiet, 10, "nobody is on the line")


async def test_a_number_forbidden_while_it_rings_is_cut_within_a_second_and_never_called_again(office):
    forbidden = number(LATE, 0)
    await office.campaign([forbidden], retry={"cancelled": {"delay_s": 1}})
    desk, chief = await office.desk("ann"), await office.desk("eve", "supervisor")
    await office.start()
    await desk.work("seat-001")
    await until(lambda: office.calls(forbidden) and office.calls(forbidden)[0].rang_at, 10, "it rings")
    await chief.ask("GET", "/me")  # logged in
    asked_at = time.time()
    await chief.post("/do-not-call", {"phone": forbidden, "scope": "global"})
    await until(lambda: office.calls(forbidden)[0].ended_at, 5, "it rings no more")
    [call] = office.calls(forbidden)
    assert call.answered_at is None
    assert call.ended_at - asked_at <= 1.0
    await asyncio.sleep(8)
    assert len(office.calls(forbidden)) == 1
    assert [row["outcome"] for row in await office.attempts()] == ["cancelled"]


async def test_a_contact_that_is_looked_at_when_the_service_is_killed_is_called_only_when_somebody_says_so(office):
    shown = number(SOON, 3)
    await office.campaign([shown], mode="preview", preview_s=600)
    desk = await office.desk("ann")
    await office.start()
    await desk.post("/operator/start", {"seat": "seat-001"})
    await desk.post("/operator/ready")
    await until(lambda: desk.is_in("preview"), 15, "the contact is shown")
    await office.service.kill()
    await office.start()
    await until(lambda: desk.is_in("preview"), 20, "it is shown again")
    assert office.calls(shown) == []
    await desk.post("/operator/preview/call")
    await until(lambda: desk.is_in("talking"), 15, "they talk")
    [call] = office.calls(shown)
    assert (await desk.ask("GET", "/operator"))["card"]["phone"] == shown
    attempt = await desk.close_call()
    await until(office.attempts, 10, "the attempt is a fact")
    [row] = await office.attempts()
    assert (str(row["attempt_id"]), row["outcome"], row["asked"]) == (attempt, "connected", True)
    hows = await office.pools.web.fetch("SELECT how FROM preview_end ORDER BY ended_at")
    assert [one["how"] for one in hows] == ["returned", "called"]
    assert call.answered_at is not None


def second_service(office: Office, tmp_path) -> ServiceProcess:
    """Another process on the same switch and database."""
    (tmp_path / "second").mkdir()
    return ServiceProcess(
        rig=office.rig,
        database_url=office.url,
        folder=tmp_path / "second",
        http_port=world.ports.free(1, *PORTS)[0],
    )


async def test_a_second_service_waits_and_says_so_and_takes_over_at_once_when_the_first_is_killed(office, tmp_path):
    numbers = [number(SOON, line) for line in range(10, 13)]
    await office.campaign(numbers)
    desk = await office.desk("ann")
    await office.start()
    await desk.work("seat-001")
    first = await someone_talks(office, desk, numbers)
    second = second_service(office, tmp_path)
    try:
        await second.start()
        await until(lambda: "lease.waiting" in second.log.read_text(), 15, "it says that it waits")
        health = await until(lambda: office.health(second), 5, "its pages are there")
        assert health["dialing"] is False

        killed_at = time.time()
        await office.service.kill()
        await until(lambda: office.dials(second), 10, "the second dials")
        assert time.time() - killed_at <= 5
        desk.url = second.url
        await desk.close_call()
        left = [one for one in numbers if one != first]
        assert await someone_talks(office, desk, left) in left
        await desk.close_call()
        await desk.post("/operator/pause", {"reason": "end"})
        await second.stop()
    finally:
        await second.kill()
    assert max(Counter(call.number for call in office.calls()).values()) == 1


async def test_a_frozen_service_is_ended_and_followed_when_its_lease_is_over(office, tmp_path):
    numbers = [number(SOON, 20), number(SOON, 21)]
    await office.campaign(numbers)
    desk = await office.desk("ann")
    await office.start()
    await desk.work("seat-001")
    first = await someone_talks(office, desk, numbers)
    second = second_service(office, tmp_path)
    try:
        await second.start()
        await until(lambda: "lease.waiting" in second.log.read_text(), 15, "it says that it waits")
        office.service.signal(signal.SIGSTOP)
        await until(lambda: office.dials(second), 25, "the second dials")
        assert await asyncio.wait_for(office.service.ended(), 5) == -signal.SIGKILL
        desk.url = second.url
        assert await desk.state() == "talking"
        assert office.calls(first)[0].ended_at is None
        await desk.close_call()
        await desk.post("/operator/pause", {"reason": "end"})
    finally:
        await second.kill()


async def test_the_profile_strict_calls_nobody_at_night(office):
    """The same contacts are called at once under the profile of the telephone world."""
    at_night = next(zone for zone in ZONES if not 6 <= datetime.now(ZoneInfo(zone)).hour < 21)
    numbers = [number(SOON, 30), number(SOON, 31)]
    campaign_id = await office.campaign(numbers, zone=at_night, profile="strict", cap_permille=20)
    desk, chief = await office.desk("ann"), await office.desk("eve", "admin")
    await office.consent(numbers)
    await office.register("us-dnc")  # the law of the callees asks for it as well
    await office.start()
    await desk.work("seat-001")
    await asyncio.sleep(4)
    assert office.calls() == []
    why = await chief.ask("GET", f"/campaigns/{campaign_id}/why")
    assert (why["total"], why["counts"]) == (2, {"outside_window": 2})

    await chief.ask("PATCH", f"/campaigns/{campaign_id}", {"profile": "world"})
    await someone_talks(office, desk, numbers)
    await desk.close_call()
    await desk.post("/operator/pause", {"reason": "end"})


async def test_nothing_is_left_on_the_line_after_a_shift(office):
    numbers = [number(SOON, 40)]
    await office.campaign(numbers)
    desk = await office.desk("ann")
    await office.start()
    await desk.work("seat-001")
    await someone_talks(office, desk, numbers)
    await desk.close_call()
    await desk.post("/operator/stop")

    async def empty():
        return await console.channels(office.rig.switch) == set()

    await until(empty, 10, "no channel")
    await office.service.stop()
    assert office.service.exit_code == 0
