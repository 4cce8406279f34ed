"""Packaged compliance profiles: the rules of a country or purpose as versioned data, each figure with its source.

A profile file is read strictly: a misspelt field, a window that ends before it begins or a figure without a source is
refused in one sentence that names file and field, because a rule that is silently not there is a rule that is broken.
"""

from __future__ import annotations

import re
from datetime import date, time
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from dialer.core.model import LegalWindow, Profile
from dialer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CALL_TYPES = frozenset({"human_selected", "auto_dialed_live", "recorded"})
TRUNK_KINDS = frozenset({"carrier", "world"})
#: No profile may allow more; the highest legal limit told of is Canada's 5 %.
CAP_PERMILLE_MAX = 50
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


@lru_cache(maxsize=64)
def load(profile_id: str) -> Profile:
    """Read a packaged profile.

    Raises:
        Misconfigured: ``profile.unknown`` or ``profile.invalid``; the message names the field.
    """
    known = names()
    if profile_id not in known:
        raise Misconfigured(
            "profile.unknown",
            f"There is no compliance profile {profile_id!r}.",
            remedy=f"Choose one of: {', '.join(known)}.",
        )
    profile = parse(resources.files(__name__).joinpath(f"{profile_id}.yaml").read_text("utf-8"), name=profile_id)
    if profile.id != profile_id:
        _refuse(profile_id, "id", "is not the name of its file")
    return profile


def names() -> list[str]:
    """Ids of the packaged profiles."""
    found = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def parse(text: str, *, name: str) -> Profile:
    """The profile a YAML text describes; ``name`` is what an error calls it.

    Raises:
        Misconfigured: ``profile.invalid``; the message names the field.
    """
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        _refuse(name, "file", f"is not YAML: {' '.join(str(error).split())}")
    if not isinstance(fields, dict):
        _refuse(name, "file", "is not a list of fields")
    for field in sorted(map(str, fields.keys() ^ _FIELDS.keys())):
        _refuse(name, field, "is missing" if field in _FIELDS else "is not a field of a profile")
    values: dict[str, Any] = {}
    for field, read in _FIELDS.items():
        try:
            values[field] = read(fields[field])
        except (TypeError, ValueError, AttributeError) as error:
            _refuse(name, field, str(error))
    return Profile(**values)


def _refuse(name: str, field: str, why: str) -> NoReturn:
    raise Misconfigured(
        "profile.invalid",
        f"Profile {name}: {field} {why}.",
        remedy="Correct the profile file; nothing is dialled under it until then.",
        profile=name,
        field=field,
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a word")
    return value


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return read


def _some_of(allowed: frozenset[str]) -> Callable[[object], frozenset[str]]:
    def read(value: object) -> frozenset[str]:
        if not isinstance(value, list) or not value or not all(word in allowed for word in value):
            raise ValueError(f"must be a list of some of: {', '.join(sorted(allowed))}")
        return frozenset(value)

    return read


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list with at least one source")
    return tuple(_text(item) for item in value)


def _date(value: object) -> str:
    if not isinstance(value, date):
        raise TypeError("must be a date like 2026-11-21")
    return value.isoformat()


def _legal_window(value: object) -> LegalWindow:
    try:
        return LegalWindow(str(value))
    except ValueError:
        raise ValueError(f"must be one of: {', '.join(LegalWindow)}") from None


def _windows(value: object) -> Mapping[int, tuple[tuple[time, time], ...]]:
    if not isinstance(value, dict):
        raise TypeError("must give local hours by weekday")
    week: dict[int, tuple[tuple[time, time], ...]] = {}
    for days, spans in value.items():
        for day in _days(days):
            if day in week:
                raise ValueError(f"names {DAYS[day]} twice")
            week[day] = tuple(sorted(_span(span) for span in spans))
    return MappingProxyType(week)


def _days(value: object) -> range:
    first, _, last = str(value).partition("-")
    try:
        days = range(DAYS.index(first), DAYS.index(last or first) + 1)
    except ValueError:
        days = range(0)
    if not days:
        raise ValueError(f"has the weekday {value!r}; write mon or mon-fri")
    return days


def _span(value: object) -> tuple[time, time]:
    match = _SPAN.fullmatch(str(value))
    opens, closes = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
    if not opens < closes <= 24 * 60:
        raise ValueError(f'has the hours {value!r}; write "10:00-13:00", at most until 24:00')
    return time(opens // 60, opens % 60), time(closes // 60 % 24, closes % 60)  # 24:00 is kept as 00:00


_FIELDS: Mapping[str, Callable[[object], object]] = {
    "id": _text,
    "version": _whole(1, 1_000_000),
    "checked_on": _date,
    "sources": _texts,
    "windows": _windows,
    "call_types": _some_of(CALL_TYPES),
    "trunk_kinds": _some_of(TRUNK_KINDS),
    "cap_permille": _whole(0, CAP_PERMILLE_MAX),
    "legal_window": _legal_window,
    "per_day": _whole(1, 100_000),
    "per_30_days": _whole(1, 100_000),
    "min_gap_s": _whole(0, 30 * 86_400),
    "after_abandon_s": _whole(0, 365 * 86_400),
    "guard_s": _whole(0, 3600),
}
