"""The list of dispositions of a campaign, as an admin edits it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Line, Word
from dialer.web.schemas.floor import DispositionKindView

Colour = Literal["success", "callback", "refusal", "bad_number", "technical"]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True, pattern=NO_NUL)]


class KindFields(Ask):
    """What a disposition says and does; what is absent is as it was, or by default.

    ``retry_hours`` is when an open contact is called again, null: by its outcome's rule; ``retry_times`` how often.
    """

    result: bool | None = None
    closes: bool | None = None
    decision_maker: bool | None = None
    verdict: Literal["fresh", "stale", "off_target"] | None = None
    refusal: bool | None = None
    needs: Annotated[list[Literal["time", "address", "reason"]], Field(max_length=3)] | None = None
    reasons: Annotated[list[Reason], Field(max_length=20)] | None = None
    dnc_scope: Literal["global", "customer", "campaign"] | None = None
    colour: Colour | None = None
    makes_lead: bool | None = None
    letter: Code | None = None
    basket: Code | None = None
    retry_hours: Annotated[float, Field(ge=0, le=366 * 24)] | None = None
    retry_times: Annotated[int, Field(ge=1, le=100)] | None = None


class KindAsk(KindFields):
    """A new disposition, at the end of the list, on the first free key."""

    name_ru: Line
    name_en: Line


class KindChange(KindFields):
    """A change of the disposition ``code``, which stays; a ``key`` that another one has changes places with it."""

    code: Code
    name_ru: Line | None = None
    name_en: Line | None = None
    key: Annotated[str, StringConstraints(pattern="^[0-9]$")] | None = None
    archived: bool | None = None


class KindOrder(Ask):
    """The order of the list; those not named follow."""

    codes: Annotated[list[Word], Field(min_length=1, max_length=200)]


class KindInfo(DispositionKindView):
    """A disposition of the list, how often it was chosen, and when last."""

    dnc_scope: str | None
    colour: str | None
    letter: str | None
    basket: str | None
    retry_s: int | None
    retry_times: int | None
    times: int
    last_at: datetime | None


class KindsAnswer(Answer):
    """The whole list in its order, archived ones included."""

    campaign_id: int
    dispositions: list[KindInfo]
