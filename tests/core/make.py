"""Things to decide about, made with one line each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from dialer.core.model import (
    AttemptState,
    Budget,
    Campaign,
    CampaignState,
    LegalWindow,
    LiveAttempt,
    Mode,
    Profile,
    Trunk,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
ALL_DAY = ((time(0), time(0)),)

PROFILE = Profile(
    id="test",
    version=1,
    windows=dict.fromkeys(range(7), ALL_DAY),
    cap_permille=30,
    legal_window=LegalWindow.DAYS30,
    call_types=frozenset({"auto_dialed_live", "recorded"}),
    trunk_kinds=frozenset({"carrier"}),
    per_day=3,
    per_30_days=4,
    min_gap_s=600,
    allow=("+49",),
    deny=("+49900",),
)
CAMPAIGN = Campaign(
    id=1,
    name="Boilers",
    mode=Mode.PREDICTIVE,
    state=CampaignState.RUNNING,
    team_id=1,
    customer_id=1,
    zone="Europe/Berlin",
    trunk=Trunk(id=1, name="carrier"),
    profile=PROFILE,
    caller_number="+4930123456",
)
ATTEMPT = LiveAttempt(
    id=UUID(int=1),
    campaign_id=1,
    contact_id=1,
    phone_id=1,
    e164="+4930654321",
    number=1,
    counted=0,
    state=AttemptState.RINGING,
    sent_at=NOON,
    rang_at=NOON + timedelta(seconds=2),
)
ANSWERED = replace(ATTEMPT, state=AttemptState.ANSWERED, answered_at=NOON + timedelta(seconds=8))
CONNECTED = replace(ANSWERED, state=AttemptState.CONNECTED, connected_at=NOON + timedelta(seconds=9), operator_id=7)
NEVER_RANG = replace(ATTEMPT, state=AttemptState.SENT, rang_at=None)


def budget(answered: int, abandoned: int, cap_permille: int = 30, uncovered: int = 0) -> Budget:
    return Budget(
        campaign_id=1,
        starts_at=NOON - timedelta(days=1),
        ends_at=NOON + timedelta(days=29),
        answered=answered,
        abandoned=abandoned,
        uncovered=uncovered,
        cap_permille=cap_permille,
    )
