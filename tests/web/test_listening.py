"""A supervisor hears a conversation on the own phone: written down first, seen by whom it must, ended with the page."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from dialer import seats
from dialer.web import listening
from tests.web import fakes
from tests.web.conftest import CSRF, error_of, running


@pytest.fixture
async def office(password_hash, tmp_path, monkeypatch):
    monkeypatch.setattr(listening, "GONE_S", 0.1)
    pool = tmp_path / "seats"
    pool.write_text(seats.text(seats.fresh(3)))
    async with running(password_hash, seats_file=pool) as started:
        await started.live.put(talking(started))
        yield started


def talking(world, state="talking"):
    return fakes.operator(world.id_of("operator"), state=state, attempt_id=uuid4(), campaign_id=1)


@asynccontextmanager
async def board(client, world):
    """A board page that is open."""
    origin = str(world.server.make_url("")).rstrip("/")
    async with client.ws_connect("/api/v1/live", headers={"Origin": origin}) as socket:
        await socket.receive_json()
        yield socket


async def listens(client, world, **ask):
    path = f"/api/v1/operators/{world.id_of('operator')}/listen"
    return await client.post(path, json={"phone": "desk", **ask}, headers=CSRF)


async def test_it_is_written_down_before_the_phone_is_called_and_every_change_is_too(office):
    boss, me, eva = await office.login("supervisor"), office.id_of("supervisor"), office.id_of("operator")
    async with board(boss, office):
        answer = await listens(boss, office)
        begun = (await answer.json())["listening"]
        assert answer.status == 201
        assert (begun["operator_id"], begun["asked"], begun["mode"]) == (eva, "listen", None)
        assert office.stores.listenings.begun == [(me, eva, "listen", True)]
        assert office.commands.asked == [("begin_listening", eva, "listen", "seat-001")]
        office.live.listened[me] = replace(office.live.listened[me], mode="listen")
        changed = await boss.patch("/api/v1/listening", json={"mode": "whisper"}, headers=CSRF)
        assert (await changed.json())["listening"]["mode"] == "whisper"
        assert office.stores.audit.notes == [(me, "operator.listening", f"user:{eva}")]
        ended = (await (await boss.delete("/api/v1/listening", headers=CSRF)).json())["listening"]
        assert ended["how"] == "stopped"


async def test_who_does_not_talk_any_more_is_not_heard_and_that_is_written_down(office):
    boss = await office.login("supervisor")
    await office.live.put(talking(office, state="wrap_up"))
    answer = await listens(boss, office)
    assert (answer.status, error_of(await answer.json()).code) == (409, "listening.not_talking")
    assert office.stores.listenings.refusals == [office.id_of("operator")]


async def test_the_phone_is_the_browsers_or_the_desk_of_the_own_seat(office):
    boss = await office.login("supervisor")
    async with board(boss, office):
        await listens(boss, office, phone="browser")
        assert office.commands.asked[-1][3] == "seat-001-web"
        account = await (await boss.post("/api/v1/listening/phone", headers=CSRF)).json()
        assert account["account"] == "seat-001-web"
        desk = await (await boss.post("/api/v1/listening/desk-phone", headers=CSRF)).json()
        assert (desk["account"], bool(desk["secret"])) == ("seat-001", True)


@pytest.mark.parametrize("role", ["operator", "customer", "auditor", "base_manager", "api"])
async def test_nobody_but_supervisors_and_admins_hears_a_conversation(office, role):
    client = await office.login(role)
    assert (await listens(client, office)).status == 403
    assert office.stores.listenings.begun == []


async def test_every_board_shows_who_hears_whom_and_the_operator_only_what_the_engine_shows(office):
    boss, admin, eva = await office.login("supervisor"), await office.login("admin"), await office.login("operator")
    async with board(boss, office):
        await listens(boss, office)
        await boss.patch("/api/v1/listening", json={"mode": "listen"}, headers=CSRF)
        [shown] = (await (await admin.get("/api/v1/board")).json())["listenings"]
        assert (shown["user_id"], shown["name"], shown["mode"]) == (office.id_of("supervisor"), "Supervisor", "listen")
        assert "leg" not in shown
        assert (await (await eva.get("/api/v1/operator")).json())["operator"]["listened"] is None


async def ends(office, how):
    me = office.id_of("supervisor")
    for _ in range(250):
        if ("stop_listening", me, how) in office.commands.asked:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"never ended: {office.commands.asked}")


async def test_it_ends_when_the_page_is_closed(office):
    boss = await office.login("supervisor")
    async with board(boss, office):
        await listens(boss, office)
        await asyncio.sleep(0.3)
        assert len(office.commands.asked) == 1
    await ends(office, "page_gone")


async def test_a_page_that_is_loaded_again_keeps_a_desk_phone_and_a_browsers_phone_is_gone_with_its_line(office):
    boss = await office.login("supervisor")
    async with board(boss, office):
        await listens(boss, office)
    async with board(boss, office):
        await asyncio.sleep(0.3)
        assert len(office.commands.asked) == 1
        await listens(boss, office, phone="browser")
        await ends(office, "page_gone")


async def test_whoever_asks_without_a_board_page_hears_nothing_for_long(office):
    boss = await office.login("supervisor")
    assert (await listens(boss, office)).status == 201
    await ends(office, "page_gone")
