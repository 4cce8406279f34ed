"""Rules: compliance profiles, national lists, loosening, consent, a number's history, passes of a base."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from dialer.core.model import Outcome
from dialer.core.registers import Age
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
    """A list a campaign needs: after ``too_old_at`` nobody is called; ``soon``: in less than a week."""

    name: str
    age: Age
    imported_at: datetime | None
    too_old_at: datetime | None


class CampaignListsAnswer(Answer):
    """The national lists of a campaign's rules."""

    campaign_id: int
    lists: list[ListAge]


class LooseningAsk(Ask):
    """Figures of the profile to loosen, or under ``dispositions`` retry rules by code, and why."""

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


class RetryRuleChange(Ask):
    """What brings contacts back after a disposition; what is absent stays."""

    code: Word
    delay_s: Annotated[int, Field(ge=0, le=366 * 86400)] | None = None
    growth: Annotated[float, Field(ge=1, le=10)] | None = None
    times: Annotated[int, Field(ge=1, le=100)] | None = None
    """How often at most; null for as often as the attempts last."""
    closes: bool | None = None


class OutcomeRuleChange(Ask):
    """What brings contacts back after an outcome; what is absent stays."""

    outcome: Outcome
    delay_s: Annotated[int, Field(ge=0, le=366 * 86400)] | None = None
    growth: Annotated[float, Field(ge=1, le=10)] | None = None
    times: Annotated[int, Field(ge=1, le=100)] | None = None
    """How often at most; null for as often as the attempts last."""
    closes: bool | None = None


class RetryRuleView(Answer):
    """After ``delay_s`` seconds, multiplied by ``growth`` each further time, at most ``times``; or never again."""

    delay_s: int
    growth: float
    times: int | None
    closes: bool


class RetryRuleInfo(Answer):
    """The rule of a disposition that leaves its contact open; ``own`` false: that of a conversation."""

    code: str
    name_en: str
    name_ru: str
    rule: RetryRuleView
    own: bool
    waiting: int
    """Contacts that wait by it now: whom a change plans anew."""


class RetryRulesAnswer(Answer):
    """The rules of a campaign; ``planned_anew``: contacts that a change has just given another time, or closed."""

    campaign_id: int
    rules: list[RetryRuleInfo]
    planned_anew: int | None


class OutcomeRuleInfo(Answer):
    """The rule of an outcome; ``own`` false: the usual one. ``next_phone``: the contact's next number, at once."""

    outcome: Outcome
    rule: RetryRuleView
    next_phone: bool
    own: bool


class OutcomeRulesAnswer(Answer):
    """What happens to a contact after each outcome without a conversation."""

    campaign_id: int
    rules: list[OutcomeRuleInfo]


class CustomerChange(Ask):
    """Where a customer is: two letters, null for nowhere in particular."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None


class CustomerInfo(Answer):
    """For whom campaigns call; the rules of ``country`` hold for all of them."""

    id: int
    name: str
    country: str | None


class CustomersAnswer(Answer):
    """By name."""

    customers: list[CustomerInfo]


class CustomerAnswer(Answer):
    """One customer."""

    customer: CustomerInfo


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
    return_calls: list[Mapping[str, Any]]
    consents: list[Mapping[str, Any]]
    do_not_calls: list[Mapping[str, Any]]
    rests: list[Mapping[str, Any]]
    leads: list[Mapping[str, Any]]
    letters: list[Mapping[str, Any]]


class DoNotCallFileQuery(Ask):
    """A file of numbers, one a line or in a column of phones; ``rehearse`` only says what would become of each row."""

    scope: Literal["global", "customer", "campaign"]
    campaign_id: Id | None = None
    customer_id: Id | None = None
    name: Line = "file"
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """Country of numbers without ``+``; without it they are rejected."""
    rehearse: bool = False

    @model_validator(mode="after")
    def _names_what_it_is_for(self) -> Self:
        ids = {"global": (None, None), "customer": (self.customer_id, None), "campaign": (None, self.campaign_id)}
        named = ids[self.scope]
        if (self.customer_id, self.campaign_id) != named or (self.scope != "global" and named == (None, None)):
            raise ValueError("give customer_id with scope customer, campaign_id with scope campaign, none with global")
        return self


class DoNotCallFileInfo(Answer):
    """A file that was taken; ``rows_known`` were forbidden already, or named in an earlier row."""

    id: int
    name: str
    scope: str
    customer_id: int | None
    campaign_id: int | None
    rows_in: int
    rows_added: int
    rows_known: int
    rows_rejected: int
    taken_at: datetime
    taken_by: int | None
    undone_at: datetime | None
    undone_by: int | None


class DoNotCallFileTaken(Answer):
    """What became of each row, by line: ``added``, ``known``, ``repeated``, or why it is rejected.

    ``repeated``: this very file had been taken before, and nothing was done now. Without ``file`` it was a rehearsal.
    """

    file: DoNotCallFileInfo | None
    verdicts: list[tuple[int, str]]
    repeated: bool


class DoNotCallFilesAnswer(Answer):
    """The last first."""

    files: list[DoNotCallFileInfo]


class DoNotCallFileAnswer(Answer):
    """One file."""

    file: DoNotCallFileInfo


class PriorityAsk(Ask):
    """Order among a campaign's bases, 9 first."""

    priority: Annotated[int, Field(ge=0, le=9)]


class PassAsk(Ask):
    """Which contacts of a base go again: used-up ones by their last outcome, closed ones by their last disposition."""

    outcomes: Annotated[list[Outcome], Field(default_factory=list)]
    dispositions: Annotated[list[Word], Field(default_factory=list)]


class CandidatesInfo(Answer):
    """Closed contacts a pass may call again: ``used_up`` by the last outcome, ``disposition`` by what was said last."""

    kind: str
    word: str
    contacts: int


class CandidatesAnswer(Answer):
    """Whom a pass that began now would call again."""

    candidates: list[CandidatesInfo]


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
