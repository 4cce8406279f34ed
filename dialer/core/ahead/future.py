"""One possible future of a campaign: operators, lines and contacts, event by event.

The same as the engine does, without a switch: whoever is next by promise, priority and time is called as soon as the
pace, the bound on abandons and the window allow; what an attempt ends with is drawn from the rates of this future
(``rates``), and what follows from it is asked of the rules (``rules``).

What a contact does at its n-th attempt depends on the future, the contact and n alone, not on the order of events: two
plans meet the same people, and their difference is that of the plans (common random numbers).

Large campaigns are told in a smaller number of events: with ``scale`` k each contact stands for k of them and all of
an operator's work takes k times as long, while windows, retries and shifts stay as they are. What happens at a moment
is then the same in proportion; chance is a little larger than in truth, never smaller. Over days (``long``) a pause
follows a conversation, so that operators who wait for the next day cost nothing.
"""

from __future__ import annotations

from heapq import heapify, heappop
from math import exp, log
from typing import TYPE_CHECKING

from dialer.core.ahead.known import NATURES
from dialer.core.ahead.queue import AWAY, BACK, ELSEWHERE, RINGS, SAMPLE, SAYS, TALKS, WRITES, Queue
from dialer.core.model import OperatorState, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialer.core.ahead.known import Worker
    from dialer.core.ahead.queue import Told

#: From being free to the next line on its way.
LAG_S = 0.5
#: Ends that the legal count holds as answered by a person.
_LEGAL = frozenset({Outcome.CONNECTED, Outcome.OFFER_ENDED})
#: Ends that the legal counters of a number do not hold: it never rang.
_NEVER_RANG = frozenset({Outcome.INVALID_NUMBER, Outcome.CONGESTION, Outcome.FAILED})


class Future(Queue):
    """One possible future; ``live`` plays it once."""

    # Playing ------------------------------------------------------------------------

    def live(self, marks: Sequence[float], until_s: float, *, zone_offset_s: float = 0.0) -> Told:
        """Play until then, and tell what was at each mark.

        Args:
            marks: Seconds since 1970, in order, from now to ``until_s``.
            until_s: The end, seconds since 1970.
            zone_offset_s: Local time of the campaign minus UTC; for the hour of the day.
        """
        self.offset_s = zone_offset_s
        self._load()
        self._staff()
        self._dial(self.known.at_s)
        events, marked = self.events, 0
        while events and events[0][0] <= until_s:
            at_s, _, happens, about = heappop(events)
            while marked < len(marks) and marks[marked] < at_s:
                marked += self._mark()
            happens(at_s, about)
            if not self.open:
                self.told.ended_s = at_s
                break
        for _ in range(len(marks) - marked):
            self._mark()
        for begin_s in self.there.values():
            self.told.there_s += max(0.0, min(until_s, self.plan.shift_ends_s) - begin_s)
        self.told.abandoned = self.abandoned * self.scale
        return self.told

    # The stage ----------------------------------------------------------------------

    def _load(self) -> None:
        for place, crowd in enumerate(self.known.crowds):
            whole, rest = divmod(crowd.count, self.scale)
            lane = self._lane(crowd)
            for _ in range(whole + (self._chance(place, 0, SAMPLE) * self.scale < rest)):
                contact = self._contact(crowd, lane)
                if crowd.promised:
                    self.is_promised.add(contact)
                    self.promised.append((crowd.due_s, contact))
                else:
                    lane.due.append((crowd.due_s, contact))
        heapify(self.promised)
        for line in self.known.lines:
            contact = self._contact(line.of, self._lane(line.of))
            self.lines += 1
            self._in_flight(contact, self.known.at_s - line.sent_s)
        for lane in self.lanes.values():
            heapify(lane.due)
            for begin_s in self.rules.spans(lane.place)[0]:
                if begin_s > self.known.at_s:
                    self._at(begin_s, self._look, 0)
        self.by_priority = [lane for _, lane in sorted(self.lanes.items(), key=lambda item: -item[0][0])]
        if not self.untried:
            self.told.tried_s = self.known.at_s

    def _in_flight(self, contact: int, age_s: float) -> None:
        """An attempt on its way: it ends in some way that takes longer than it has lasted."""
        self.number[contact] -= 1  # the crowd counts it already
        number = self.number[contact]
        for turn in range(8):
            nature = self._nature(contact, self.known.at_s, number + (turn << 6))
            rest_s = self.rates.line[nature].draw(self._chance(contact, number + (turn << 6), RINGS)) - age_s
            if rest_s > 0:
                break
        self._at(self.known.at_s + max(0.5, rest_s) * self.scale, self._line_ends, contact * 16 + NATURES.index(nature))

    def _staff(self) -> None:
        plan, now_s = self.plan, self.known.at_s
        begun = plan.shift_begins_s is None or plan.shift_begins_s <= now_s
        crew: list[Worker | None] = list(self.known.crew) if begun else []
        wanted = len(self.known.crew) if plan.operators is None else plan.operators
        crew.sort(key=lambda one: one is None or one.contact is None)  # whoever is busy stays
        on_shift = crew[:wanted] + [None] * (wanted - len(crew))
        for operator, worker in enumerate(on_shift):
            if begun:
                self._comes(operator, worker)
            elif plan.shift_begins_s is not None:
                self._at(plan.shift_begins_s, self._arrives, operator)
            self._at(plan.shift_ends_s, self._leaves, operator)
            for begin_s, end_s in plan.shifts:
                self._at(begin_s, self._arrives, operator)
                self._at(end_s, self._leaves, operator)
        for operator, worker in enumerate(crew[wanted:], wanted):
            if worker is not None and worker.contact is not None:  # who leaves now still ends the conversation
                self._comes(operator, worker)
                self.leaving.add(operator)

    def _comes(self, operator: int, worker: Worker | None) -> None:
        """Go on with what an operator does at this moment."""
        now_s = self.known.at_s
        self.there[operator] = now_s
        self.turns[operator] = 0
        self._will_tire(now_s, operator)
        age_s = now_s - worker.since_s if worker is not None else 0.0
        chance = self._chance(1 << 40 | operator, 0, BACK)
        match worker.state if worker is not None else OperatorState.READY:
            case OperatorState.TALKING:
                self._has(operator, worker)
                self.talking += 1
                self._busy(now_s, now_s + self.rates.talk.rest(age_s, chance) * self.scale, self._talk_ends, operator)
            case OperatorState.WRAP_UP:
                self._has(operator, worker)
                self.writing += 1
                rest_s = self.rates.write.rest(age_s, chance)
                self._busy(now_s, now_s + rest_s * self.scale, self._writing_ends, operator)
            case OperatorState.PAUSED:
                self._away(now_s, operator, self.rates.away.rest(age_s, chance))
            case _:
                self.ready.append(operator)

    def _has(self, operator: int, worker: Worker | None) -> None:
        if worker is not None and worker.contact is not None:
            contact = self._contact(worker.contact, self._lane(worker.contact))
            self.with_whom[operator] = contact
            if worker.state is OperatorState.TALKING:
                self.number[contact] -= 1
            else:
                self.counted[contact] -= 1

    # Dialing ------------------------------------------------------------------------

    def _look(self, at_s: float, _: int) -> None:
        self._dial(at_s)

    def _wakes(self, at_s: float, _: int) -> None:
        self.wake_s = float("inf")
        self._dial(at_s)

    def _dial(self, at_s: float) -> None:
        """Place as many lines as may be, and come back when somebody is due."""
        room = self._room(at_s)
        while room > 0:
            contact = self._take(at_s)
            if contact is None:
                return
            self._send(at_s, contact)
            room -= 1

    def _room(self, at_s: float) -> int:
        if at_s >= self.budget_ends_s:
            self._new_window(at_s)
        channels = self.max_lines - self.lines - len(self.waiting) - self.talking
        if self.campaign.operator_free:
            return channels
        free, lines = len(self.ready), self.lines + len(self.waiting)
        if self.asked:
            return min(free, channels)
        more = free - lines
        if self.pace.ahead and channels > 0:
            spare = free + self.spare - lines
            if spare > more:
                more = min(
                    max(more, self.pace.more(free, self.talking, self.writing, self.lines, len(self.waiting))), spare
                )
        return min(more, channels)

    def _send(self, at_s: float, contact: int) -> None:
        self.attempts += 1
        number = self.number[contact]
        nature = self._nature(contact, at_s, number)
        lasts_s = LAG_S + self.rates.line[nature].draw(self._chance(contact, number, RINGS))
        if self.asked:
            self.with_whom[self.ready[0]] = contact
            self._at(
                at_s + (lasts_s + self.look_s) * self.scale,
                self._asked_ends,
                self.ready.popleft() * 16 + NATURES.index(nature),
            )
            self.talking += 1
        else:
            self.lines += 1
            self._at(at_s + lasts_s * self.scale, self._line_ends, contact * 16 + NATURES.index(nature))
        if number == 0:
            self.untried -= 1
            if not self.untried and self.told.tried_s is None:
                self.told.tried_s = at_s
        if self.lane[contact].limits and nature not in _NEVER_RANG:
            self.sent.setdefault(contact, []).append(at_s)

    # Ends ---------------------------------------------------------------------------

    def _line_ends(self, at_s: float, about: int) -> None:
        contact, nature = about >> 4, NATURES[about & 15]
        self.lines -= 1
        if nature is Outcome.CONNECTED and not self.campaign.operator_free:
            if self.ready:
                self._connect(at_s, self.ready.popleft(), contact)
            else:
                self.waiting.append(contact)
                self._at(at_s + self.wait_s, self._gives_up, contact)
            return
        if nature in _LEGAL:
            nature = Outcome.OFFER_ENDED
            self._counts(lost=False)
        self._ends(at_s, contact, nature)
        self._dial(at_s)

    def _asked_ends(self, at_s: float, about: int) -> None:
        """A call an operator chose: the operator has waited for its end."""
        operator, nature = about >> 4, NATURES[about & 15]
        self.talking -= 1
        contact = self.with_whom.pop(operator)
        if nature is Outcome.CONNECTED:
            self._connect(at_s, operator, contact)
        else:
            self._ends(at_s, contact, nature)
            self._free(at_s, operator)

    def _ends(self, at_s: float, contact: int, nature: Outcome) -> None:
        after = self.rules.ended(nature, self.counted[contact], self.number[contact] + 1)
        if nature is Outcome.OFFER_ENDED:
            code = self.rates.keyed.draw(self._chance(contact, self.number[contact], SAYS))
            if code:
                self.number[contact] += 1
                self._says(at_s, contact, code)
                return
        self.number[contact] += 1
        self._again(contact, at_s, after)

    def _gives_up(self, at_s: float, contact: int) -> None:
        if contact in self.waiting:
            self.waiting.remove(contact)
            self._counts(lost=True)
            after = self.rules.ended(Outcome.ABANDONED, self.counted[contact], self.number[contact] + 1)
            self.number[contact] += 1
            self._again(contact, at_s, after)
            self._dial(at_s)

    # Operators ------------------------------------------------------------------------

    def _connect(self, at_s: float, operator: int, contact: int) -> None:
        self._counts(lost=False)
        self.connects += 1
        self.talking += 1
        self.with_whom[operator] = contact
        if self.long:
            self.since[operator] = at_s
        talk_s = self.rates.talk.draw(self._chance(contact, self.number[contact], TALKS))
        self._busy(at_s, at_s + talk_s * self.scale, self._talk_ends, operator)

    def _busy(self, at_s: float, until_s: float, ends: Callable[[float, int], None], operator: int) -> None:
        self.told.busy_s += max(0.0, min(until_s, self.plan.shift_ends_s) - at_s)
        self._at(until_s, ends, operator)

    def _talk_ends(self, at_s: float, operator: int) -> None:
        self.talking -= 1
        self.writing += 1
        contact = self.with_whom.get(operator)
        if contact is None:
            chance = self._chance(1 << 40 | operator, self.turns.get(operator, 0), WRITES)
        else:
            self.number[contact] += 1
            chance = self._chance(contact, self.number[contact], WRITES)
        write_s = self.rates.write.draw(chance)
        self._busy(at_s, at_s + write_s * self.scale, self._writing_ends, operator)
        self._dial(at_s)

    def _writing_ends(self, at_s: float, operator: int) -> None:
        self.writing -= 1
        contact = self.with_whom.pop(operator, None)
        if contact is not None:
            code = self.rates.said.draw(self._chance(contact, self.number[contact], SAYS))
            if code:
                self._says(at_s, contact, code)
            else:
                self._again(
                    contact, at_s, self.rules.ended(Outcome.CONNECTED, self.counted[contact], self.number[contact])
                )
        self._free(at_s, operator)

    def _says(self, at_s: float, contact: int, code: str) -> None:
        """A disposition is saved."""
        self.counted[contact] += 1
        kind = self.campaign.dispositions[code]
        self.results += kind.result
        self.is_promised.discard(contact)
        times = 1
        if kind.retry is not None:
            times = self.times[contact, code] = self.times.get((contact, code), 0) + 1
        after = self.rules.said(code, self.counted[contact], times)
        if after.closes:
            self._close(contact)
        elif "time" in kind.needs:
            self.is_promised.add(contact)
            self._due(contact, at_s + self.rates.promise.draw(self._chance(contact, self.number[contact], BACK)))
        else:
            self._due(contact, at_s + after.delay_s)

    def _free(self, at_s: float, operator: int) -> None:
        """Free for the next: who waits, another campaign's conversation, a pause, or being ready."""
        self.turns[operator] = turn = self.turns.get(operator, 0) + 1
        if operator in self.leaving:
            self.leaving.discard(operator)
            self._goes(at_s, operator)
        elif operator in self.tired or (self.long and self._rests(at_s, operator, turn)):
            self.tired.discard(operator)
            chance = self._chance(1 << 40 | operator, turn, BACK)
            self._away(at_s, operator, self.rates.away.draw(chance))
        elif self.rates.own < 1 and self._chance(1 << 40 | operator, turn, ELSEWHERE) > self.rates.own:
            self.talking += 1
            talk_s = self.rates.talk.draw(self._chance(1 << 40 | operator, turn, TALKS))
            self._busy(at_s, at_s + talk_s * self.scale, self._talk_ends, operator)
        elif self.waiting:
            self._connect(at_s, operator, self.waiting.popleft())
        else:
            self.ready.append(operator)
        self._dial(at_s)

    def _rests(self, at_s: float, operator: int, turn: int) -> bool:
        """Over days: whether a pause follows a conversation, as likely as one began while it lasted."""
        lasted_s = at_s - self.since.pop(operator, at_s)
        return self._chance(1 << 40 | operator, turn, AWAY) > exp(-lasted_s / (self.rates.away_every_s * self.scale))

    def _will_tire(self, at_s: float, operator: int) -> None:
        if self.long:
            return
        turn = self.turns[operator]
        every_s = self.rates.away_every_s * self.scale
        self._at(at_s - log(1 - self._chance(1 << 40 | operator, turn, AWAY)) * every_s, self._tires, operator)

    def _tires(self, at_s: float, operator: int) -> None:
        if operator not in self.there:
            return
        if operator in self.ready:
            self.ready.remove(operator)
            self._away(
                at_s, operator, self.rates.away.draw(self._chance(1 << 40 | operator, self.turns[operator], BACK))
            )
        else:
            self.tired.add(operator)

    def _away(self, at_s: float, operator: int, lasts_s: float) -> None:
        self._goes(at_s, operator)
        back_s = at_s + lasts_s * self.scale
        self.turns[operator] += 1
        self._at(back_s, self._returns, operator)

    def _returns(self, at_s: float, operator: int) -> None:
        if self._works(at_s) and operator not in self.there:
            self._arrives(at_s, operator)

    def _works(self, at_s: float) -> bool:
        """Whether it is time to work."""
        if at_s < self.plan.shift_ends_s:
            return True
        return any(begin_s <= at_s < end_s for begin_s, end_s in self.plan.shifts)

    def _arrives(self, at_s: float, operator: int) -> None:
        if operator in self.there:
            return
        self.there[operator] = at_s
        self.turns[operator] = self.turns.get(operator, 0) + 1
        self._will_tire(at_s, operator)
        self.ready.append(operator)
        self._dial(at_s)

    def _leaves(self, at_s: float, operator: int) -> None:
        if operator in self.ready:
            self.ready.remove(operator)
            self._goes(at_s, operator)
        elif operator in self.there:
            self.leaving.add(operator)

    def _goes(self, at_s: float, operator: int) -> None:
        begin_s = self.there.pop(operator)
        self.told.there_s += max(0.0, min(at_s, self.plan.shift_ends_s) - begin_s)
