"""Sessions, tokens of programs, the first admin, trunks, plans, and the tables of the admin pages."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Interface, IPv6Interface
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dialer.core.model import CampaignState, Mode
from dialer.web.schemas.common import NO_NUL, Answer, Ask, Language, Line, Login, Seat, Word

Scope = Literal["read", "pacing", "bases", "do_not_call", "callbacks"]
Found = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)]
#: Pages beyond the counted rows are not asked for.
_PAGE_MAX = 200


class SessionInfo(Answer):
    """A session of one's own."""

    id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ip: str
    agent: str
    mine: bool
    """The one that asks."""


class SessionsAnswer(Answer):
    """Open sessions of one's own, the last used first."""

    sessions: list[SessionInfo]


class TokenAsk(Ask):
    """A token for a program: whose (a user of role api), what it may, for how long, from where (empty: anywhere)."""

    login: Login
    name: Annotated[Line, StringConstraints(max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=5)]
    days: Annotated[int, Field(ge=1, le=365)] = 90
    addresses: Annotated[tuple[IPv4Interface | IPv6Interface, ...], Field(max_length=20)] = ()


class TokenInfo(Answer):
    """A token, without its secret."""

    id: int
    login: str
    name: str
    scopes: list[str]
    addresses: list[str]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(Answer):
    """A new token; ``secret`` is shown this once."""

    token: TokenInfo
    secret: str


class TokensAnswer(Answer):
    """All tokens, the newest first."""

    tokens: list[TokenInfo]


class SetupAsk(Ask):
    """The first admin, made with the one-time token that the first start printed."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)]
    login: Login
    name: Line
    password: Annotated[str, StringConstraints(min_length=12, max_length=256)]
    language: Language = "en"


class TrunkAsk(Ask):
    """A line to a carrier with its limits."""

    name: Seat
    kind: Literal["carrier", "world"] = "carrier"
    max_channels: Annotated[int, Field(ge=1, le=10_000)] = 100
    calls_per_s: Annotated[float, Field(gt=0, le=1000)] = 20


class CopyAsk(Ask):
    """The name of a campaign's copy."""

    name: Line


class PlanQuery(Ask):
    """Settings to plan with; what is absent is as the campaign has it."""

    mode: Mode | None = None
    attempts_max: Annotated[int, Field(ge=1, le=20)] | None = None
    wrap_up_s: Annotated[int, Field(ge=1, le=600)] | None = None
    ring_timeout_s: Annotated[int, Field(ge=5, le=60)] | None = None
    max_lines: Annotated[int, Field(ge=1, le=10_000)] | None = None
    operators: Annotated[int, Field(ge=0, le=10_000)] | None = None
    contacts: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    answer_percent: Annotated[float, Field(ge=1, le=100)] | None = None
    profile: Word | None = None
    purpose: Literal["marketing", "survey", "service", "debt"] | None = None


class NewPlanQuery(PlanQuery):
    """Settings of a campaign that is not made yet; what is absent is as a new campaign has it."""

    customer: Found = ""
    team: Found = ""


class PlanAnswer(Answer):
    """What the settings mean for the bases of a campaign."""

    contacts: int
    operators: int
    attempts_max: int
    attempts: int
    conversations: int
    hours: float
    days: int
    limited_by: str
    hours_per_day: float
    """Hours a day in which the profile lets one callee be called, over a week."""
    window: tuple[str, str] | None
    """Within which local hours of most weekdays the callee may be called, e.g. 09:00 and 20:00."""
    gap_days: float
    answer_rate: float
    talk_s: float
    figures_of: str
    """Whose calls answer rate and talk are from: ``campaign``, ``customer``, ``team``, ``usual`` or ``asked``."""


class TableQuery(Ask):
    """Which rows of a table, in which order."""

    q: Found = ""
    sort: Annotated[str, StringConstraints(pattern=r"^[a-z_]{0,20}$")] = ""
    down: bool = False
    page: Annotated[int, Field(ge=1, le=_PAGE_MAX)] = 1


class PeopleQuery(TableQuery):
    """People of a role."""

    role: Literal["", "operator", "supervisor", "base_manager", "admin", "auditor", "customer", "api"] = ""


class ScopeQuery(TableQuery):
    """Do-not-call entries of a scope."""

    scope: Literal["", "global", "customer", "campaign"] = ""


class CampaignsQuery(TableQuery):
    """Campaigns in a state."""

    state: Literal["", CampaignState.DRAFT, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.STOPPED] = ""
