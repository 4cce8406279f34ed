"""A telephone for tests: registers, takes every call, says one tone and tells which tones it hears.

SIP over UDP and G.711 µ-law, as little of both as our own switch needs. The tone is what makes voices tell apart.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections import deque
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

RATE_HZ = 8000
FRAME = 160
#: Half a second is looked at: enough to tell tones 100 Hz apart.
HEARD_FRAMES = 25
#: A tone is heard when it has this part of full scale; what a phone says has a quarter.
AUDIBLE = 0.03
_BIAS, _CLIP = 33, 8159


class Softphone(asyncio.DatagramProtocol):
    """One phone at one address of the loopback.

    Args:
        name: Its SIP account, or who it is for whom nobody registers (a callee behind a trunk).
        tone_hz: What it says.
        secret: Password of the account; empty: it does not register.
        switch: Where it registers.
    """

    def __init__(
        self, name: str, tone_hz: int, *, secret: str = "", switch: tuple[str, int] = ("127.0.0.1", 0)
    ) -> None:
        self.name, self.tone_hz = name, tone_hz
        self._secret, self._switch = secret, switch
        self._sip: asyncio.DatagramTransport | None = None
        self._calls: dict[str, Voice] = {}
        self._call_id, self._turn = f"{secrets.token_hex(8)}@test", 0
        self.registered = asyncio.Event()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._sip, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        self.port: int = self._sip.get_extra_info("sockname")[1]
        if self._secret:
            self._register("")
            async with asyncio.timeout(10):
                await self.registered.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for voice in self._calls.values():
            voice.end()
        assert self._sip is not None
        self._sip.close()

    @property
    def talks(self) -> bool:
        """Whether a call is up."""
        return bool(self._calls)

    def hears(self, tones_hz: Iterable[int]) -> set[int]:
        """Which of these tones came in during the last half second."""
        heard = [voice.heard() for voice in self._calls.values()]
        return {hz for hz in tones_hz if any(level(sound, hz) > AUDIBLE for sound in heard)}

    # SIP ------------------------------------------------------------------------

    def _register(self, authorization: str) -> None:
        self._turn += 1
        self._write(
            f"REGISTER sip:{self._switch[0]}:{self._switch[1]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(8)}\r\n"
            f"From: <sip:{self.name}@dialer>;tag={self.name}\r\nTo: <sip:{self.name}@dialer>\r\n"
            f"Call-ID: {self._call_id}\r\nCSeq: {self._turn} REGISTER\r\nMax-Forwards: 70\r\nExpires: 300\r\n"
            f"Contact: <sip:{self.name}@127.0.0.1:{self.port}>\r\n{authorization}Content-Length: 0\r\n\r\n",
            self._switch,
        )

    def _write(self, text: str, address: tuple[str, int]) -> None:
        assert self._sip is not None
        self._sip.sendto(text.encode(), address)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        text = data.decode()
        word = text.partition(" ")[0]
        if word == "SIP/2.0":
            self._answered(text)
        elif word == "INVITE":
            self._invited(text, address)
        elif word != "ACK":
            if word in {"BYE", "CANCEL"} and (voice := self._calls.pop(_header(text, "Call-ID"), None)) is not None:
                voice.end()
            self._write(_reply(text, 200, "OK"), address)

    def _answered(self, text: str) -> None:
        code = text.split(" ")[1]
        if code == "401":
            realm, nonce = (_quoted(text, name) for name in ("realm", "nonce"))
            uri = f"sip:{self._switch[0]}:{self._switch[1]}"
            first = _md5(f"{self.name}:{realm}:{self._secret}")
            answer = _md5(f"{first}:{nonce}:00000001:test:auth:{_md5(f'REGISTER:{uri}')}")
            self._register(
                f'Authorization: Digest username="{self.name}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
                f'response="{answer}", algorithm=MD5, qop=auth, nc=00000001, cnonce="test"'
                + (f', opaque="{_quoted(text, "opaque")}"' if "opaque=" in text else "")
                + "\r\n"
            )
        elif code == "200":
            self.registered.set()

    def _invited(self, text: str, address: tuple[str, int]) -> None:
        """Take the call, and a later word about the same call; the answer is the same."""
        asyncio.get_running_loop().create_task(self._take(text, address))

    async def _take(self, text: str, address: tuple[str, int]) -> None:
        call_id = _header(text, "Call-ID")
        voice = self._calls.get(call_id)
        if voice is None:
            port = int(re.findall(r"^m=audio (\d+)", text, re.MULTILINE)[0])
            voice = self._calls[call_id] = await Voice.open(("127.0.0.1", port), self.tone_hz)
        body = (
            f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {voice.port} RTP/AVP 0\r\n"
            "a=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        )
        contact = f"Contact: <sip:{self.name}@127.0.0.1:{self.port}>\r\nContent-Type: application/sdp\r\n"
        self._write(_reply(text, 200, "OK", contact, body), address)


class Voice(asyncio.DatagramProtocol):
    """The two streams of one call."""

    def __init__(self, tone_hz: int) -> None:
        self._frames = [_ulaw(tone_hz, place) for place in range(RATE_HZ // FRAME)]
        self._came: deque[bytes] = deque(maxlen=HEARD_FRAMES)

    @classmethod
    async def open(cls, far: tuple[str, int], tone_hz: int) -> Voice:
        loop = asyncio.get_running_loop()
        voice = cls(tone_hz)
        voice._rtp, _ = await loop.create_datagram_endpoint(lambda: voice, ("127.0.0.1", 0), remote_addr=far)
        voice.port = voice._rtp.get_extra_info("sockname")[1]
        voice._says = loop.create_task(voice._say())
        return voice

    port: int
    _rtp: asyncio.DatagramTransport
    _says: asyncio.Task[None]

    async def _say(self) -> None:
        loop = asyncio.get_running_loop()
        began, source = loop.time(), secrets.randbits(31)
        for place in range(1 << 16):
            head = bytes((0x80, 0)) + (place & 0xFFFF).to_bytes(2) + (place * FRAME).to_bytes(4) + source.to_bytes(4)
            self._rtp.sendto(head + self._frames[place % len(self._frames)])
            await asyncio.sleep(max(0.0, began + (place + 1) * FRAME / RATE_HZ - loop.time()))

    def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
        if data[1] & 0x7F == 0:
            self._came.append(data[12:])

    def error_received(self, _: Exception) -> None:
        """The switch has closed its side first."""

    def heard(self) -> np.ndarray:
        """The last half second, from -1 to 1; shorter when less came."""
        return _linear(b"".join(self._came))

    def end(self) -> None:
        self._says.cancel()
        self._rtp.close()


def level(sound: np.ndarray, hz: int) -> float:
    """How loud a tone is in a sound, 1 is full scale."""
    if len(sound) < FRAME * HEARD_FRAMES:
        return 0.0
    turn = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / RATE_HZ)
    return float(2 * abs(np.mean(sound * turn)))


def _ulaw(hz: int, place: int) -> bytes:
    """A frame of a tone at a quarter of full scale. Source: ITU-T G.711."""
    at = np.arange(place * FRAME, (place + 1) * FRAME)
    sound = np.round(0.25 * _CLIP * np.sin(2 * np.pi * hz * at / RATE_HZ)).astype(int)
    size = np.minimum(np.abs(sound), _CLIP - _BIAS) + _BIAS
    segment = np.floor(np.log2(size)).astype(int) - 5
    code = (np.where(sound < 0, 0x80, 0) | (segment << 4) | ((size >> (segment + 1)) & 0x0F)) ^ 0xFF
    return bytes((code & 0xFF).astype(np.uint8))


def _linear(codes: bytes) -> np.ndarray:
    code = np.frombuffer(codes, np.uint8).astype(int) ^ 0xFF
    segment = (code >> 4) & 0x07
    size = ((((code & 0x0F) << 1) + _BIAS) << segment) - _BIAS
    return np.where(code & 0x80, -size, size) / _CLIP


def _reply(text: str, code: int, word: str, more: str = "", body: str = "") -> str:
    kept = [line for line in text.split("\r\n") if re.match(r"(Via|From|Call-ID|CSeq|Record-Route):", line)]
    to = f"To: {_header(text, 'To')}"
    to += "" if ";tag=" in to else ";tag=test"
    return "\r\n".join([f"SIP/2.0 {code} {word}", *kept, to, f"{more}Content-Length: {len(body)}", "", body])


def _header(text: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r$", text, re.MULTILINE)
    assert found, text
    return found[1]


def _quoted(text: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', text)
    return found[1] if found else ""


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
