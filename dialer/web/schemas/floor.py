"""People and the floor: login, users, the operator, dispositions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Language, Line, Login, Moment, Note, Seat, Word

# Login -----------------------------------------------------------------------


class LoginAsk(Ask):
    """Who is there."""

    login: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Me(Answer):
    """The user of this session."""

    id: int
    login: str
    name: str
    role: str
    language: Language


class MeAnswer(Answer):
    """The user of this session."""

    user: Me


class LanguageAsk(Ask):
    """The language of the user's screens."""

    language: Language


# Operator --------------------------------------------------------------------


class StartAsk(Ask):
    """The phone called for the shift: the operator's own in the ``browser`` or on the ``desk``, or a seat's by name."""

    phone: Literal["browser", "desk"] = "browser"
    seat: Seat | None = None


class PhoneAnswer(Answer):
    """The SIP account of the phone in the browser, for this session only."""

    seat: str
    account: str
    secret: str


class DeskPhoneAnswer(Answer):
    """The SIP account of a desk phone; ``secret`` is null when it was shown before."""

    seat: str
    account: str
    server: str
    secret: str | None


class SipQuery(Ask):
    """Which page of the operator asks for the line; ``take`` takes it from another one."""

    page: Annotated[str, StringConstraints(pattern="^[a-z0-9]{8,32}$")]
    take: bool = False


class PauseAsk(Ask):
    """Why no more calls for a while."""

    reason: Word = "break"


class OperatorView(Answer):
    """One operator: state, since when, until when (wrap-up)."""

    operator_id: int
    name: str
    seat: str
    state: str
    since: datetime
    reason: str | None
    until: datetime | None
    campaign_id: int | None
    attempt_id: UUID | None
    pause_after_call: bool = False


class DispositionKindView(Answer):
    """One disposition an operator may choose; ``place`` is its digit key."""

    code: str
    name_ru: str
    name_en: str
    result: bool
    closes: bool
    decision_maker: bool
    verdict: str | None
    refusal: bool
    needs: list[str]
    reasons: list[str]


class HistoryView(Answer):
    """An earlier attempt at this contact."""

    attempt_id: UUID
    number: int
    sent_at: datetime
    outcome: str
    operator: str | None = None
    code: str | None = None
    note: str | None = None


class CardView(Answer):
    """The contact of the operator's present attempt, and what may be said about it."""

    attempt_id: UUID
    campaign_id: int
    campaign: str
    contact_id: int
    name: str
    phone: str
    attributes: Mapping[str, Any]
    zones: list[str]
    number: int
    history: list[HistoryView]
    draft: Mapping[str, Any] | None
    saved: str | None
    """Code of the disposition already saved for this attempt."""
    dispositions: list[DispositionKindView]


class OperatorAnswer(Answer):
    """The operator's state after a command; null when no shift is open."""

    operator: OperatorView | None


class MessageAsk(Ask):
    """What a supervisor says to an operator."""

    text: Line


class Message(Answer):
    """What a supervisor said."""

    at: datetime
    by: str
    text: str


class OperatorNow(Answer):
    """Everything the operator's page shows, of one moment (server time ``at``)."""

    at: datetime
    operator: OperatorView | None
    card: CardView | None
    line: str | None = None
    """The page that has the line of the phone in the browser, null when none has."""
    messages: tuple[Message, ...] = ()
    """What supervisors said and the operator has not closed yet."""
    card_unknown: bool = False
    """There is a card, but it is not to be had yet: the page keeps the one it shows if that is of the same call."""


# Dispositions ----------------------------------------------------------------


class CallbackAsk(Ask):
    """A promise to call at a time."""

    due_at: Moment
    operator: Literal["me", "anyone"] = "anyone"


class DispositionAsk(Ask):
    """How the conversation ended."""

    code: Word
    note: Note = ""
    reason: Line | None = None
    address: Line | None = None
    callback: CallbackAsk | None = None


class DraftAsk(Ask):
    """What was chosen and typed so far; nothing is checked until it is saved as a disposition."""

    code: Word | None = None
    note: Note = ""
    reason: Note | None = None
    address: Note | None = None
    callback: CallbackAsk | None = None


class DispositionView(Answer):
    """A saved disposition; it is in the database."""

    attempt_id: UUID
    code: str
    reason: str | None
    address: str | None
    note: str
    saved_at: datetime


class DispositionAnswer(Answer):
    """A saved disposition."""

    disposition: DispositionView


# Users -----------------------------------------------------------------------


class UserAsk(Ask):
    """A new user."""

    login: Login
    name: Line
    role: Literal["operator", "supervisor", "base_manager", "admin", "auditor", "customer", "api"]
    password: Annotated[str, StringConstraints(min_length=12, max_length=256)]
    team: Line | None = None
    customer: Line | None = None
    language: Language = "en"


class UserChange(Ask):
    """What may be changed in a user; what is absent stays. All but a name ends the user's sessions."""

    disabled: bool | None = None
    name: Line | None = None
    role: Literal["operator", "supervisor", "base_manager", "admin", "auditor", "customer", "api"] | None = None
    password: Annotated[str, StringConstraints(min_length=12, max_length=256)] | None = None
    team: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)] | None = None
    customer: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)] | None = None


class UserInfo(Answer):
    """A user, without secrets."""

    id: int
    login: str
    name: str
    role: str
    team_id: int | None
    language: Language
    disabled: bool


class UserAnswer(Answer):
    """One user."""

    user: UserInfo


class UsersAnswer(Answer):
    """All users."""

    users: list[UserInfo]
