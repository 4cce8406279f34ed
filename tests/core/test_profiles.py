"""A profile is read strictly: a rule that is silently absent is a rule that is broken."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from dialer import profiles
from dialer.core import hours
from dialer.core.model import LegalWindow
from dialer.errors import Misconfigured

STRICT = resources.files(profiles).joinpath("strict.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", profiles.names())
def test_every_packaged_profile_has_sources_and_a_date(name):
    profile = profiles.load(name)
    assert profile.id == name
    assert all(profile.sources)
    assert profile.checked_on >= "2026-01-01"


def test_strict_allows_monday_to_friday_10_to_13_and_14_to_20_and_nothing_at_night():
    profile = profiles.load("strict")
    monday = datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Vladivostok"))
    week = [monday + timedelta(hours=h, minutes=5) for h in range(7 * 24)]
    allowed = {(at.weekday(), at.hour) for at in week if hours.may_call(at, ["Asia/Vladivostok"], profile, 25)}
    assert allowed == {(day, hour) for day in range(5) for hour in (*range(10, 13), *range(14, 20))}
    assert (profile.cap_permille, profile.per_day, profile.per_30_days) == (20, 3, 4)
    assert profile.call_types == {"auto_dialed_live"}


def test_the_world_s_profile_is_open_at_any_hour_and_only_on_the_world_s_trunk():
    profile = profiles.load("world")
    at = datetime(2026, 11, 28, 23, 59, 50, tzinfo=ZoneInfo("America/New_York"))
    assert hours.may_call(at, ["America/New_York", "Europe/London"], profile, 25)
    assert profile.trunk_kinds == {"world"}
    assert (profile.cap_permille, profile.legal_window) == (30, LegalWindow.DAYS30)


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("per_day: 3", "per_dya: 3", "per_day is missing"),
        ("per_day: 3", "per_day: 0", "per_day must be a whole number from 1"),
        ("per_day: 3", "per_day: yes", "per_day must be a whole number"),
        ("cap_permille: 20", "cap_permille: 300", "cap_permille must be a whole number from 0 to 50"),
        ("mon-fri", "fri-mon", "windows has the weekday 'fri-mon'"),
        ("mon-fri", "monday", "windows has the weekday 'monday'"),
        ("14:00-20:00", "20:00-14:00", "windows has the hours '20:00-14:00'"),
        ("14:00-20:00", "14:00-24:30", "windows has the hours '14:00-24:30'"),
        ("14:00-20:00", "14-20", "windows has the hours '14-20'"),
        ("[carrier, world]", "[carier]", "trunk_kinds must be a list of some of: carrier, world"),
        ("legal_window: days30", "legal_window: week", "legal_window must be one of: hour, days30, calendar_month"),
        ("checked_on: 2026-11-21", "checked_on: lately", "checked_on must be a date"),
        ("version: 1", "version: 1\nsundays: true", "sundays is not a field of a profile"),
        ("id: strict", "id: {", "file is not YAML"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(right, wrong, complaint):
    with pytest.raises(Misconfigured, match="Profile mine: ") as refused:
        profiles.parse(STRICT.replace(right, wrong), name="mine")
    assert complaint in refused.value.message
    assert refused.value.code == "profile.invalid"


def test_a_profile_without_a_source_is_refused():
    start, end = STRICT.index("sources:"), STRICT.index("windows:")
    with pytest.raises(Misconfigured, match="sources must be a list with at least one source"):
        profiles.parse(f"{STRICT[:start]}sources: []\n{STRICT[end:]}", name="mine")


def test_an_unknown_profile_names_those_there_are():
    with pytest.raises(Misconfigured) as refused:
        profiles.load("../secrets")
    assert refused.value.code == "profile.unknown"
    assert "strict, world" in refused.value.remedy
