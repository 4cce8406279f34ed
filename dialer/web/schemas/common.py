"""What all schemas are made of: checked texts, times and ids, and the shape of a refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

#: PostgreSQL cannot hold a NUL in a text.
NO_NUL = r"^[^\x00]*$"
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=NO_NUL)]
Note = Annotated[str, StringConstraints(max_length=4000, pattern=NO_NUL)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]
Seat = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")]
Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
#: A time with a zone that calendars and PostgreSQL can reckon with.
Moment = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC))]
Language = Literal["en", "ru"]


class Ask(BaseModel):
    """A request: unknown fields are refused, so that a typo never passes for a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """An answer, made from our dataclasses."""

    model_config = ConfigDict(from_attributes=True)


class ErrorBody(Answer):
    """Why not: ``code`` is stable, ``message`` is for people, ``remedy`` says what to do."""

    code: str
    message: str
    remedy: str = ""
    data: dict[str, Any] = {}


class ErrorAnswer(Answer):
    """Any refusal."""

    error: ErrorBody


class Done(Answer):
    """It is done and committed."""

    done: Literal[True] = True
