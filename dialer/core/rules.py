"""A campaign's own rules over those of its profile: an override can only tighten, whatever it says.

The stricter of both holds for each figure, so a profile that is tightened later is not undone by an old override.

The same goes for the rules of the countries of the callee and of the customer, where they are others than the
campaign's (``strictest``): also what two admins loosen is loosened in the profile of the campaign only. Which numbers
may be dialled, and the period in which abandons are counted, are the campaign's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from dialer.core import recording
from dialer.core.model import HOLIDAY, Profile

#: Figures of which the smaller, or the greater, is the stricter.
SMALLER = frozenset({"per_day", "per_7_days", "per_30_days", "list_max_age_days"})
GREATER = frozenset({"min_gap_s", "after_abandon_s", "guard_s"})
#: Figures that a loosening puts in place of the profile's own.
_WHOLE = frozenset({"national_lists", "after_disposition_days"})
#: What an override may name.
OVERRIDABLE = SMALLER | GREATER | {"windows", "national_lists", "numbers", "consent", "after_disposition_days"}

#: The country of a profile under which nobody is called.
NOWHERE = "nowhere"

Windows = tuple[tuple[time, time], ...]


def tightened(profile: Profile, given: Mapping[str, Any]) -> Profile:
    """The profile with each figure of an override that is stricter.

    Args:
        profile: The rules as they are.
        given: Some of ``OVERRIDABLE``, as ``dialer.profiles`` reads them; ``consent`` true asks it for every call.
    """
    changes = _stricter(profile, given)
    own = {name for name, value in changes.items() if value != getattr(profile, name)}
    bound = {name: by for name, by in profile.bound.items() if name not in own}
    return replace(profile, **changes, bound=bound)


def strictest(mine: Profile, others: Sequence[Profile]) -> Profile:
    """The campaign's rules with each figure of other countries' rules that is stricter.

    Its id names them all, so that an attempt keeps under which rules it was made: ``strict+fr.2``.
    """
    for other in others:
        if other.country not in {mine.country, *(one.country for one in mine.beside)} and mine.country != NOWHERE:
            mine = _strictest(mine, other)
    return mine


def _strictest(mine: Profile, other: Profile) -> Profile:
    smaller = SMALLER | {"cap_permille"}
    figures: dict[str, Any] = {name: min(getattr(mine, name), getattr(other, name)) for name in smaller}
    figures |= {name: max(getattr(mine, name), getattr(other, name)) for name in GREATER}
    figures["call_types"] = mine.call_types & other.call_types
    figures["consent_for"] = (mine.consent_for | other.consent_for) & figures["call_types"]
    figures["opt_out_key"] = mine.opt_out_key or other.opt_out_key
    figures["recording"] = recording.stricter(mine.recording, other.recording)
    figures["recording_days"] = min(mine.recording_days, other.recording_days)
    figures["national_lists"] = tuple(sorted({*mine.national_lists, *other.national_lists}))
    figures["after_disposition_days"] = _longer(mine.after_disposition_days, other.after_disposition_days)
    tighter = {name: other.id for name, value in figures.items() if value != getattr(mine, name)}
    return replace(
        mine,
        **figures,
        id=f"{mine.id}+{other.id}.{other.version}",
        beside=(*mine.beside, other),
        bound={**mine.bound, **tighter},
    )


def rests(profile: Profile) -> dict[str, timedelta]:
    """By class of disposition: how long nobody of the customer calls; the day on which it is said does not count."""
    return {word: timedelta(days=days + 1) for word, days in profile.after_disposition_days.items()}


def rests_until(classes: frozenset[str], profile: Profile, said_at: datetime) -> dict[str, datetime]:
    """Until when nobody of the customer calls, by each of these classes; ``said_at`` itself where there is no rule."""
    own = rests(profile)
    return {word: said_at + own.get(word, timedelta()) for word in sorted(classes)}


def loosened(profile: Profile, given: Mapping[str, Any]) -> Profile:
    """The profile with the figures of a loosening in place of its own, stricter or not."""
    changes = {name: value for name, value in given.items() if name in SMALLER | GREATER | _WHOLE}
    if "windows" in given:
        changes["windows"] = {**profile.windows, **given["windows"]}
    if given.get("consent") is False:
        changes["consent_for"] = frozenset()
    return replace(profile, **changes)


def loosens(profile: Profile, given: Mapping[str, Any]) -> list[str]:
    """Names of the figures of an override that would loosen the profile; they are refused rather than left out."""
    stricter = _stricter(profile, given)
    wrong = [name for name in sorted(given.keys() & (SMALLER | GREATER)) if stricter[name] != given[name]]
    if "windows" in given and any(stricter["windows"].get(day) != spans for day, spans in given["windows"].items()):
        wrong.append("windows")
    if "numbers" in given and set(given["numbers"]["allow"]) != set(stricter["allow"]):
        wrong.append("numbers")
    if given.get("consent") is False:
        wrong.append("consent")
    days: Mapping[str, int] = given.get("after_disposition_days", {})
    if any(days[word] < least for word, least in profile.after_disposition_days.items() if word in days):
        wrong.append("after_disposition_days")
    return wrong


def _stricter(profile: Profile, given: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {name: min(getattr(profile, name), given[name]) for name in SMALLER & given.keys()}
    changes |= {name: max(getattr(profile, name), given[name]) for name in GREATER & given.keys()}
    if "windows" in given:
        changes["windows"] = {**profile.windows, **_both(profile.windows, given["windows"])}
    if "national_lists" in given:
        changes["national_lists"] = tuple(sorted({*profile.national_lists, *given["national_lists"]}))
    if "numbers" in given:
        changes["allow"] = _narrowed(profile.allow, given["numbers"]["allow"])
        changes["deny"] = tuple(sorted({*profile.deny, *given["numbers"]["deny"]}))
    if "after_disposition_days" in given:
        changes["after_disposition_days"] = _longer(profile.after_disposition_days, given["after_disposition_days"])
    if given.get("consent"):
        changes["consent_for"] = profile.call_types
    return changes


def _longer(mine: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, int]:
    return {word: max(mine.get(word, 0), theirs.get(word, 0)) for word in sorted({*mine, *theirs})}


def _both(mine: Mapping[int, Windows], theirs: Mapping[int, Windows]) -> dict[int, Windows]:
    """Hours inside both. Where holidays are days like others, they can only be closed."""
    found = {}
    for day, spans in theirs.items():
        own = mine.get(day, ())
        met = [(max(a, c), _end(min(_minutes(b), _minutes(d)))) for a, b in own for c, d in spans]
        found[day] = tuple(sorted((a, b) for a, b in met if _minutes(b) > a.hour * 60 + a.minute))
    return {day: () if day == HOLIDAY and HOLIDAY not in mine else spans for day, spans in found.items()}


def _minutes(end: time) -> int:
    """The end of a window as minutes of the day; midnight is kept as 00:00."""
    return end.hour * 60 + end.minute or 1440


def _end(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def _narrowed(mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Prefixes inside both; what lies nowhere inside the profile's is nothing one may dial."""
    longer = [one if one.startswith(other) else other for one in mine for other in theirs if _one_way(one, other)]
    return tuple(sorted(set(longer)))


def _one_way(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
