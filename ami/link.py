"""The connection to a switch that the rest of the house sees: two AMI sessions, supervised.

``events`` listens, ``commands`` acts; a storm of events cannot delay a Bridge, since each session is a thread of
Asterisk. The link is up only while both are, and is up or down as a whole:

    connect ──> events logged in, FullyBooted ──> commands logged in, version and dialplan checked ──> LinkUp
       ^                                                                                                 │
       └──────── pause with jitter <──── LinkDown, both aborted, pending actions uncertain <── either lost

Everything that happens is put into one bounded queue by one plain callback. When the queue is full its owner is too
slow to know the truth any more: the link is dropped, so that the resync after the next LinkUp brings it.

Rights (tried on 22.10): ``dialer-events`` read=call,user,system and nothing to write; FullyBooted is told only to
those who read ``system``, and OriginateResponse only to those who read ``call``, so it comes here although the
Originate went out there. ``dialer-commands`` write=originate,call,reporting and nothing to read.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ami.encode import checked, encode
from ami.errors import (
    ActionRefused,
    AmiError,
    LinkError,
    LoginInUse,
    LoginRefused,
    NotConnected,
    SwitchUnfit,
    Uncertain,
)
from ami.events import ChannelState, Event, LinkDown, LinkUp, SwitchSnapshot
from ami.parse import EventReader
from ami.session import Patience, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panoramisk.message import Message

    from ami.actions import Action
    from ami.session import Answer

log = logging.getLogger(__name__)

OLDEST_FIT: Final[Mapping[int, int]] = MappingProxyType({20: 20, 22: 10, 23: 4})
"""Branch -> first release where the deadlocks under AMI and Originate load are fixed (read in the change logs)."""

DOUBLINGS_MAX: Final = 16
"""Of the pause between two attempts to connect; a day of failures must not overflow a float."""

IN_USE_S_MAX: Final = 1.0
"""Between two tries while somebody else is logged in; Asterisk itself takes a second to refuse."""

QUARTER_S: Final = 900
"""All zones of the world are whole quarters of an hour away from UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """Where the switch is and what it must be.

    Attributes:
        host: Address of AMI.
        port: Its port.
        events_user: A manager.conf section with read=call,user,system.
        events_secret: Its secret.
        commands_user: A manager.conf section with write=originate,call,reporting.
        commands_secret: Its secret.
        contexts: Dialplan contexts that must exist.
        plan: What the global ``DIALER_PLAN`` must be, or None to accept any.
        queue_most: Events that may wait for their reader.
        patience: Deadlines.
    """

    host: str = "127.0.0.1"
    port: int = 5038
    events_user: str = "dialer-events"
    events_secret: str = field(repr=False)
    commands_user: str = "dialer-commands"
    commands_secret: str = field(repr=False)
    contexts: tuple[str, ...] = ()
    plan: str | None = None
    queue_most: int = 50_000
    patience: Patience = field(default_factory=Patience)


class Link:
    """``ami.port.SwitchLink`` over the network.

    Attributes:
        events: The one queue, in order.
        trouble: Why there is no connection right now, for people; None while the link is up.
    """

    def __init__(self, settings: LinkSettings, *, chance: random.Random | None = None) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()  # bounded by _put, which must still fit a LinkDown
        self.trouble: AmiError | None = NotConnected("not connected yet")
        self._settings = settings
        self._chance = chance or random.Random()
        self._reader = EventReader()
        self._events: Session | None = None
        self._commands: Session | None = None
        self._booted: asyncio.Future[Message] | None = None
        self._early: list[Event] = []
        self._up: LinkUp | None = None

    @property
    def malformed(self) -> int:
        """Events that could not be read, since the start."""
        return self._reader.malformed

    def ack_s_p95(self) -> float:
        """How long Asterisk takes to answer an action: 95th percentile of the last 30 s, in seconds; 0 if unknown."""
        if self._commands is None:
            return 0.0
        return self._commands.acks.p95_s(self._commands.loop.time())

    async def run(self) -> None:
        """Connect, log in, keep alive, reconnect with jittered backoff; until cancelled.

        Raises:
            LoginRefused: before the link was up for the first time.
            SwitchUnfit: version or dialplan are wrong.
        """
        failures, was_up, said = 0, False, ""
        while True:
            try:
                await self._connect()
                failures, was_up, said = 0, True, ""
                self.trouble = LinkError(await self._until_lost())
            except (LinkError, ActionRefused) as error:
                if isinstance(error, LoginRefused) and not was_up:
                    raise
                self.trouble = error
            finally:
                self._drop("closed")
            if str(self.trouble) != said:
                said = str(self.trouble)
                log.warning("switch link: %s %s", said, self.trouble.remedy)
            await self._pause(failures)
            failures += 1

    def send(self, action: Action) -> asyncio.Future[None]:
        """Write an action now, in this call, before returning.

        Returns:
            Ends with None, or ActionRefused, or Uncertain after its deadline or with the link.

        Raises:
            NotConnected: there is no session; nothing was written.
            BadAction: a value is not allowed; nothing was written.
        """
        session = self._session()
        action_id = session.next_id()
        answer = session.write(action_id, encode(action, action_id))
        done: asyncio.Future[None] = session.loop.create_future()
        answer.add_done_callback(lambda answered: _hand_on(answered, done))
        return done

    async def snapshot(self) -> SwitchSnapshot:
        """What the switch holds right now.

        Raises:
            NotConnected, Uncertain: the link was lost, or the list is not complete.
        """
        session, up = self._session(), self._up
        lines = await session.ask("CoreShowChannels", many=True)
        try:
            channels = tuple(_channel_state(line) for line in lines if line.event == "CoreShowChannel")
        except ValueError as error:
            raise Uncertain("the list of channels cannot be read") from error
        if up is None or str(len(channels)) != lines[-1].listitems:
            raise Uncertain("the list of channels is not complete")
        return SwitchSnapshot(version=up.version, started_at=up.started_at, channels=channels)

    async def stored_keys(self, family: str) -> dict[str, str]:
        """Entries of an AstDB family: key without family -> value.

        Raises:
            NotConnected, Uncertain, BadAction: as ``send``.
        """
        prefix = f"/{checked('word', family, field='family')}/"
        lines = await self._session().ask("DBGetTree", (("Family", family),), many=True)
        return {line.key.removeprefix(prefix): line.val for line in lines if line.event == "DBGetTreeResponse"}

    async def forget_key(self, family: str, key: str) -> None:
        """Delete one AstDB entry, after it is safe elsewhere. Deleting what is not there is no error.

        DBDel wants the right ``system``, which we do not have and do not want. Writing to the dialplan function
        DB_DELETE is allowed to ``call`` (reading it is not, while ``live_dangerously=no``).

        Raises:
            NotConnected, Uncertain, ActionRefused, BadAction: as ``send``.
        """
        entry = f"{checked('word', family, field='family')}/{checked('word', key, field='key')}"
        await self._session().ask("Setvar", (("Variable", f"DB_DELETE({entry})"), ("Value", "1")))

    def _session(self) -> Session:
        if self._up is None or self._commands is None:
            raise NotConnected("no session with the switch")
        return self._commands

    async def _connect(self) -> None:
        """Bring both sessions up and say LinkUp, or raise."""
        settings = self._settings
        self._early = []
        self._events, self._commands = self._new_session("events"), self._new_session("commands")
        self._booted = self._events.loop.create_future()
        await self._events.open(settings.events_user, settings.events_secret, events=True)
        booted = await self._until_booted(self._events, self._booted)
        await self._commands.open(settings.commands_user, settings.commands_secret, events=False)
        up = await self._check(self._commands, booted)
        if self._events.lost.done():
            raise LinkError(self._events.lost.result())
        self._up, self.trouble = up, None
        self.events.put_nowait(up)
        for event in self._early:
            self._put(event)

    def _new_session(self, name: str) -> Session:
        settings = self._settings
        return Session(
            name, host=settings.host, port=settings.port, patience=settings.patience, on_message=self._on_message
        )

    async def _until_booted(self, session: Session, booted: asyncio.Future[Message]) -> Message:
        await asyncio.wait(
            (session.lost, booted), timeout=self._settings.patience.boot_s, return_when=asyncio.FIRST_COMPLETED
        )
        if not booted.done():
            raise LinkError(
                session.lost.result()
                if session.lost.done()
                else "no FullyBooted from the switch: does the events user read `system`?"
            )
        return booted.result()

    async def _check(self, session: Session, booted: Message) -> LinkUp:
        """Version, contexts and dialplan.

        Raises:
            SwitchUnfit: this switch must not dial.
        """
        version = (await session.ask("CoreSettings"))[0].asteriskversion
        check_version(version)
        for context in self._settings.contexts:
            await self._check_context(session, checked("context", context, field="context"))
        if self._settings.plan is not None:
            found = (await session.ask("Getvar", (("Variable", "DIALER_PLAN"),)))[0].value
            if found != self._settings.plan:
                raise SwitchUnfit(f"the dialplan is of version {found or 'none'}, not {self._settings.plan}")
        [pong], [status] = await session.ask("Ping"), await session.ask("CoreStatus")
        try:
            now = float(pong.timestamp or session.received_at)
            return LinkUp(
                at=now,
                version=version,
                started_at=_moment(status.corestartupdate, status.corestartuptime, now, booted.uptime),
                reloaded_at=_moment(status.corereloaddate, status.corereloadtime, now, booted.lastreload),
            )
        except ValueError as error:
            raise LinkError("CoreStatus: its times cannot be read") from error

    async def _check_context(self, session: Session, context: str) -> None:
        try:
            await session.ask("ShowDialPlan", (("Context", context),), many=True)
        except ActionRefused as refusal:
            raise SwitchUnfit(f"dialplan context {context}: {refusal}") from refusal

    def _on_message(self, message: Message) -> None:
        """The one callback of the reader: it puts, and does nothing else."""
        if self._events is None:
            return
        event = self._reader.read(message, self._events.received_at)
        if event is not None:
            self._put(event)
        elif self._booted is not None and not self._booted.done() and message.event == "FullyBooted":
            self._booted.set_result(message)

    def _put(self, event: Event) -> None:
        """Queue an event; before LinkUp, keep it for right after."""
        most = self._settings.queue_most
        if self._up is None:
            self._early.append(event)
            full = len(self._early) > most
        elif not (full := self.events.qsize() >= most):
            self.events.put_nowait(event)
        if full:
            self._drop("overflow")

    async def _until_lost(self) -> str:
        """Wait until either session is lost; the reason."""
        if self._events is None or self._commands is None:
            return "closed"
        sessions = (self._events, self._commands)
        lost, _ = await asyncio.wait([s.lost for s in sessions], return_when=asyncio.FIRST_COMPLETED)
        reason = lost.pop().result()
        self._drop(reason)
        return reason

    def _drop(self, reason: str) -> None:
        """Down as a whole, and said once."""
        up, self._up = self._up, None
        for session in (self._events, self._commands):
            if session is not None:
                session.lose(reason)
        if up is not None and self._events is not None:
            self.events.put_nowait(LinkDown(at=self._events.received_at, reason=reason))

    async def _pause(self, failures: int) -> None:
        """Wait with jitter before connecting again, and until a full queue is half empty."""
        shortest, longest = self._settings.patience.back_off_s
        if isinstance(self.trouble, LoginInUse):
            longest = min(longest, IN_USE_S_MAX)
        doubled = shortest * 2 ** min(failures + 1, DOUBLINGS_MAX)
        await asyncio.sleep(self._chance.uniform(shortest, min(longest, doubled)))
        while self.events.qsize() > self._settings.queue_most // 2:  # noqa: ASYNC110  # a queue tells nobody of a get
            await asyncio.sleep(shortest)


def check_version(version: str) -> None:
    """Refuse an Asterisk with known deadlocks.

    Raises:
        SwitchUnfit: too old, of a branch that never got the fixes, or not to be told.
    """
    match = re.match(r"(\d{1,3})\.(\d{1,3})(?!\d)", version)
    fit = ", ".join(f"{branch}.{release}" for branch, release in OLDEST_FIT.items())
    if match is None:
        raise SwitchUnfit(f"Asterisk {version or 'without a version'} is not one of {fit} or later")
    branch, release = int(match[1]), int(match[2])
    if release < OLDEST_FIT.get(branch, 0 if branch > max(OLDEST_FIT) else release + 1):
        raise SwitchUnfit(f"Asterisk {version} is too old: at least {fit}")


def _moment(date: str, time_of_day: str, now: float, ago_s: str) -> float:
    """Seconds since the epoch of a date and time that Asterisk prints in its own zone without naming it.

    FullyBooted says how many seconds ago it was, a second more or less by the moment; that tells the zone.
    """
    local = datetime.fromisoformat(f"{date} {time_of_day}").replace(tzinfo=UTC).timestamp()
    if not ago_s:
        return local
    return local - round((local - (now - float(ago_s))) / QUARTER_S) * QUARTER_S


def _channel_state(line: Message) -> ChannelState:
    hours, minutes, seconds = line.duration.split(":")
    return ChannelState(
        channel_id=line.uniqueid,
        name=line.channel,
        state=line.channelstatedesc,
        context=line.context,
        application=line.application,
        bridge_id=line.bridgeid,
        duration_s=int(hours) * 3600.0 + int(minutes) * 60.0 + int(seconds),
    )


def _hand_on(answered: asyncio.Future[Answer], done: asyncio.Future[None]) -> None:
    """The answer's ending becomes the action's."""
    if done.done():
        return
    if error := answered.exception():
        done.set_exception(error)
    else:
        done.set_result(None)
