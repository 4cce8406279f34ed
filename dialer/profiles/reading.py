"""How each figure of a profile is read: strictly, and a mistake is half a sentence that follows the figure's name."""

from __future__ import annotations

import re
from datetime import time
from types import MappingProxyType
from typing import TYPE_CHECKING

from dialer.core.model import DISPOSITION_CLASSES, HOLIDAY, UNLIMITED, LegalWindow
from dialer.core.recording import RULES
from dialer.core.rules import NOWHERE
from dialer.profiles.calendars import Calendar, has_calendar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CALL_TYPES = frozenset({"human_selected", "auto_dialed_live", "recorded"})
PURPOSES = frozenset({"marketing", "survey", "service", "debt"})
PERMISSIONS = frozenset({"forbidden", "with_consent", "free"})
TRUNK_KINDS = frozenset({"carrier", "world"})
#: No profile may allow more; the highest legal limit told of is Canada's 5 %.
CAP_PERMILLE_MAX = 50
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_PREFIX = re.compile(r"\+([1-9][0-9]{0,13})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_LIST = re.compile(r"[a-z0-9-]{1,32}")


def text(value: object) -> str:
    """A word or a sentence."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be a word")
    return value


def country(value: object) -> str | None:
    """A country, none, or nowhere."""
    if value is not None and value != NOWHERE and not (isinstance(value, str) and _COUNTRY.fullmatch(value)):
        raise ValueError("must be two letters, null, or nowhere")
    return value


def whole(low: int, high: int) -> Callable[[object], int]:
    """A whole number within bounds."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return read


def some_of(allowed: frozenset[str]) -> Callable[[object], frozenset[str]]:
    """A list with at least one of these words."""

    def read(value: object) -> frozenset[str]:
        if not isinstance(value, list) or not value or not all(word in allowed for word in value):
            raise ValueError(f"must be a list of some of: {', '.join(sorted(allowed))}")
        return frozenset(value)

    return read


def one_of(allowed: Sequence[str]) -> Callable[[object], str]:
    """One of these words."""

    def read(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of: {', '.join(allowed)}")
        return str(value)

    return read


def legal_window(value: object) -> LegalWindow:
    """The period over which abandoned calls are counted."""
    try:
        return LegalWindow(str(value))
    except ValueError:
        raise ValueError(f"must be one of: {', '.join(LegalWindow)}") from None


def windows(value: object) -> Mapping[int, tuple[tuple[time, time], ...]]:
    """Local hours by weekday, Monday is 0, and by ``holidays``."""
    if not isinstance(value, dict):
        raise TypeError("must give local hours by weekday")
    week: dict[int, tuple[tuple[time, time], ...]] = {}
    for days, spans in value.items():
        if not isinstance(spans, list):
            raise TypeError(f"must give {days} a list of hours")
        for day in _days(days):
            if day in week:
                raise ValueError(f"names {[*DAYS, 'holidays'][day]} twice")
            week[day] = tuple(sorted(_span(span) for span in spans))
    return MappingProxyType(week)


def _days(value: object) -> range:
    if value == "holidays":
        return range(HOLIDAY, HOLIDAY + 1)
    first, _, last = str(value).partition("-")
    try:
        days = range(DAYS.index(first), DAYS.index(last or first) + 1)
    except ValueError:
        days = range(0)
    if not days:
        raise ValueError(f"has the weekday {value!r}; write mon, mon-fri or holidays")
    return days


def _span(value: object) -> tuple[time, time]:
    match = _SPAN.fullmatch(str(value))
    opens, closes = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
    if not opens < closes <= 24 * 60:
        raise ValueError(f'has the hours {value!r}; write "10:00-13:00", at most until 24:00')
    return time(opens // 60, opens % 60), time(closes // 60 % 24, closes % 60)  # 24:00 is kept as 00:00


def holidays(value: object) -> Calendar:
    """Whose public holidays count: of a country, or of the one the callee's zone lies in."""
    if not isinstance(value, dict) or set(value) != {"country", "regions"}:
        raise TypeError("must give country and regions")
    country, regions = value["country"], value["regions"]
    if not isinstance(regions, bool):
        raise TypeError("must say true or false for regions")
    if country == "of_callee":
        return Calendar(country=None, regions=regions)
    if not isinstance(country, str) or not has_calendar(country):
        raise ValueError(f"has the country {country!r}, of which no calendar is known")
    return Calendar(country=country, regions=regions)


def call_types(value: object) -> Mapping[str, Mapping[str, str]]:
    """By purpose: whether each type of call is forbidden, allowed with consent, or free."""
    if not isinstance(value, dict) or not value or not set(value) <= PURPOSES:
        raise TypeError(f"must give permissions by purpose: {', '.join(sorted(PURPOSES))}")
    for purpose, types in value.items():
        if not isinstance(types, dict) or set(types) != CALL_TYPES:
            raise TypeError(f"must give {purpose} each of: {', '.join(sorted(CALL_TYPES))}")
        if not set(types.values()) <= PERMISSIONS:
            raise ValueError(f"has a permission of {purpose} that is none of: {', '.join(sorted(PERMISSIONS))}")
    return MappingProxyType({purpose: MappingProxyType(types) for purpose, types in value.items()})


def list_names(value: object) -> tuple[str, ...]:
    """Names of national do-not-call lists; none is fine."""
    if not isinstance(value, list) or not all(isinstance(name, str) and _LIST.fullmatch(name) for name in value):
        raise ValueError("must be a list of names like us-dnc")
    return tuple(sorted(set(value)))


def numbers(value: object) -> Mapping[str, tuple[str, ...]]:
    """Which prefixes are allowed and which of them are not."""
    if not isinstance(value, dict) or set(value) != {"allow", "deny"}:
        raise TypeError("must give allow and deny")
    if not value["allow"]:
        raise ValueError("allows no number")
    return {kind: prefixes(value[kind]) for kind in ("allow", "deny")}


def prefixes(value: object) -> tuple[str, ...]:
    """Beginnings of numbers in E.164."""
    if not isinstance(value, list) or not all(isinstance(one, str) and _PREFIX.fullmatch(one) for one in value):
        raise ValueError("must have lists of prefixes like +33")
    return tuple(sorted(set(value)))


def days_by_class(value: object) -> Mapping[str, int]:
    """So many days by class of disposition; none is fine."""
    if not isinstance(value, dict) or not set(value) <= DISPOSITION_CLASSES:
        raise TypeError(f"must give days by class of disposition: {', '.join(sorted(DISPOSITION_CLASSES))}")
    return MappingProxyType({word: whole(1, 3650)(days) for word, days in value.items()})


def yes_or_no(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


#: Each figure of a profile and how it is read.
FIGURES: Mapping[str, Callable[[object], object]] = {
    "windows": windows,
    "holidays": holidays,
    "call_types": call_types,
    "trunk_kinds": some_of(TRUNK_KINDS),
    "cap_permille": whole(0, CAP_PERMILLE_MAX),
    "legal_window": legal_window,
    "per_day": whole(1, UNLIMITED),
    "per_7_days": whole(1, UNLIMITED),
    "per_30_days": whole(1, UNLIMITED),
    "min_gap_s": whole(0, 30 * 86_400),
    "after_abandon_s": whole(0, 365 * 86_400),
    "opt_out_key": yes_or_no,
    "after_disposition_days": days_by_class,
    "guard_s": whole(0, 3600),
    "recording": one_of(RULES),
    "recording_days": whole(1, 3650),
    "national_lists": list_names,
    "list_max_age_days": whole(1, 366),
    "numbers": numbers,
}
