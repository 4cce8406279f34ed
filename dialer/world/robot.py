"""A robot operator: works a seat through the same REST API and WebSocket as the operator's page, and nothing else.

It logs in, opens its shift, and for every conversation talks a while (or until the callee hangs up), closes the call
with a disposition under an idempotency key, and is ready again. When the service is away it keeps asking with the
*same* key, and writes down every save that was acknowledged: what a test may later hold the database to.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import aiohttp
import structlog

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_log = structlog.get_logger(__name__)

API = "/api/v1"

#: Weights of what a robot says a conversation was; only codes the campaign has are used.
HABIT = {
    "lead": 10,
    "agreed": 5,
    "callback": 8,
    "thinking": 15,
    "email_decision_maker": 6,
    "email_cold": 6,
    "refused_with_reason": 18,
    "refused_decision_maker": 14,
    "refused_gatekeeper": 10,
    "refused_unheard": 2,
    "stale": 2,
    "off_target": 4,
}

RETRY_S = (0.2, 1.0)
#: So often it looks up from the page.
LOOK_S = 0.25
#: Whoever is shown before the call is looked at for so long, and skipped so often.
LOOKS_S, SKIPS = (1.0, 4.0), 0.1
REQUEST_S_MAX = 10.0
REFUSED = range(400, 500)
AWAY = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a robot works, in seconds from least to greatest."""

    talk_s: tuple[float, float] = (2.0, 8.0)
    wrap_up_s: tuple[float, float] = (0.5, 2.0)


@dataclass(slots=True, kw_only=True)
class Robot:
    """One operator.

    Attributes:
        url: The service, e.g. ``http://127.0.0.1:8080``.
        saves: Client-side log: one JSON line for every save the service acknowledged.
        chance: Of its talk times and dispositions.
        resting: Wants a pause, after the call if there is one, and no call after it; ends when the service is lost.
        turn: Shared by robots of one address, which log in one after the other: many at once look like an attack.
    """

    url: str
    login: str
    password: str = field(repr=False)
    seat: str
    saves: Path
    chance: Random
    manner: Manner = field(default_factory=Manner)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    resting: bool = False
    saved: int = 0
    _closing: set[UUID] = field(default_factory=set)
    _looked: set[UUID] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _hanging_up: UUID | None = None
    _leaving: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Work until cancelled or told to leave; every loss of the service is a reason to try again."""
        try:
            async with aiohttp.ClientSession(
                self.url,
                headers={"X-Dialer": "1"},
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                timeout=aiohttp.ClientTimeout(total=REQUEST_S_MAX),
            ) as session:
                while not self._leaving.is_set():
                    with suppress(*AWAY):
                        await self._shift(session)
                    await asyncio.sleep(self.chance.uniform(*RETRY_S))
                await self._wait_for_saves()
                with suppress(*AWAY):
                    await self._post(session, "/operator/stop")
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def leave(self) -> None:
        """Hang up, close what is open, and end the shift."""
        self._leaving.set()

    async def _shift(self, session: aiohttp.ClientSession) -> None:
        """One connection to the service, from login to its loss."""
        if not await self._logged_in(session):
            return
        async with session.ws_connect(f"{API}/operator/live", heartbeat=5.0, headers={"Origin": self.url}) as live:
            asked = False
            while not live.closed:
                if self.resting and not asked:
                    await self._post(session, "/operator/pause", {"reason": "break"})
                    asked = True
                with suppress(TimeoutError):
                    message = await live.receive(timeout=LOOK_S)
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        return
                    await self._react(session, json.loads(message.data))
                if self._leaving.is_set() and await self._left(session):
                    return

    async def _logged_in(self, session: aiohttp.ClientSession) -> bool:
        """Go on with the session if it stands, else log in."""
        async with self.turn:
            async with session.get(f"{API}/me") as answer:
                if answer.status == 200:
                    return True
            status, _ = await self._post(session, "/login", {"login": self.login, "password": self.password})
            if status != 200:
                _log.warning("robot.login_refused", login=self.login, status=status)
                await asyncio.sleep(RETRY_S[1])
            return status == 200

    async def _react(self, session: aiohttp.ClientSession, now: dict[str, Any]) -> None:
        operator, card = now.get("operator"), now.get("card")
        if operator is None or operator["state"] == "offline":
            if not self._leaving.is_set():
                await self._post(session, "/operator/start", {"seat": self.seat})
            return
        works_on = not self._leaving.is_set() and not self.resting
        match operator["state"]:
            case "paused" if works_on:
                await self._post(session, "/operator/ready")
            case "talking" if operator["attempt_id"]:
                if works_on and operator["pause_after_call"]:
                    await self._post(session, "/operator/ready")  # the pause is not wanted any more
                self._once(UUID(operator["attempt_id"]), session)
            case "preview" if works_on and not operator["calls"] and operator["attempt_id"]:
                self._looks_at(UUID(operator["attempt_id"]), session)
            case "wrap_up" if card is not None:
                attempt = UUID(card["attempt_id"])
                if attempt not in self._closing and card.get("saved") is None:
                    self._closing.add(attempt)
                    self._start(self._close(session, card), f"robot-{self.login}-closes")
            case _:
                pass

    def _looks_at(self, preview: UUID, session: aiohttp.ClientSession) -> None:
        """Call who is shown after a look, decided once; now and then rather somebody else."""
        if preview not in self._looked:
            self._looked.add(preview)
            self._start(self._choose(session), f"robot-{self.login}-looks")

    async def _choose(self, session: aiohttp.ClientSession) -> None:
        await asyncio.sleep(self.chance.uniform(*LOOKS_S))
        with suppress(*AWAY):
            if self.chance.random() < SKIPS:
                await self._post(session, "/operator/preview/skip", {"reason": "other"})
            else:
                await self._post(session, "/operator/preview/call")

    def _once(self, attempt: UUID, session: aiohttp.ClientSession) -> None:
        """Hang up this conversation after a while, decided once."""
        if self._hanging_up != attempt:
            self._hanging_up = attempt
            self._start(self._hang_up(session, attempt), f"robot-{self.login}-talks")

    async def _hang_up(self, session: aiohttp.ClientSession, attempt: UUID) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.chance.uniform(*self.manner.talk_s)):
                await self._leaving.wait()
        if self._hanging_up == attempt:
            with suppress(*AWAY):
                now = await self._get(session, "/operator")
                operator = now.get("operator") or {}
                if operator.get("state") == "talking" and operator.get("attempt_id") == str(attempt):
                    await self._post(session, "/operator/hangup")

    async def _close(self, session: aiohttp.ClientSession, card: dict[str, Any]) -> None:
        """Save a disposition; the same key and content until there is an answer that counts."""
        await asyncio.sleep(0 if self._leaving.is_set() else self.chance.uniform(*self.manner.wrap_up_s))
        body = self._disposition(card)
        key = str(UUID(int=self.chance.getrandbits(128), version=4))
        path = f"/attempts/{card['attempt_id']}/disposition"
        while True:
            try:
                status, answer = await self._post(session, path, body, key=key)
            except AWAY:
                status, answer = 503, {}
            if status == 200:
                self._acknowledged(card["attempt_id"], key, body["code"])
                return
            code = answer.get("error", {}).get("code", "")
            if status == 401:
                with suppress(*AWAY):
                    await self._logged_in(session)
            elif code.startswith("callback."):
                body, key = {"code": "thinking", "note": "no promise possible"}, f"{key}-again"
            elif status in REFUSED:
                _log.warning("robot.save_refused", attempt=card["attempt_id"], status=status, code=code)
                return
            await asyncio.sleep(self.chance.uniform(*RETRY_S))

    def _disposition(self, card: dict[str, Any]) -> dict[str, Any]:
        kinds = {kind["code"]: kind for kind in card["dispositions"]}
        codes = [code for code in HABIT if code in kinds] or list(kinds)
        code = self.chance.choices(codes, [HABIT.get(code, 1) for code in codes])[0]
        body: dict[str, Any] = {"code": code, "note": f"robot on {self.seat}"}
        needs = kinds[code]["needs"]
        if "time" in needs:
            due_at = datetime.now(UTC) + timedelta(seconds=self.chance.randint(20, 600))
            body["callback"] = {"due_at": due_at.isoformat(), "operator": self.chance.choice(["me", "anyone"])}
        if "address" in needs:
            body["address"] = f"contact{card['contact_id']}@example.com"
        if "reason" in needs:
            body["reason"] = self.chance.choice(kinds[code]["reasons"] or ["other"])
        return body

    def _acknowledged(self, attempt_id: str, key: str, code: str) -> None:
        self.saved += 1
        line = {"at": time.time(), "operator": self.login, "attempt_id": attempt_id, "key": key, "code": code}
        with self.saves.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    async def _left(self, session: aiohttp.ClientSession) -> bool:
        """Whether nothing is left to do; asks for a pause so that no new call comes."""
        now = await self._get(session, "/operator")
        state = (now.get("operator") or {}).get("state")
        if state in {"ready", "ringing"}:
            await self._post(session, "/operator/pause", {"reason": "end"})
        return state not in {"talking", "wrap_up"} and not self._tasks

    async def _wait_for_saves(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=REQUEST_S_MAX)

    async def _get(self, session: aiohttp.ClientSession, path: str) -> dict[str, Any]:
        async with session.get(API + path) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def _post(
        self, session: aiohttp.ClientSession, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Idempotency-Key": key} if key else {}
        async with session.post(API + path, json=body or {}, headers=headers) as answer:
            with suppress(aiohttp.ContentTypeError, json.JSONDecodeError):
                return answer.status, await answer.json()
            return answer.status, {}

    def _start(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
