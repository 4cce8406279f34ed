"""Public holidays of the places that time zones stand for, from the package ``holidays``.

A zone lies in a country by the zone database's own table. Where holidays are those of regions and nobody knows the
callee's, a holiday of any region closes the day: several possibilities mean the intersection of their windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

_TO_1970 = 719_163


@dataclass(frozen=True, slots=True)
class Calendar:
    """Called with a zone and a year it gives the public holidays as days since 1970.

    Attributes:
        country: Two letters; None for the country of the zone.
        regions: Whether the holidays of each region count too.
    """

    country: str | None
    regions: bool

    def __call__(self, zone: str, year: int) -> frozenset[int]:
        """The holidays of that year; none where no calendar is known."""
        country = self.country or country_of(zone)
        return _days(country, year, self.regions) if country else frozenset()


def country_of(zone: str) -> str | None:
    """The country a zone lies in, None for those of no place (``UTC``)."""
    return _countries().get(zone)


def has_calendar(country: str) -> bool:
    """Whether the holidays of this country are known."""
    return country in _supported()


@cache
def _supported() -> frozenset[str]:
    from holidays.registry import EntityLoader  # noqa: PLC0415  # takes long to load; most commands need no calendar

    return frozenset(EntityLoader.get_country_codes())


@lru_cache(maxsize=4096)
def _days(country: str, year: int, regions: bool) -> frozenset[int]:
    import holidays  # noqa: PLC0415  # as above

    if not has_calendar(country):
        return frozenset()
    parts = [None, *getattr(holidays, country).subdivisions] if regions else [None]
    found = (holidays.country_holidays(country, subdiv=part, years=year) for part in parts)
    return frozenset(day.toordinal() - _TO_1970 for part in found for day in part)


@cache
def _countries() -> dict[str, str]:
    """Country by zone, other names of a zone included."""
    folder = resources.files("tzdata").joinpath("zoneinfo")
    rows = (line.split("\t") for line in folder.joinpath("zone.tab").read_text("utf-8").splitlines())
    found = {row[2]: row[0] for row in rows if len(row) > 2 and not row[0].startswith("#")}
    links = (line.split() for line in folder.joinpath("tzdata.zi").read_text("utf-8").splitlines() if line[:2] == "L ")
    for _, target, name in links:
        if target in found:
            found.setdefault(name, found[target])
    return found
