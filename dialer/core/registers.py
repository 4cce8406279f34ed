"""National do-not-call lists: when an import becomes too old for a campaign, and from when on that is a warning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.core.model import Profile

#: Getting a register anew takes people some days.
WARN_BEFORE = timedelta(days=7)


class Age(StrEnum):
    """How old an import is for a profile."""

    WELL = "well"
    SOON = "soon"  # too old within WARN_BEFORE
    TOO_OLD = "too_old"
    MISSING = "missing"  # never imported


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A list that a profile needs.

    Attributes:
        imported_at: None if it never was.
        too_old_at: From then on nobody is called under this profile; None if it was never imported.
    """

    name: str
    age: Age
    imported_at: datetime | None
    too_old_at: datetime | None


def needed(profile: Profile, imported: Mapping[str, datetime], now: datetime) -> Sequence[Register]:
    """The lists a profile needs, each with its age.

    Args:
        profile: The rules of a campaign.
        imported: When each list was imported last.
        now: Present time, aware.
    """
    return [_register(name, imported.get(name), profile, now) for name in profile.national_lists]


def _register(name: str, imported_at: datetime | None, profile: Profile, now: datetime) -> Register:
    if imported_at is None:
        return Register(name=name, age=Age.MISSING, imported_at=None, too_old_at=None)
    too_old_at = imported_at + timedelta(days=profile.list_max_age_days)
    age = Age.TOO_OLD if now > too_old_at else Age.SOON if now > too_old_at - WARN_BEFORE else Age.WELL
    return Register(name=name, age=age, imported_at=imported_at, too_old_at=too_old_at)
