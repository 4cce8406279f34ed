"""Who is free at a glance, and whether anything changed since the last one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from dialer.core import presence
from dialer.core.crew import Crew
from dialer.core.presence import Leg


def test_only_a_change_of_an_operator_is_one():
    """What was computed of the crew stays known while everybody is as before."""
    crew = Crew()
    op, _ = presence.start(1, UUID(int=1), "Ann", 1, "seat1", datetime(2026, 1, 20, 9, tzinfo=UTC))
    crew.keep(op)
    version = crew.version
    crew.keep(op)
    assert crew.version == version
    crew.keep(replace(op, leg=Leg.WAITING))
    assert crew.version > version
    assert crew.operators[1].leg is Leg.WAITING
