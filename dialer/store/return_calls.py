"""Return calls as facts: who called the shown number, and whether somebody served them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.errors import Refused
from dialer.store.facts import Found
from dialer.store.page import after
from dialer.store.pools import store_errors
from dialer.store.returns import SQL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dialer.store.pools import Pool

ROWS = 50
#: What became of one that counts; who was refused is nobody's.
OUTCOMES = ("connected", "missed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Of:
    """Which return calls; each belongs to when it came in.

    Attributes:
        since: Inside.
        until: Outside.
        campaign_ids: None for all.
        outcome: One of ``OUTCOMES``.
    """

    since: datetime | None = None
    until: datetime | None = None
    campaign_ids: Sequence[int] | None = None
    operator_id: int | None = None
    outcome: str | None = None


class ReturnCalls:
    """Reads return calls that are over."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, of: Of, *, cursor: str | None = None, rows: int = ROWS) -> Found:
        """A page of return calls, the newest first.

        Raises:
            Refused: ``returns.cursor``: not one of ours.
        """
        at, last_id = after(cursor, _bad_cursor()) if cursor else (None, None)
        with store_errors():
            found = await SQL["return_list"].fetch(
                self._pool,
                since=of.since,
                until=of.until,
                campaign_ids=of.campaign_ids,
                operator_id=of.operator_id,
                outcome=of.outcome,
                at=at,
                id=last_id,
                limit=rows + 1,
            )
        page = [dict(row) for row in found[:rows]]
        more = len(found) > rows
        return Found(rows=page, next=f"{page[-1]['came_at'].isoformat()}_{page[-1]['id']}" if more else None)


def _bad_cursor() -> Refused:
    return Refused("returns.cursor", "This cursor is not one of ours.", remedy="Begin with the first page.")
