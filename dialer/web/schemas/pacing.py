"""Why a campaign dials as it does, and how it is turned while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from dialer.core.model import BudgetMode
from dialer.web.schemas.common import Answer, Ask, Moment


class PacingQuery(Ask):
    """Which minutes; without times the last hour. ``inputs`` gives all each decision was made of."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    inputs: bool = False


class Explanation(Answer):
    """Decisions one after the other that said the same, and why."""

    at: datetime
    until: datetime
    reason: str
    sentence: Mapping[str, str]
    calls: int
    decisions: int


class PacingMinute(Answer):
    """One minute: its last decision, and what all of them were; ``inputs`` (null unless asked for) give it again."""

    minute: datetime
    decided_at: datetime
    calls: int
    target: int
    reason: str
    sentence: Mapping[str, str]
    inputs: Mapping[str, Any] | None
    decisions: int
    placed: int
    reasons: Mapping[str, int]


class PacingExceptions(Answer):
    """What no bound can prevent, in the present legal window; ``owed`` answers pay it back."""

    switch_died: int
    engine_died: int
    phone_lost: int
    unseen: int
    cut: int
    cut_short: int
    owed: int


class PacingAnswer(Answer):
    """Why: ``recent`` holds the decisions of the last hour, the newest first; ``minutes`` are kept for a day."""

    campaign_id: int
    recent: list[Explanation]
    minutes: list[PacingMinute]
    exceptions: PacingExceptions | None


class PacingChange(Ask):
    """What a supervisor turns while it runs; what is absent stays. A target of null is the campaign's cap."""

    target_permille: Annotated[int, Field(ge=0, le=50)] | None = None
    caution: Annotated[float, Field(ge=0.1, le=10)] | None = None
    max_lines_per_operator: Annotated[float, Field(ge=1, le=20)] | None = None
    cap_permille: Annotated[int, Field(ge=0, le=50)] | None = None
    """Supervisors may lower it; an admin may also raise it, as far as the law goes."""
    budget_mode: BudgetMode | None = None
    """Supervisors may make it strict; an admin may also make it probable."""
