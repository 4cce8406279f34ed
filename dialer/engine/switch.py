"""Between the words of AMI and the words of the product; the only file of the engine that imports ``ami``.

Attempts and operators' legs carry our own ids on the switch: ``att-`` or ``opr-`` and 32 hex digits, of one
length, because Asterisk's Bridge matches prefixes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ami import actions, causes
from ami import events as heard
from ami.errors import ActionRefused, AmiError, BadAction, NotConnected
from ami.port import SwitchLink
from dialer.core import events as ev
from dialer.core import offer_keys
from dialer.core.floor import SETTLE_S, Floor
from dialer.core.listening import Listening
from dialer.core.model import AttemptState, Campaign, Claim, Mode
from dialer.engine.callers import Caller, Callers
from dialer.engine.ears import EAR, EarLine
from dialer.engine.trials import TRIAL, Trials

ATTEMPT = "att-"
LEG = "opr-"
#: How long an operator's phone rings.
LEG_RING_S = 30
#: A failed Originate without a channel is believed after this; its channel's events may still be on the way.
NO_CHANNEL_S = 2.0
#: Q.850: a phone ended its call in order.
NORMAL_CLEARING = 16
#: An event's own time is believed if it is at most this old.
OLDEST_EVENT = timedelta(minutes=1)
#: Events and answers come over two connections: a hangup may arrive this much later than a look that knows of it.
LATE_S = 0.1
#: So many channel ids are known by heart.
SEEN_LATELY = 4096
_seen_lately: dict[str, tuple[str, UUID]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDue(heard.Event):
    """Our own mark in the stream: compare with the switch now."""


def channel_of(prefix: str, uid: UUID) -> str:
    """The switch's channel id of an attempt or a leg."""
    channel_id = prefix + uid.hex
    _remember(channel_id, (prefix, uid))
    return channel_id


def id_of(channel_id: str) -> tuple[str, UUID] | None:
    """Prefix and id of a channel of ours, None for any other channel.

    An id that was seen lately is the same object again: whoever looks it up in a dictionary need not compare it.
    """
    known = _seen_lately.get(channel_id)
    if known is not None:
        return known
    if channel_id[:4] not in {ATTEMPT, LEG}:
        return None
    try:
        ours = channel_id[:4], UUID(hex=channel_id[4:])
    except ValueError:
        return None
    _remember(channel_id, ours)
    return ours


def _remember(channel_id: str, ours: tuple[str, UUID]) -> None:
    """Keep what a channel id means, which never changes; all is forgotten when it becomes much."""
    if len(_seen_lately) >= SEEN_LATELY:
        _seen_lately.clear()
    _seen_lately[channel_id] = ours


class Switch:
    """Carries effects to the switch and its events back.

    Args:
        link: The supervised connection.
        causes_of: Attempt id -> overrides of the trunk's cause map.
        tell: Takes an event of the product; called at once, from the loop.
        listened: Takes a supervisor's listening that has changed.
        came_in: Takes somebody who calls us and waits; without it nobody is served who does.
        name: Of the switch.
    """

    def __init__(
        self,
        link: SwitchLink,
        causes_of: Callable[[UUID], Mapping[str, str]],
        tell: Callable[[ev.Event], None],
        listened: Callable[[Listening], None],
        came_in: Callable[[Caller], None] = lambda _: None,
        name: str = "",
    ) -> None:
        self.link = link
        self.callers = Callers(name, link, came_in)
        self._causes_of = causes_of
        self._tell = tell
        self._seen: set[UUID] = set()
        self.trials = Trials(link)
        self.ears = EarLine(link, lambda session_id: channel_of(LEG, session_id), listened)

    # Out --------------------------------------------------------------------

    def dial(self, claim: Claim, campaign: Campaign, now: Callable[[], datetime], *, record: bool = False) -> None:
        """Write the Originate of a claim; whatever happens, only once."""
        ivr = campaign.mode is Mode.IVR and not claim.asked
        action = actions.Originate(
            channel_id=channel_of(ATTEMPT, claim.attempt_id),
            endpoint=campaign.trunk.name,
            number=claim.e164.removeprefix("+"),
            context="offer" if ivr else "answered",
            ring_timeout_ms=campaign.ring_timeout_s * 1000,
            caller_number=campaign.caller_number or None,
            variables={**(_of_offer(campaign) if ivr else {}), **({"DIALER_RECORD": "1"} if record else {})},
            tells_id=campaign.trunk.kind == "world",
        )
        try:
            answer = self.link.send(action)
        except (NotConnected, BadAction) as error:
            self._tell(ev.NotSent(claim.attempt_id, now(), refused=isinstance(error, BadAction)))
            return
        answer.add_done_callback(lambda done: self._dialled(done, claim.attempt_id, now))

    def _dialled(self, done: asyncio.Future[None], attempt_id: UUID, now: Callable[[], datetime]) -> None:
        if not done.cancelled() and isinstance(done.exception(), ActionRefused):
            self._tell(ev.NotSent(attempt_id, now(), refused=True))

    def connect(self, attempt_id: UUID, session_id: UUID) -> None:
        """Write the Bridge of a callee and an operator's leg."""

        def refused(done: asyncio.Future[None]) -> None:
            if not done.cancelled() and isinstance(done.exception(), ActionRefused):
                self._tell(ev.BridgeRefused(attempt_id, session_id))

        action = actions.Bridge(channel_id_1=channel_of(LEG, session_id), channel_id_2=self.channel_of_call(attempt_id))
        with suppress(NotConnected):
            self.link.send(action).add_done_callback(refused)

    def hold(self, attempt_id: UUID) -> None:
        """Send a callee to wait with music; one who is gone already is told by other events."""
        action = actions.Redirect(channel_id=self.channel_of_call(attempt_id), context=ev.HELD)
        with suppress(NotConnected):
            self.link.send(action).add_done_callback(_ignore)

    async def mute(self, attempt_id: UUID, *, silent: bool) -> None:
        """Let the recording of a call write silence, or sound again.

        Raises:
            AmiError: the switch did not say that it does.
        """
        await self.link.send(actions.Mute(channel_id=self.channel_of_call(attempt_id), silent=silent))

    def mute_soon(self, attempt_id: UUID) -> None:
        """Ask for silence, and go on."""
        action = actions.Mute(channel_id=self.channel_of_call(attempt_id), silent=True)
        with suppress(NotConnected):
            self.link.send(action).add_done_callback(_ignore)

    def call_leg(self, session_id: UUID, seat: str, now: Callable[[], datetime]) -> None:
        """Call an operator's phone into its waiting place."""

        def refused(done: asyncio.Future[None]) -> None:
            if not done.cancelled() and done.exception() is not None:
                self._tell(ev.LegEnded(session_id, now()))

        action = actions.Originate(
            channel_id=channel_of(LEG, session_id),
            endpoint=seat,
            number=None,
            context="operator",
            ring_timeout_ms=LEG_RING_S * 1000,
            tells_id=True,
        )
        try:
            self.link.send(action).add_done_callback(refused)
        except AmiError:
            asyncio.get_running_loop().call_soon(self._tell, ev.LegEnded(session_id, now()))

    def hang_up(self, prefix: str, uid: UUID) -> None:
        """Hang up a channel of ours; that it is gone already is fine."""
        channel_id = self.channel_of_call(uid) if prefix == ATTEMPT else channel_of(prefix, uid)
        with suppress(NotConnected):
            self.link.send(actions.Hangup(channel_id=channel_id)).add_done_callback(_ignore)

    def channel_of_call(self, attempt_id: UUID) -> str:
        """What actions call the channel of an attempt, or of somebody who called us."""
        return self.callers.name_of(attempt_id) or channel_of(ATTEMPT, attempt_id)

    # In ---------------------------------------------------------------------

    def take(self, event: heard.Event, now: datetime) -> None:
        """Translate one event of the switch and tell it."""
        if isinstance(event, heard.ContactChanged):
            if event.status in {"Reachable", "Created"}:
                self._tell(ev.PhoneBack(event.aor))
            return
        channel_id = getattr(event, "channel_id", "")
        if channel_id.startswith(TRIAL):
            self.trials.take(event, channel_id, now)
            return
        if channel_id.startswith(EAR):
            self.ears.take(event, channel_id, now)
            return
        ours = id_of(channel_id) or self._caller(event, channel_id)
        if ours is None:
            return
        prefix, uid = ours
        at = datetime.fromtimestamp(event.at, UTC)
        at = now if not now - OLDEST_EVENT <= at <= now else at
        if prefix == LEG:
            self._leg(event, uid, at)
        else:
            self._call(event, uid, at)

    def _caller(self, event: heard.Event, channel_id: str) -> tuple[str, UUID] | None:
        """The conversation of somebody who called us, None for a channel of nobody's."""
        uid = self.callers.id_of(channel_id)
        self.callers.take(event, channel_id)
        return None if uid is None else (ATTEMPT, uid)

    def _leg(self, event: heard.Event, uid: UUID, at: datetime) -> None:
        match event:
            case heard.BridgeEntered(holding=True):
                self._tell(ev.LegWaiting(uid, at))
            case heard.BridgeEntered():
                self._tell(ev.OperatorJoined(uid, event.bridge_id, at))
            case heard.HungUp():
                self._tell(ev.LegEnded(uid, at, put_down=event.cause == NORMAL_CLEARING))
            case heard.Originated(success=False):
                self._tell(ev.LegEnded(uid, at))
            case _:
                pass

    def _call(self, event: heard.Event, uid: UUID, at: datetime) -> None:
        match event:
            case heard.ChannelCreated():
                self._seen.add(uid)
                self._tell(ev.CallAppeared(uid))
            case heard.ChannelRinging():
                self._tell(ev.Rang(uid, at))
            case heard.BridgeEntered(holding=True):
                self._tell(ev.CalleeWaits(uid, at))
            case heard.BridgeEntered():
                self._tell(ev.CalleeJoined(uid, event.bridge_id, at))
            case heard.Said():
                self._said(event, uid, at)
            case heard.HungUp():
                self._seen.discard(uid)
                word = causes.outcome(event.cause, event.sip_code, self._causes_of(uid))
                self._tell(ev.CallEnded(uid, at, event.cause, event.sip_code, word))
            case heard.Originated(success=False):
                if uid not in self._seen:
                    asyncio.get_running_loop().call_later(NO_CHANNEL_S, self._no_channel, uid, at)
            case _:
                pass

    def _no_channel(self, uid: UUID, at: datetime) -> None:
        if uid not in self._seen:
            self._tell(ev.NotSent(uid, at, refused=True))

    def _said(self, event: heard.Said, uid: UUID, at: datetime) -> None:
        match event.name:
            case "Answered":
                self._tell(ev.Answered(uid, at))
            case "OfferStarted":
                self._tell(ev.OfferStarted(uid, at))
            case "Waiting":
                self._tell(ev.WaitingForOperator(uid, at))
            case "Message":
                self._tell(ev.MessageStarted(uid, at))
            case "OptOut":
                self._tell(ev.OptedOut(uid, at))
            case "Key":
                self._tell(ev.KeyPressed(uid, event.fields.get("Key", "")[:1], at))
            case _:
                pass

    async def look(self, now: Callable[[], datetime], live: Container[UUID] = ()) -> ev.Resynced:
        """Ask the switch what it holds; supervisors' phones are looked at here.

        Args:
            now: The clock.
            live: Attempts we know of: a caller who is none of them is left alone.

        Raises:
            AmiError: the link failed meanwhile.
        """
        snapshot = await self.link.snapshot()
        talking = {
            c.bridge_id: found[1]
            for c in snapshot.channels
            if c.bridge_id and (found := id_of(c.channel_id)) and found[0] == LEG
        }
        calls: dict[UUID, ev.SeenCall] = {}
        legs: dict[UUID, bool] = {}
        callers = self.callers.found((c for c in snapshot.channels if id_of(c.channel_id) is None), live)
        for channel in snapshot.channels:
            caller = callers.get(channel.channel_id)
            found = id_of(channel.channel_id) if caller is None else (ATTEMPT, caller)
            if found is None:
                continue
            if found[0] == LEG:
                legs[found[1]] = channel.state == "Up"
                continue
            waits = channel.application == "BridgeWait"
            calls[found[1]] = ev.SeenCall(
                up=channel.state == "Up",
                ringing=channel.state == "Ringing",
                waiting_place=channel.context if waits else "",
                talking_to=talking.get(channel.bridge_id),
                message=channel.application == "Read",
            )
        self._seen = set(calls)
        self.ears.seen((channel.channel_id for channel in snapshot.channels), now())
        return ev.Resynced(datetime.fromtimestamp(snapshot.started_at, UTC), calls, legs)

    async def opt_outs(self) -> dict[str, UUID]:
        """Attempts whose callee opted out by key while nobody listened (AstDB), by the key of each.

        Of somebody who called us the key is the channel's id.
        """
        found = await self.link.stored_keys("optout")
        return {key: _hex(key) or self.callers.id_for(key) for key in found}

    async def forget_opt_out(self, key: str) -> None:
        """The opt-out is safe in PostgreSQL; the switch need not keep it."""
        with suppress(AmiError):
            await self.link.forget_key("optout", key)


class Hearing:
    """Events of one link, one by one, and how a look at the switch fits among them.

    A look shows one moment, and arrives among events of before and after it. Whatever it does not show any more had
    its last words before: they are heard first, so that a call ends as it ended and not as ``unknown``. All else is
    heard after it.

    Args:
        events: The link's queue.
    """

    def __init__(self, events: asyncio.Queue[heard.Event]) -> None:
        self._events = events
        self._ahead: deque[heard.Event] = deque()

    def add(self, mark: heard.Event) -> None:
        """A mark of our own behind everything that has come; a full queue needs none, its link is dropped."""
        if not self._events.full():
            self._events.put_nowait(mark)

    def ready(self) -> heard.Event | None:
        """The next event, if it has come."""
        if self._ahead:
            return self._ahead.popleft()
        return None if self._events.empty() else self._events.get_nowait()

    async def next(self) -> heard.Event:
        """The next event."""
        return self.ready() or await self._events.get()

    async def look(self, switch: Switch, floor: Floor, now: Callable[[], datetime]) -> ev.Resynced:
        """What the switch holds, after the last words of what it holds no more were taken.

        Raises:
            AmiError: the link failed meanwhile.
        """
        found = await switch.look(now, floor.attempts)
        settled = now() - timedelta(seconds=SETTLE_S)
        gone = {
            switch.callers.channel_of(attempt.id) or channel_of(ATTEMPT, attempt.id)
            for attempt in floor.attempts.values()
            if attempt.id not in found.calls and (attempt.state is not AttemptState.SENT or attempt.sent_at < settled)
        }
        over = set()
        callers = switch.callers.known()
        whose = {channel: (ATTEMPT, uid) for channel, uid in callers.items()}
        for event in await self._last_words(gone):
            switch.take(event, now())
            if isinstance(event, heard.HungUp) and (ours := whose.get(event.channel_id) or id_of(event.channel_id)):
                over.add(ours[1])
        looked_up = set(callers.values()) - floor.attempts.keys()
        return replace(
            found,
            calls={uid: call for uid, call in found.calls.items() if uid not in over | looked_up},
            legs={uid: answered for uid, answered in found.legs.items() if uid not in over},
        )

    async def _last_words(self, gone: set[str]) -> list[heard.Event]:
        """Everything up to the last hangup of these channels that has come, or comes in a moment."""
        if not gone:
            return []
        end = self._end_of(gone)
        if len(gone & {e.channel_id for e in self._ahead if isinstance(e, heard.HungUp)}) < len(gone):
            await asyncio.sleep(LATE_S)
            end = self._end_of(gone)
        return [self._ahead.popleft() for _ in range(end)]

    def _end_of(self, gone: set[str]) -> int:
        """How many events there are until the last hangup of these; what a lost link told is no part of them."""
        while not self._events.empty():
            self._ahead.append(self._events.get_nowait())
        end = 0
        for place, event in enumerate(self._ahead, 1):
            if isinstance(event, heard.LinkUp | heard.LinkDown):
                break
            if isinstance(event, heard.HungUp) and event.channel_id in gone:
                end = place
        return end


def _hex(key: str) -> UUID | None:
    try:
        return UUID(hex=key)
    except ValueError:
        return None


def _of_offer(campaign: Campaign) -> dict[str, str]:
    """What the dialplan has to know of a campaign's offer."""
    said, promised = offer_keys.said(campaign)
    keys = {"DIALER_SAID_KEYS": said, "DIALER_CALLBACK_KEYS": promised}
    told = {name: digits for name, digits in keys.items() if digits}
    return {"DIALER_OFFER": campaign.offer or "", "DIALER_KEY_WAIT_S": str(campaign.key_wait_s), **told}


def _ignore(done: asyncio.Future[None]) -> None:
    """What failed says only that the channel is gone, or that a resync will see to it."""
    if not done.cancelled():
        done.exception()
