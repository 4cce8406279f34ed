"""Packaged compliance profiles: the rules of a country or purpose as versioned data, each figure with its source.

A source says what looking at it was worth: ``read`` in the text itself, ``told`` second-hand, ``to_check`` not yet
confirmed; and when somebody last looked. A profile file is read strictly: a misspelt figure, a window that ends before
it begins or a figure without a source is refused in one sentence that names file and figure, because a rule that is
silently not there is a rule that is broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from dialer.core.model import Profile
from dialer.core.numbers import relevant
from dialer.core.rules import OVERRIDABLE
from dialer.errors import Misconfigured
from dialer.profiles import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A figure that nobody has looked at for so long may have been overtaken by the law.
STALE_AFTER = timedelta(days=180)
#: Parts of a country that numbering plans call countries.
PARTS = dict.fromkeys(("BL", "GF", "GP", "MF", "MQ", "RE", "YT"), "FR")
KNOWN = ("read", "told", "to_check")
_HEAD = frozenset({"id", "version", "country", "names", "sources", "rules"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where figures come from.

    Attributes:
        known: ``read``, ``told`` or ``to_check``.
        checked_on: When somebody last looked.
    """

    id: str
    text: str
    link: str
    known: str
    checked_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One rule as its file states it."""

    name: str
    value: Any
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """A profile file.

    Attributes:
        country: Whose law it is, two letters; None for that of no country, ``nowhere`` where no law holds.
        figures: Every rule with its sources, in the file's order.
        read: The rules as the program understands them.
    """

    id: str
    version: int
    country: str | None
    name_en: str
    name_ru: str
    figures: tuple[Figure, ...]
    read: Mapping[str, Any]

    @property
    def purposes(self) -> tuple[str, ...]:
        """What may be called for under it at all."""
        return tuple(self.read["call_types"])

    @property
    def checked_on(self) -> date:
        """When the figure that was looked at least lately was looked at."""
        return min(source.checked_on for figure in self.figures for source in figure.sources)

    def stale(self, today: date) -> bool:
        """Whether some figure should be looked at again."""
        return today - self.checked_on > STALE_AFTER

    def rules(self, purpose: str) -> Profile:
        """The rules for calls of this purpose; a purpose the profile does not name may not be called for."""
        types = self.read["call_types"].get(purpose, {})
        numbers = self.read["numbers"]
        same = {name: value for name, value in self.read.items() if name not in {"call_types", "numbers"}}
        return Profile(
            **same,
            id=self.id,
            version=self.version,
            country=self.country,
            purpose=purpose,
            call_types=frozenset(name for name, permission in types.items() if permission != "forbidden"),
            consent_for=frozenset(name for name, permission in types.items() if permission == "with_consent"),
            allow=numbers["allow"],
            deny=tuple(sorted({*numbers["deny"], *relevant(numbers["allow"], never())})),
        )


@lru_cache(maxsize=64)
def packaged(profile_id: str) -> Packaged:
    """Read a packaged profile file.

    Raises:
        Misconfigured: ``profile.unknown`` or ``profile.invalid``; the message names the figure.
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


@lru_cache(maxsize=256)
def load(profile_id: str, purpose: str = "marketing") -> Profile:
    """The rules of a packaged profile for one purpose.

    Raises:
        Misconfigured: As ``packaged``.
    """
    return packaged(profile_id).rules(purpose)


@lru_cache(maxsize=1024)
def of_country(country: str, purpose: str) -> Profile | None:
    """The rules of a country for one purpose; None where none are packaged.

    Where no profile of the country names the purpose, its first one does: it may not be called for there.
    """
    mine = [one for one in map(packaged, names()) if one.country == PARTS.get(country, country)]
    found = next((one for one in mine if purpose in one.purposes), mine[0] if mine else None)
    return found.rules(purpose) if found else None


def read_all() -> None:
    """Read every packaged profile, so that nobody waits for a file when people are to be called."""
    for profile in map(packaged, names()):
        for purpose in profile.purposes:
            load(profile.id, purpose)
            if profile.country:
                of_country(profile.country, purpose)


def names() -> list[str]:
    """Ids of the packaged profiles."""
    found = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


@lru_cache(maxsize=1)
def never() -> tuple[str, ...]:
    """Prefixes no campaign may dial: premium and satellite numbers, short codes."""
    text = resources.files(__name__).joinpath("numbers", "never.yaml").read_text("utf-8")
    fields = yaml.safe_load(text)
    return tuple(sorted({*fields["itu"], *(prefix for row in fields["plans"] for prefix in row)}))


def parse(text: str, *, name: str) -> Packaged:
    """The profile a YAML text describes; ``name`` is what an error calls it.

    Raises:
        Misconfigured: ``profile.invalid``; the message names the figure.
    """
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        _refuse(name, "file", f"is not YAML: {' '.join(str(error).split())}")
    _same_names(name, fields, _HEAD, "a part of a profile")
    sources = _sources(name, fields["sources"])
    _same_names(name, fields["rules"], reading.FIGURES.keys(), "a figure of a profile")
    figures = tuple(_figure(name, key, given, sources) for key, given in fields["rules"].items())
    unused = sources.keys() - {source.id for figure in figures for source in figure.sources}
    if unused:
        _refuse(name, "sources", f"has {min(unused)}, which no figure names")
    return Packaged(
        id=_read(name, "id", reading.text, fields["id"]),
        country=_read(name, "country", reading.country, fields["country"]),
        version=_read(name, "version", reading.whole(1, 1_000_000), fields["version"]),
        **{
            f"name_{lang}": _read(name, "names", reading.text, dict(fields["names"]).get(lang)) for lang in ("en", "ru")
        },
        figures=figures,
        read={figure.name: _read(name, figure.name, reading.FIGURES[figure.name], figure.value) for figure in figures},
    )


def _same_names(name: str, fields: object, wanted: Any, what: str) -> None:
    if not isinstance(fields, dict):
        _refuse(name, "file", "is not a list of fields")
    for field in sorted(map(str, fields.keys() ^ set(wanted))):
        _refuse(name, field, "is missing" if field in wanted else f"is not {what}")


def _sources(name: str, given: object) -> dict[str, Source]:
    if not isinstance(given, dict):
        _refuse(name, "sources", "must give each source a name")
    return {key: _source(name, key, fields) for key, fields in given.items()}


def _source(name: str, key: str, fields: Any) -> Source:
    _same_names(name, {"link": "", **fields} if isinstance(fields, dict) else fields, _SOURCE, "a field of a source")
    if fields["known"] not in KNOWN:
        _refuse(name, f"source {key}", f"must be known as one of: {', '.join(KNOWN)}")
    if not isinstance(fields["checked_on"], date):
        _refuse(name, f"source {key}", "checked_on must be a date like 2026-11-21")
    text = _read(name, f"source {key}", reading.text, fields["text"])
    link = str(fields.get("link", ""))
    return Source(id=key, text=text, link=link, known=fields["known"], checked_on=fields["checked_on"])


_SOURCE = frozenset({"text", "link", "known", "checked_on"})


def _figure(name: str, key: str, given: object, sources: Mapping[str, Source]) -> Figure:
    if not isinstance(given, dict) or set(given) != {"value", "source"}:
        _refuse(name, key, "must have a value and a source")
    named = given["source"] if isinstance(given["source"], list) else [given["source"]]
    if not named or not set(named) <= sources.keys():
        _refuse(name, key, f"must name a source of: {', '.join(sources)}")
    return Figure(name=key, value=given["value"], sources=tuple(sources[source] for source in named))


def _read(name: str, field: str, read: Any, value: object) -> Any:
    try:
        return read(value)
    except (TypeError, ValueError, AttributeError) as error:
        _refuse(name, field, str(error))


def _refuse(name: str, field: str, why: str) -> NoReturn:
    raise Misconfigured(
        "profile.invalid",
        f"Profile {name}: {field} {why}.",
        remedy="Correct the profile file; nothing is dialled under it until then.",
        profile=name,
        field=field,
    )


def read_override(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures a campaign sets itself, as the program understands them.

    Raises:
        Misconfigured: ``profile.invalid``; the message names the figure.
    """
    for field in sorted(given.keys() - OVERRIDABLE):
        _refuse("override", field, f"cannot be set by a campaign; it may set {', '.join(sorted(OVERRIDABLE))}")
    readers = {**reading.FIGURES, "consent": reading.yes_or_no}
    return {name: _read("override", name, readers[name], value) for name, value in given.items()}
