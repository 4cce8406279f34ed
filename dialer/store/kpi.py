"""Numbers of a period: sums of day rows, of hour rows at its ends, of facts where hours are cut; all of one moment."""

from __future__ import annotations

from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import asyncpg

from dialer.core import kpi, kpi_money
from dialer.errors import NotFound, Refused
from dialer.store.kpi_money import tallies
from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
    from fractions import Fraction

    from dialer.store.kpi_money import Reads, Tallies
    from dialer.store.queries import Connection, Executor

SQL = queries("kpi")

By = Literal[
    "total",
    "hour",
    "day",
    "week",
    "month",
    "operator",
    "campaign",
    "customer",
    "base",
    "script",
    "caller",
    "number",
    "region",
    "code",
    "reason",
]
#: Campaign of operator time that no call claimed.
NOBODY = 0
US = 1_000_000
#: Breakdowns whose rows are kept hour by hour; the others are sums of the campaigns' totals.
_KEPT = frozenset({"operator", "base", "script", "caller", "number", "region", "code", "reason"})
#: Breakdowns of some bases alone: sums of their rows.
_OF_BASES = frozenset({"total", "base", *kpi.TIMES})
#: Bucket (hour or local date; None without) and owner ("" for nobody's).
Key = tuple[datetime | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One hour, operator, campaign and so on, or the whole period.

    Attributes:
        key: The hour's beginning (ISO 8601, UTC); the first date of a day, week or month; the id of an operator,
            campaign, customer or base (empty: nobody's); a script as ``campaign.version``; a caller number, attempt
            number, region, disposition or reason; or ``total``.
        label: What people call it: the hour as clocks of the zone show it, a date, or a name.
        facts: The base sums of ``core.kpi.FACTS`` that this breakdown knows; a percentile of nothing is absent.
        values: The numbers of ``core.kpi.DEFINITIONS``, computed from them.
        money: Those of ``core.kpi_money.DEFINITIONS``, exact; empty where there is none, or it was not asked for.
        currency: Of the money; empty where the row has money of several, which is not added up.
    """

    key: str
    label: str
    facts: Mapping[str, float]
    values: Mapping[str, float | None]
    money: Mapping[str, Fraction | None] = field(default_factory=dict)
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """A question; ``campaigns`` None means all, and time of nobody's campaign as well.

    Attributes:
        bases: Keys of the bases whose rows alone are added up; they have no operator time.
    """

    since: datetime
    until: datetime
    by: By
    campaigns: Sequence[int] | None
    operator_id: int | None
    now: datetime
    bases: frozenset[str] | None = None

    @property
    def parts(self) -> dict[str, str]:
        by = "base" if self.bases is not None else "" if self.by in kpi.TIMES else self.by
        return {"per": self.by if self.by in kpi.TIMES else "", "by": by}

    @property
    def kind(self) -> str:
        """The breakdown whose rows are added up."""
        return self.by if self.bases is None else "base"

    def takes(self, row: asyncpg.Record) -> bool:
        return self.bases is None or row["who"] in self.bases

    def key(self, row: asyncpg.Record) -> Key:
        return row["bucket"], row["who"] if self.bases is None or self.by == "base" else ""


class Numbers:
    """Reads the numbers."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    async def table(
        self,
        *,
        since: datetime,
        until: datetime,
        by: By,
        campaign_id: int | None = None,
        campaign_ids: Sequence[int] | None = None,
        customer_id: int | None = None,
        operator_id: int | None = None,
        base_ids: Collection[int] | None = None,
        zone: str = "UTC",
        now: datetime | None = None,
        apart: bool = True,
        money: Reads | None = None,
    ) -> Sequence[Row]:
        """Numbers of the facts from ``since`` (inside) to ``until`` (outside), aware times.

        Args:
            since: Begin of the period.
            until: End of the period.
            by: One row for each hour, day, week or month (also the empty ones), for each operator, campaign and so on
                that has any fact, or one in total.
            campaign_id: Only this campaign; None for all.
            campaign_ids: Only these.
            customer_id: Only campaigns of this customer.
            operator_id: Only this operator's facts.
            base_ids: Only these bases; in total, by time or by base, without money and operator time: no base has it.
            zone: For all campaigns: in which hours are shown; one campaign has its own.
            now: Until when states that go on are counted; None for the database's clock.
            apart: Whether to count what does not add up too: different contacts, and percentiles. It costs most.
            money: Which numbers of money too; they are of the whole hours that begin in the period, and not
                known of chosen bases.

        Raises:
            NotFound: ``campaign.unknown``.
            Refused: ``kpi.of_bases``: numbers of some bases are not kept by this.
            StoreDown: PostgreSQL does not answer.
        """
        if base_ids is not None and (by not in _OF_BASES or operator_id is not None or money is not None):
            raise Refused("kpi.of_bases", "numbers of bases are not kept by this", remedy="Ask by hour, day or base.")
        with store_errors():
            async with _snapshot(self._pool) as connection:
                known = await SQL["kpi_campaigns"].fetch(connection, campaign_id=campaign_id, customer_id=customer_id)
                if campaign_id is not None and not known:
                    raise NotFound("campaign.unknown", f"There is no campaign {campaign_id}.")
                wanted = [row["id"] for row in known if campaign_ids is None or row["id"] in campaign_ids]
                if campaign_id is not None:
                    zone = known[0]["zone"]
                all_of_them = (campaign_id, campaign_ids, customer_id) == (None, None, None)
                ask = _Ask(
                    since=since,
                    until=until,
                    by=by,
                    campaigns=None if all_of_them else wanted,
                    operator_id=operator_id,
                    now=now or await SQL["kpi_now"].fetchval(connection),
                    bases=None if base_ids is None else frozenset(map(str, base_ids)),
                )
                sums = await _sums(connection, ask)
                if apart:
                    await _apart(
                        connection, ask, [row["id"] for row in known] if ask.campaigns is None else wanted, sums
                    )
                found = await _money(connection, ask, wanted, money, sums) if money else None
                labels = await _labels(connection, ask, sums, zone)
        return [_row(ask, key, sums[key], labels, found) for key in sorted(sums, key=_order)]

    async def name_of(self, by: By, key: str) -> str:
        """What people call a row of a breakdown; its key where it has no name."""
        with store_errors():
            rows = await SQL["kpi_labels"].fetch(self._pool, by=by, keys=[key])
        return str(rows[0]["name"]) if rows else key


@asynccontextmanager
async def _snapshot(executor: Executor) -> AsyncIterator[Connection]:
    """Several questions to one moment."""
    if isinstance(executor, asyncpg.Pool):
        async with executor.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    else:
        async with executor.transaction():
            yield executor


Sums = defaultdict[Key, dict[str, float]]


async def _sums(connection: Connection, ask: _Ask) -> Sums:
    """What adds up."""
    found: Sums = defaultdict(dict)
    if ask.by == "total":
        found[None, ""] = {}
    days, whole, rest = _stretches(await SQL["kpi_stretches"].fetch(
        connection, since=ask.since, until=ask.until, campaigns=ask.campaigns
    ), ask)  # fmt: skip
    period = {"since": ask.since, "until": ask.until, "campaigns": ask.campaigns, "operator_id": ask.operator_id}
    if ask.operator_id is not None and ask.by in _KEPT - {"operator"}:
        campaigns = {stretch[0] for stretch in (*days, *whole, *rest)}
        days, whole, rest = [], [], [(campaign, ask.since, ask.until) for campaign in campaigns]
    kept = {
        "dim": "operator" if ask.operator_id is not None else ask.kind if ask.kind in _KEPT else "total",
        "key": None if ask.operator_id is None else str(ask.operator_id),
    }
    if days:
        _add(ask, found, await SQL["kpi_day_sums"].fetch(connection, **ask.parts, **kept, **_columns(days)))
    if whole:
        _add(ask, found, await SQL["kpi_sums"].fetch(connection, **ask.parts, **kept, **_columns(whole)))
    if rest:
        given = {**ask.parts, **_columns(rest), "operator_id": ask.operator_id}
        _add(ask, found, await SQL["kpi_facts"].fetch(connection, **given))
        if ask.kind in kpi.TIMED:
            _add(ask, found, await SQL["kpi_time"].fetch(connection, **given))
    _add(ask, found, await SQL["kpi_live"].fetch(connection, **ask.parts, **period))
    _add(ask, found, await SQL["kpi_late"].fetch(connection, **ask.parts, **period, now=ask.now))
    if ask.kind in kpi.TIMED:
        _add(ask, found, await SQL["kpi_time_now"].fetch(connection, **ask.parts, **period, now=ask.now))
    await _clock(connection, ask, found)
    return found


#: Campaign, from when, to when: two dates for whole days, else two times.
Stretch = tuple[int, Any, Any]


def _stretches(rows: Iterable[asyncpg.Record], ask: _Ask) -> tuple[list[Stretch], list[Stretch], list[Stretch]]:
    """Whole days, the whole hours beside them, and what is left at both ends."""
    days: list[Stretch] = []
    whole: list[Stretch] = []
    rest: list[Stretch] = []
    for row in rows:
        first, last = row["since"], row["until"]
        if first is None or last is None or first >= last:
            rest.append((row["id"], ask.since, ask.until))
            continue
        hours = [(first, last)]
        if ask.by != "hour" and None not in {row["first_at"], row["behind_at"]} and row["first"] < row["behind"]:
            days.append((row["id"], row["first"], row["behind"]))
            hours = [(first, row["first_at"]), (row["behind_at"], last)]
        whole += [(row["id"], a, b) for a, b in hours if a < b]
        rest += [(row["id"], a, b) for a, b in ((ask.since, first), (last, ask.until)) if a < b]
    return days, whole, rest


def _columns(stretches: Sequence[Stretch]) -> dict[str, list[Any]]:
    campaigns, since, until = zip(*stretches, strict=True)
    return {"campaigns": list(campaigns), "since": list(since), "until": list(until)}


def _add(ask: _Ask, found: Sums, rows: Iterable[asyncpg.Record]) -> None:
    for row in filter(ask.takes, rows):
        sums = found[ask.key(row)]
        for name, value in row.items():
            if name not in {"bucket", "who"}:
                sums[name] = sums.get(name, 0) + (value or 0)


async def _clock(connection: Connection, ask: _Ask, found: Sums) -> None:
    """How much of each row's time has passed; this makes rows of empty hours too."""
    if ask.by in kpi.TIMES:
        given = {"since": ask.since, "until": ask.until, "campaigns": ask.campaigns, "now": ask.now}
        for row in await SQL["kpi_clock"].fetch(connection, per=ask.by, **given):
            found[row["bucket"], ""]["clock_us"] = row["clock_us"]
        return
    passed = max(0.0, (min(ask.until, ask.now) - ask.since).total_seconds())
    for sums in found.values():
        sums["clock_us"] = passed * US


async def _apart(connection: Connection, ask: _Ask, campaigns: Sequence[int], found: Sums) -> None:
    given = {"since": ask.since, "until": ask.until, "campaigns": campaigns, "operator_id": ask.operator_id}
    for row in filter(ask.takes, await SQL["kpi_apart"].fetch(connection, **ask.parts, **given)):
        sums = found[ask.key(row)]
        for name in ("contacts_dialled", "contacts_reached"):  # a contact is of one base: those of several add up
            sums[name] = sums.get(name, 0) + row[name]
        if ask.by == ask.kind and row["voice_ms"] is not None and row["voice_ms"][0] is not None:
            sums |= dict(zip(("voice_p50_ms", "voice_p95_ms", "voice_p99_ms"), row["voice_ms"], strict=True))
    for sums in found.values():
        sums.setdefault("contacts_dialled", 0)
        sums.setdefault("contacts_reached", 0)


async def _money(
    connection: Connection, ask: _Ask, campaigns: Sequence[int], reads: Reads, sums: Sums
) -> Tallies | None:
    """Sums of money; this makes rows of what only cost something too."""
    found = await tallies(
        connection,
        since=ask.since,
        until=ask.until,
        by=ask.by,
        campaigns=campaigns,
        operator_id=ask.operator_id,
        now=ask.now,
        reads=reads,
    )
    for key in found.found if found else ():
        sums[key].setdefault("attempts", 0)
    return found


async def _labels(connection: Connection, ask: _Ask, found: Sums, zone: str) -> Mapping[Key, str]:
    if ask.by == "hour":
        shown = ZoneInfo(zone)
        return {key: _clock_face(key, shown) for key in found}
    if ask.by in kpi.TIMES:
        return {key: f"{key[0]:%Y-%m-%d}" for key in found}
    keys = [who for _, who in found]
    names = {row["key"]: row["name"] for row in await SQL["kpi_labels"].fetch(connection, by=ask.by, keys=keys)}
    return {key: names.get(key[1], key[1]) for key in found}


def _clock_face(key: Key, zone: ZoneInfo) -> str:
    return f"{key[0].astimezone(zone):%Y-%m-%d %H:%M}" if key[0] else ""


def _order(key: Key) -> tuple[datetime, int, str]:
    bucket, who = key
    return bucket or datetime.min.replace(tzinfo=UTC), len(who) if who.isdigit() else 0, who


def _row(ask: _Ask, key: Key, sums: Mapping[str, float], labels: Mapping[Key, str], found: Tallies | None) -> Row:
    known = kpi.known(ask.kind)
    facts = {name: value for name in kpi.FACTS if name in known and (value := _fact(name, sums)) is not None}
    bucket, who = key
    name = "total" if ask.by == "total" else "" if who == str(NOBODY) else who
    if bucket is not None:
        name = bucket.isoformat() if ask.by == "hour" else f"{bucket:%Y-%m-%d}"
    currency, amounts = found.of(key) if found else ("", {})
    return Row(
        key=name,
        label="" if who == str(NOBODY) else labels[key],
        facts=facts,
        values=kpi.values(facts),
        money=kpi_money.values(amounts, facts) if found else {},
        currency=currency,
    )


def _fact(name: str, sums: Mapping[str, float]) -> float | None:
    if name in kpi.TIME:
        return sums.get(f"{name[:-2]}_us", 0) / US
    return float(sums[name]) if name in sums else None if name in kpi.APART else 0.0
