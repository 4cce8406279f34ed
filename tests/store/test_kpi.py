"""The numbers equal an independent, slow count over the same facts."""

from __future__ import annotations

from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from dialer.core import kpi
from dialer.errors import NotFound
from dialer.store.kpi import Numbers
from dialer.store.kpi_hours import HourRows
from dialer.store.pools import prepare_connection

pytestmark = pytest.mark.postgres

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
OUTCOMES = (
    "connected",
    "connected",
    "no_answer",
    "busy",
    "abandoned",
    "early_hangup",
    "offer_ended",
    "not_sent",
    "unknown",
)
STATE_SUM = {
    "ready": "ready_s",
    "ringing": "ringing_s",
    "preview": "preview_s",
    "talking": "talk_s",
    "wrap_up": "wrap_up_s",
    "paused": "paused_s",
}
OPERATORS = (11, 12, 13)
#: Campaign id -> mode and zone.
CAMPAIGNS = {1: ("progressive", "Europe/Berlin"), 2: ("ivr", "Asia/Kolkata"), 3: ("predictive", "Europe/Berlin")}
#: Berlin's clocks go back at 01:00 UTC.
BERLIN_GOES_BACK = datetime(2026, 10, 25, tzinfo=UTC)
LORD_HOWE_GOES_FORWARD = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)


@dataclass
class Facts:
    """Some random hours of a floor, rows as the tables have them."""

    since: datetime
    until: datetime
    now: datetime
    zones: dict[int, str]
    modes: dict[int, str]
    attempts: list[dict] = field(default_factory=list)
    live: list[dict] = field(default_factory=list)
    intervals: list[dict] = field(default_factory=list)
    shifts: list[dict] = field(default_factory=list)
    dispositions: list[dict] = field(default_factory=list)
    contacts: list[dict] = field(default_factory=list)


def invent(seed: int, around: datetime, zones: dict[int, str]) -> Facts:
    """Facts from an hour and a half before to as long after; the period asked for is in the middle."""
    chance = Random(seed)
    facts = Facts(
        since=around - HOUR + chance.randint(0, 40) * MINUTE,
        until=around + 2 * HOUR,
        now=around + 110 * MINUTE,
        zones=zones,
        modes={c: mode for c, (mode, _) in CAMPAIGNS.items()},
    )
    begin = around - 90 * MINUTE
    for number in range(60):
        _invent_attempt(facts, chance, number, begin + chance.randint(0, 220 * 60) * SECOND)
    for contact in range(1, 21):
        if chance.random() < 0.6:
            by = chance.choice(("disposition", "used_up", "dead"))
            at = begin + chance.randint(0, 200 * 60) * SECOND
            facts.contacts.append({"id": contact, "campaign_id": contact % 3 + 1, "closed_by": by, "closed_at": at})
        else:
            facts.contacts.append({"id": contact, "campaign_id": contact % 3 + 1, "closed_by": None, "closed_at": None})
    for operator in OPERATORS:
        _invent_shift(facts, chance, operator, begin + chance.randint(0, 3600) * SECOND)
    return facts


def _invent_attempt(facts: Facts, chance: Random, number: int, sent: datetime) -> None:
    contact = chance.randint(1, 20)
    outcome = chance.choice(OUTCOMES)
    rang = sent + 2 * SECOND if outcome not in {"not_sent", "busy"} and chance.random() < 0.9 else None
    answered = sent + chance.randint(3, 20) * SECOND
    person = outcome in {"connected", "abandoned", "offer_ended"}
    connected = answered + chance.randint(0, 1900) * timedelta(milliseconds=1) if outcome == "connected" else None
    row = {
        "attempt_id": UUID(int=chance.getrandbits(128)),
        "contact_id": contact,
        "campaign_id": contact % 3 + 1,
        "sent_at": sent,
        "rang_at": rang,
        "answered_at": answered if person or outcome == "early_hangup" else None,
        "waiting_at": answered + timedelta(milliseconds=300) if connected and chance.random() < 0.5 else None,
        "connected_at": connected,
        "operator_id": chance.choice(OPERATORS) if connected else None,
        "ended_at": (connected or answered) + chance.choice((0.4, 30, 200)) * SECOND,
        "outcome": outcome,
        "legal_answered": person,
        "legal_abandoned": outcome == "abandoned",
    }
    if row["connected_at"] and row["waiting_at"]:
        row["connected_at"] = max(row["connected_at"], row["waiting_at"])
    if chance.random() < 0.1:
        row["phone_id"] = number
        facts.live.append(row)
        return
    facts.attempts.append(row)
    if outcome == "connected" and chance.random() < 0.7:
        facts.dispositions.append(
            {
                "attempt_id": row["attempt_id"],
                "campaign_id": row["campaign_id"],
                "contact_id": contact,
                "operator_id": row["operator_id"] if chance.random() < 0.8 else None,
                "result": chance.random() < 0.4,
                "decision_maker": chance.random() < 0.5,
                "saved_at": row["ended_at"] + chance.randint(1, 600) * SECOND,
            }
        )


def _invent_shift(facts: Facts, chance: Random, operator: int, at: datetime) -> None:
    session = UUID(int=chance.getrandbits(128))
    state, campaign = "ready", None
    while at < facts.until + 20 * MINUTE:
        end = at + chance.choice((0, 7, 45, 300, 900, 1500)) * SECOND
        row = {
            "operator_id": operator,
            "session_id": session,
            "state": state,
            "started_at": at,
            "campaign_id": campaign if state in {"talking", "wrap_up"} else None,
        }
        if operator == OPERATORS[0] and end >= facts.now:
            facts.shifts.append(row)
            return
        if end > at:
            facts.intervals.append(row | {"ended_at": end})
        at = end
        if state == "talking":
            state = "wrap_up"
        else:
            state = chance.choice(("ready", "ready", "ringing", "talking", "paused"))
            campaign = chance.choice(list(CAMPAIGNS))
        if chance.random() < 0.1:
            session = UUID(int=chance.getrandbits(128))


# The slow count ----------------------------------------------------------------


def hour_of(at: datetime, zone: str) -> str:
    """When the hour began that a clock of this zone shows then."""
    local = at.astimezone(ZoneInfo(zone))
    began = at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return began.astimezone(UTC).isoformat()


def rang(row: dict) -> bool:
    return row["rang_at"] is not None or row["answered_at"] is not None or row["outcome"] == "no_answer"


class Slow:
    """Counts fact by fact and second by second."""

    def __init__(self, facts: Facts, by: str, campaign_id: int | None) -> None:
        self.facts, self.by, self.campaign_id = facts, by, campaign_id
        self.sums: dict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        self.sets: dict[str, defaultdict[str, set]] = defaultdict(lambda: defaultdict(set))
        self.voice: defaultdict[str, list[float]] = defaultdict(list)

    def key(self, at: datetime, campaign_id: int | None, operator_id: int | None) -> str:
        zone = self.facts.zones.get(campaign_id, "UTC")
        return {
            "hour": hour_of(at, zone),
            "operator": str(operator_id or ""),
            "campaign": str(campaign_id or ""),
            "total": "total",
        }[self.by]

    def takes(self, at: datetime, campaign_id: int | None) -> bool:
        return self.facts.since <= at < self.facts.until and self.campaign_id in {None, campaign_id}

    def count(self) -> dict[str, dict[str, float]]:
        for row in self.facts.attempts:
            if self.takes(row["sent_at"], row["campaign_id"]):
                self._attempt(row, self.key(row["sent_at"], row["campaign_id"], row["operator_id"]))
        for row in self.facts.live:
            if self.takes(row["sent_at"], row["campaign_id"]):
                self.sums[self.key(row["sent_at"], row["campaign_id"], row["operator_id"])]["live"] += 1
        self._said()
        for row in self.facts.contacts:
            if row["closed_at"] and self.takes(row["closed_at"], row["campaign_id"]):
                self._closed(row)
        self._time()
        for key, sets in self.sets.items():
            for name, found in sets.items():
                self.sums[key][name] = len(found)
        return {key: dict(sums) for key, sums in self.sums.items()}

    def _attempt(self, row: dict, key: str) -> None:
        sums, outcome = self.sums[key], row["outcome"]
        sums["attempts"] += 1
        sums["rang"] += rang(row)
        sums["answered"] += row["legal_answered"]
        sums["abandoned"] += row["legal_abandoned"]
        sums["early_hangups"] += outcome == "early_hangup"
        sums["connected"] += outcome == "connected"
        if outcome != "not_sent":
            self.sets[key]["contacts_dialled"].add(row["contact_id"])
        talked = outcome == "connected" and row["ended_at"] - row["connected_at"] >= SECOND
        if talked or outcome == "offer_ended":
            self.sets[key]["contacts_reached"].add(row["contact_id"])
        if outcome == "connected":
            ivr = self.facts.modes[row["campaign_id"]] == "ivr"
            since = (row["waiting_at"] or row["answered_at"]) if ivr else row["answered_at"]
            self.voice[key].append((row["connected_at"] - since).total_seconds() * 1000)

    def _said(self) -> None:
        for row in self.facts.dispositions:
            if self.takes(row["saved_at"], row["campaign_id"]):
                sums = self.sums[self.key(row["saved_at"], row["campaign_id"], row["operator_id"])]
                sums["results"] += row["result"]
                sums["decision_makers"] += row["decision_maker"]

    def _closed(self, row: dict) -> None:
        said = [
            d for d in self.facts.dispositions if d["contact_id"] == row["id"] and d["saved_at"] <= row["closed_at"]
        ]
        last = max(said, key=lambda d: d["saved_at"])["operator_id"] if said else None
        closer = last if row["closed_by"] == "disposition" else None
        sums = self.sums[self.key(row["closed_at"], row["campaign_id"], closer)]
        sums["closed"] += 1
        sums["closed_by_disposition"] += row["closed_by"] == "disposition"
        sums["closed_used_up"] += row["closed_by"] == "used_up"
        sums["calls_of_closed"] += sum(rang(a) for a in self.facts.attempts if a["contact_id"] == row["id"])

    def _time(self) -> None:
        rows = [r | {"open": False} for r in self.facts.intervals]
        rows += [r | {"ended_at": self.facts.now, "open": True} for r in self.facts.shifts]
        rows.sort(key=lambda r: r["started_at"])
        for row in rows:
            owner = self._owner(row, [r for r in rows if r["session_id"] == row["session_id"]])
            second = row["started_at"]
            while second < row["ended_at"]:
                if self.takes(second, owner):
                    sums = self.sums[self.key(second, owner, row["operator_id"])]
                    sums[STATE_SUM[row["state"]]] += 1
                    sums["open_s"] += row["open"]
                second += SECOND

    @staticmethod
    def _owner(row: dict, session: list[dict]) -> int | None:
        """The campaign of the next call, else of the last one."""
        place = session.index(row)
        next_ones = [r["campaign_id"] for r in session[place:] if r["campaign_id"]]
        last_ones = [r["campaign_id"] for r in session[: place + 1] if r["campaign_id"]]
        return next_ones[0] if next_ones else last_ones[-1] if last_ones else None


# The tables ---------------------------------------------------------------------


@pytest.fixture
async def connection(url):
    """The superuser's, because facts are stored alone, without the rows they refer to."""
    connection = await asyncpg.connect(url.replace("//dialer@", "//postgres@"), server_settings={"timezone": "UTC"})
    await prepare_connection(connection)
    for table in ("attempt", "disposition", "closing", "contact", "operator_interval", "campaign"):
        for name in await connection.fetch(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::text::regclass AND tgname LIKE 'kpi%'", table
        ):
            await connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name['tgname']}")
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def store(connection, facts: Facts, seed: int = 0) -> None:
    """Write everything down as it would come, but attempts and stretches of shifts in any order, late ones as well."""
    chance = Random(seed)
    await _store_places(connection, facts)
    common = {"base_id": 1, "switch": "main", "epoch": 1, "number": 1, "profile": "world", "profile_version": 1}
    attempts = [row | common | {"phone_id": 1, "ended_by": "callee", "counts": True} for row in facts.attempts]
    chance.shuffle(attempts)
    half = len(attempts) // 2
    for row in attempts[:half]:
        await insert(connection, "attempt", row)
    await _store_live(connection, facts, common)
    for row in facts.dispositions:
        rest = {"key": str(row["attempt_id"]), "body_hash": b"", "code": "lead", "closes": True}
        await insert(connection, "disposition", row | rest)
    for row in facts.contacts:
        state = {"base_id": 1, "row_number": row["id"], "lane_id": 1, "phone_id": 1}
        await insert(connection, "contact", {k: v for k, v in row.items() if not k.startswith("closed")} | state)
        if row["closed_at"]:
            await connection.execute(
                "UPDATE contact SET state = 'closed', closed_at = $2, closed_by = $3 WHERE id = $1",
                row["id"], row["closed_at"], row["closed_by"],
            )  # fmt: skip
    for row in attempts[half:]:
        await insert(connection, "attempt", row)
    intervals = list(facts.intervals)
    chance.shuffle(intervals)
    while intervals:
        several = [intervals.pop() for _ in range(min(len(intervals), chance.randint(1, 4)))]
        await insert(connection, "operator_interval", *several)


async def _store_places(connection, facts: Facts) -> None:
    for campaign, zone in facts.zones.items():
        row = {"id": campaign, "name": f"Campaign {campaign}", "customer_id": 1, "team_id": 1, "trunk_id": 1}
        rest = {"zone": zone, "mode": facts.modes[campaign], "state": "running", "offer": "spring"}
        await insert(connection, "campaign", row | rest)
    for operator in OPERATORS:
        user = {"id": operator, "login": f"o{operator}", "name": f"Operator {operator}", "role": "operator"}
        await insert(connection, "app_user", user | {"password_hash": ""})


async def _store_live(connection, facts: Facts, common: dict) -> None:
    for row in facts.live:
        keep = {k: v for k, v in row.items() if k not in {"ended_at", "outcome", "legal_answered", "legal_abandoned"}}
        state = {"state": "connected" if row["connected_at"] else "sent", "counted": 0}
        state["contact_id"] = row["phone_id"] + 1000
        taken = any(r["operator_id"] == row["operator_id"] for r in facts.live if r is not row)
        free = {"operator_id": None} if taken else {}
        row.update(free)
        await insert(connection, "attempt_live", keep | common | state | free)
    for row in facts.shifts:
        live = {k: v for k, v in row.items() if k != "started_at"}
        seat = {"since": row["started_at"], "switch": "main", "seat": f"s{row['operator_id']}"}
        await insert(connection, "operator_live", live | seat | {"team_id": 1, "name": "A"})


async def insert(connection, table: str, *rows: dict) -> None:
    await connection.copy_records_to_table(table, records=[tuple(r.values()) for r in rows], columns=list(rows[0]))


async def ask(connection, facts: Facts, by: str, campaign_id: int | None = None):
    return await Numbers(connection).table(
        since=facts.since, until=facts.until, by=by, campaign_id=campaign_id, now=facts.now
    )


SCENES = [(seed, BERLIN_GOES_BACK + HOUR, {c: zone for c, (_, zone) in CAMPAIGNS.items()}) for seed in range(4)]
SCENES += [(9, LORD_HOWE_GOES_FORWARD, dict.fromkeys(CAMPAIGNS, "Australia/Lord_Howe"))]


#: What ``Slow`` counts.
SLOWLY = (
    *("attempts", "live", "rang", "answered", "abandoned", "early_hangups", "connected", "contacts_dialled"),
    *("contacts_reached", "results", "decision_makers", "closed", "closed_by_disposition", "closed_used_up"),
    *("calls_of_closed", "ready_s", "ringing_s", "preview_s", "talk_s", "wrap_up_s", "paused_s", "open_s"),
)


class Lent:
    """One connection in the place of a pool."""

    def __init__(self, connection):
        self.connection = connection

    @asynccontextmanager
    async def acquire(self, timeout=None):
        yield self.connection

    def __getattr__(self, name):
        return getattr(self.connection, name)


ALWAYS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


async def keep(connection, how: str) -> None:
    """Bring the hour rows into one of the conditions they may be in."""
    rows = HourRows(Lent(connection))
    if how == "none":
        await connection.execute("DELETE FROM kpi_delta")
        await connection.execute(
            "INSERT INTO kpi_stale SELECT id FROM campaign UNION ALL SELECT 0 ON CONFLICT DO NOTHING"
        )
        return
    await connection.execute("DELETE FROM kpi_stale")
    if how == "partly folded":
        await rows.fold(30)
    if how == "folded":
        while await rows.fold():
            pass
    if how == "made anew":
        await connection.execute("DELETE FROM kpi_delta")
        await connection.execute("DELETE FROM closing")
        await rows.remake(*ALWAYS)


@pytest.mark.parametrize("how", ["none", "told", "partly folded", "folded", "made anew"])
@pytest.mark.parametrize(("seed", "around", "zones"), SCENES)
async def test_every_number_equals_the_slow_count(connection, seed, around, zones, how):
    """By hour, operator, campaign and in total, of one campaign and of all, over a change of clocks."""
    facts = invent(seed, around, zones)
    await store(connection, facts, seed)
    await keep(connection, how)
    for by in ("hour", "operator", "campaign", "total"):
        for campaign_id in (None, 1, 2):
            slow = Slow(facts, by, campaign_id)
            expected = slow.count()
            rows = {row.key: row for row in await ask(connection, facts, by, campaign_id)}
            assert expected.keys() <= rows.keys()
            for key, row in rows.items():
                sums = expected.get(key, {})
                names = SLOWLY
                assert {n: row.facts[n] for n in names} == {n: sums.get(n, 0.0) for n in names}, (by, key)
                if slow.voice[key]:
                    assert row.facts["voice_p50_ms"] == pytest.approx(median(slow.voice[key]))
                assert row.values == kpi.values(row.facts)


@pytest.mark.parametrize(("seed", "around", "zones"), SCENES)
async def test_hour_rows_are_the_facts_and_a_wrong_one_is_found_and_mended(connection, seed, around, zones):
    facts = invent(seed, around, zones)
    await store(connection, facts, seed)
    await keep(connection, "partly folded")
    rows = HourRows(Lent(connection))
    found = await rows.check(*ALWAYS)
    assert (found.different, found.differences) == (0, [])
    assert found.compared > 20
    while await rows.fold():
        pass
    assert (await rows.check(*ALWAYS)).different == 0
    await connection.execute(
        "UPDATE kpi_hour SET rang = rang + 1 WHERE (dim, hour) = (SELECT dim, min(hour) FROM kpi_hour WHERE dim = 'total' GROUP BY dim)"
    )
    wrong = await rows.check(*ALWAYS)
    assert wrong.different > 0
    assert {(one["dim"], one["fact"]) for one in wrong.differences} == {("total", "rang")}
    assert (await rows.checked()).different == wrong.different
    await rows.remake(*ALWAYS)
    assert (await rows.check(*ALWAYS)).different == 0
    assert await connection.fetchval("SELECT count(*) FROM kpi_hour WHERE revision > 0") > 0


async def test_another_zone_counts_from_the_facts_until_its_hours_are_made_anew(connection):
    facts = invent(3, BERLIN_GOES_BACK + HOUR, {c: zone for c, (_, zone) in CAMPAIGNS.items()})
    await store(connection, facts)
    await keep(connection, "folded")
    await connection.execute("UPDATE campaign SET zone = 'Asia/Kolkata' WHERE id = 1")
    moved = replace(facts, zones=facts.zones | {1: "Asia/Kolkata"})
    expected = Slow(moved, "hour", 1).count()
    for _ in range(2):
        rows = {row.key: row.facts for row in await ask(connection, moved, "hour", 1)}
        assert {key: rows[key]["rang"] for key in expected} == {
            key: sums.get("rang", 0) for key, sums in expected.items()
        }
        assert await HourRows(Lent(connection)).mend() in ([1], [])
    assert (await HourRows(Lent(connection)).check(*ALWAYS)).different == 0


@pytest.mark.parametrize(("seed", "around", "zones"), SCENES[:2] + SCENES[4:])
async def test_hours_and_campaigns_and_operators_add_up_to_the_total(connection, seed, around, zones):
    facts = invent(seed, around, zones)
    await store(connection, facts)
    await keep(connection, "folded")
    [total] = await ask(connection, facts, "total")
    sums = kpi.FACTS.keys() - kpi.APART - {"clock_s"}
    for by in ("hour", "operator", "campaign"):
        rows = await ask(connection, facts, by)
        assert {n: sum(row.facts[n] for row in rows) for n in sums} == {n: total.facts[n] for n in sums}
    by_campaign = await ask(connection, facts, "campaign")
    for distinct in ("contacts_dialled", "contacts_reached"):
        assert sum(row.facts[distinct] for row in by_campaign) == total.facts[distinct]


@pytest.mark.parametrize(("seed", "around", "zones"), SCENES[:1] + SCENES[4:])
async def test_the_clock_of_the_hours_adds_up_to_the_time_that_has_passed(connection, seed, around, zones):
    """Empty hours are rows too, the present one only as far as it has come, and a short hour is short."""
    facts = invent(seed, around, zones)
    await store(connection, facts)
    [total] = await ask(connection, facts, "total", 1)
    hours = await ask(connection, facts, "hour", 1)
    assert total.facts["clock_s"] == (facts.now - facts.since).total_seconds()
    assert sum(row.facts["clock_s"] for row in hours) == total.facts["clock_s"]
    assert all(0 <= row.facts["clock_s"] <= 3600 for row in hours)


async def test_a_quiet_period_is_zero_and_divides_by_nothing(connection):
    facts = invent(1, BERLIN_GOES_BACK, {c: zone for c, (_, zone) in CAMPAIGNS.items()})
    facts.attempts, facts.live, facts.intervals, facts.shifts = [], [], [], []
    facts.dispositions, facts.contacts = [], []
    await store(connection, facts)
    [total] = await ask(connection, facts, "total")
    assert total.facts["attempts"] == 0
    assert total.values["results_per_hour"] is None
    assert "voice_p50_ms" not in total.facts


async def test_rows_are_named_as_people_name_them(connection):
    facts = invent(2, BERLIN_GOES_BACK + HOUR, {c: zone for c, (_, zone) in CAMPAIGNS.items()})
    await store(connection, facts)
    hours = [row.label for row in await ask(connection, facts, "hour", 1)]
    assert hours.count("2026-10-25 02:00") == 2
    assert "Operator 11" in {row.label for row in await ask(connection, facts, "operator")}
    assert "Campaign 1" in {row.label for row in await ask(connection, facts, "campaign")}


async def test_an_unknown_campaign_is_refused(connection):
    facts = invent(1, BERLIN_GOES_BACK, {})
    with pytest.raises(NotFound) as refused:
        await ask(connection, facts, "total", 999)
    assert refused.value.code == "campaign.unknown"


async def test_a_pause_of_a_whole_weekend_is_the_same_in_hour_rows_and_facts(connection):
    """Nobody ends the shift of whoever went home in a pause; what one stretch adds is not lost after its first day."""
    facts = invent(5, BERLIN_GOES_BACK + HOUR, {c: zone for c, (_, zone) in CAMPAIGNS.items()})
    await store(connection, facts)
    begin = BERLIN_GOES_BACK - timedelta(days=10)
    row = {"operator_id": 11, "session_id": UUID(int=77), "state": "paused"}
    await insert(connection, "operator_interval", row | {"started_at": begin, "ended_at": begin + 60 * HOUR})
    rows = HourRows(Lent(connection))
    await connection.execute("DELETE FROM kpi_stale")
    last = begin + 48 * HOUR, begin + 60 * HOUR
    for part in (timedelta(0), MINUTE):  # whole hours from the hour rows, others from the facts
        [total] = await Numbers(connection).table(since=last[0] + part, until=last[1] - part, by="total", now=facts.now)
        assert total.facts["paused_s"] == (12 * HOUR - 2 * part).total_seconds()
    assert (await rows.check(*last)).different == 0
    await rows.remake(*last)
    [total] = await Numbers(connection).table(since=last[0], until=last[1], by="total", now=facts.now)
    assert total.facts["paused_s"] == 12 * 3600


async def test_what_is_older_than_the_hour_rows_is_made_anew_day_by_day_for_all_campaigns_at_once(
    connection, monkeypatch
):
    """A campaign at a time, a hundred campaigns of a year would keep the folding waiting for hours."""
    facts = invent(4, BERLIN_GOES_BACK + HOUR, {c: zone for c, (_, zone) in CAMPAIGNS.items()})
    await store(connection, facts)
    await keep(connection, "none")
    rows, days = HourRows(Lent(connection)), []
    remake = rows.remake

    async def watched(since, until, campaigns):
        days.append(since)
        await remake(since, until, campaigns)

    monkeypatch.setattr(rows, "remake", watched)
    assert await rows.mend() == [0, 1, 2, 3]
    assert len(days) == len(set(days))
    assert await rows.mend() == []
    assert (await rows.check(*ALWAYS)).different == 0


async def test_a_wrong_day_row_is_found_and_made_anew(connection):
    facts = invent(6, BERLIN_GOES_BACK + HOUR, {c: zone for c, (_, zone) in CAMPAIGNS.items()})
    await store(connection, facts)
    await keep(connection, "folded")
    rows = HourRows(Lent(connection))
    assert (await rows.check(*ALWAYS)).different == 0
    await connection.execute("UPDATE kpi_day SET results = results + 1 WHERE dim = 'region'")
    wrong = await rows.check(*ALWAYS)
    assert {(one["span"], one["dim"], one["fact"]) for one in wrong.differences} == {("day", "region", "results")}
    await rows.remake(facts.since, facts.until)
    assert (await rows.check(*ALWAYS)).different == 0


#: Zones whose midnight comes twice, or not at all, and when.
MIDNIGHTS = [
    ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ("Asia/Beirut", datetime(2026, 3, 28, 22, tzinfo=UTC)),
    ("America/Scoresbysund", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "change"), MIDNIGHTS)
async def test_days_hours_and_facts_give_the_same_where_midnight_comes_twice_or_never(connection, zone, change):
    facts = invent(7, change, dict.fromkeys(CAMPAIGNS, zone))
    await store(connection, facts)
    await keep(connection, "folded")

    async def counted(by, start, length):
        rows = await Numbers(connection).table(since=start, until=start + length, by=by, now=facts.now, apart=False)
        return {row.key: row.facts for row in rows if any(row.facts[name] for name in row.facts if name != "clock_s")}

    asked = [
        (by, change.replace(hour=0) + timedelta(hours=first, minutes=minutes), timedelta(days=days))
        for by in ("day", "week", "operator", "total")
        for first, minutes in ((-30, 0), (-23, 0), (-6, 7))
        for days in (1, 3)
    ]
    held = [await counted(*one) for one in asked]
    assert await connection.fetchval("SELECT count(DISTINCT day) FROM kpi_day") >= 2
    await keep(connection, "none")
    assert held == [await counted(*one) for one in asked]
    assert any(held)
