"""Where callee and customer are in other countries than the campaign's rules, the strictest of all of them holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer import profiles
from dialer.core import gate, hours, rules
from dialer.core.gate import Facts
from tests.core.make import CAMPAIGN, NOON

COUNTRIES = ["RU", "US", "GB", "FR", "DE", "CA", "AU"]
laws = st.sampled_from(COUNTRIES).map(lambda country: profiles.of_country(country, "service"))
mine = st.sampled_from(["strict", "fr", "de", "us"]).map(lambda name: profiles.load(name, "service"))
moments = st.integers(0, 366 * 24 * 60).map(lambda minute: NOON + timedelta(minutes=minute))
zones = st.sampled_from([("Europe/Paris",), ("America/New_York",), ("Europe/Berlin", "Europe/Paris"), ("Asia/Tokyo",)])


@given(mine, laws, laws)
def test_each_figure_is_the_stricter_one_and_says_whose_it_is(own, first, second):
    both = rules.strictest(own, [first, second])
    of = [own, *(law for law in (first, second) if law.country != own.country)]
    for figure in rules.SMALLER | {"cap_permille"}:
        assert getattr(both, figure) == min(getattr(one, figure) for one in of)
    for figure in rules.GREATER:
        assert getattr(both, figure) == max(getattr(one, figure) for one in of)
    assert both.call_types == frozenset.intersection(*(one.call_types for one in of))
    assert both.consent_for == frozenset.union(*(one.consent_for for one in of)) & both.call_types
    assert set(both.national_lists) == {name for one in of for name in one.national_lists}
    assert (both.allow, both.deny, both.legal_window) == (own.allow, own.deny, own.legal_window)
    for figure, by in both.bound.items():
        assert getattr(both, figure) != getattr(own, figure), figure
        assert by in {one.id for one in of[1:]}
    for figure in rules.SMALLER | rules.GREATER:
        assert (figure in both.bound) is (getattr(both, figure) != getattr(own, figure))


@given(mine, laws, moments, zones)
def test_a_call_is_allowed_exactly_when_each_law_alone_allows_it(own, law, at, places):
    both = rules.strictest(own, [law])
    guard = max(own.guard_s, law.guard_s)
    alone = [hours.may_call(at, places, replace(one, guard_s=guard), 25) for one in (own, law)]
    assert hours.may_call(at, places, both, 25) is all(alone)
    opens_at = hours.next_open(at, places, both, 25)
    assert opens_at is None or hours.may_call(opens_at, places, both, 25)


def test_one_law_that_asks_for_an_opt_out_key_is_enough():
    mine, other = profiles.load("world"), profiles.of_country("US", "marketing")
    mine = replace(mine, country="RU")
    both = rules.strictest(mine, [other])
    assert (both.opt_out_key, both.bound["opt_out_key"]) == (True, "us")


def test_the_same_country_s_rules_are_not_asked_twice_and_the_id_names_all():
    french = profiles.load("fr", "service")
    assert rules.strictest(french, [profiles.of_country("FR", "service")]) is french
    strict = rules.strictest(profiles.load("strict", "service"), [french, french, profiles.of_country("DE", "service")])
    assert strict.id == f"strict+fr.{french.version}+de.{profiles.packaged('de').version}"
    assert (strict.per_day, strict.bound["per_day"]) == (2, "fr")


def test_where_nobody_is_called_no_country_s_rules_hold():
    world = profiles.load("world")
    assert rules.strictest(world, [profiles.of_country("FR", "marketing")]) is world


def test_a_country_without_a_profile_adds_nothing_and_its_parts_have_its_law():
    assert profiles.of_country("ES", "service") is None
    assert profiles.of_country("RE", "service").id == "fr"
    assert profiles.of_country("RU", "debt").id == "ru-debt"
    assert profiles.of_country("FR", "debt").call_types == frozenset()


def test_an_override_that_is_stricter_still_is_the_campaign_s_own():
    strict = rules.strictest(profiles.load("strict", "service"), [profiles.of_country("FR", "service")])
    own = rules.tightened(strict, {"per_day": 1, "min_gap_s": 0})
    assert (own.per_day, "per_day" in own.bound) == (1, False)
    kept = rules.tightened(strict, {"per_day": 3})
    assert (kept.per_day, kept.bound["per_day"]) == (2, "fr")


@pytest.mark.parametrize(
    ("changed", "reason", "by"),
    [
        ({"phone_sent": [NOON - timedelta(hours=5), NOON - timedelta(hours=3)]}, "per_day", "fr"),
        ({"now": NOON.replace(day=29)}, "outside_window", ""),
        ({"now": NOON.replace(hour=13, minute=30)}, "outside_window", "fr"),
    ],
)
def test_the_reason_says_whose_rule_it_is(changed, reason, by):
    """German hours know no pause at noon; on the 29th, a Sunday, neither country allows a call."""
    german = profiles.load("de", "service")
    both = rules.strictest(german, [profiles.of_country("FR", "service")])
    campaign = replace(CAMPAIGN, profile=both)
    facts = Facts(now=NOON, campaign=campaign, e164="+4930654321", zones=("Europe/London",), room=1)
    found = gate.refusals(replace(facts, **changed))
    assert [(one.reason, one.profile) for one in found] == [(reason, by)]
