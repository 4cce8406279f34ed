"""The attempts behind a number: lists by keyset, one attempt with its minute of pacing, one contact with its history.

A page of a list costs the same at any size: rows come by an index, and a list that filters looks at ``LOOK`` attempts
at most, then says where it stopped, so that the next page goes on from there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import Owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("fact")

#: Rows of a page.
ROWS = 50
#: A page looks no further than this many attempts.
LOOK = 50_000
#: Attempts that go on and are shown at once.
NOW_MAX = 500
#: What counts an attempt by when it was sent, and by when its disposition was saved; the words of ``core.kpi.FACTS``.
SENT = frozenset({"rang", "answered", "abandoned", "dialled", "reached"})
SAID = frozenset({"said", "results", "decision_makers", "closed"})
#: Figures of which a number is sought by its whole, not by a part.
_WHOLE = range(10, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which attempts.

    Attributes:
        q: Part of a contact's name, a number or a part of one, or an attempt's id.
        fact: A word of ``SENT`` or ``SAID``: only what this number counts; the period is then that of the number.
        by: A breakdown of ``core.kpi.OWNERS``, of which only the row ``part`` is wanted.
        since: Inside.
        until: Outside.
        oldest: Begin with the oldest.
        cursor: From where the page before ended.
    """

    q: str = ""
    campaign_id: int | None = None
    operator_id: int | None = None
    contact_id: int | None = None
    phone_id: int | None = None
    outcome: str | None = None
    code: str | None = None
    fact: str | None = None
    number: int | None = None
    reason: str | None = None
    weekday: int | None = None
    hour: int | None = None
    by: str | None = None
    part: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    oldest: bool = False
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of attempts.

    Attributes:
        next: Cursor of the page after, None on the last.
        looked_to: Where a list that filters stopped looking before the page was full.
    """

    rows: Sequence[Mapping[str, Any]]
    next: str | None
    looked_to: datetime | None = None


class Facts:
    """Reads the ledger for people."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, sought: Sought, *, rows: int = ROWS, look: int = LOOK) -> Found:
        """A page of finished attempts.

        Raises:
            Refused: ``attempts.cursor``: not one of ours.
        """
        at, after = _cursor(sought.cursor) if sought.cursor else (None, None)

        async def work(connection: Connection) -> Found:
            await SQL["fact_plan"].execute(connection)
            asked = await _asked(connection, sought, at)
            if asked is None:
                return Found(rows=[], next=None)
            query = SQL["fact_said" if sought.fact in SAID else "fact_oldest" if sought.oldest else "fact_newest"]
            edge = await _edge(connection, sought, asked, look)
            given = {**asked, "id": after, "edge": edge, "limit": rows + 1}
            found = await query.fetch(connection, **{name: given[name] for name in query.parameters})
            return _page([dict(row) for row in found], rows, edge, by="saved_at" if sought.fact in SAID else "sent_at")

        return await transaction(self._pool, work)

    async def now(self, *, campaign_id: int | None, operator_id: int | None) -> Sequence[Mapping[str, Any]]:
        """Attempts that go on."""
        with store_errors():
            found = await SQL["fact_now"].fetch(
                self._pool, campaign_id=campaign_id, operator_id=operator_id, limit=NOW_MAX
            )
        return [dict(row) for row in found]

    async def attempt(self, attempt_id: UUID) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """An attempt, and what pacing decided in its minute (None after a day).

        Raises:
            NotFound: ``attempt.not_found``.
        """
        with store_errors():
            row = await SQL["fact_attempt"].fetchrow(self._pool, id=attempt_id)
            if row is None:
                raise NotFound("attempt.not_found", "There is no such attempt.")
            minute = await SQL["fact_minute"].fetchrow(self._pool, campaign_id=row["campaign_id"], at=row["sent_at"])
        return dict(row), dict(minute) if minute else None

    async def contact(self, contact_id: int, *, team_id: int | None) -> Mapping[str, Any]:
        """A contact with ``phones`` (attempts counted within the team if one is named) and ``promises``.

        Raises:
            NotFound: ``contact.not_found``.
        """
        with store_errors():
            row = await SQL["fact_contact"].fetchrow(self._pool, contact_id=contact_id)
            if row is None:
                raise NotFound("contact.not_found", "There is no such contact.")
            phones = await SQL["fact_phones"].fetch(self._pool, contact_id=contact_id, team_id=team_id)
            promised = await SQL["fact_promises"].fetch(self._pool, contact_id=contact_id)
        return {**row, "phones": [dict(one) for one in phones], "promises": [dict(one) for one in promised]}

    async def choices(self, campaign_id: int | None) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """What a list may be filtered by: ``operator`` and ``code``, each with ``value``, ``name_en``, ``name_ru``."""
        found: dict[str, list[Mapping[str, str]]] = {"operator": [], "code": []}
        with store_errors():
            for row in await SQL["fact_choices"].fetch(self._pool, campaign_id=campaign_id):
                found[row["kind"]].append(dict(row))
        return found

    async def owner(self, attempt_id: UUID) -> Owner | None:
        """Whose an attempt is; None if there is none."""
        with store_errors():
            row = await SQL["fact_owner"].fetchrow(self._pool, id=attempt_id)
        return Owner(**row) if row else None


async def _asked(connection: Connection, sought: Sought, at: datetime | None) -> dict[str, Any] | None:
    """The parameters of a list; None when nothing can be found by what was typed."""
    digits = re.sub(r"[\s().\-]", "", sought.q)
    digits = digits if re.fullmatch(r"\+?[0-9]+", digits) else ""
    phone_id = sought.phone_id
    if len(digits.lstrip("+")) in _WHOLE:
        e164 = digits if digits.startswith("+") else f"+{digits}"
        phone_id = await SQL["fact_phone"].fetchval(connection, e164=e164)
        if phone_id is None and digits.startswith("8"):  # as it is dialled in Russia
            phone_id = await SQL["fact_phone"].fetchval(connection, e164=f"+7{digits[1:]}")
        if phone_id is None:
            return None
        digits = ""
    return {
        "campaign_id": sought.campaign_id,
        "operator_id": sought.operator_id,
        "contact_id": sought.contact_id,
        "phone_id": phone_id,
        "since": sought.since,
        "until": sought.until,
        "at": at,
        "outcome": sought.outcome,
        "code": sought.code,
        "fact": sought.fact or "",
        "number": sought.number,
        "reason": sought.reason,
        "by": sought.by or "",
        "part": sought.part,
        "weekday": sought.weekday,
        "hour": sought.hour,
        "digits": digits or None,
        "name": sought.q.strip() if sought.q.strip() and not digits and phone_id == sought.phone_id else None,
    }


async def _edge(connection: Connection, sought: Sought, asked: Mapping[str, Any], look: int) -> datetime | None:
    """Where the page stops looking; None when it does not filter, or looks at few anyway."""
    if sought.fact in SAID or not (
        any(asked[name] for name in ("outcome", "code", "fact", "name", "digits", "number", "reason"))
        or any(asked[name] is not None for name in ("weekday", "hour", "part"))
    ):
        return None
    query = SQL["fact_edge_oldest" if sought.oldest else "fact_edge_newest"]
    given = {**asked, "look": look}
    edge: datetime | None = await query.fetchval(connection, **{name: given[name] for name in query.parameters})
    return edge


def _page(rows: list[dict[str, Any]], limit: int, edge: datetime | None, *, by: str) -> Found:
    if len(rows) > limit:
        last = rows[limit - 1]
        return Found(rows=rows[:limit], next=f"{last[by].isoformat()}_{last['attempt_id']}")
    if edge is not None:
        return Found(rows=rows, next=f"{edge.isoformat()}_", looked_to=edge)
    return Found(rows=rows, next=None)


def _cursor(cursor: str) -> tuple[datetime, UUID | None]:
    at, _, attempt_id = cursor.partition("_")
    try:
        before = datetime.fromisoformat(at)
        after = UUID(attempt_id) if attempt_id else None
        before.utctimetuple()
    except (ValueError, OverflowError) as error:
        raise _bad_cursor() from error
    if before.utcoffset() != timedelta(0):
        raise _bad_cursor()
    return before, after


def _bad_cursor() -> Refused:
    return Refused("attempts.cursor", "This cursor is not one of ours.", remedy="Begin with the first page.")
