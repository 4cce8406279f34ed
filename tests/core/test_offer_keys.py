"""What the keys of an offer may mean, and the way out that a law asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer import profiles
from dialer.core import offer_keys
from dialer.core.dispositions import DEFAULT
from dialer.core.model import Mode
from tests.core.make import CAMPAIGN

KINDS = {kind.code: kind for kind in DEFAULT}
LAX = replace(CAMPAIGN, mode=Mode.IVR, dispositions=KINDS, keys={})
STRICT = replace(LAX, profile=replace(CAMPAIGN.profile, opt_out_key=True))
USUAL = dict(offer_keys.DEFAULT)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({**USUAL, "#": "lead"}, "key_unheard"),
        ({**USUAL, "1": "callback"}, "key_fixed"),
        ({**USUAL, "2": "operator"}, "key_fixed"),
        ({**USUAL, "3": "repeat"}, "key_fixed"),
        ({**USUAL, "*": "lead"}, "key_fixed"),
        ({**USUAL, "3": "lead", "0": "thinking"}, None),
        ({**USUAL, "8": "refused_unheard"}, "key_said"),
        ({**USUAL, "9": "callback"}, "key_never"),
        ({**USUAL, "2": "refused_unheard"}, "key_said"),
        ({**USUAL, "2": "thinking"}, None),
        ({"1": "operator"}, None),
        (USUAL, None),
        ({}, None),
    ],
)
def test_a_key_may_not_mean_what_the_switch_does_not_do(keys, code):
    found = offer_keys.refusal(replace(LAX, keys=keys))
    assert (found and found[0]) == code


def test_without_operators_one_is_an_answer_like_any_other():
    campaign = replace(
        LAX, operator_free=True, keys={"1": "agreed", "2": "thinking", "3": "callback", "9": "refused_unheard"}
    )
    assert offer_keys.refusal(campaign) is None
    assert offer_keys.said(campaign) == ("12", "3")


def test_the_switch_is_told_which_keys_end_the_call_and_which_promise_another():
    assert offer_keys.said(LAX) == ("", "2")
    assert offer_keys.said(replace(LAX, keys={**USUAL, "3": "lead", "2": "thinking", "0": "callback"})) == ("23", "0")


@pytest.mark.parametrize("keys", [{"1": "operator"}, {"1": "operator", "2": "callback", "*": "repeat"}])
def test_where_the_law_asks_for_a_way_out_an_offer_without_one_is_refused(keys):
    assert offer_keys.refusal(replace(STRICT, keys=keys))[:2] == ("opt_out_key", "9")
    assert offer_keys.refusal(replace(STRICT, keys={**keys, "9": "refused_unheard"})) is None
    assert offer_keys.refusal(replace(STRICT, keys=keys, mode=Mode.PREDICTIVE)) is None


def test_usual_keys_mean_what_the_campaign_has():
    """One that took the list apart is not given words it does not know, and is told what is missing."""
    without = {code: kind for code, kind in KINDS.items() if code != "refused_unheard"}
    campaign = replace(LAX, dispositions=without)
    assert offer_keys.of(campaign) == {"1": "operator", "2": "callback", "*": "repeat"}
    assert offer_keys.refusal(replace(campaign, profile=STRICT.profile))[0] == "opt_out_key"


def test_the_law_of_the_united_states_asks_for_a_key_and_the_strictest_profile_does_too():
    asking = {name for name in profiles.names() if profiles.load(name).opt_out_key}
    assert asking == {"us", "strict"}
