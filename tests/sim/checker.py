"""The invariants of promises.md, watched from outside: on the switch's own log and in the tables.

The checker believes nothing the engine says. It hears every event before any wire can lose it, sees every action when
it reaches the switch, and reads the tables. One function an invariant, its number in the name. A broken one ends the
day at that step.

What promises.md 1.3 calls honest exceptions is counted in ``exceptions``, by its reason, and never hidden: an engine
or a switch that was away, an operator's phone lost, events lost on the wire.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from ami.actions import Bridge, Originate
from ami.events import BridgeEntered, BridgeLeft, HungUp, Said
from dialer.core import budget as law
from dialer.core import hours
from dialer.core.model import CallbackState
from dialer.store.ids import stored
from tests.sim.lookout import LOOK_S
from tests.sim.site import SWITCH
from tests.sim.switchboard import Switchboard

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ami.actions import Action
    from ami.events import Event
    from ami.simulator.record import WorldCall
    from dialer.core.model import Campaign, LiveAttempt

#: The callee hears somebody within this (promises.md R5: 2 s, tests allow 2.1).
HEARD_S = 2.1
#: R3: between the commit and the write.
SEND_WITHIN_S = 1.01
#: What is heard of callers.
OF_CALLERS = (Said, BridgeEntered, BridgeLeft, HungUp)


@dataclass(slots=True)
class Count:
    """L and A of one campaign in one legal window, as the world knows them."""

    answered: int = 0
    abandoned: int = 0


@dataclass(slots=True)
class Checker(Switchboard):
    """Watches one day.

    Attributes:
        originated: How many INVITEs each attempt had.
    """

    originated: Counter[str] = field(default_factory=Counter)
    counts: defaultdict[tuple[int, datetime], Count] = field(default_factory=lambda: defaultdict(Count))
    witness: Callable[[object], None] = lambda _: None
    seen: Counter[str] = field(default_factory=Counter)
    _calls: dict[str, WorldCall] = field(default_factory=dict)
    _open: dict[str, WorldCall] = field(default_factory=dict)
    _rang: defaultdict[str, list[WorldCall]] = field(default_factory=lambda: defaultdict(list))
    _lines: dict[str, str] = field(default_factory=dict)

    # What is watched -------------------------------------------------------------

    def install(self) -> None:
        """Stand between everybody and the switch."""
        host, carry_out = self.site.host, self.site.host.do

        def do(action: Action) -> str | None:
            self.acts(action)
            refusal = carry_out(action)
            if isinstance(action, Originate) and action.number is not None:
                self._note_call(action)
            return refusal

        self.site.on_write = self.written
        self.site.on_end = lambda: self.in_trouble("engine could not renew its lease", 5)  # as one that was killed
        host.do = do  # type: ignore[method-assign]  # the one place every action passes
        host.listeners.insert(0, self.hears)
        host.on_crash.insert(0, self.crashes)
        self.site.loop.call_later(LOOK_S, self.looks, context=self.site.context)

    def acts(self, action: Action) -> None:
        """An action reaches the switch."""
        self.seen[type(action).__name__] += 1
        self.witness(action)
        if isinstance(action, Originate):
            if action.number is None:
                self.seat_of[action.channel_id] = action.endpoint
            else:
                self._starts(action)
        elif isinstance(action, Bridge):
            self.i21_i22_nobody_is_torn_away(action)
            self.i1_no_line_to_whom_is_put_through(action, self._lines)
            self.i25_nobody_who_left_is_bridged(action)
            self.who_asked_is_connected(action)

    def written(self, action: Action) -> None:
        """A service writes an action; when it arrives is another matter."""
        if isinstance(action, Originate) and action.number is not None:
            attempt_id = self.attempt_of[action.channel_id] = stored(UUID(hex=action.channel_id[4:]))
            self.channel_of[attempt_id] = action.channel_id
            row = self.site.database.tables.live.get(attempt_id)
            if row is None:
                self.fails("I2 written without a live row", action=action)
                return
            self.i8_not_forbidden(row.attempt)
            self.i33_sent_at_once(row.attempt)

    def hears(self, event: Event) -> None:
        """Something happens on the switch."""
        if isinstance(event, BridgeEntered) and not event.holding:
            self.bridges[event.bridge_id].add(event.channel_id)
            self.i21_i22_one_operator_one_callee(event)
        elif isinstance(event, BridgeLeft) and not event.holding:
            members = self.bridges[event.bridge_id]
            members.discard(event.channel_id)
            if not members:
                del self.bridges[event.bridge_id]
        elif isinstance(event, HungUp) and event.channel_id in self._calls:
            self._ends(event)
        if isinstance(event, OF_CALLERS):
            self.hears_callers(event)

    def crashes(self) -> None:
        """The switch is gone, and every call with it; nobody is told."""
        for channel_id, call in self._open.items():
            attempt = self.site.database.tables.attempt(self.attempt_of[channel_id])
            if call.answered_at is None or attempt is None:
                continue
            campaign = self.site.database.tables.campaigns[attempt.campaign_id]
            start, _ = law.window(campaign.profile.legal_window, attempt.sent_at, campaign.zone)
            self.counts[campaign.id, start].answered += 1
            self.exceptions["switch was restarted"] += not call.talks and call.heard != "offer"
        self._open.clear()
        self.callers_are_gone()

    def looks(self) -> None:
        """Every few seconds: what takes time to be wrong."""
        self.look()
        self.look_at_callers()
        self.site.loop.call_later(LOOK_S, self.looks, context=self.site.context)

    # Calls start ------------------------------------------------------------------

    def _starts(self, action: Originate) -> None:
        attempt_id = self.attempt_of[action.channel_id]
        number = f"+{action.number}"
        tables = self.site.database.tables
        row = tables.live.get(attempt_id)
        if row is None:
            self.fails("I2 dialled without a live row", attempt=attempt_id, finished=tables.attempts.get(attempt_id))
            return
        campaign = tables.campaigns[row.attempt.campaign_id]
        self.i1_one_live_call_a_number(number, action)
        self.i1_nobody_is_called_who_calls(number)
        if row.attempt.phone_id in tables.shown_phone or row.attempt.contact_id in tables.shown_contact:
            self.fails("dialled while somebody looks at it", row=row.attempt)
        self.i2_one_originate_an_attempt(action)
        self.i3_i4_limits_and_gaps(number, campaign, held=row.attempt.for_operator is not None)
        self.i5_inside_the_window(row.attempt, campaign)
        self.i26_trunk_limit(campaign)
        self.i32_only_the_holder_dials(row.epoch)
        self.i17_dialled_when_promised(row.attempt)
        if row.attempt.e164 != number:
            self.fails("I2 another number was dialled", row=row.attempt, number=number)

    def i1_one_live_call_a_number(self, number: str, action: Originate) -> None:
        """A phone number is never in two live attempts."""
        other = self._lines.get(number)
        if other is not None and other in self.site.host.switch.channels:
            self.fails("I1", number=number, first=other, second=action.channel_id)

    def i2_one_originate_an_attempt(self, action: Originate) -> None:
        """One Originate per attempt, ever."""
        self.originated[action.channel_id] += 1
        if self.originated[action.channel_id] > 1:
            self.fails("I2", attempt=action.channel_id, times=self.originated[action.channel_id])

    def i3_i4_limits_and_gaps(self, number: str, campaign: Campaign, *, held: bool) -> None:
        """Never more calls a day than the profile allows, and the gap between two; ``held``: an operator waits for it."""
        now, profile = self.site.host.now(), campaign.profile
        calls = [c for c in self._rang[number] if c.rang_at is not None or c.answered_at is not None]
        if len(calls) >= min(profile.per_day, profile.per_30_days):
            self.fails("I3", number=number, calls=len(calls))
        for call in calls[-1:]:
            ended_at = call.ended_at or now
            if now - ended_at < profile.min_gap_s - 1:
                self.fails("I4", number=number, ended_s_ago=now - ended_at)
            if self._lost_a_person(call) and not held and now - ended_at < profile.after_abandon_s - 1:
                self.exceptions["called again after an abandon nobody saw"] += 1
                if not self.trouble:
                    self.fails("I4 after an abandon", number=number, ended_s_ago=now - ended_at)

    def i5_inside_the_window(self, attempt: LiveAttempt, campaign: Campaign) -> None:
        """No call starts outside the callee's local window."""
        zones = self.site.database.tables.contacts[attempt.contact_id].lane.zones
        if not hours.may_call(self.site.clock.now(), zones, campaign.profile, campaign.ring_timeout_s):
            self.fails("I5", zones=zones, at=self.site.clock.now())

    def i8_not_forbidden(self, attempt: LiveAttempt) -> None:
        """After 'it is on the list' was answered, no Originate for that number is written."""
        since = self.diary.forbidden.get((attempt.e164, attempt.campaign_id))
        if since is not None:
            self.fails("I8", attempt=attempt, forbidden_since=since)

    def i8_cut_in_a_second(self, call: WorldCall) -> None:
        """Unanswered calls to a forbidden number are hung up <= 1 s."""
        attempt = self.site.database.tables.attempt(self.attempt_of[call.channel_id])
        since = self.diary.forbidden.get((f"+{call.number}", attempt.campaign_id if attempt else 0))
        if since is None:
            return
        rang_until = (call.answered_at or call.ended_at or 0.0) - self.site.epoch_s
        if rang_until - since > 1.0 + self._wire_s():
            self._well(self.site.active)  # what went away since the last look
            if self.well_since < since:
                self.fails("I8 rang on", call=call, forbidden_since=since)
            else:
                self.exceptions["rang on when forbidden, engine away"] += 1

    def _wire_s(self) -> float:
        """How long an action that was written before may still be on the wire."""
        return self.site.weather.action_delay_s[1] + 0.001

    def i26_trunk_limit(self, campaign: Campaign) -> None:
        """Concurrent calls <= trunk limit."""
        channels = self.site.host.switch.channels
        if len(channels) < campaign.trunk.max_channels:
            return
        lines = sum(1 for channel in channels if channel.startswith("att-"))
        if lines + 1 > campaign.trunk.max_channels:
            self.fails("I26", lines=lines + 1)

    def i32_only_the_holder_dials(self, epoch: int) -> None:
        """Two engines at once: one dials."""
        current = self.site.database.tables.leases[SWITCH].epoch
        if epoch != current:
            self.fails("I32", row_epoch=epoch, current=current)

    def i33_sent_at_once(self, attempt: LiveAttempt) -> None:
        """A frozen engine that wakes up sends nothing: no call is written later than 1 s after its commit (R3)."""
        age_s = (self.site.clock.now() - attempt.sent_at).total_seconds()
        if age_s > SEND_WITHIN_S:
            self.fails("I33", attempt=attempt, age_s=age_s)

    def i17_dialled_when_promised(self, attempt: LiveAttempt) -> None:
        """Never earlier than promised; how much later is counted."""
        callback = self.site.database.tables.callbacks.get(attempt.callback_id or 0)
        if callback is None:
            return
        late_s = (self.site.clock.now() - callback.due_at).total_seconds()
        self.first_dials.setdefault(callback.id, late_s)
        if late_s < -60:
            self.fails("I17 early", callback=callback)

    def _note_call(self, action: Originate) -> None:
        for call in reversed(self.site.host.switch.calls):
            if call.channel_id == action.channel_id:
                self._calls[action.channel_id] = self._open[action.channel_id] = call
                self._lines[f"+{action.number}"] = action.channel_id
                self._rang[f"+{action.number}"].append(call)
                return

    # Bridges -------------------------------------------------------------------------

    def i21_i22_one_operator_one_callee(self, event: BridgeEntered) -> None:
        """Operator never with two callees, callee never with two operators, not even one after the other."""
        members = self.bridges[event.bridge_id]
        callees = [m for m in members if not m.startswith("opr-")]
        if len(callees) > 1 or len(members) - len(callees) > 1:
            self.fails("I21/I22", bridge=members)
        call = self._calls.get(event.channel_id)
        if call is not None and len({talk.operator_channel_id for talk in call.talks}) > 1:
            self.fails("I22 two operators", call=call)

    def i21_i22_nobody_is_torn_away(self, action: Bridge) -> None:
        """Neither side of a Bridge talks to somebody else already."""
        for channel_id in (action.channel_id_1, action.channel_id_2):
            channel = self.site.host.switch.find(channel_id)
            if channel is not None and channel.bridge is not None and not channel.bridge.holding:
                self.fails("I21/I22 talks already", channel=channel_id, action=action)

    def i25_nobody_who_left_is_bridged(self, action: Bridge) -> None:
        """Operator paused or logged out gets no call."""
        leg = action.channel_id_1
        operator_id = self.seats.get(self.seat_of.get(leg, ""))
        since = self.diary.away.get(operator_id or 0)
        if since is not None and since < self.site.loop.time() - self._wire_s():
            self.fails("I25", operator=operator_id, away_since=since)

    def who_asked_is_connected(self, action: Bridge) -> None:
        """A call somebody asked for is given to nobody else, unless its operator's phone was lost or the engine was away."""
        attempt = self.site.database.tables.attempt(self.attempt_of[action.channel_id_2])
        operator_id = self.seats.get(self.seat_of.get(action.channel_id_1, ""))
        if attempt is None or not attempt.asked or attempt.came_in or attempt.for_operator == operator_id:
            return
        lost = any(self.site.loop.time() - 60 <= at for at in self.site.lost_phones)
        if not lost and not any(self.site.loop.time() <= until + 60 for until in self.trouble.values()):
            self.fails("asked for by another", attempt=attempt, operator=operator_id)

    # Calls end -----------------------------------------------------------------------

    def _ends(self, event: HungUp) -> None:
        call = self._calls[event.channel_id]
        self._open.pop(event.channel_id, None)
        self.i8_cut_in_a_second(call)
        if call.answered_at is None:
            return
        self.i23_somebody_is_heard_in_2_s(call, event)
        attempt = self.site.database.tables.attempt(self.attempt_of[event.channel_id])
        if attempt is not None:
            self.i20_abandoned_within_the_cap(call, attempt, event)

    def i23_somebody_is_heard_in_2_s(self, call: WorldCall, event: HungUp) -> None:
        """A person, the offer or the message within 2 s of the answer, always."""
        answered_at = call.answered_at or event.at
        heard_at = call.heard_at if call.heard_at is not None else event.at
        if heard_at - answered_at > HEARD_S:
            self.fails("I23", call=call)

    def _lost_a_person(self, call: WorldCall) -> bool:
        """Whether a person answered and nobody was connected in time (the legal sense of abandoned)."""
        return call.heard == "message" and not call.talks

    def i20_abandoned_within_the_cap(self, call: WorldCall, attempt: LiveAttempt, event: HungUp) -> None:
        """Abandoned / live-answered <= cap in every legal window, honest exceptions apart."""
        campaign = self.site.database.tables.campaigns[attempt.campaign_id]
        start, _ = law.window(campaign.profile.legal_window, attempt.sent_at, campaign.zone)
        count = self.counts[campaign.id, start]
        lost = self._lost_a_person(call) and not campaign.operator_free
        early = call.heard is None
        count.answered += not early
        if not lost:
            return
        reason = self._excuse(call)
        if reason is not None:
            self.exceptions[reason] += 1
            return
        count.abandoned += 1
        if count.abandoned * 1000 > campaign.cap_permille * count.answered:
            self.fails("I20", call=call, abandoned=count.abandoned, answered=count.answered)

    def _excuse(self, call: WorldCall) -> str | None:
        """The honest exception that explains a lost person, if there is one."""
        now = self.site.loop.time()
        for reason, until in self.trouble.items():
            if now <= until + 60:
                return reason
        lost = [at for at in self.site.lost_phones if now - 60 <= at <= now]
        return "an operator's phone was lost" if lost else None

    # At the end ------------------------------------------------------------------------

    def i11_every_attempt_has_one_end(self) -> None:
        """After faults end, 0 live attempts in <= max_call + 60 s, and every call has its attempt."""
        tables = self.site.database.tables
        if tables.live:
            self.fails("I11", live=[row.attempt for row in tables.live.values()])
        for channel_id in self.originated:
            if self.attempt_of[channel_id] not in tables.attempts:
                self.fails("I11 a call without an attempt", channel=channel_id)

    def i14_i15_i16_what_was_saved_is_there(self) -> None:
        """'Saved' shown -> it is in the database, once, with this content."""
        tables = self.site.database.tables
        for attempt_id, (key, form) in self.diary.saved.items():
            row = tables.dispositions.get(attempt_id)
            if row is None or (row.key, row.form) != (key, form):
                self.fails("I14", attempt=attempt_id, told=(key, form), stored=row)
        if self.diary.conflicts:
            self.fails("I15 other content was accepted", attempts=self.diary.conflicts)

    def i18_no_callback_is_dropped(self) -> None:
        """A promise is pending, or it was closed with a state and a time."""
        for callback in self.site.database.tables.callbacks.values():
            if (callback.state is CallbackState.PENDING) != (callback.closed_at is None):
                self.fails("I18", callback=callback)

    def at_the_end(self) -> None:
        """All that can be said only when the day is over."""
        self.i11_every_attempt_has_one_end()
        if self.site.database.tables.previews:
            self.fails("reserved after the day", previews=self.site.database.tables.previews)
        self.i14_i15_i16_what_was_saved_is_there()
        self.i18_no_callback_is_dropped()
        self.callers_at_the_end()
        self.i31_outcomes_add_up()
