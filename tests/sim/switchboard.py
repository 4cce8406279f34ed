"""What must never happen to whoever calls us: watched on the switch, in its own log and in the tables.

A caller waits no longer than the campaign says, then hears why; with engine, wire or database away the dialplan's own
clock ends the wait. Who hears that a call back is coming is owed exactly one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ami.events import BridgeEntered, BridgeLeft, HungUp, Said
from dialer.core.model import CallbackState
from tests.sim.lookout import AUDIT_S, Lookout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from ami.actions import Bridge
    from ami.events import Event
    from ami.simulator.record import WorldCall

#: A look-up takes this long at the most while all is well, with our own call to the same person to be cut before.
LOOKED_UP_S = 4.5
#: The dialplan's own clocks end a wait after this, with nobody there to end it (S(30) of [inbound], S(20) of [held]).
DEAD_MAN_S = 30.1
#: Trouble that began after somebody had come, or ended shortly before, explains a wait.
NEAR_S = 60.0


@dataclass(slots=True)
class Switchboard(Lookout):
    """Watches the callers of one day."""

    _came: dict[str, WorldCall] = field(default_factory=dict)
    _waits_since: dict[str, float] = field(default_factory=dict)

    def hears_callers(self, event: Event) -> None:
        """Something happens to a caller's channel."""
        channel_id, now = event.channel_id, self.site.loop.time()  # type: ignore[attr-defined]  # asked for events of channels
        if isinstance(event, Said) and event.name == "CameIn":
            attempt_id = self.site.conversation_of(channel_id)
            self._came[channel_id] = self.site.host.switch.callers[-1]
            self.attempt_of[channel_id] = self.attempt_of[event.fields["Name"]] = attempt_id
            self.channel_of[attempt_id] = channel_id
        elif channel_id not in self._came:
            return
        elif isinstance(event, BridgeEntered) and event.holding:
            self._waits_since[channel_id] = now
        elif isinstance(event, BridgeEntered):
            self.i22_a_caller_has_one_operator(channel_id)
        elif isinstance(event, BridgeLeft) and event.holding:
            self.nobody_waits_longer_than_told(channel_id, now - self._waits_since.pop(channel_id))
        elif isinstance(event, HungUp):
            self._waits_since.pop(channel_id, None)

    def callers_are_gone(self) -> None:
        """The switch is gone and every caller with it."""
        self._waits_since.clear()

    def look_at_callers(self) -> None:
        """Callers who wait on a holding bridge for ever, and conversations of which no row says a word."""
        now, live = self.site.loop.time(), self.site.database.tables.live
        for channel_id, since in self._waits_since.items():
            if now - since > DEAD_MAN_S:
                self.fails("a caller waits for ever", channel=channel_id, since=since)
        odd = {f"i13-caller {member}" for member in self._talking() if self.attempt_of[member] not in live}
        self._keep_odd("i13-caller ", odd)
        for what in odd:
            if self._odd_for_s(what) > AUDIT_S:
                self.fails("I13 a caller talks without a row", channel=what)

    def nobody_waits_longer_than_told(self, channel_id: str, waited_s: float) -> None:
        """``return_wait_s``, while everything is there; the dialplan's own clock, always."""
        if waited_s > DEAD_MAN_S:
            self.fails("a caller waited for ever", channel=channel_id, waited_s=waited_s)
        most_s = max(campaign.return_wait_s for campaign in self.site.database.tables.campaigns.values())
        if waited_s <= most_s + LOOKED_UP_S:
            return
        if self._away_lately(NEAR_S):
            self.exceptions["a caller waited longer than told"] += 1
        else:
            self.fails("a caller waited too long", channel=channel_id, waited_s=waited_s)

    def _away_lately(self, near_s: float) -> bool:
        """Whether engine, wire, switch or database was away a moment ago."""
        now = self.site.loop.time()
        self._well(self.site.active)
        return now - self.well_since < near_s or any(now <= until + near_s for until in self.trouble.values())

    def i22_a_caller_has_one_operator(self, channel_id: str) -> None:
        """Nobody who calls us is given to a second operator."""
        call = self._came[channel_id]
        if len({talk.operator_channel_id for talk in call.talks}) > 1:
            self.fails("I22 a caller with two operators", call=call)

    def i1_nobody_is_called_who_calls(self, number: str) -> None:
        """No line to whoever talks with an operator on a call of their own."""
        for channel_id in self._talking():
            if self._number_of(channel_id) == number:
                self.fails("I1 dialled while the person talks to us", number=number, caller=channel_id)

    def i1_no_line_to_whom_is_put_through(self, action: Bridge, lines: dict[str, str]) -> None:
        """Whoever calls us is given to an operator only after our own line to the same number is gone."""
        channel = self.site.host.switch.find(action.channel_id_2)
        if channel is None or channel.channel_id not in self._came:
            return
        line = lines.get(self._number_of(channel.channel_id) or "")
        if line is not None and line in self.site.host.switch.channels:
            self.fails("I1 put through while we ring there", caller=channel.channel_id, line=line)

    def _talking(self) -> Iterator[str]:
        channels = self.site.host.switch.channels
        for members in self.bridges.values() if self._came else ():
            yield from (member for member in members if member in self._came and member in channels)

    def _number_of(self, channel_id: str) -> str | None:
        """The E.164 number of a caller whom the tables know."""
        tables = self.site.database.tables
        row = tables.live.get(self.attempt_of[channel_id])
        return row.attempt.e164 if row is not None else None

    def callers_at_the_end(self) -> None:
        """Everybody was answered somehow, once, outside of every count of calls we made."""
        tables = self.site.database.tables
        for finished in tables.attempts.values():
            ended = finished.ended
            told = ended.attempt.rang_at or ended.attempt.answered_at
            if ended.attempt.came_in and (ended.counts or ended.legal_answered or ended.legal_abandoned or told):
                self.fails("a caller is counted as a call we made", ended=ended)
        for channel_id, call in self._came.items():
            if call.ended_at is None:
                self.fails("a caller is there after the day", call=call)
            self._told_what_was_true(self.attempt_of[channel_id], call)
        self.i17_whoever_was_missed_is_owed_one_call()

    def _told_what_was_true(self, attempt_id: UUID, call: WorldCall) -> None:
        """Who talked is in the tables as connected; who hung up and talked to nobody is not."""
        row = self.site.database.tables.returns.get(attempt_id)
        if call.talks and (row is None or row.outcome != "connected"):
            self.fails("a caller talked, and no row says so", call=call, row=row)
        if row is not None and row.outcome == "connected" and not call.talks:
            self.fails("a caller never talked, and a row says so", call=call, row=row)

    def i17_whoever_was_missed_is_owed_one_call(self) -> None:
        """A missed one of somebody we know has an urgent promise, kept or pending as others are."""
        tables = self.site.database.tables
        urgent: dict[int, list[CallbackState]] = {}
        for callback in tables.callbacks.values():
            if callback.urgent:
                urgent.setdefault(callback.contact_id, []).append(callback.state)
        for row in tables.returns.values():
            if row.outcome != "missed" or row.contact_id is None:
                continue
            states, contact = urgent.get(row.contact_id, []), tables.contacts[row.contact_id]
            forbidden = any(tables.forbidden(p, tables.campaigns[contact.campaign_id]) for p in contact.phones)
            if not states and not forbidden:
                self.fails("I17 missed, and nothing is owed", row=row)
            if states.count(CallbackState.PENDING) > 1:
                self.fails("I17 missed, and called back twice", row=row)
