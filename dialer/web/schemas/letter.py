"""Letters: what they say, what became of them, and who wants none."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Id, Language, Line

LetterState = Literal["waiting", "sent", "listed", "refused", "bounced", "given_up"]
LetterWord = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
Scope = Literal["global", "customer", "campaign"]
#: Any text: whether it is an address is said at its field, in words.
Mailbox = Annotated[str, StringConstraints(min_length=1, max_length=254, strip_whitespace=True, pattern=NO_NUL)]
_Subject = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_NUL)]
_Body = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=NO_NUL)]
_Empty = BeforeValidator(lambda value: None if value == "" else value)


class LettersQuery(Ask):
    """Which letters; what is empty does not narrow. ``q`` is a whole address, or part of a name, address or subject."""

    q: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)] = ""
    state: Annotated[LetterState | None, _Empty] = None
    reason: Annotated[LetterWord | None, _Empty] = None
    campaign_id: Annotated[Id | None, _Empty] = None
    cursor: Annotated[Id | None, _Empty] = None


class LetterRow(Answer):
    """A letter in a list; ``reason`` is why it was refused, given up, or is tried again."""

    id: int
    campaign_id: int
    campaign: str
    contact_id: int
    name: str
    address: str
    word: str
    language: Language
    made_at: datetime
    state: LetterState
    reason: str | None
    detail: str
    subject: str | None
    tries: int
    next_at: datetime | None
    sent_at: datetime | None
    closed_at: datetime | None
    bounced_at: datetime | None
    answered_at: datetime | None
    unsubscribed_at: datetime | None
    list_id: int | None


class LettersAnswer(Answer):
    """Letters, the newest first; ``next`` is the cursor of the page after."""

    letters: list[LetterRow]
    next: int | None


class LetterRuleBody(Ask):
    """What holds for the letters of a campaign, all of it."""

    mode: Literal["off", "send", "list"]
    language: Language
    per_hour: Annotated[int, Field(ge=1, le=100_000)]
    per_day: Annotated[int, Field(ge=1, le=1_000_000)]
    unanswered_max: Annotated[int, Field(ge=1, le=1000)]
    terms_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    manager: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True, pattern=NO_NUL)] = ""
    unsubscribe_scope: Scope = "customer"


class LetterSender(Ask):
    """In whose name the letters of the campaign's customer go."""

    name: Line
    address: Mailbox
    reply_to: Mailbox | None = None


class LetterTextQuery(Ask):
    """Which letter of the campaign is looked at."""

    word: LetterWord = "lead"
    language: Language = "ru"


class LetterText(Ask):
    """What a letter says from now on."""

    word: LetterWord
    language: Language
    subject: _Subject
    body: _Body


class LetterPreviewAsk(LetterText):
    """A text that is being written, with one of the campaign's contacts."""

    contact: Id


class LetterSeen(Answer):
    """The letter as that contact would get it; ``missing`` is what nobody knows of them, ``flaw`` why it is none."""

    subject: str
    body: str
    missing: list[str]
    flaw: str | None = None


class LetterTestAsk(Ask):
    """Send the saved letter, filled for one of the campaign's contacts, to an address of one's own."""

    word: LetterWord
    language: Language
    to: Mailbox


class LetterTextView(Answer):
    """What a letter says; ``version`` 0 is the text nobody has changed."""

    word: str
    language: Language
    version: int
    subject: str
    body: str
    saved_at: datetime | None
    saved_by: str


class LetterSenderView(Answer):
    """In whose name letters go."""

    name: str
    address: str
    reply_to: str | None


class LetterRuleView(Answer):
    """What holds for the letters of a campaign."""

    mode: Literal["off", "send", "list"]
    language: Language
    per_hour: int
    per_day: int
    unanswered_max: int
    terms_days: int | None
    manager: str
    unsubscribe_scope: Scope


class CampaignLetters(Answer):
    """Rule, sender and texts of a campaign's letters."""

    campaign_id: int
    rule: LetterRuleView
    sender: LetterSenderView | None
    texts: list[LetterTextView]


class LetterListsQuery(Ask):
    """Whose lists."""

    campaign_id: Id


class LetterListView(Answer):
    """A list as it was cut; ``fetched_at`` is when it was first fetched."""

    id: int
    cut_at: datetime
    fetched_at: datetime | None
    letters: int


class LetterListsAnswer(Answer):
    """Lists of a campaign, the newest first, and how many letters wait for the next."""

    lists: list[LetterListView]
    waiting: int


class LetterListQuery(Ask):
    """One list of a campaign as a file."""

    campaign_id: Id
    list: Id
    format: Literal["csv", "xlsx"] = "csv"


class LetterStopAsk(Ask):
    """No more letters to an address: of anybody, of a customer, or of a campaign."""

    address: Mailbox
    scope: Scope = "global"
    customer: Id | None = None
    campaign_id: Id | None = None


class LetterStopView(Answer):
    """An address that gets no letters."""

    id: int
    address: str
    scope: Scope
    customer: str
    campaign: str
    why: Literal["unsubscribed", "bounced", "asked"]
    added_at: datetime


class LetterStopsQuery(Ask):
    """From under this entry."""

    cursor: Annotated[Id | None, _Empty] = None


class LetterStopsAnswer(Answer):
    """Addresses that get no letters, the newest first."""

    stops: list[LetterStopView]


class LetterReportAnswer(Answer):
    """Which letter or report (``of``) a mail was about, and what it says of it; null: none of ours."""

    letter: int | None = None
    kind: Literal["bounced", "answered"] | None = None
    of: Literal["letter", "report"] | None = None
