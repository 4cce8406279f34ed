"""Some days of a campaign in money: random facts and prices, and a slow count of what they come to.

The count shares nothing with the product: it goes fact by fact, in fractions, by the calendar of Python.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from dialer.core.money import STEPPED, Kind, Said

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
CAMPAIGN = 1
OPERATORS, BASES = (11, 12), (1, 2, 3)
WORKED = ("ready", "ringing", "preview", "talking", "wrap_up")


@dataclass
class Facts:
    """Rows as the tables have them."""

    zone: str
    first: date
    days: int
    attempts: list[dict] = field(default_factory=list)
    intervals: list[dict] = field(default_factory=list)
    leads: list[dict] = field(default_factory=list)
    letters: list[dict] = field(default_factory=list)
    bases: list[dict] = field(default_factory=list)

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.first + self.days * DAY, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def __add__(self, other: Facts) -> Facts:
        names = ("attempts", "intervals", "leads", "letters", "bases")
        both = {name: [*getattr(self, name), *getattr(other, name)] for name in names}
        return Facts(self.zone, self.first, self.days, **both)


def invent(seed: int, zone: str, first: date, days: int = 3, size: int = 60) -> Facts:
    """Facts of some days; each seed has its own ids, so that two can be put together."""
    chance, facts = Random(f"{seed} {zone}"), Facts(zone, first, days)
    span = (facts.until - facts.since) / SECOND

    def moment() -> datetime:
        return facts.since + timedelta(microseconds=chance.randrange(int(span * 1e6)))

    for _ in range(size):
        sent = moment()
        answered = sent + chance.randint(3, 20) * SECOND if chance.random() < 0.7 else None
        talked = answered is not None and chance.random() < 0.7
        connected = answered + timedelta(milliseconds=chance.randint(0, 1900)) if talked else None
        lasts = chance.choice((0, 0.000001, 1, 29.5, 30, 30.2, 59.999, 60, 60.000001, 61, 119, 240.5))
        place = {"base_id": chance.choice(BASES), "operator_id": chance.choice(OPERATORS) if talked else None}
        place |= {"number": chance.randint(1, 3), "script": chance.randint(0, 2)}
        place |= {
            "caller_number": chance.choice(("74950000001", "74950000002")),
            "region": chance.choice(("+7903", "")),
        }
        row = {"attempt_id": UUID(int=chance.getrandbits(128)), "contact_id": chance.randint(1, 30), "sent_at": sent}
        row |= {"answered_at": answered, "connected_at": connected}
        row |= {"ended_at": (connected or answered or sent) + timedelta(seconds=lasts)}
        row |= {"outcome": "connected" if talked else "machine" if answered else "no_answer", **place}
        facts.attempts.append(row)
        if talked and chance.random() < 0.6:
            decided = moment() if chance.random() < 0.7 else None
            state = "new" if decided is None else chance.choice(("accepted", "rejected", "client"))
            revenue = Decimal(chance.randint(0, 10**7)).scaleb(-2) if state == "client" else None
            facts.leads.append(
                {"of": row, "state": state, "decided_at": decided, "client_at": moment(), "revenue": revenue}
            )
        if talked and chance.random() < 0.5:
            facts.letters.append({"of": row, "sent_at": moment() if chance.random() < 0.8 else None})
    for operator in OPERATORS:
        session, at = UUID(int=chance.getrandbits(128)), facts.since + seed % 7 * SECOND
        while at < facts.until - HOUR:
            end = at + timedelta(microseconds=chance.randint(1, int(2.5 * 3600e6)))
            common = {"operator_id": operator, "session_id": session, "started_at": at, "ended_at": end}
            facts.intervals.append({**common, "state": chance.choice((*WORKED, "paused")), "campaign_id": CAMPAIGN})
            at = end + timedelta(microseconds=chance.randint(1, int(6 * 3600e6)))
    for base in BASES:
        row = {"id": base + 10 * seed, "loaded_at": moment(), "rows_loaded": chance.randint(0, 5000)}
        facts.bases.append({**row, "undone": chance.random() < 0.2, "by_hand": (seed, base) == (0, 1)})
    return facts


def price(chance: Random, facts: Facts, kind: Kind, bases: tuple[int, ...] = ()) -> Said:
    """A random price of a kind, from a day before, in or behind the facts."""
    step = dict(zip(("first_s", "step_s"), chance.choice(((60, 60), (1, 1), (30, 6), (1, 60), (7, 13))), strict=True))
    since = facts.first + chance.choice((-40, -1, 0, 0, 1, 1, 2)) * DAY
    return Said(
        kind=kind,
        since=max(since, facts.first) if kind is Kind.COST_BASE else since,
        amount=Decimal(chance.randint(0, 10**8)).scaleb(-chance.randint(2, 6)),
        base_id=chance.choice(bases) if kind is Kind.COST_BASE else None,
        **(step if kind in STEPPED else {}),
    )


def in_force(said: list[Said], day: date) -> dict[Kind, Said]:
    """The price of each kind that holds on a day, of all that were said, in that order."""
    found: dict[Kind, Said] = {}
    for one in said:
        if one.base_id is None and one.since <= day and (one.kind not in found or one.since >= found[one.kind].since):
            found[one.kind] = one
    return found


#: Kind, dimension, beginning of the hour, key -> amount.
Sums = dict[tuple[Kind, str, datetime, str], Fraction]


class Slow:
    """Counts facts of ``wanted`` days by the prices said."""

    def __init__(self, facts: Facts, said: list[Said], digits: int, wanted: list[date]) -> None:
        self.facts, self.said, self.digits, self.wanted = facts, said, digits, wanted
        self.zone = ZoneInfo(facts.zone)
        self.sums: dict[tuple[Kind, str, datetime, str], Fraction] = defaultdict(Fraction)

    def count(self) -> Sums:
        for row in self.facts.attempts:
            self._attempt(row)
        for lead in self.facts.leads:
            if lead["state"] in {"accepted", "client"}:
                self._add(Kind.TARIFF_LEAD, lead["decided_at"], self._of(lead["of"], said=True), Fraction(1))
        for letter in self.facts.letters:
            if letter["sent_at"]:
                self._add(Kind.COST_LETTER, letter["sent_at"], self._of(letter["of"], said=True), Fraction(1))
        for row in self.facts.intervals:
            self._time(row)
        for base in self.facts.bases:
            if not base["undone"] and not base["by_hand"]:
                self._add(
                    Kind.COST_BASE_CONTACT, base["loaded_at"], {"base": str(base["id"])}, Fraction(base["rows_loaded"])
                )
        self._bases()
        self._months()
        return {key: amount for key, amount in self.sums.items() if amount}

    def hour(self, at: datetime) -> datetime:
        """When the hour of the zone began."""
        local = at.astimezone(self.zone)
        return (at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)).astimezone(
            UTC
        )

    def day(self, hour: datetime) -> date:
        return hour.astimezone(self.zone).date()

    def hours(self, day: date) -> list[datetime]:
        """Of a day, by walking through it."""
        at = datetime.combine(day - DAY, time(12), self.zone).astimezone(UTC)
        found = {self.hour(at + n * timedelta(minutes=5)) for n in range(60 * 12)}
        return sorted(hour for hour in found if self.day(hour) == day)

    def _add(self, kind: Kind, at: datetime, keys: dict[str, str], quantity: Fraction) -> None:
        hour = self.hour(at)
        held = in_force(self.said, self.day(hour)).get(kind)
        if held is None or self.day(hour) not in self.wanted:
            return
        self._book(kind, hour, keys, quantity * Fraction(held.amount))

    def _book(self, kind: Kind, hour: datetime, keys: dict[str, str], amount: Fraction) -> None:
        for dim, key in {"total": "", **keys}.items():
            self.sums[kind, dim, hour, key] += amount

    @staticmethod
    def _of(row: dict, *, said: bool = False) -> dict[str, str]:
        keys = {"operator": str(row["operator_id"] or ""), "base": str(row["base_id"]), "number": str(row["number"])}
        keys |= {"script": f"{CAMPAIGN}.{row['script']}", "caller": row["caller_number"], "region": row["region"]}
        return keys | ({"code": "lead"} if said else {})

    def _attempt(self, row: dict) -> None:
        for kind, since in ((Kind.COST_TRUNK_MINUTE, row["answered_at"]), (Kind.TARIFF_MINUTE, row["connected_at"])):
            held = in_force(self.said, self.day(self.hour(row["sent_at"]))).get(kind)
            if since is None or held is None:
                continue
            us = (row["ended_at"] - since) // timedelta(microseconds=1)
            beyond = max(Fraction(us, 10**6) - held.first_s, Fraction(0))
            billed = held.first_s + held.step_s * ceil(beyond / held.step_s)
            self._add(kind, row["sent_at"], self._of(row), Fraction(billed, 60))
        if row["outcome"] == "connected":
            self._add(Kind.TARIFF_CONVERSATION, row["sent_at"], self._of(row), Fraction(1))

    def _time(self, row: dict) -> None:
        at = row["started_at"]
        while at < row["ended_at"]:
            quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + timedelta(minutes=15)
            end = min(row["ended_at"], quarter)
            hours = Fraction((end - at) // timedelta(microseconds=1), 3600 * 10**6)
            for kind in (Kind.COST_PAID_HOUR, Kind.COST_OPERATOR_HOUR, Kind.TARIFF_OPERATOR_HOUR):
                if kind is Kind.COST_PAID_HOUR or row["state"] in WORKED:
                    self._add(kind, at, {"operator": str(row["operator_id"])}, hours)
            at = end

    def _bases(self) -> None:
        last = {one.base_id: one for one in self.said if one.base_id is not None}
        for one in last.values():
            if one.since in self.wanted:
                self._book(Kind.COST_BASE, self.hours(one.since)[0], {"base": str(one.base_id)}, Fraction(one.amount))

    def _months(self) -> None:
        """Cents are dealt out one by one: what is due by now, less what was dealt."""
        unit = Decimal(1).scaleb(-self.digits)

        def due(amount: Decimal, place: int, places: int) -> Decimal:
            exact = Fraction(amount) * place / places
            cents = (2 * exact * 10**self.digits + 1) // 2
            return (Decimal(int(cents)) * unit).quantize(unit, rounding=ROUND_HALF_UP)

        for day in self.wanted:
            held = in_force(self.said, day).get(Kind.COST_MONTH)
            if held is None:
                continue
            places = monthrange(day.year, day.month)[1]
            amount = due(held.amount, day.day, places) - due(held.amount, day.day - 1, places)
            hours = self.hours(day)
            for place, hour in enumerate(hours, 1):
                share = due(amount, place, len(hours)) - due(amount, place - 1, len(hours))
                self._book(Kind.COST_MONTH, hour, {}, Fraction(share))
