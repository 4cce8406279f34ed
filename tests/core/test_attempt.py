"""Single steps of an attempt's life."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core import attempt as life
from dialer.core.model import AttemptState, Mode
from tests.core.make import ANSWERED, ATTEMPT, CAMPAIGN, CONNECTED

IVR = replace(CAMPAIGN, mode=Mode.IVR, key_wait_s=20)
PRESSED = replace(ANSWERED, state=AttemptState.WAITING, waiting_at=ANSWERED.answered_at)


def at(seconds: float):
    return ANSWERED.answered_at + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("attempt", "campaign", "after_s", "may"),
    [
        (ANSWERED, CAMPAIGN, 0.0, True),
        (ANSWERED, CAMPAIGN, 1.8, True),
        (ANSWERED, CAMPAIGN, 1.9, False),
        (PRESSED, IVR, 19.8, True),
        (PRESSED, IVR, 19.9, False),
        (ANSWERED, IVR, 0.0, False),
        (ATTEMPT, CAMPAIGN, 0.0, False),
        (CONNECTED, CAMPAIGN, 0.0, False),
    ],
)
def test_a_callee_waits_for_an_operator_only_until_the_message_begins(attempt, campaign, after_s, may):
    assert life.may_be_bridged(attempt, campaign, at(after_s)) is may
