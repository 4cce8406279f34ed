"""Files on their way to be bases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from dialer.web.schemas.common import Answer, Ask, Id, Line
from dialer.web.schemas.office import BaseInfo

Target = Literal[
    "phone", "name", "zone", "priority", "attribute", "skip",
    "consent_given", "consent_evidence", "consent_purpose", "consent_expires",
]  # fmt: skip
Policy = Literal["skip", "keep", "update"]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class FileQuery(Ask):
    """A file that comes: for which campaign, and its name."""

    campaign: Id
    name: Line = "base"


class PlanAsk(Ask):
    """How a file is to be read; what is absent stays as it was found."""

    encoding: Line | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    sheet: Annotated[str, StringConstraints(max_length=200)] | None = None
    header_line: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    names: Annotated[list[Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=300)] | None = None
    targets: Annotated[list[Target], Field(max_length=300)] | None = None
    region: Country | None = None
    countries: Annotated[list[Country], Field(max_length=250)] | None = None
    zone: Line | None = None
    in_file: Policy | None = None
    in_campaign: Policy | None = None
    elsewhere: Policy | None = None
    again: bool | None = None
    template: Line | None = None
    """Read it by this saved template; what else is given wins over it."""


class BaseFileInfo(Answer):
    """A file on its way.

    ``state``: new, looking, ready, rehearsing, rehearsed, loading, loaded, failed. ``found``: plan, sheets, sample.
    ``report``: rows = accepted + updated + rejected by reason. ``progress``: what, done, of, rate, left_s.
    """

    id: int
    campaign_id: int
    campaign: str
    name: str
    bytes: int
    state: str
    busy: bool
    found: Mapping[str, Any]
    report: Mapping[str, Any]
    progress: Mapping[str, Any]
    error: Mapping[str, str] | None
    base_id: int | None
    created_at: datetime
    updated_at: datetime


class BaseFileAnswer(Answer):
    """One file."""

    file: BaseFileInfo


class TakenBack(Answer):
    """What is left of a base."""

    base: BaseInfo


class TemplateAsk(Ask):
    """Save how a file is read, for others like it."""

    name: Line
    file: Id
    targets: Annotated[list[Target], Field(max_length=300)] | None = None
    """What the columns are, where that was changed since."""


class TemplateInfo(Answer):
    """How files of a supplier are read."""

    name: str
    template: Mapping[str, Any]
    saved_at: datetime


class TemplatesAnswer(Answer):
    """All templates."""

    templates: list[TemplateInfo]
