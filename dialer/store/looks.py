"""Contacts that operators looked at before a call: counted by operator and reason, and each one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialer.core.preview import How
from dialer.errors import Refused
from dialer.store.facts import Found
from dialer.store.page import after
from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool

SQL = queries("look")
ROWS = 50
#: What ``counts`` counts, beside all of them as ``looked``.
HOWS = tuple(how.value for how in How)


@dataclass(frozen=True, slots=True, kw_only=True)
class Of:
    """Which looks; each belongs to when it ended.

    Attributes:
        since: Inside.
        until: Outside.
        campaign_ids: None for all.
    """

    since: datetime | None = None
    until: datetime | None = None
    campaign_ids: Sequence[int] | None = None
    operator_id: int | None = None
    how: How | None = None
    reason: str | None = None


class Looks:
    """Reads looks that are over."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def counts(self, of: Of) -> Sequence[Mapping[str, Any]]:
        """By operator: ``looked`` and each of ``HOWS``, and the mean length ``look_s``; whoever looked most first."""
        with store_errors():
            return [dict(row) for row in await SQL["look_counts"].fetch(self._pool, **_given("look_counts", of))]

    async def reasons(self, of: Of) -> Sequence[Mapping[str, Any]]:
        """By ``reason``: how many were ``skipped``."""
        with store_errors():
            return [dict(row) for row in await SQL["look_reasons"].fetch(self._pool, **_given("look_reasons", of))]

    async def find(self, of: Of, *, cursor: str | None = None, rows: int = ROWS) -> Found:
        """A page of looks, the newest first.

        Raises:
            Refused: ``looks.cursor``: not one of ours.
        """
        at, last_id = after(cursor, _bad_cursor()) if cursor else (None, None)
        with store_errors():
            given = {**_given("look_list", of), "at": at, "id": last_id, "limit": rows + 1}
            found = [dict(row) for row in await SQL["look_list"].fetch(self._pool, **given)]
        if len(found) <= rows:
            return Found(rows=found, next=None)
        last = found[rows - 1]
        return Found(rows=found[:rows], next=f"{last['ended_at'].isoformat()}_{last['preview_id']}")


def _given(query: str, of: Of) -> dict[str, Any]:
    return {name: getattr(of, name) for name in SQL[query].parameters if hasattr(of, name)}


def _bad_cursor() -> Refused:
    return Refused("looks.cursor", "This cursor is not one of ours.", remedy="Begin with the first page.")
