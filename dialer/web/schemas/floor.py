"""People and the floor: login, users, the operator, dispositions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Language, Line, Login, Moment, Note, Seat, Word
from dialer.web.schemas.script import ScriptBody

# Login -----------------------------------------------------------------------


class LoginAsk(Ask):
    """Who is there."""

    login: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    code: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)] | None = None
    """The second factor, where the user has one: six digits, or a recovery code."""


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
    """One operator: state, since when, until when (wrap-up; the callee of a lost phone is held with music)."""

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
    extended: int = 0
    held_until: datetime | None = None
    calls: bool = False
    """In the state ``preview``: the call is asked for or on its way; else the contact is looked at, until ``until``."""
    missed: str | None = None
    """How the last call that was asked for ended without a conversation, or why it was refused."""
    listened: str | None = None
    """A supervisor is at the conversation: ``listen`` (where the campaign shows it), ``whisper`` or ``join``."""
    recording: str | None = None
    """How the conversation is recorded now: ``on``, ``told`` (the operator is to say so), ``paused``, or ``ask`` until
    the callee agrees; null: it is not."""
    dials: bool = False
    """The place to type a number is open, or opens as soon as nobody may be put through any more."""


class DispositionKindView(Answer):
    """One disposition an operator may choose by its ``key``; ``archived`` ones are there for what was saved before."""

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
    key: str | None = None
    shade: str = "technical"
    makes_lead: bool = False
    archived: bool = False


class HistoryView(Answer):
    """An earlier attempt at this contact."""

    attempt_id: UUID
    number: int
    sent_at: datetime
    outcome: str
    operator: str | None = None
    code: str | None = None
    note: str | None = None
    came_in: bool = False
    """The person called back; the outcome is ``missed`` where nobody could take it."""


class CardView(Answer):
    """The contact of the operator's present attempt or preview, and what may be said about it."""

    attempt_id: UUID
    campaign_id: int
    campaign: str
    contact_id: int
    name: str
    phone: str
    attributes: Mapping[str, Any]
    zones: list[str]
    number: int
    came_in: bool = False
    """The person called the shown number back; such a call has no number."""
    promised: bool
    """This call keeps a promise to call back."""
    brief: str
    script: ScriptBody
    script_version: int = 0
    """The version that is shown; a conversation keeps the one it began with."""
    kind: str = "first"
    """Kind of contact, by which the scenario is chosen."""
    begin: str | None = None
    """The step the conversation begins at; null without a script."""
    history: list[HistoryView]
    draft: Mapping[str, Any] | None
    calls_at_deadline: bool = False
    """In the state ``preview``: who is looked at for too long is called, and not skipped."""
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
    leg: str | None = None
    """The one call that the phone in the browser answers, by X-Dialer-Attempt of its INVITE; null without a shift."""
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


Given = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)]


class LeadAsk(Ask):
    """Whose lead it is, where the operator knows better than the base; what was agreed is the note."""

    person: Given | None = None
    company: Given | None = None


class DispositionAsk(Ask):
    """How the conversation ended; ``lead`` only with a disposition that makes one."""

    code: Word
    note: Note = ""
    reason: Line | None = None
    address: Line | None = None
    callback: CallbackAsk | None = None
    lead: LeadAsk | None = None


class DraftAsk(Ask):
    """What was chosen and typed so far; nothing is checked until it is saved as a disposition.

    ``step`` is where the operator is in the script.
    """

    code: Word | None = None
    note: Note = ""
    reason: Note | None = None
    address: Note | None = None
    callback: CallbackAsk | None = None
    lead: LeadAsk | None = None
    step: Word | None = None


class DispositionView(Answer):
    """A saved disposition; it is in the database."""

    attempt_id: UUID
    code: str
    reason: str | None
    address: str | None
    note: str
    saved_at: datetime
    lead_id: int | None = None


class DispositionAnswer(Answer):
    """A saved disposition."""

    disposition: DispositionView


# The operator's own day ------------------------------------------------------


class DayQuery(Ask):
    """Since when; the page asks from its own midnight. At most two days back."""

    since: Moment


class PauseView(Answer):
    """A reason to pause: seconds a day it may take (null: as long as it takes) and took so far."""

    code: str
    name_ru: str
    name_en: str
    allowed_s: int | None
    used_s: float


class OwnCallbackView(Answer):
    """A promise the operator keeps; ``state`` is ``pending``, ``due`` or ``late``."""

    id: int
    campaign: str
    contact: str
    phone: str
    zones: list[str]
    due_at: datetime
    next_at: datetime
    note: str
    state: str


class DayAnswer(Answer):
    """What the operator did and promised."""

    pauses: list[PauseView]
    state_s: dict[str, float]
    talks: int
    saved: int
    results: int
    decision_makers: int
    extensions: int
    callbacks: list[OwnCallbackView]


class SkipAsk(Ask):
    """Why the contact that is shown is not called."""

    reason: Literal["not_now", "talked_lately", "not_target", "bad_data", "other"]


class PromiseQuery(Ask):
    """A time somebody wants to be called at."""

    due_at: Moment


class PromiseAnswer(Answer):
    """Whether it may be promised. ``why`` says in both languages why not; ``next_at`` is when it may."""

    allowed: bool
    code: str | None
    why: dict[Language, str]
    next_at: datetime | None
    same_hour: int


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
