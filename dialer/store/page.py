"""A page of a list that is read by keyset: it costs the same however long the list is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of a list; ``next`` is the cursor of the page after, None on the last."""

    rows: Sequence[Mapping[str, Any]]
    next: int | None

    @classmethod
    def of(cls, found: Sequence[Mapping[str, Any]], rows: int) -> Page:
        """A page of so many rows, of which one more was asked for; the cursor is the ``id`` of the last."""
        return cls(rows=found[:rows], next=found[rows - 1]["id"] if len(found) > rows else None)
