"""Why is this contact not being dialled?"""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from dialer.core import gate
from dialer.core.gate import Facts, Refusal
from dialer.core.model import CampaignState, Mode, Trunk
from tests.core.make import CAMPAIGN, NOON, PROFILE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPEN = Facts(now=NOON, campaign=CAMPAIGN, e164="+4930654321", zones=("Europe/Berlin",), room=1)
CAREFUL = replace(PROFILE, consent_for=frozenset({"auto_dialed_live"}))
FRENCH = replace(PROFILE, after_disposition_days={"refusal": 60})
MORNING = replace(PROFILE, windows={day: ((time(9), time(10)),) for day in range(7)})


def campaign(**fields):
    return replace(CAMPAIGN, **fields)


def test_a_contact_with_nothing_against_it_is_dialled():
    assert gate.refusals(OPEN) == []


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"closed_by": "used_up"}, Refusal(reason="closed", detail="used_up")),
        ({"forbidden": frozenset({"global"})}, Refusal(reason="do_not_call", detail="global")),
        (
            {"campaign": campaign(trunk=Trunk(id=1, name="w", kind="world"))},
            Refusal(reason="profile_not_for_trunk", detail="world"),
        ),
        (
            {"campaign": campaign(mode=Mode.IVR, profile=replace(PROFILE, call_types=frozenset({"auto_dialed_live"})))},
            Refusal(reason="call_type_forbidden", detail="recorded"),
        ),
        ({"campaign": campaign(state=CampaignState.PAUSED)}, Refusal(reason="campaign_state", detail="paused")),
        ({"base_paused": True}, Refusal(reason="base_paused")),
        ({"live": True}, Refusal(reason="live_attempt")),
        (
            {"live": True, "looked_at": ("Ann", NOON)},
            Refusal(reason="live_attempt", detail="looked_at", by="Ann", since=NOON),
        ),
        ({"counted": 4}, Refusal(reason="attempts_used_up", detail="4")),
        ({"phone_not_before": NOON + HOUR}, Refusal(reason="phone_resting", until=NOON + HOUR)),
        ({"next_at": NOON + HOUR}, Refusal(reason="not_due", until=NOON + HOUR)),
        ({"campaign": campaign(profile=MORNING)}, Refusal(reason="outside_window", until=NOON + 20 * HOUR)),
        ({"zones": ()}, Refusal(reason="no_window")),
        ({"zones": ("Nowhere",)}, Refusal(reason="no_window")),
        ({"room": 0}, Refusal(reason="budget")),
        ({"e164": "+4990012345"}, Refusal(reason="number_not_allowed")),
        ({"e164": "+12025550101"}, Refusal(reason="number_not_allowed")),
        ({"e164": "erased:7"}, Refusal(reason="number_not_allowed")),
        ({"consent": "over"}, Refusal(reason="no_consent", detail="over")),
        ({"campaign": campaign(profile=CAREFUL)}, Refusal(reason="no_consent")),
        ({"lists_too_old": True}, Refusal(reason="lists_too_old")),
        (
            {"said": {"refusal": (NOON - DAY, NOON - DAY)}, "campaign": campaign(profile=FRENCH)},
            Refusal(reason="after_disposition", until=NOON + 60 * DAY, detail="refusal"),
        ),
        (
            {"said": {"refusal": (NOON - 2 * DAY, NOON + DAY), "result": (NOON - DAY, NOON + HOUR)}},
            Refusal(reason="after_disposition", until=NOON + DAY, detail="refusal"),
        ),
        ({"phone_held_until": NOON + DAY}, Refusal(reason="after_abandon", until=NOON + DAY)),
        (
            {
                "phone_sent": [NOON - 6 * DAY, NOON - 5 * DAY],
                "campaign": campaign(profile=replace(PROFILE, per_7_days=2)),
            },
            Refusal(reason="per_7_days", until=NOON + DAY),
        ),
        (
            {"phone_sent": [NOON - 5 * HOUR, NOON - 3 * HOUR, NOON - 2 * HOUR]},
            Refusal(reason="per_day", until=NOON + 19 * HOUR),
        ),
        (
            {"phone_sent": [NOON - 29 * DAY, NOON - 9 * DAY, NOON - 2 * DAY, NOON - 2 * HOUR]},
            Refusal(reason="per_30_days", until=NOON + DAY),
        ),
    ],
)
def test_each_rule_gives_its_reason_and_until_when(changed, refusal):
    assert gate.refusals(replace(OPEN, **changed)) == [refusal]


def test_every_reason_is_told_the_hardest_first():
    facts = replace(OPEN, closed_by="disposition", live=True, room=0, forbidden=frozenset({"campaign", "global"}))
    assert [r.reason for r in gate.refusals(facts)] == [
        "closed",
        "do_not_call",
        "do_not_call",
        "live_attempt",
        "budget",
    ]


def test_a_promise_is_kept_even_by_one_attempt_too_many():
    assert gate.refusals(replace(OPEN, counted=4, promised=True)) == []


def test_an_operator_who_is_held_may_call_after_an_abandon():
    assert gate.refusals(replace(OPEN, phone_held_until=NOON + DAY, operator_held=True)) == []


def test_what_was_said_long_ago_holds_nobody_back():
    french = campaign(profile=FRENCH)
    assert gate.refusals(replace(OPEN, said={"refusal": (NOON - 61 * DAY, NOON - DAY)}, campaign=french)) == []
    assert gate.refusals(replace(OPEN, said={"result": (NOON - DAY, NOON - DAY)}, campaign=french)) == []


def test_consent_that_stands_is_enough():
    assert gate.refusals(replace(OPEN, consent="valid", campaign=campaign(profile=CAREFUL))) == []


def test_what_was_dialled_before_the_period_does_not_count():
    assert gate.refusals(replace(OPEN, phone_sent=[NOON - 31 * DAY] * 9 + [NOON - DAY] * 3)) == []


def test_a_campaign_without_operators_keeps_no_budget():
    assert gate.refusals(replace(OPEN, room=None)) == []
