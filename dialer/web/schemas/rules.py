"""Rules: compliance profiles, national lists, loosening, consent, a number's history, passes of a base."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from dialer.core.model import Outcome
from dialer.web.schemas.common import Answer, Ask, Id, Line, Moment, Note, Word

Purpose = Literal["marketing", "survey", "service", "debt"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SourceInfo(Answer):
    """Where a figure comes from; ``known``: read in the text itself, told second-hand, or to_check."""

    id: str
    text: str
    link: str
    known: str
    checked_on: date


class FigureInfo(Answer):
    """One rule as its profile states it."""

    name: str
    value: Any
    sources: list[SourceInfo]


class ProfileInfo(Answer):
    """A packaged compliance profile; ``stale``: nobody has looked at some figure for half a year."""

    id: str
    version: int
    name_en: str
    name_ru: str
    purposes: list[str]
    checked_on: date
    stale: bool
    figures: list[FigureInfo]


class ProfilesAnswer(Answer):
    """All packaged profiles."""

    profiles: list[ProfileInfo]


class ListInfo(Answer):
    """A national do-not-call list as it was imported last."""

    name: str
    imported_at: datetime
    numbers: int


class ListsAnswer(Answer):
    """All of them."""

    lists: list[ListInfo]


class ListAge(Answer):
    """A list a campaign needs: after ``too_old_at`` it pauses; ``warn``: that is in less than a week, or was."""

    name: str
    imported_at: datetime | None
    too_old_at: datetime | None
    warn: bool


class CampaignListsAnswer(Answer):
    """The national lists of a campaign's rules."""

    campaign_id: int
    lists: list[ListAge]


class LooseningAsk(Ask):
    """Figures of the profile to loosen, and why."""

    changes: Mapping[Word, Any]
    reason: Note


class LooseningInfo(Answer):
    """A loosening: in force once a second admin has approved it."""

    id: int
    campaign_id: int
    changes: Mapping[str, Any]
    reason: str
    asked_by: int
    asked_at: datetime
    approved_by: int | None
    approved_at: datetime | None


class LooseningsAnswer(Answer):
    """Those that wait first."""

    loosenings: list[LooseningInfo]


class ConsentAsk(Ask):
    """Somebody agreed to be called; ``evidence_hash`` is SHA-256 of what proves it."""

    phone: Line
    customer_id: Id
    purpose: Purpose
    wording: Line
    channel: Literal["web", "paper", "voice", "message", "in_person"]
    given_at: Moment
    evidence: Note = ""
    evidence_hash: Sha256
    expires_at: Moment | None = None


class WithdrawAsk(Ask):
    """Somebody agrees no more, to one purpose or to all."""

    phone: Line
    customer_id: Id
    purpose: Purpose | None = None


class PhoneAsk(Ask):
    """A number in E.164; in the body, so that it is in no log of addresses."""

    phone: Line


class DossierAnswer(Answer):
    """All that is kept of a number, across campaigns and bases."""

    phone: str
    attempts: list[Mapping[str, Any]]
    contacts: list[Mapping[str, Any]]
    callbacks: list[Mapping[str, Any]]
    consents: list[Mapping[str, Any]]
    do_not_calls: list[Mapping[str, Any]]
    rests: list[Mapping[str, Any]]


class PriorityAsk(Ask):
    """Order among a campaign's bases, 9 first."""

    priority: Annotated[int, Field(ge=0, le=9)]


class PassAsk(Ask):
    """Which contacts of a base go again: used-up ones by their last outcome, closed ones by their last disposition."""

    outcomes: Annotated[list[Outcome], Field(default_factory=list)]
    dispositions: Annotated[list[Word], Field(default_factory=list)]


class PassInfo(Answer):
    """One time through a base and what it brought."""

    number: int
    started_at: datetime
    contacts: int
    outcomes: list[str]
    dispositions: list[str]
    attempts: int
    reached: int
    results: int


class PassesAnswer(Answer):
    """The passes of a base, the first one is its load."""

    passes: list[PassInfo]
