"""What a forecast is made of, read from the facts in one transaction, all of one moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median_low
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dialer.core import budget as law
from dialer.core.ahead import Crowd, Known, Line, Outset, Seen, Stretch, Tried, Work, Worker, observed, usual
from dialer.core.model import OperatorState, Outcome
from dialer.core.pacing import Learned, Learner
from dialer.errors import NotFound
from dialer.store import campaigns, pacing, recovery
from dialer.store.pools import transaction
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from dialer.core.model import Budget, Campaign
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("ahead")

#: Facts of this campaign that are looked at, and of earlier ones.
ROWS, ROWS_EARLIER = 5000, 2000
BACK, BACK_EARLIER = timedelta(days=30), timedelta(days=365)
#: Days from which working hours are learned, and those in which who answers when.
WORK_BACK = timedelta(days=14)
#: The share of a campaign in its team's conversations is that of so long.
LATELY = timedelta(hours=1)
#: Legal counters look back so far; for most campaigns a day.
COUNTED = timedelta(days=30)


class Ahead:
    """Reads for forecasts; nothing here changes anything."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def outset(self, campaign_id: int, now: datetime) -> Outset:
        """Everything a forecast of this campaign needs.

        Raises:
            NotFound: ``campaign.not_found``.
        """

        async def work(connection: Connection) -> Outset:
            found = await campaigns.read(connection, campaign_id=campaign_id)
            if not found:
                raise NotFound("campaign.not_found", "There is no such campaign.")
            return await _outset(connection, found[0], now)

        return await transaction(self._pool, work)


async def _outset(connection: Connection, campaign: Campaign, now: datetime) -> Outset:
    zone = ZoneInfo(campaign.zone)
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    told = await SQL["ahead_today"].fetchrow(
        connection, campaign_id=campaign.id, team_id=campaign.team_id, today=today, lately=now - LATELY
    )
    assert told is not None  # noqa: S101 - a row of counts
    crew = await SQL["ahead_crew"].fetch(connection, campaign_id=campaign.id, team_id=campaign.team_id, now=now)
    lines = await SQL["ahead_lines"].fetch(connection, campaign_id=campaign.id)
    budget = (await recovery.budgets(connection, [campaign.id])).get(campaign.id)
    before, source = await _before(connection, campaign, now)
    crowds = await _crowds(connection, campaign, now, [row["contact_id"] for row in crew if row["contact_id"]])
    known = Known(
        at_s=now.timestamp(),
        campaign=campaign,
        crowds=crowds,
        lines=[Line(of=_one(row), sent_s=row["sent_at"].timestamp()) for row in lines if not row["connected"]],
        crew=_crew(crew, lines),
        seen=await _seen(connection, campaign, now, today, crew, lines, told),
        before=before,
        source=source,
        budget=budget,
        learned=await _learned(connection, campaign, budget, now),
        results=told["results"],
        attempts=told["attempts"],
        connects=told["connects"],
        laws={c.countries: campaigns.for_callee(campaign, c.countries).profile for c in crowds if c.countries},
    )
    days = await SQL["ahead_work"].fetch(
        connection, team_id=campaign.team_id, zone=campaign.zone, since=today - WORK_BACK, today=today
    )
    return Outset(
        known=known,
        work=_work(days) if days else usual(campaign),
        work_seen=bool(days),
        operators=len(known.crew) or (median_low(day["operators"] for day in days) if days else told["operators"]),
    )


async def _crowds(connection: Connection, campaign: Campaign, now: datetime, written: Sequence[int]) -> Sequence[Crowd]:
    profile = campaign.profile
    longest = 30 if min(profile.per_7_days, profile.per_30_days) < campaign.attempts_max else 1
    rows = await SQL["ahead_crowds"].fetch(
        connection,
        campaign_id=campaign.id,
        customer_id=campaign.customer_id,
        now=now,
        counted_since=now - min(COUNTED, timedelta(days=longest)),
        written=list(written),
    )
    return [
        Crowd(
            zones=tuple(row["zones"]),
            countries=tuple(row["countries"]),
            count=row["contacts"],
            priority=row["priority"],
            counted=row["counted"],
            number=row["number"],
            due_s=row["due_at"].timestamp() if row["due_at"] else 0.0,
            promised=row["promised"],
            phones=row["phones"],
            sent_s=tuple(at.timestamp() for at in row["sent"]),
        )
        for row in rows
    ]


def _one(row: asyncpg.Record) -> Crowd:
    return Crowd(
        zones=tuple(row["zones"]),
        countries=tuple(row["countries"]),
        priority=row["priority"],
        counted=row["counted"],
        number=row["number"],
        promised=row["promised"],
    )


def _crew(crew: Sequence[asyncpg.Record], lines: Sequence[asyncpg.Record]) -> Sequence[Worker]:
    """Who is on shift, with the contact of this campaign they talk to or write about."""
    talks = {row["operator_id"]: row for row in lines if row["connected"]}
    found = []
    for row in crew:
        state = OperatorState(row["state"])
        of = talks.get(row["operator_id"]) if state is OperatorState.TALKING else row
        contact = _one(of) if of is not None and of["contact_id"] is not None else None
        found.append(Worker(state=state, since_s=row["since"].timestamp(), contact=contact))
    return found


async def _seen(
    connection: Connection,
    campaign: Campaign,
    now: datetime,
    today: datetime,
    crew: Sequence[asyncpg.Record],
    lines: Sequence[asyncpg.Record],
    told: asyncpg.Record,
) -> Seen:
    stretches = [
        Stretch(state=OperatorState(row["state"]), started_s=row["since"].timestamp(), ended_s=None) for row in crew
    ]
    pauses = await SQL["ahead_pauses"].fetch(connection, team_id=campaign.team_id, since=now - BACK, rows=ROWS)
    live = [
        Tried(number=max(1, row["number"]), outcome=None, sent_s=row["sent_at"].timestamp())
        for row in lines
        if row["connected"]
    ]
    hours = await SQL["ahead_hours"].fetch(connection, campaign_id=campaign.id, since=today - BACK, today=today)
    tried, own = await _facts(connection, [campaign.id], now - BACK, ROWS)
    return observed(
        now.timestamp(),
        [*tried, *live],
        [*own, *(_stretch(row) for row in pauses), *stretches],
        promise_s=await _promises(connection, [campaign.id]),
        hours={row["hour"]: (row["rang"], row["answered"]) for row in hours},
        own=told["own"] if told["shared"] else 0,
        of_all=told["of_all"] if told["shared"] else 0,
    )


async def _before(connection: Connection, campaign: Campaign, now: datetime) -> tuple[Seen, str]:
    """What earlier campaigns show: of the same customer, else of all that dial alike; nothing before the first one."""
    rows = await SQL["ahead_earlier"].fetch(
        connection, campaign_id=campaign.id, customer_id=campaign.customer_id, mode=campaign.mode.value
    )
    for same, source in ((True, "customer"), (False, "installation")):
        ids = [row["id"] for row in rows if row["same_customer"] is same]
        tried, stretches = await _facts(connection, ids, now - BACK_EARLIER, ROWS_EARLIER) if ids else ([], [])
        if tried:
            promises = await _promises(connection, ids)
            return observed(now.timestamp(), tried, stretches, promise_s=promises), source
    return Seen(), "usual"


async def _facts(
    connection: Connection, ids: Sequence[int], since: datetime, rows: int
) -> tuple[list[Tried], list[Stretch]]:
    given: dict[str, Any] = {"campaigns": list(ids), "since": since, "rows": rows}
    tried = await SQL["ahead_tried"].fetch(connection, **given)
    stretches = await SQL["ahead_stretches"].fetch(connection, **given)
    return [_tried(row) for row in tried], [_stretch(row) for row in stretches]


async def _promises(connection: Connection, ids: Sequence[int]) -> Sequence[float]:
    return [row["ahead_s"] for row in await SQL["ahead_promises"].fetch(connection, campaigns=list(ids))]


def _tried(row: asyncpg.Record) -> Tried:
    return Tried(
        number=row["number"],
        outcome=Outcome(row["outcome"]),
        sent_s=row["sent_at"].timestamp(),
        wanted_s=row["wanted_at"].timestamp() if row["wanted_at"] else None,
        ended_s=row["ended_at"].timestamp(),
        code=row["code"],
    )


def _stretch(row: asyncpg.Record) -> Stretch:
    return Stretch(
        state=OperatorState(row["state"]),
        started_s=row["started_at"].timestamp(),
        ended_s=row["ended_at"].timestamp(),
        first=row["first"],
    )


async def _learned(connection: Connection, campaign: Campaign, budget: Budget | None, now: datetime) -> Learned | None:
    """What pacing goes by, as it was kept last."""
    state: Mapping[str, Any] | None = await pacing.learned(connection, "campaign", campaign.id)
    if state is None:
        return None
    of_team = await pacing.learned(connection, "team", campaign.team_id)
    learner = Learner.of(state, Learner.of(of_team) if of_team else None)
    cap_permille = budget.cap_permille if budget else law.cap_of(campaign)
    return learner.learned(now.timestamp(), cap=cap_permille / 1000)


def _work(days: Sequence[asyncpg.Record]) -> Work:
    """The hours of the middle one of the last days."""
    return Work(begins=median_low(day["begins"] for day in days), ends=median_low(day["ends"] for day in days))
