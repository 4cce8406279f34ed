"""Every sum of every breakdown counted slowly, fact by fact, from the log of a made-up month: no SQL, no hour rows."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dialer.core import kpi
from scripts.benches.kpi_world import BEGIN, CAMPAIGNS, QUARTER, SECOND, Log, rang

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from uuid import UUID

STATES = {
    "ready": "ready_s",
    "ringing": "ringing_s",
    "preview": "preview_s",
    "talking": "talk_s",
    "wrap_up": "wrap_up_s",
    "paused": "paused_s",
}
OUTCOMES = {"abandoned": "outcome_abandoned", "early_hangup": "early_hangups", "offer_ended": "offers_heard"}
KNOWN = {by: kpi.known(by) for by in kpi.BREAKDOWNS}


@cache
def times(zone: str, quarter: int) -> dict[str, str]:
    """Where a quarter of an hour since ``BEGIN`` belongs in the breakdowns by time."""
    at = BEGIN + quarter * QUARTER
    local = at.astimezone(ZoneInfo(zone))
    hour = at - timedelta(minutes=local.minute)
    week, month = local.date() - timedelta(days=local.weekday()), local.date().replace(day=1)
    return {"hour": hour.astimezone(UTC).isoformat(), "day": str(local.date()), "week": str(week), "month": str(month)}


def percentile(waits: list[float], percent: int) -> float:
    """Between the two waits nearest to the place, in proportion; ``waits`` in order, at least one."""
    place, part = divmod((len(waits) - 1) * percent, 100)
    above = waits[min(place + 1, len(waits) - 1)]
    return waits[place] + (above - waits[place]) * part / 100


def owned(intervals: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int | None]]:
    """Each stretch of a shift with the campaign of the call that ended the waiting, or else of the last call."""
    shifts: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in intervals:
        shifts[row["session_id"]].append(row)
    for rows in shifts.values():
        rows.sort(key=lambda row: row["started_at"])
        owners = [row["campaign_id"] for row in rows]
        for place in range(len(owners) - 2, -1, -1):
            owners[place] = owners[place] or owners[place + 1]
        for place in range(1, len(owners)):
            owners[place] = owners[place] or owners[place - 1]
        yield from zip(rows, owners, strict=True)


def pieces(at: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """A time cut at the quarters of an hour: no zone of this world has other hours."""
    while at < end:
        until = min(end, at + QUARTER - (at - BEGIN) % QUARTER)
        yield at, until
        at = until


class Slow:
    """Every sum of every breakdown, from the log; only of some campaigns, or of one operator, if these are given."""

    def __init__(
        self,
        log: Log,
        since: datetime,
        until: datetime,
        campaigns: Collection[int] | None = None,
        operator: int | None = None,
    ) -> None:
        self.log, self.since, self.until, self.campaigns, self.operator = log, since, until, campaigns, operator
        self.sums: dict[str, dict[str, defaultdict[str, float]]] = {
            by: defaultdict(lambda: defaultdict(int)) for by in kpi.BREAKDOWNS
        }
        self.seen: defaultdict[tuple[str, str, str], set[int]] = defaultdict(set)
        self.voice: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for row in log.attempts:
            if since <= row["sent_at"] < until:
                self._tried(row)
        for row in log.dispositions:
            if since <= row["saved_at"] < until:
                facts = {
                    "said": 1,
                    "results": row["result"],
                    "decision_makers": row["decision_maker"],
                    row["verdict"]: 1,
                }
                self._add(row, row["saved_at"], facts, said=True)
        self._led()
        self._promised()
        self._closed()
        self._time()
        for (by, key, name), contacts in self.seen.items():
            self.sums[by][key][name] = len(contacts)
        for (by, key), waits in self.voice.items():
            waits.sort()
            for percent in (50, 95, 99):
                self.sums[by][key][f"voice_p{percent}_ms"] = percentile(waits, percent)

    def keys(self, row: dict[str, Any], at: datetime) -> dict[str, str]:
        """The row's place in every breakdown it belongs to; none if it is not wanted."""
        campaign = row["campaign_id"]
        if self.campaigns is not None and campaign not in self.campaigns:
            return {}
        if self.operator is not None and row.get("operator_id") != self.operator:
            return {}
        zone, customer = CAMPAIGNS[campaign] if campaign else ("UTC", "")
        found = {"total": "total", "campaign": str(campaign or ""), "customer": str(customer)}
        found |= times(zone, (at - BEGIN) // QUARTER)
        found["operator"] = str(row.get("operator_id") or "")
        if "region" in row:
            found |= {"base": str(row["base_id"]), "number": str(row["number"]), "region": row["region"]}
            found |= {"caller": row["caller_number"], "script": f"{campaign}.{row['script']}"}
        return found

    def _add(self, row: dict[str, Any], at: datetime, facts: dict[str, int], *, said: bool = False) -> None:
        places = self.keys(row, at)
        if said and places:
            places |= {"code": row["code"]} | ({"reason": row["reason"]} if row["reason"] else {})
        for by, key in places.items():
            sums, known = self.sums[by][key], KNOWN[by]
            for name, count in facts.items():
                if count and name in known:
                    sums[name] += count

    def _tried(self, row: dict[str, Any]) -> None:
        outcome = row["outcome"]
        talked = outcome == "connected" and row["ended_at"] - row["connected_at"] >= SECOND
        reached = talked or outcome == "offer_ended"
        named = OUTCOMES.get(outcome, outcome)
        facts = {
            "attempts": 1,
            "rang": rang(row),
            "answered": row["legal_answered"],
            "abandoned": row["legal_abandoned"],
        }
        self._add(row, row["sent_at"], facts | {"dialled": outcome != "not_sent", "reached": reached, named: 1})
        for by, key in self.keys(row, row["sent_at"]).items():
            if outcome != "not_sent":
                self.seen[by, key, "contacts_dialled"].add(row["contact_id"])
            if reached:
                self.seen[by, key, "contacts_reached"].add(row["contact_id"])
            if outcome == "connected":
                self.voice[by, key].append((row["connected_at"] - row["answered_at"]) / timedelta(milliseconds=1))

    def _led(self) -> None:
        for lead in self.log.leads:
            no = lead.get("accepted") is False
            owed = no and "replaced" not in lead
            decided = {"leads_accepted": not no, "leads_rejected": no, "replacements_owed": owed}
            for name, facts in (("made_at", {"leads": 1}), ("decided_at", decided), ("client_at", {"clients": 1})):
                if name in lead and self.since <= lead[name] < self.until:
                    self._add(lead["said"], lead[name], facts, said=True)

    def _promised(self) -> None:
        """When it was made, and at the time it was for at last; whoever was to keep it at last owns both."""
        for promise in self.log.promises:
            due, state, moved = promise["due_at"], promise["state"], "moved_at" in promise
            kept, gone = state == "kept", state in {"broken", "blocked"}
            became = {"promises_kept": kept, "promises_broken": gone, "promises_cancelled": state == "cancelled"}
            became |= {"promises_kept_late": kept and promise["kept"]["sent_at"] - due > 60 * SECOND}
            became |= {"promises_late": state == "pending" and self.until - due > 60 * SECOND, "promises_moved": moved}
            owned = promise["said"] | {"operator_id": promise["operator_id"]}
            for at, facts in ((promise["promised_at"], {"promises_made": 1}), (due, became)):
                if self.since <= at < self.until:
                    self._add(owned, at, facts)

    def _closed(self) -> None:
        rings: defaultdict[int, int] = defaultdict(int)
        for row in self.log.attempts:
            rings[row["contact_id"]] += rang(row)
        for contact in self.log.contacts.values():
            by, at = contact.get("closed_by"), contact.get("closed_at")
            if at is None or not self.since <= at < self.until:
                continue
            under = contact["under"] if by == "disposition" else contact["under"] | {"operator_id": None}
            facts = {"closed": 1, "closed_by_disposition": by == "disposition", "closed_used_up": by == "used_up"}
            facts |= {"closed_dead": by == "dead", "stale": by == "dead", "calls_of_closed": rings[contact["id"]]}
            self._add(under, at, facts)

    def _time(self) -> None:
        for row, owner in owned(self.log.intervals):
            self._worked(row, owner)

    def _worked(self, row: dict[str, Any], owner: int | None) -> None:
        for at, until in pieces(max(row["started_at"], self.since), min(row["ended_at"], self.until)):
            self._add({"operator_id": row["operator_id"], "campaign_id": owner}, at, {
                STATES[row["state"]]: (until - at) // timedelta(microseconds=1)})  # fmt: skip
