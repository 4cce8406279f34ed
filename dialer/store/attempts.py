"""Finished attempts, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from dialer.errors import Refused
from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.core.model import Outcome
    from dialer.store.pools import Pool

SQL = queries("attempt")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """A finished attempt with its disposition's code."""

    attempt_id: UUID
    campaign_id: int
    contact_id: int
    phone: str
    number: int
    sent_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime
    outcome: str
    ended_by: str
    cause: int | None
    sip_code: int | None
    key: str | None
    operator_id: int | None
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows, newest first; ``next`` is the cursor of the page after, None on the last."""

    rows: Sequence[AttemptRow]
    next: str | None


class Attempts:
    """Reads the ledger."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(
        self,
        *,
        campaign_id: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        outcome: Outcome | None = None,
        operator_id: int | None = None,
        cursor: str | None = None,
        limit: int = 200,
    ) -> Page:
        """A page of attempts by when they were sent: ``since`` inside, ``until`` outside.

        Raises:
            Refused: ``attempts.cursor``: not one of ours.
        """
        before_at, before_id = _cursor(cursor) if cursor else (None, None)
        with store_errors():
            found = await SQL["attempt_page"].fetch(
                self._pool,
                campaign_id=campaign_id,
                since=since,
                until=until,
                outcome=outcome,
                operator_id=operator_id,
                before_at=before_at,
                before_id=before_id,
                limit=limit + 1,
            )
        rows = [AttemptRow(**row) for row in found[:limit]]
        more = len(found) > limit
        return Page(rows=rows, next=f"{rows[-1].sent_at.isoformat()}_{rows[-1].attempt_id}" if more else None)


def _cursor(cursor: str) -> tuple[datetime, UUID]:
    at, _, attempt_id = cursor.partition("_")
    try:
        before = datetime.fromisoformat(at), UUID(attempt_id)
    except ValueError as error:
        raise Refused(
            "attempts.cursor", "This cursor is not one of ours.", remedy="Begin with the first page."
        ) from error
    if before[0].tzinfo is None:
        raise Refused("attempts.cursor", "This cursor is not one of ours.", remedy="Begin with the first page.")
    return before
