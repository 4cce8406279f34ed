"""Seats are given once, secrets are shown as they must, and a browser's SIP goes through us to Asterisk and nowhere else."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from dialer import seats
from dialer.errors import Misconfigured
from dialer.web.phone import GONE_S, SIP_MESSAGES_PER_S_MAX, TAKEN_OVER
from tests.web import fakes
from tests.web.conftest import CSRF, error_of, running

PAGE, OTHER_PAGE = "page0001", "page0002"


class Asterisk:
    """What is behind the relay: takes browser phones at ``/ws`` and says back what it hears."""

    def __init__(self):
        self.heard: list[str] = []
        self.open: set[web.WebSocketResponse] = set()
        self.left = asyncio.Condition()

    async def serve(self, request):
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        assert socket.ws_protocol == "sip"
        self.open.add(socket)
        async for message in socket:
            self.heard.append(message.data)
            await socket.send_str(f"200 {message.data}")
        async with self.left:
            self.open.discard(socket)
            self.left.notify_all()
        return socket


@pytest.fixture
async def asterisk():
    asterisk = Asterisk()
    app = web.Application()
    app.router.add_get("/ws", asterisk.serve)
    async with TestServer(app) as server:
        asterisk.port = server.port
        yield asterisk


@pytest.fixture
async def office(password_hash, asterisk, tmp_path):
    pool = tmp_path / "seats"
    pool.write_text(seats.text(seats.fresh(2)))
    async with running(password_hash, seats_file=pool, sip_ws_port=asterisk.port) as started:
        started.pool = pool
        yield started


async def line(client, world, page=PAGE, **more):
    """The page's phone, connected."""
    query = "&".join(f"{name}={value}" for name, value in {"page": page, **more}.items())
    return await client.ws_connect(f"/sip?{query}", protocols=("sip",), headers={"Origin": origin(world)})


def origin(world) -> str:
    return str(world.server.make_url("")).rstrip("/")


async def test_an_operator_keeps_a_seat_and_nobody_else_gets_it(office):
    """Asking again gives the same account; two operators have two; a third one is told that all are taken."""
    client, second = await office.login("operator"), await office.login("second")
    first = await (await client.post("/api/v1/operator/phone", headers=CSRF)).json()
    again = await (await client.post("/api/v1/operator/phone", headers=CSRF)).json()
    other = await (await second.post("/api/v1/operator/phone", headers=CSRF)).json()
    assert first == again
    assert first["account"] == "seat-001-web"
    assert other["account"] == "seat-002-web"
    assert first["secret"] == seats.read(office.pool)["seat-001"].web_secret


async def test_a_desk_phones_secret_is_shown_once_and_once_more_after_it_was_rotated(office):
    client = await office.login("operator")

    async def asked():
        return await (await client.post("/api/v1/operator/desk-phone", headers=CSRF)).json()

    first, again = await asked(), await asked()
    assert first["account"] == "seat-001"
    assert first["secret"] == seats.read(office.pool)["seat-001"].desk_secret
    assert again == first | {"secret": None}
    office.pool.write_text(seats.text(seats.fresh(3)))
    assert (await asked())["secret"] == seats.read(office.pool)["seat-001"].desk_secret != first["secret"]


async def test_a_shift_begins_on_the_phone_that_was_chosen(office):
    client, me = await office.login("operator"), office.id_of("operator")
    await client.post("/api/v1/operator/start", json={"phone": "browser"}, headers=CSRF)
    assert office.commands.asked[-2:] == [("start_shift", me, "seat-001-web"), ("ringing", me)]
    await client.post("/api/v1/operator/start", json={"phone": "desk"}, headers=CSRF)
    assert ("start_shift", me, "seat-001") in office.commands.asked


async def test_without_a_pool_there_are_seats_by_name_only(world):
    """A service that knows no pool says whom to ask."""
    client = await world.login("operator")
    answer = await client.post("/api/v1/operator/phone", headers=CSRF)
    assert error_of(await answer.json()).code == "phone.none"
    started = await client.post("/api/v1/operator/start", json={"seat": "desk-7"}, headers=CSRF)
    assert (await started.json())["operator"]["seat"] == "desk-7"


async def test_sip_goes_through_us_both_ways(office, asterisk):
    client = await office.login("operator")
    phone = await line(client, office)
    await phone.send_str("REGISTER")
    assert await phone.receive_str(timeout=5) == "200 REGISTER"
    now = await (await client.get("/api/v1/operator")).json()
    assert now["line"] == PAGE
    await phone.close()
    await gone(asterisk)
    assert (await (await client.get("/api/v1/operator")).json())["line"] is None


async def gone(asterisk):
    async with asyncio.timeout(5), asterisk.left:
        await asterisk.left.wait_for(lambda: not asterisk.open)


async def test_one_page_owns_the_line_until_another_takes_it(office, asterisk):
    """The second page is refused, unless it takes over; then the first is told why it was closed."""
    client = await office.login("operator")
    first = await line(client, office)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await line(client, office, OTHER_PAGE)
    assert refused.value.status == 409
    second = await line(client, office, OTHER_PAGE, take="true")
    closed = await first.receive(timeout=5)
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, TAKEN_OVER)
    assert (await (await client.get("/api/v1/operator")).json())["line"] == OTHER_PAGE
    await second.send_str("REGISTER")
    assert await second.receive_str(timeout=5) == "200 REGISTER"


async def test_a_reloaded_page_gets_its_own_line_back_at_once(office, asterisk):
    """Its old socket may still seem to be open."""
    client = await office.login("operator")
    await line(client, office)
    again = await line(client, office)
    await again.send_str("REGISTER")
    assert await again.receive_str(timeout=5) == "200 REGISTER"


async def test_a_page_of_another_site_gets_no_line(office, asterisk):
    client = await office.login("operator")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect(f"/sip?page={PAGE}", headers={"Origin": "https://evil.example"})
    assert refused.value.status == 403
    assert not asterisk.open


async def test_a_logout_hangs_the_phone_up(office, asterisk):
    client = await office.login("operator")
    phone = await line(client, office)
    await client.post("/api/v1/logout", headers=CSRF)
    assert (await phone.receive(timeout=5)).type is WSMsgType.CLOSE
    await gone(asterisk)


async def test_a_phone_that_talks_too_much_or_no_text_is_closed(office, asterisk):
    client = await office.login("operator")
    phone = await line(client, office)
    for _ in range(SIP_MESSAGES_PER_S_MAX + 1):
        await phone.send_str("x")
    await gone(asterisk)
    assert len(asterisk.heard) <= SIP_MESSAGES_PER_S_MAX
    phone = await line(client, office)
    await phone.send_bytes(b"x")
    await gone(asterisk)
    phone = await line(client, office)
    await phone.send_str("x" * 70_000)
    await gone(asterisk)
    assert len(asterisk.heard) <= SIP_MESSAGES_PER_S_MAX


async def test_an_asterisk_without_browser_phones_is_said(world):
    """No page hangs in a connection that leads nowhere."""
    client = await world.login("operator")
    answer = await client.get(f"/sip?page={PAGE}", headers={"Origin": origin(world)})
    assert error_of(await answer.json()).code == "switch.no_sip"
    assert (await (await client.get("/api/v1/operator")).json())["line"] is None


@pytest.mark.parametrize("text", ["seat-001 short short\n", "seat 001\n", "\n", "seat-001 " + "x" * 30 + "\n"])
def test_a_file_that_is_no_pool_is_said_without_its_content(tmp_path, text):
    path = tmp_path / "seats"
    path.write_text(text)
    with pytest.raises(Misconfigured) as wrong:
        seats.read(path)
    assert "Line 1" in wrong.value.message
    assert "xxx" not in str(wrong.value)


def test_secrets_never_show_in_a_representation():
    [seat] = seats.fresh(1)
    assert seat.desk_secret not in repr(seat)
    assert seat.web_secret not in repr(seat)
    assert seats.fresh(1)[0].desk_secret != seat.desk_secret


@pytest.mark.parametrize(
    ("seat", "state", "called"),
    [
        ("seat-001-web", "ready", True),
        ("seat-001", "ready", False),
        ("seat-001-web", "talking", False),
        ("seat-001-web", "paused", False),
    ],
)
async def test_whoever_is_ready_gets_no_callee_once_the_page_is_gone(office, seat, state, called):
    """Two seconds after its line closed the phone is called anew; not a desk phone, and not in a conversation."""
    client, me = await office.login("operator"), office.id_of("operator")
    await office.live.put(fakes.operator(me, state=state, seat=seat))
    phone = await line(client, office)
    await phone.close()
    await asyncio.sleep(GONE_S + 0.4)
    assert (("call_phone", me) in office.commands.asked) is called


async def test_a_page_that_is_loaded_again_keeps_its_operator_ready(office):
    client, me = await office.login("operator"), office.id_of("operator")
    await office.live.put(fakes.operator(me, state="ready", seat="seat-001-web"))
    phone = await line(client, office)
    await phone.close()
    await asyncio.sleep(GONE_S / 2)
    again = await line(client, office)
    await asyncio.sleep(GONE_S)
    assert office.commands.asked == []
    await again.close()
