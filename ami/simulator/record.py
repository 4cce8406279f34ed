"""What really happened to each callee: the world's own record, kept apart from every event.

Tests count by it. Nothing the service believes, stores or fails to hear can change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Talk:
    """A callee and one operator in one bridge."""

    operator_channel_id: str
    started_at: float
    ended_at: float | None = None


@dataclass(slots=True)
class WorldCall:
    """One INVITE to one number. Times are the switch's seconds since the epoch; None means it never happened."""

    number: str
    channel_id: str
    invited_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    heard_at: float | None = None
    """When this person first heard an operator, the offer or the message."""
    heard: str | None = None
    """What was heard first: ``operator``, ``offer`` or ``message``."""
    ended_at: float | None = None
    ended_by: str | None = None
    """Who put down first: ``callee``, ``service``, ``plan`` (our dialplan), ``carrier``, ``timeout``, ``crash``."""
    cause: int | None = None
    talks: list[Talk] = field(default_factory=list)
    keys: list[tuple[float, str]] = field(default_factory=list)
    """Keys pressed while a recording listened, and when."""

    def hears(self, what: str, at: float) -> None:
        """Note the first thing this person hears."""
        if self.heard_at is None:
            self.heard_at, self.heard = at, what
