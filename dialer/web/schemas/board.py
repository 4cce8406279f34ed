"""Numbers, the live board, health."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from dialer.store.kpi import By
from dialer.web.schemas.ahead import ForecastEnd
from dialer.web.schemas.common import Answer, Ask, Id, Moment
from dialer.web.schemas.floor import OperatorView
from dialer.web.schemas.listening import ListeningInfo
from dialer.web.schemas.pacing import Explanation

# Numbers ---------------------------------------------------------------------


class KpiQuery(Ask):
    """Which numbers; without times the present hour. ``money`` adds those of money, by whole hours of the period."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    campaign: Id | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    by: By = "total"
    customer: Id | None = None
    operator: Id | None = None
    compare: bool = False
    money: bool = False


class KpiDefinition(Answer):
    """One definition per number, printed under it."""

    id: str
    name_en: str
    name_ru: str
    formula_en: str
    formula_ru: str
    formula_sql: str
    source: str
    unit: str
    better: str


class KpiDefinitions(Answer):
    """All definitions."""

    definitions: list[KpiDefinition]


class KpiRow(Answer):
    """The numbers of one hour, operator, campaign and so on, and the counts they are made of.

    Numbers of money are decimal numbers as text, in ``currency``: null where a part of one is not known by such rows,
    or where there are several currencies (then ``currency`` is empty). A customer is told no cost.
    """

    key: str
    label: str
    values: Mapping[str, float | None]
    facts: Mapping[str, float]
    money: Mapping[str, Decimal | None] = {}
    currency: str = ""


class KpiAnswer(Answer):
    """Numbers of a period, and if it was asked for those of the period of the same length before it."""

    since: datetime
    until: datetime
    by: str
    rows: list[KpiRow]
    before: list[KpiRow] | None = None


# Board and health ------------------------------------------------------------


class CampaignView(Answer):
    """One campaign on the board, with what limits its dialing right now."""

    campaign_id: int
    name: str
    mode: str
    state: str
    lines: int
    ringing: int
    waiting: int
    talking: int
    ready: int
    reason: str
    sentence: Mapping[str, str]
    answered: int
    abandoned: int
    cap_permille: int
    window_starts_at: datetime | None
    carried_answered: int = 0
    carried_abandoned: int = 0
    budget_mode: str = "strict"
    owed: int = 0
    caution: float = 1.0
    listening_shown: bool = True
    """Operators see a supervisor who only listens."""
    trunk: str = ""
    trunk_off_since: datetime | None = None
    changes: tuple[Explanation, ...] = ()
    """The last changes of the limiting rule, the newest first."""


class Totals(Answer):
    """The six big numbers."""

    talking: int
    ready: int
    wrap_up: int
    dialling: int
    waiting: int
    answered: int
    abandoned: int


class Steering(Answer):
    """How a campaign is steered now, and who changed something in it last; empty: the command line."""

    campaign_id: int
    team_id: int
    cap_permille: int
    target_permille: int | None
    caution: float
    max_lines_per_operator: float
    budget_mode: str
    changed_at: datetime | None
    changed_action: str | None
    changed_by: str


class CampaignOverview(Answer):
    """A campaign's last hour by minute (the oldest first), its promises, and what is left of its bases."""

    steering: Steering
    connected: list[int]
    abandoned: list[int]
    callbacks_due: int
    callbacks_late: int
    callbacks_urgent: int = 0
    """Of them to people who called the shown number back and found nobody free."""
    left: int | None
    """Contacts that may still be called; null while nobody has counted."""
    ends: ForecastEnd | None
    """When the last contact is closed, as the forecast made ``forecast_at`` says; null without one of these hours."""
    forecast_at: datetime | None
    hours_left: float | None
    """Without a forecast: hours of dialing at the pace of the last hour; null while nothing is closed."""


class TrunkLoad(Answer):
    """A line to a carrier with its limits and what it carries."""

    name: str
    kind: str
    max_channels: int
    calls_per_s: float
    lines: int


class Overview(Answer):
    """What comes from the database, of the moment ``at``."""

    at: datetime | None
    hour: KpiRow | None
    """Numbers of the present hour."""
    campaigns: list[CampaignOverview]
    trunks: list[TrunkLoad]


class BoardAnswer(Answer):
    """Everything the live board shows, of one moment (server time ``at``)."""

    at: datetime
    version: int
    switch: str
    switch_up: bool
    dialing: bool
    stopped_because: str | None
    operators: list[OperatorView]
    campaigns: list[CampaignView]
    alerts: list[str]
    listenings: list[ListeningInfo]
    counters: Mapping[str, int]
    totals: Totals
    overview: Overview


class BoardPush(Answer):
    """What the board's socket says: first all of ``BoardAnswer`` (``whole``), then at each change what changed.

    Of ``operators`` and ``campaigns`` only the changed ones come; ``…_gone`` names those that are there no more.
    """

    whole: bool
    at: datetime
    version: int
    switch: str | None = None
    switch_up: bool | None = None
    dialing: bool | None = None
    stopped_because: str | None = None
    operators: list[OperatorView] | None = None
    operators_gone: list[int] | None = None
    campaigns: list[CampaignView] | None = None
    campaigns_gone: list[int] | None = None
    listenings: list[ListeningInfo] | None = None
    alerts: list[str] | None = None
    counters: Mapping[str, int] | None = None
    totals: Totals | None = None
    overview: Overview | None = None


class Health(Answer):
    """Whether the service can do its work; ``problems`` is empty when ``ok``."""

    ok: bool
    database: bool
    switch: bool
    dialing: bool
    why: str | None
    """Why no call is placed, in one sentence."""
    lease: Mapping[str, Any] | None
    loop_lag_ms: float
    problems: list[str]
