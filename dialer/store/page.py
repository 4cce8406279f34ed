"""A page of a list that is read by keyset: it costs the same however long the list is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of a list; ``next`` is the cursor of the page after, None on the last."""

    rows: Sequence[Mapping[str, Any]]
    next: int | None

    @classmethod
    def of(cls, found: Sequence[Mapping[str, Any]], rows: int) -> Page:
        """A page of so many rows, of which one more was asked for; the cursor is the ``id`` of the last."""
        return cls(rows=found[:rows], next=found[rows - 1]["id"] if len(found) > rows else None)


def after(cursor: str, otherwise: Refused) -> tuple[datetime, UUID]:
    """Time and id of the last row of the page before.

    Args:
        cursor: ``time_id``, the time in UTC.
        otherwise: What is raised for any other text.

    Raises:
        Refused: ``otherwise``.
    """
    at, _, row_id = cursor.partition("_")
    try:
        moment, last = datetime.fromisoformat(at), UUID(row_id)
        known = moment.utcoffset() == timedelta(0)
        moment.utctimetuple()
    except (ValueError, OverflowError):
        known = False
    if not known:
        raise otherwise
    return moment, last
