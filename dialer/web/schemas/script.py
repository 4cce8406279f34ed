"""Scripts of campaigns: what is said, checked before it is saved, kept in versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from dialer.core import script
from dialer.web.schemas.common import NO_NUL, Answer, Ask, Line, Note, Word


class ScriptAnswer(Ask):
    """What the callee may say, and the step it leads to; null ends the script."""

    text: Line
    to: Word | None = None


class ScriptStep(Ask):
    """What the operator says; ``{name}`` and attributes in braces are filled in from the card."""

    id: Word
    title: Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)] = ""
    text: Note
    answers: Annotated[list[ScriptAnswer], Field(max_length=12, default_factory=list)]


class Objection(Ask):
    """What to say to an objection."""

    title: Line
    text: Note


class ScriptDraft(Ask):
    """A script as it is being written: steps, where to begin by kind of contact, and hints for objections."""

    steps: Annotated[list[ScriptStep], Field(max_length=100, default_factory=list)]
    scenarios: Annotated[dict[script.Scenario, Word], Field(default_factory=dict)]
    objections: Annotated[list[Objection], Field(max_length=40, default_factory=list)]

    @model_validator(mode="after")
    def _has_ids(self) -> Self:
        if len({step.id for step in self.steps}) != len(self.steps):
            raise ValueError("two steps have the same id")
        return self


class ScriptBody(ScriptDraft):
    """A script that leads nowhere it should not."""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        steps = {step.id: [answer.to for answer in step.answers] for step in self.steps}
        if sentence := script.wrong(steps, self.scenarios):
            raise ValueError(sentence)
        return self


class ScriptAsk(Ask):
    """The whole script of a campaign, and its brief: what it is about, and what counts as a result.

    ``based_on`` is the version it was made from; if there is a newer one it is refused.
    """

    brief: Annotated[str, StringConstraints(max_length=20000, pattern=NO_NUL)] = ""
    body: Annotated[ScriptBody, Field(default_factory=ScriptBody)]
    based_on: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class ScriptQuery(Ask):
    """Which version; the last one by default."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class ScriptView(Answer):
    """A campaign's brief and script; version 0 was never written."""

    campaign_id: int
    version: int
    brief: str
    body: ScriptBody
    saved_at: datetime | None
    saved_by: str


class ScriptViewAnswer(Answer):
    """A campaign's brief and script."""

    script: ScriptView


class ScriptVersion(Answer):
    """A version that was saved."""

    version: int
    saved_at: datetime
    saved_by: str
    steps: int


class ScriptVersionsAnswer(Answer):
    """All versions, the newest first."""

    versions: list[ScriptVersion]


class ScriptFinding(Answer):
    """Something to mend; ``broken`` is not saved, the rest may be."""

    code: str
    step: str | None
    detail: str
    en: str
    ru: str


class ScriptCheckAnswer(Answer):
    """What is to be mended in a script, and the attributes whose names may stand in its texts."""

    findings: list[ScriptFinding]
    words: list[str]
