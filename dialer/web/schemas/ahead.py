"""Forecasts: what is asked, what is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from dialer.web.schemas.common import Answer, Ask

_Minutes = Annotated[int, Field(ge=0, le=1440)]
_Share = Annotated[float, Field(ge=0, le=1)]


class ForecastAsk(Ask):
    """What is assumed instead of what was observed; what is absent stays.

    ``begins`` and ``ends`` are minutes of the day in the campaign's zone.
    """

    operators: Annotated[int | None, Field(ge=0, le=10_000)] = None
    begins: _Minutes | None = None
    ends: _Minutes | None = None
    answer_rate: _Share | None = None
    result_rate: _Share | None = None
    talk_s: Annotated[float | None, Field(ge=1, le=3600)] = None


class Spread(Answer):
    """A figure over all futures: its middle, and the interval that holds it in ``share`` of them (about 0.8)."""

    low: float
    middle: float
    high: float
    share: float


class ForecastEnd(Answer):
    """When something ends: null where the future lies further ahead than was looked; ``share`` end in time."""

    low: datetime | None
    middle: datetime | None
    high: datetime | None
    share: float


class ForecastBase(Answer):
    """When the last contact is closed, and when each has been called at least once."""

    ends: ForecastEnd
    tried: ForecastEnd


class ForecastPoint(Answer):
    """A moment of the fan: low, middle and high of results so far and of contacts left."""

    at: datetime
    results: tuple[float, float, float]
    left: tuple[float, float, float]


class ForecastPlan(Answer):
    """Another plan, in the same futures: what it brings more until the end of its shift.

    ``change`` is operators, or minutes.
    """

    plan: Literal["operators_fewer", "operators_more", "begins_earlier", "ends_earlier", "ends_later"]
    change: int
    results: Spread
    left: Spread


class ForecastMadeOf(Answer):
    """What a forecast rests on; ``source`` is where the belief before the first call is from."""

    contacts: int
    operators: int
    begins: int
    ends: int
    work_seen: bool
    answer_rate: float
    result_rate: float
    talk_s: float
    attempts_seen: int
    conversations_seen: int
    source: Literal["customer", "installation", "usual"]
    assumed: list[str]


class ForecastSoFar(Answer):
    """What the day has brought until the forecast."""

    results: int
    attempts: int
    connects: int


class Forecast(Answer):
    """A forecast; ``occupancy`` is per cent, null where no operators work."""

    at: datetime
    campaign_id: int
    zone: str
    rehearsal: bool
    shift_begins: datetime | None
    shift_ends: datetime
    so_far: ForecastSoFar
    made_of: ForecastMadeOf
    results: Spread
    attempts: Spread
    connects: Spread
    left: Spread
    occupancy: Spread | None
    fan: list[ForecastPoint]
    base: ForecastBase
    plans: list[ForecastPlan]
    days: int
    futures: int
    sentences: list[dict[str, str]]


class ForecastAnswer(Answer):
    """The last forecast of a campaign, and how far the next one is: ``done`` of ``of`` futures."""

    state: Literal["none", "running", "done", "failed"]
    done: int = 0
    of: int = 0
    error: str | None = None
    forecast: Forecast | None = None
