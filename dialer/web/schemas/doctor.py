"""What a look at the whole installation found."""

from __future__ import annotations

from dialer.web.schemas.common import Answer


class DoctorFinding(Answer):
    """One thing that was looked at: ``word`` is ``well``, ``warn`` (it can wait) or ``ill``."""

    code: str
    word: str
    what: str
    text: str
    remedy: str


class DoctorAnswer(Answer):
    """Everything that was looked at, what is ill first; ``well`` if nothing is."""

    well: bool
    findings: list[DoctorFinding]
