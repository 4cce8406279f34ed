"""The tables of the admin pages: a page of rows, searched and sorted by PostgreSQL, and how many rows there are."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool

SQL = queries("office")

ROWS = 50
#: Counting stops here.
COUNT_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Which rows, in which order.

    Attributes:
        q: What is searched for; empty finds all.
        sort: Column the rows are sorted by; one that is not known means the table's own order.
        down: The other way round.
        page: From 1.
    """

    q: str = ""
    sort: str = ""
    down: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A page of rows.

    Attributes:
        count: Rows in all; ``COUNT_MAX`` + 1 means more than anybody pages through.
    """

    rows: Sequence[Mapping[str, Any]]
    count: int
    view: View

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-min(self.count, COUNT_MAX) // ROWS))

    @property
    def first(self) -> int:
        """Number of the first row shown, 0 without rows."""
        return (self.view.page - 1) * ROWS + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def more(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.count > COUNT_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How the last calls of somebody went; ``talk_s`` is None before the first conversation."""

    rang: int
    connected: int
    talk_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a plan is made of."""

    contacts: int
    operators: int
    calls: Calls


_CALLS = tuple(field.name for field in fields(Calls))


class Office:
    """Reads for people; nothing here changes anything."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def _table(self, noun: str, view: View, **filters: Any) -> Table:
        with store_errors():
            if view.page == 1:  # a search that finds little has been counted by finding it
                rows = await self._rows(noun, view, filters)
                if len(rows) < ROWS:
                    return Table(rows=rows, count=len(rows), view=view)
            count: int = await SQL[f"{noun}_count"].fetchval(
                self._pool, **{name: filters[name] for name in SQL[f"{noun}_count"].parameters}
            )
            if view.page > 1:
                view = replace(view, page=min(view.page, max(1, -(-min(count, COUNT_MAX) // ROWS))))
                rows = await self._rows(noun, view, filters)
        return Table(rows=rows, count=count, view=view)

    async def _rows(self, noun: str, view: View, filters: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        given = {**filters, "sort": view.sort, "down": view.down, "limit": ROWS, "offset": (view.page - 1) * ROWS}
        rows = await SQL[noun].fetch(self._pool, **{name: given[name] for name in SQL[noun].parameters})
        return [dict(row) for row in rows]

    async def users(self, view: View, *, role: str = "") -> Table:
        """People; sorted by ``login``, ``name``, ``role`` or ``team``."""
        return await self._table("office_users", view, q=view.q, role=role)

    async def do_not_call(self, view: View, *, scope: str = "") -> Table:
        """Do-not-call entries, the newest first; or sorted by ``phone``. Digits search in the number."""
        digits = re.sub(r"[\s().\-]", "", view.q)
        digits = digits if re.fullmatch(r"\+?[0-9]+", digits) else ""
        return await self._table("office_do_not_call", view, q=view.q, digits=digits, scope=scope)

    async def do_not_call_files(self) -> Sequence[Mapping[str, Any]]:
        """The last files of do-not-call numbers, with names."""
        with store_errors():
            return [dict(row) for row in await SQL["office_do_not_call_files"].fetch(self._pool, limit=ROWS)]

    async def audit(self, view: View, *, since: datetime | None = None, until: datetime | None = None) -> Table:
        """The audit log, the newest first."""
        down = not view.down  # the newest first is this table's own order
        table = await self._table("office_audit", replace(view, down=down), q=view.q, since=since, until=until)
        return replace(table, view=replace(table.view, down=view.down))

    async def names(self, wanted: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
        """What people call things, by kind (``campaign``, ``user`` …) and id; what has no name is absent."""
        given = {"kinds": [kind for kind, _ in wanted], "ids": [one for _, one in wanted]}
        with store_errors():
            rows = await SQL["office_names"].fetch(self._pool, **given)
        return {(row["kind"], row["id"]): row["name"] for row in rows if row["name"]}

    async def kinds(self, campaigns: Collection[int]) -> Sequence[Mapping[str, Any]]:
        """What dispositions of these campaigns are called: ``code``, ``name_ru``, ``name_en``."""
        with store_errors():
            return [dict(row) for row in await SQL["office_kinds"].fetch(self._pool, campaigns=sorted(campaigns))]

    async def campaigns(
        self, view: View, *, state: str = "", team_id: int | None = None, customer_id: int | None = None
    ) -> Table:
        """Campaigns, of one team and one customer if they are named.

        Sorted by ``name``, ``customer``, ``team``, ``state`` or ``mode``.
        """
        only = {"team_id": team_id, "customer_id": customer_id}
        return await self._table("office_campaigns", view, q=view.q, state=state, **only)

    async def trunks(self) -> Sequence[Mapping[str, Any]]:
        """All trunks with their campaigns and caller numbers."""
        with store_errors():
            return [dict(row) for row in await SQL["office_trunks"].fetch(self._pool)]

    async def choices(self) -> Mapping[str, Sequence[str]]:
        """Names to choose from in forms: ``team``, ``customer``, ``trunk``, ``caller_number``."""
        found: dict[str, list[str]] = {"team": [], "customer": [], "trunk": [], "caller_number": []}
        with store_errors():
            for row in await SQL["office_choices"].fetch(self._pool):
                if row["name"] not in found[row["kind"]]:
                    found[row["kind"]].append(row["name"])
        return found

    async def planned(self, campaign_id: int, team: str) -> Planned:
        """What the plan of a campaign is made of."""
        with store_errors():
            row = await SQL["office_planned"].fetchrow(self._pool, campaign_id=campaign_id, team=team)
        assert row is not None  # noqa: S101 - an aggregate has a row
        calls = Calls(**{name: row[name] for name in _CALLS})
        return Planned(contacts=row["contacts"], operators=row["operators"], calls=calls)

    async def expected(self, *, customer: str, team: str, mode: str) -> tuple[int, Mapping[str, Calls]]:
        """What a campaign that is not made yet is planned with.

        Returns:
            Operators of the team, and how the last calls went: for the ``customer``, and of the ``team``.
        """
        with store_errors():
            rows = await SQL["office_expected"].fetch(self._pool, customer=customer, team=team, mode=mode)
        return rows[0]["operators"], {row["kind"]: Calls(**{name: row[name] for name in _CALLS}) for row in rows}
