"""Were the promises kept? A log of the world's own: what operators were told, what reached the switch, who was free.

Kept in time: the call reached the switch within a minute of the promised time. *Free*: for three seconds in a row of
the minute from the promised time on, engine, link, database and switch were there, and one operator who may keep it

    was ready on his own page, with the phone waiting in silence, and had not asked to leave, or was held up by an
    ordinary call that was placed in the last 30 s before the promised time or later (somebody should have been kept free)
    and was not one of those needed for the lines that were under way: lines of other promises, and ordinary ones placed
    more than 30 s before the promised time

For a promise of one operator that one is meant. All promises that were not kept in time must be shown as late a
minute after their time, with a reason that is true by this log; unless the number was forbidden meanwhile (blocked) or
the rules came to forbid the time (moved; then the new time is judged).
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ami.actions import Originate
from dialer.core.model import CallbackState, OperatorState, Outcome
from tests.sim.loop import START

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from tests.sim.checker import Checker
    from tests.sim.month import Clerk
    from tests.sim.operators import Diary
    from tests.sim.rows import Callback
    from tests.sim.site import Site

IN_TIME_S = 60.0
#: Somebody is kept free for a promise from so long before its time on.
RESERVED_S = 30.0
#: So many looks in a row, a second apart, make a free operator.
LOOKS = 4
#: When people may be called by their own clocks.
HOURS = time(9), time(20)
#: The campaign without hours.
ROUND_THE_CLOCK = 3
#: Nobody can look at a page of a service that is away; it is looked at when it is back, at most so much later.
AWAY_S = 180.0
#: Then a promise whose owner was away at its time is anybody's.
PASSED_ON_S = 90.0
#: A reason is true if it was so within the last seconds.
LATELY_S = 8.0
#: Who is claimed is being called; the trunk may let the call start so much later.
STARTS_S = 1.01


@dataclass(slots=True)
class Promise:
    """What a callee was told."""

    attempt_id: UUID
    number: str
    campaign_id: int
    due_s: float
    owner: int | None
    zones: Sequence[str]
    free_looks: int = 0
    had_free: bool = False
    called: bool = False
    verdict: str = ""


@dataclass(slots=True)
class Verdicts:
    """How promises were kept; ``wrong`` is what must not be."""

    counts: Counter[str] = field(default_factory=Counter)
    late_because: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    told: list[UUID] = field(default_factory=list)
    """The conversations in which promises were made."""

    @property
    def with_free(self) -> int:
        """Promises for which somebody was free."""
        return self.counts["in time"] + len(self.missed)

    @property
    def kept_share(self) -> float:
        """Of these, the share that was kept in time."""
        return self.counts["in time"] / self.with_free if self.with_free else 0.0

    def sentence(self) -> str:
        """In short."""
        return f"{len(self.told)} told, {dict(self.counts)}, {len(self.missed)} missed, {len(self.wrong)} wrong"

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{dict(self.counts)}",
            f"late because {dict(self.late_because.most_common())}",
            f"refused when made {dict(self.refused)}; at the end {dict(self.ends)}",
            f"in time {self.counts['in time']} of {self.with_free} with a free operator: {self.kept_share:.4%}",
            *(f"  missed {line}" for line in self.missed[:20]),
            *(f"  WRONG {line}" for line in self.wrong[:20]),
        ]


class Judge:
    """Watches each promise from its time on."""

    def __init__(self, site: Site, checker: Checker, diary: Diary, robots: Sequence[Clerk]) -> None:
        self.site = site
        self.verdicts = Verdicts()
        self.holiday: tuple[str, date] | None = None
        self.promises: dict[UUID, Promise] = {}
        self._checker = checker
        self._diary = diary
        self._robots = robots
        self._of_number: defaultdict[str, list[Promise]] = defaultdict(list)
        self._called: defaultdict[str, list[float]] = defaultdict(list)
        self._lines: dict[str, tuple[str, float, Promise | None]] = {}
        self._waiting: list[Promise] = []
        self._row_of: dict[UUID, Callback] = {}
        self._rows = 0
        self._lately: deque[tuple[float, dict[int, str]]] = deque(maxlen=60)

    # What happens ------------------------------------------------------------------

    def acts(self, action: object) -> None:
        """A call is placed."""
        if isinstance(action, Originate) and action.number is not None:
            number, now = f"+{action.number}", self.site.loop.time()
            waiting = [p for p in self._of_number[number] if p.due_s - IN_TIME_S <= now and not self._over(p)]
            promise = waiting[-1] if waiting else None
            if promise is not None:
                promise.called = True
            self._called[number].append(now)
            self._lines[action.channel_id] = number, now, promise

    def promised(
        self, attempt_id: UUID, number: str, due_at: datetime, owner: int | None, zones: Sequence[str]
    ) -> None:
        """An operator was told that a promise is saved."""
        if attempt_id in self.promises:
            return
        attempt = self.site.database.tables.attempt(attempt_id)
        campaign_id = attempt.campaign_id if attempt is not None else 0
        promise = Promise(attempt_id, number, campaign_id, (due_at - START).total_seconds(), owner, zones)
        self.promises[attempt_id] = promise
        self.verdicts.told.append(attempt_id)
        self._of_number[number].append(promise)
        self._watch(promise)

    def _watch(self, promise: Promise) -> None:
        self.site.loop.call_at(promise.due_s, self._look, promise, context=self.site.context)

    def _over(self, promise: Promise) -> bool:
        """Whether nothing is owed any more: a call for it had an end, or its number was forbidden."""
        row = self._row(promise)
        return row is not None and row.state is not CallbackState.PENDING

    # Was it kept? --------------------------------------------------------------------

    def _look(self, promise: Promise) -> None:
        now = self.site.loop.time()
        if promise.called:
            self._settle(promise, "in time")
            return
        if promise not in self._waiting:
            self._waiting.append(promise)
        operators = self._operators()
        if now > promise.due_s + IN_TIME_S:
            self._late(promise)
            return
        promise.free_looks = promise.free_looks + 1 if self._free_for(promise, operators) else 0
        promise.had_free = promise.had_free or promise.free_looks >= LOOKS
        self.site.loop.call_later(1.0, self._look, promise, context=self.site.context)

    def _settle(self, promise: Promise, verdict: str) -> None:
        promise.verdict = verdict
        self.verdicts.counts[verdict] += 1

    def _late(self, promise: Promise) -> None:
        """It was not kept in time: what does the board show?"""
        service, now, tables = self.site.active, self.site.loop.time(), self.site.database.tables
        if service is None or not service.process.running or not self._web(service):
            if now < promise.due_s + IN_TIME_S + AWAY_S:
                self.site.loop.call_later(1.0, self._late, promise, context=self.site.context)
            else:
                self._settle(promise, "off at night")
            return
        row = self._row(promise)
        if row is None:
            self._settle(promise, "lost")
            self._wrong(promise, "there is no such promise")
            return
        word, why = tables.shown(row, service.engine.stopped_because(), service.clock.now())
        if word == "late":
            self._settle(promise, "late")
            self._shown_late(promise, why or "")
        elif (row.due_at - START).total_seconds() != promise.due_s:
            self._moved(promise, row)
        elif promise.called:
            self._settle(promise, "dialled while the service was back")
        elif word == "blocked" and self._forbidden(promise):
            self._settle(promise, "blocked")
        elif word == "cancelled" and self._talked_since(promise):
            self._settle(promise, "cancelled")
        else:
            self._settle(promise, "not shown")
            self._wrong(promise, f"shown as {word}")

    def _web(self, service: object) -> bool:
        """Whether pages are served: the process has its engine."""
        return hasattr(service, "engine")

    def _shown_late(self, promise: Promise, why: str) -> None:
        self.verdicts.late_because[why] += 1
        true = self._reasons(promise)
        if why == "tried" and self._unsent(promise):
            true.add(why)
        if why == "being_called" and self._claimed(promise):
            true.add(why)
        if not self._open_at(promise, promise.due_s):
            self._wrong(promise, "its time was forbidden, and it was not moved")
        if promise.owner is not None and self._away(promise):
            self.site.loop.call_later(PASSED_ON_S - IN_TIME_S, self._passed_on, promise, context=self.site.context)
        if why not in true:
            self._wrong(promise, f"late because {why}, and true is {sorted(true)}")
        if promise.had_free:
            self.verdicts.missed.append(f"{self._story(promise)} {why}, {sorted(self._operators().items())}")

    def _away(self, promise: Promise) -> bool:
        return self._operators()[promise.owner or 0] in {"away", "paused"}

    def _passed_on(self, promise: Promise) -> None:
        """What an operator promised who was away then and is away still: colleagues keep it."""
        row, well_s = self._row(promise), self.site.loop.time() - self._checker.well_since
        mine = row is not None and row.state is CallbackState.PENDING and row.operator_id == promise.owner
        if mine and not promise.called and self._away(promise) and well_s > PASSED_ON_S - IN_TIME_S:
            self._wrong(promise, "its owner is away, and nobody else has it")

    def _moved(self, promise: Promise, row: Callback) -> None:
        due_s = (row.due_at - START).total_seconds()
        self.verdicts.counts["moved"] += 1
        if self._open_at(promise, promise.due_s):
            self._wrong(promise, f"moved to {row.due_at}, though its time was allowed")
        elif not self._open_at(promise, due_s) or due_s < promise.due_s or row.changed != ("moved", "outside_window"):
            self._wrong(promise, f"moved to {row.due_at} ({row.changed})")
        promise.due_s, promise.free_looks = due_s, 0
        self.site.loop.call_at(max(due_s, self.site.loop.time()), self._look, promise, context=self.site.context)

    def _wrong(self, promise: Promise, what: str) -> None:
        self.verdicts.wrong.append(f"{self._story(promise)}: {what}")

    def _story(self, promise: Promise) -> str:
        due_at = START + timedelta(seconds=promise.due_s)
        calls = [f"{START + timedelta(seconds=at):%d.%m. %T}" for at in self._called[promise.number]]
        return f"{due_at:%d.%m. %T} {promise.number} of {promise.owner or 'anybody'} {promise.zones}, called {calls}"

    # Who was free? -----------------------------------------------------------------------

    def _operators(self) -> dict[int, str]:
        """What each operator does, by headset and page."""
        now = self.site.loop.time()
        if self._lately and self._lately[-1][0] == now:
            return self._lately[-1][1]
        service = self.site.active
        self._checker._well(service)
        waiting = {
            c.seat
            for c in self.site.host.switch.channels.values()
            if c.seat and c.bridge is not None and c.bridge.holding
        }
        found: dict[int, str] = {}
        for robot in self._robots:
            view = service.engine.operator(robot.id) if service is not None and service.process.running else None
            if robot._bridge is not None:
                found[robot.id] = "talking"
            elif view is None:
                found[robot.id] = "away"
            elif view.state != OperatorState.READY:
                found[robot.id] = str(view.state.value)
            elif view.pause_after_call or robot.paused or robot.id in self._diary.away:
                found[robot.id] = "leaving"
            else:
                found[robot.id] = "free" if robot.seat in waiting else "no phone"
        self._lately.append((now, found))
        return found

    def _free_for(self, promise: Promise, operators: dict[int, str]) -> bool:
        now, lines = self.site.loop.time(), 0
        if now - self._checker.well_since < 1.0:
            return False
        for channel_id, channel in self.site.host.switch.channels.items():
            known = self._lines.get(channel_id)
            if known is None or (channel.bridge is not None and not channel.bridge.holding):
                continue
            number, placed_s, other = known
            if number != promise.number and (other is not None or placed_s < promise.due_s - RESERVED_S):
                if other is not None and promise.owner is not None and other.owner == promise.owner:
                    return False
                lines += 1
        free = {i for i, what in operators.items() if what == "free"} | self._held_up(promise)
        if self._over(promise) or (promise.owner is not None and promise.owner not in free):
            return False
        return len(free) > lines and len(free) > lines + self._ahead(promise, free)

    def _ahead(self, promise: Promise, free: set[int]) -> int:
        """How many promises that came due before this one wait for these operators, too."""
        self._waiting = [p for p in self._waiting if not p.called and not self._over(p)]
        mine = self._waiting.index(promise)
        return sum(self._owner(p) in free | {None} and not self._refused(p) for p in self._waiting[:mine])

    def _owner(self, promise: Promise) -> int | None:
        row = self._row(promise)
        return row.operator_id if row is not None else promise.owner

    def _held_up(self, promise: Promise) -> set[int]:
        """Operators who talk by an ordinary call that should not have got them."""
        found = set()
        for robot in self._robots:
            bridge = self.site.host.switch.bridges.get(robot._bridge) if robot._bridge is not None else None
            for member in bridge.members if bridge is not None else ():
                known = self._lines.get(member.channel_id)
                if known is not None and known[2] is None and known[1] >= promise.due_s - RESERVED_S:
                    found.add(robot.id)
        return found

    # What is true? -------------------------------------------------------------------------

    def _reasons(self, promise: Promise) -> set[str]:
        """The reasons that are true of a promise that is late now."""
        now, found = self.site.loop.time(), set[str]()
        if now - self._checker.well_since < LATELY_S:
            stops = {"switch_down", "waiting_for_lease", "store_down", "lease_not_renewed"}
            if self.site.host.owner is not None:  # the switch has not noticed that a line broke, and refuses a login
                stops.add("switch_in_use")
            found |= {f"stopped.{word}" for word in stops}
        if self._in_call(promise.number):
            found.add("being_called")
        if self._checker.well_since > promise.due_s - IN_TIME_S:
            found.add("tried")  # the call was taken from the table, and who took it died before it was placed
        if not self._open_at(promise, now):
            found.add("refused.outside_window")
        found |= self._refused(promise)
        lately = [operators for at, operators in self._lately if at >= now - LATELY_S]
        if promise.owner is not None:
            found |= {_OWNER[operators[promise.owner]] for operators in lately if operators[promise.owner] in _OWNER}
        for operators in lately:
            doing = list(operators.values())
            ready = sum(what in {"free", "leaving", "no phone"} for what in doing)
            found.add(
                "others_first" if ready else "nobody_free" if doing.count("away") < len(doing) else "nobody_at_work"
            )
        return found

    def _unsent(self, promise: Promise) -> bool:
        """Whether a call for it was taken from the table too late to be sent; it is tried again a minute after."""
        row, since = self._row(promise), START + timedelta(seconds=promise.due_s - IN_TIME_S)
        return any(
            row is not None and told.ended.attempt.callback_id == row.id and told.ended.ended_at >= since
            for told in self.site.database.tables.attempts.values()
            if told.ended.outcome is Outcome.NOT_SENT
        )

    def _claimed(self, promise: Promise) -> bool:
        """Whether a call for it was taken from the table just now, and waits for its start on the trunk."""
        row, since = self._row(promise), START + timedelta(seconds=self.site.loop.time() - STARTS_S)
        return row is not None and any(
            live.attempt.callback_id == row.id and live.attempt.sent_at >= since
            for live in self.site.database.tables.live.values()
        )

    def _refused(self, promise: Promise) -> set[str]:
        """What the rules say of the number by the calls it had."""
        now, calls = self.site.loop.time(), self._called[promise.number]
        rules = self.site.database.tables.campaigns[promise.campaign_id].profile
        limits = (("per_day", rules.per_day, 86_400), ("per_30_days", rules.per_30_days, 30 * 86_400))
        found = {f"refused.{word}" for word, most, for_s in limits if sum(at > now - for_s for at in calls) >= most}
        ended = [c.ended_at for c in self._checker._rang[promise.number][-1:] if c.ended_at is not None]
        if ended and now - ended[0] + self.site.epoch_s < rules.min_gap_s + LATELY_S:
            found.add("refused.phone_resting")
        return found

    def _in_call(self, number: str) -> bool:
        lines = (self._lines.get(channel_id) for channel_id in self.site.host.switch.channels)
        return any(known is not None and known[0] == number for known in lines)

    def _open_at(self, promise: Promise, at_s: float) -> bool:
        """Whether a call may begin then, by the hours on the walls of the callee."""
        if promise.campaign_id == ROUND_THE_CLOCK:
            return True
        campaign = self.site.database.tables.campaigns[promise.campaign_id]
        need = timedelta(seconds=campaign.ring_timeout_s + campaign.profile.guard_s)
        at = START + timedelta(seconds=at_s)
        for zone in promise.zones:
            first, last = at.astimezone(ZoneInfo(zone)), (at + need).astimezone(ZoneInfo(zone))
            if first.time() < HOURS[0] or last.time() > HOURS[1] or first.date() != last.date():
                return False
            if self.holiday == (zone, first.date()):
                return False
        return True

    def _forbidden(self, promise: Promise) -> bool:
        tables = self.site.database.tables
        return tables.forbidden(tables.phone_ids[promise.number], tables.campaigns[promise.campaign_id])

    def _talked_since(self, promise: Promise) -> bool:
        made = self.site.database.tables.dispositions[promise.attempt_id]
        others = self.site.database.tables.dispositions.values()
        return any(d.contact_id == made.contact_id and d.saved_at > made.saved_at for d in others)

    def _row(self, promise: Promise) -> Callback | None:
        rows = self.site.database.tables.callbacks
        for number in range(self._rows + 1, len(rows) + 1):
            self._row_of[rows[number].made_by_attempt] = rows[number]
        self._rows = len(rows)
        return self._row_of.get(promise.attempt_id)

    # At the end ---------------------------------------------------------------------------------

    def at_the_end(self) -> None:
        """Nothing is lost, nothing is kept twice, and what is said to be kept was."""
        tables = self.site.database.tables
        talks: Counter[int] = Counter()
        for finished in tables.attempts.values():
            attempt = finished.ended.attempt
            if attempt.callback_id is not None and attempt.connected_at is not None:
                talks[attempt.callback_id] += 1
        for promise in self.promises.values():
            row = self._row(promise)
            if row is None:
                if promise.verdict != "lost":
                    self._wrong(promise, "lost")
                continue
            self.verdicts.ends[row.state.value] += 1
            untrue = {
                CallbackState.KEPT: not promise.called,
                CallbackState.BROKEN: not promise.called,
                CallbackState.BLOCKED: not self._forbidden(promise),
                CallbackState.CANCELLED: not self._talked_since(promise),
            }
            if untrue.get(row.state):
                self._wrong(promise, f"said to be {row.state}, and is not")
            if talks[row.id] > 1:
                self._wrong(promise, "kept twice")


_OWNER = {
    "away": "owner_away",
    "no phone": "owner_away",
    "paused": "owner_paused",
    "talking": "owner_busy",
    "wrap_up": "owner_busy",
    "ringing": "owner_busy",
}
