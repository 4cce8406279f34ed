"""Who is no carrier of ours and speaks SIP to our Asterisk: reaches nothing; and what a carrier may not make of our call."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import AsyncExitStack
from random import Random
from typing import Self

import pytest

from ami.actions import Originate, Redirect
from ami.events import HungUp, LinkUp, Said
from ami.link import Link, LinkSettings
from dialer.service import CONTEXTS, PLAN
from dialer.world import ports, root, sounds, switchconf
from dialer.world.instance import Instance

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

PORTS = (25350, 25399)
CARRIER, STRANGER = "127.0.0.1", "127.0.0.2"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 26000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


class Peer(asyncio.DatagramProtocol):
    """Somebody at an address of the loopback: calls in, and answers every call with ``answer``."""

    def __init__(self, host: str, answer: str = "486 Busy Here") -> None:
        self.host, self.answer = host, answer
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self._sip: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: self, (self.host, 0))
        self.port: int = self._sip.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._sip is not None
        self._sip.close()

    def calls(self, port: int, dialled: str, *, user: str) -> None:
        """An INVITE to our switch."""
        at = f"{self.host}:{self.port}"
        self._write(
            f"INVITE sip:{dialled}@127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{secrets.token_hex(8)}\r\n"
            f"From: <sip:{user}@{at}>;tag={secrets.token_hex(4)}\r\nTo: <sip:{dialled}@127.0.0.1>\r\n"
            f"Call-ID: {secrets.token_hex(8)}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:{user}@{at}>\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}",
            ("127.0.0.1", port),
        )

    async def final(self) -> int:
        """The first final answer to what was asked."""
        while True:
            code = int((await asyncio.wait_for(self.heard.get(), 10)).split(" ")[1])
            if code >= 200:
                return code

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        text = data.decode()
        if text.startswith("SIP/2.0"):
            self.heard.put_nowait(text)
        elif text.startswith("INVITE"):
            kept = re.findall(r"^(?:Via|From|Call-ID|CSeq):[^\r]*\r\n", text, re.MULTILINE)
            to = re.findall(r"^To:[^\r]*", text, re.MULTILINE)[0]
            self._write(f"SIP/2.0 {self.answer}\r\n{''.join(kept)}{to};tag=x\r\nContent-Length: 0\r\n\r\n", address)

    def _write(self, text: str, address: tuple[str, int]) -> None:
        assert self._sip is not None
        self._sip.sendto(text.encode(), address)


@pytest.fixture(scope="module")
def secret() -> str:
    return Random(1).randbytes(16).hex()


async def _switch(stack: AsyncExitStack, folder, secret: str, carrier: Peer) -> tuple[Link, int]:
    asterisk = await asyncio.to_thread(root.find)
    ami_port, sip_port, _ = ports.free(3, *PORTS)
    switch = Instance(asterisk, folder / "switch", ami_port=ami_port)
    conf = switchconf.SwitchConf(
        home=switch.inside,
        modules_dir=asterisk.modules_dir,
        ami_port=ami_port,
        sip_port=sip_port,
        events_secret=secret,
        commands_secret=secret,
        trunks=(switchconf.TrunkLine(name="carrier", host=CARRIER, port=carrier.port),),
        seats={"seat-001": secret},
        rtp_first=27100,
        rtp_last=27199,
    )
    switchconf.render(conf, switch.home / "etc")
    await asyncio.to_thread(sounds.install, sounds.SWITCH, switch.home / "sounds")
    await stack.enter_async_context(switch)
    link = Link(LinkSettings(port=ami_port, events_secret=secret, commands_secret=secret, contexts=CONTEXTS, plan=PLAN))
    stack.callback(asyncio.create_task(link.run()).cancel)
    assert isinstance(await asyncio.wait_for(link.events.get(), 30), LinkUp)
    return link, sip_port


async def heard_until(link: Link, ends) -> list[object]:
    """Events up to one that ends it."""
    found: list[object] = []
    async with asyncio.timeout(15):
        while not found or not ends(found[-1]):
            found.append(await link.events.get())
    return found


async def test_only_the_carriers_address_reaches_the_place_of_callers(tmp_path, secret: str) -> None:
    """A trunk's name is no secret: whoever says it from elsewhere is asked for a password that nobody has."""
    async with AsyncExitStack() as stack:
        carrier, stranger = Peer(CARRIER), Peer(STRANGER)
        for peer in (carrier, stranger):
            await stack.enter_async_context(peer)
        link, port = await _switch(stack, tmp_path, secret, carrier)
        for user in ("carrier", "12025550101"):
            stranger.calls(port, "12025550199", user=user)
            assert await stranger.final() == 401
        carrier.calls(port, "12025550199", user="12025550101")
        assert await carrier.final() == 200
        said = [one for one in await heard_until(link, lambda one: isinstance(one, Said)) if isinstance(one, Said)]
        assert [(one.name, one.fields["Caller"]) for one in said] == [("CameIn", "12025550101")]


async def test_a_refusal_of_a_caller_is_kept_under_the_id_of_the_channel(tmp_path, secret: str) -> None:
    """Asterisk made that id, and the conversation's follows from it: a service that comes back knows who refused."""
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(Peer(CARRIER))
        link, port = await _switch(stack, tmp_path, secret, carrier)
        carrier.calls(port, "12025550199", user="12025550101")
        [*_, came] = await heard_until(link, lambda one: isinstance(one, Said))
        assert isinstance(came, Said)
        await link.send(Redirect(channel_id=came.fields["Name"], context="refusal"))
        await heard_until(link, lambda one: isinstance(one, Said) and one.name == "OptOut")
        assert list(await link.stored_keys("optout")) == [came.channel_id]
        await link.forget_key("optout", came.channel_id)
        assert await link.stored_keys("optout") == {}


async def test_a_call_that_the_far_side_forwards_goes_nowhere(tmp_path, secret: str) -> None:
    """Whom we call decides about his own phone, not about further calls of ours, nor about our place of callers."""
    async with AsyncExitStack() as stack:
        carrier = Peer(CARRIER, "302 Moved Temporarily\r\nContact: <sip:12025550666@127.0.0.1>")
        await stack.enter_async_context(carrier)
        link, _ = await _switch(stack, tmp_path, secret, carrier)
        channel = f"att-{secrets.token_hex(16)}"
        await link.send(
            Originate(
                channel_id=channel, endpoint="carrier", number="12025550101", context="answered", ring_timeout_ms=5000
            )
        )
        found = await heard_until(link, lambda one: isinstance(one, HungUp) and one.channel_id == channel)
        await asyncio.sleep(1)
        while not link.events.empty():
            found.append(link.events.get_nowait())
        assert [one.name for one in found if isinstance(one, Said)] == []
