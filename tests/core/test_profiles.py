"""A profile is read strictly: a rule that is silently absent is a rule that is broken."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from dialer import profiles
from dialer.core import hours, numbers
from dialer.core.model import LegalWindow
from dialer.errors import Misconfigured
from dialer.profiles.calendars import Calendar, country_of

STRICT = resources.files(profiles).joinpath("strict.yaml").read_text("utf-8")
#: Where each country's profile dials.
REGIONS = {"ru": ["RU"], "us": ["US"], "uk": ["GB"], "fr": ["FR"], "de": ["DE"], "ca": ["CA"], "au": ["AU"]}


def open_hours(profile, zone, monday):
    """The (weekday, hour) of one week in which one may call at five past."""
    start = datetime.fromisoformat(monday).replace(tzinfo=ZoneInfo(zone))
    week = [start + timedelta(hours=h, minutes=5) for h in range(7 * 24)]
    return {(at.weekday(), at.hour) for at in week if hours.may_call(at, [zone], profile, 25)}


def days(*spans):
    return {(day, hour) for some, hours_of in spans for day in some for hour in hours_of}


@pytest.mark.parametrize("name", profiles.names())
def test_every_figure_of_every_packaged_profile_has_a_source_and_the_day_it_was_checked(name):
    packaged = profiles.packaged(name)
    assert packaged.id == name
    assert packaged.name_en
    assert re.search("[А-я]", packaged.name_ru)
    assert {figure.name for figure in packaged.figures} == set(packaged.read)
    for figure in packaged.figures:
        assert figure.sources, figure
        for source in figure.sources:
            assert source.known in {"read", "told", "to_check"}
            assert date(2026, 1, 1) <= source.checked_on
    assert not packaged.stale(packaged.checked_on + timedelta(days=180))
    assert packaged.stale(packaged.checked_on + timedelta(days=181))


def test_the_countries_of_the_product_are_packaged():
    assert {"ru", "us", "uk", "fr", "de", "ca", "au", "strict"} <= set(profiles.names())


@pytest.mark.parametrize(
    ("name", "zone", "expected"),
    [
        ("strict", "Asia/Vladivostok", days((range(5), (*range(10, 13), *range(14, 20))))),
        ("fr", "Europe/Paris", days((range(5), (*range(10, 13), *range(14, 20))))),
        ("de", "Europe/Berlin", days((range(6), range(8, 20)))),
        ("us", "America/Chicago", days((range(7), range(8, 21)))),
        ("ca", "America/Toronto", days((range(5), range(9, 22)), ((5, 6), range(10, 18)))),
        ("au", "Australia/Sydney", days((range(5), range(9, 20)), ((5,), range(9, 17)))),
        ("uk", "Europe/London", days((range(5), range(9, 20)), ((5,), range(10, 17)))),
        ("ru", "Asia/Omsk", days((range(5), range(8, 22)), ((5, 6), range(9, 20)))),
    ],
)
def test_a_quiet_week_has_the_hours_of_the_law(name, zone, expected):
    assert open_hours(profiles.load(name), zone, "2026-09-14") == expected


@pytest.mark.parametrize(
    ("name", "zone", "monday", "day", "left"),
    [
        ("fr", "Europe/Paris", "2026-07-13", 1, set()),  # the 14th of July
        ("fr", "Europe/Paris", "2026-04-27", 4, set()),  # the 1st of May
        ("de", "Europe/Berlin", "2026-06-01", 3, set()),  # Corpus Christi, in some Länder
        ("au", "Australia/Perth", "2026-01-26", 0, set()),  # Australia Day
        ("ru", "Europe/Moscow", "2026-02-23", 0, set(range(9, 20))),  # a holiday has the hours of a weekend
        ("strict", "Europe/Paris", "2026-07-13", 1, set()),
        ("strict", "America/New_York", "2026-07-13", 1, {*range(10, 13), *range(14, 20)}),  # no holiday there
    ],
)
def test_public_holidays_of_the_callee_have_hours_of_their_own(name, zone, monday, day, left):
    found = open_hours(profiles.load(name), zone, monday)
    assert {hour for weekday, hour in found if weekday == day} == left


def test_a_zone_lies_in_a_country_and_a_country_without_a_calendar_has_no_holidays():
    assert (country_of("Europe/Berlin"), country_of("Asia/Calcutta"), country_of("UTC")) == ("DE", "IN", None)
    assert Calendar(country=None, regions=False)("UTC", 2026) == frozenset()
    assert len(Calendar(country="DE", regions=True)("UTC", 2026)) > len(
        Calendar(country="DE", regions=False)("UTC", 2026)
    )


def test_what_the_law_forbids_by_machine_is_forbidden_and_what_needs_consent_needs_it():
    russia = profiles.load("ru")
    assert (russia.call_types, russia.consent_for) == ({"human_selected"}, {"human_selected"})
    assert "auto_dialed_live" in profiles.load("ru", "service").call_types
    assert profiles.load("ru", "debt").call_types == frozenset()
    debts = profiles.load("ru-debt", "debt")
    assert (debts.per_day, debts.per_7_days, debts.per_30_days) == (1, 2, 8)
    for name in ("us", "uk", "ca"):
        assert profiles.load(name).consent_for == {"recorded"}
    for name in ("fr", "de"):
        assert "auto_dialed_live" in profiles.load(name).consent_for
    assert (profiles.load("fr").per_30_days, profiles.load("us").cap_permille) == (4, 30)
    assert (
        profiles.load("fr").after_disposition_days == profiles.load("strict").after_disposition_days == {"refusal": 60}
    )
    assert (profiles.load("us").national_lists, profiles.load("us").list_max_age_days) == (("us-dnc",), 31)


def test_strict_is_the_strictest():
    strict = profiles.load("strict")
    assert (strict.cap_permille, strict.per_day, strict.per_30_days, strict.list_max_age_days) == (20, 3, 4, 30)
    assert strict.call_types == strict.consent_for == {"human_selected", "auto_dialed_live"}


def test_the_world_s_profile_is_open_at_any_hour_and_only_on_the_world_s_trunk():
    profile = profiles.load("world")
    at = datetime(2026, 12, 25, 23, 59, 50, tzinfo=ZoneInfo("America/New_York"))
    assert hours.may_call(at, ["America/New_York", "Europe/London"], profile, 25)
    assert profile.trunk_kinds == {"world"}
    assert (profile.cap_permille, profile.legal_window) == (30, LegalWindow.DAYS30)
    assert not profile.consent_for


@pytest.mark.parametrize("name", sorted(REGIONS))
def test_a_country_s_profile_dials_its_ordinary_numbers_and_neither_premium_ones_nor_other_countries(name):
    """Asked of libphonenumber, which the data was not made from."""
    profile = profiles.load(name)
    [region] = REGIONS[name]

    def may(where, kind):
        example = phonenumbers.example_number_for_type(where, getattr(phonenumbers.PhoneNumberType, kind))
        if example is None:
            return None
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        return numbers.allowed(number, profile.allow, profile.deny)

    assert may(region, "MOBILE")
    assert may(region, "FIXED_LINE")
    assert not may(region, "PREMIUM_RATE")
    assert not may(region, "SHARED_COST")
    for other in ("KZ", "JM", "BB", "IT", "JP"):
        assert not may(other, "MOBILE")


@pytest.mark.parametrize(
    "region",
    ["US", "CA", "RU", "FR", "ES", "PT", "IT", "CH", "AT", "GB", "DK", "SE", "NO", "PL", "DE", "AU", "NZ", "JP"],
)
def test_premium_numbers_are_never_dialled_whatever_the_profile(region):
    strict = profiles.load("strict")
    for kind, expected in (("PREMIUM_RATE", False), ("FIXED_LINE", True), ("MOBILE", True)):
        example = phonenumbers.example_number_for_type(region, getattr(phonenumbers.PhoneNumberType, kind))
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        assert numbers.allowed(number, strict.allow, strict.deny) is expected, number
    for satellite in ("+88161234567", "+870773123456", "+979123456789", "+80012345678"):
        assert not numbers.allowed(satellite, strict.allow, strict.deny)


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("  per_day:", "  per_dya:", "per_day is missing"),
        ("per_day: {value: 3", "per_day: {value: 0", "per_day must be a whole number from 1"),
        ("per_day: {value: 3", "per_day: {value: yes", "per_day must be a whole number"),
        ("per_day: {value: 3, source: bnetza}", "per_day: 3", "per_day must have a value and a source"),
        ("per_day: {value: 3, source: bnetza}", "per_day: {value: 3, source: me}", "per_day must name a source of: "),
        ("cap_permille: {value: 20", "cap_permille: {value: 300", "cap_permille must be a whole number from 0 to 50"),
        ("mon-fri", "fri-mon", "windows has the weekday 'fri-mon'"),
        ("mon-fri", "monday", "windows has the weekday 'monday'"),
        ("14:00-20:00", "20:00-14:00", "windows has the hours '20:00-14:00'"),
        ("14:00-20:00", "14:00-24:30", "windows has the hours '14:00-24:30'"),
        ("14:00-20:00", "14-20", "windows has the hours '14-20'"),
        ("holidays: []}", "holidays: closed}", "windows must give holidays a list of hours"),
        ("country: of_callee", "country: ZZ", "holidays has the country 'ZZ', of which no calendar is known"),
        ("[carrier, world]", "[carier]", "trunk_kinds must be a list of some of: carrier, world"),
        ("value: days30", "value: week", "legal_window must be one of: hour, days30, calendar_month"),
        ("recorded: forbidden", "recorded: perhaps", "call_types has a permission of marketing that is none of"),
        ("marketing: {human_selected", "mrketing: {human_selected", "call_types must give permissions by purpose"),
        ('allow: ["+"]', "allow: [49]", "numbers must have lists of prefixes like +33"),
        ('allow: ["+"]', "allow: []", "numbers allows no number"),
        ("national_lists: {value: []", "national_lists: {value: [US DNC]", "national_lists must be a list of names"),
        ("checked_on: 2026-11-21", "checked_on: lately", "source fr-hours checked_on must be a date"),
        ("known: read", "known: rumour", "source fr-hours must be known as one of: read, told, to_check"),
        ("id: strict", "id: strict\nsundays: true", "sundays is not a part of a profile"),
        ("  own: {text", "  mine: {text: Me, known: read, checked_on: 2026-11-21}\n  own: {text", "has mine, which no"),
        ("id: strict", "id: {", "file is not YAML"),
        ("{refusal: 60}", "{refused: 60}", "after_disposition_days must give days by class of disposition: off_target"),
        ("{refusal: 60}", "{refusal: 0}", "after_disposition_days must be a whole number from 1"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_figure(right, wrong, complaint):
    assert right in STRICT
    with pytest.raises(Misconfigured, match="Profile mine: ") as refused:
        profiles.parse(STRICT.replace(right, wrong), name="mine")
    assert complaint in refused.value.message
    assert refused.value.code == "profile.invalid"


def test_an_unknown_profile_names_those_there_are():
    with pytest.raises(Misconfigured) as refused:
        profiles.load("../secrets")
    assert refused.value.code == "profile.unknown"
    assert "strict, uk, us, world" in refused.value.remedy


def test_what_was_read_at_the_start_is_not_read_while_people_are_called():
    """Reading takes long enough to be seen by whoever is on the line; it happens before the first call."""
    code = """
import sys
from dialer import profiles
profiles.read_all()
read, before = profiles.packaged.cache_info().misses, set(sys.modules)
for country in ("RU", "US", "GB", "FR", "DE", "CA", "AU", "NZ"):
    for purpose in ("marketing", "research"):
        profiles.of_country(country, purpose)
assert profiles.packaged.cache_info().misses == read
assert set(sys.modules) == before
assert sum(name.startswith("holidays.countries.") for name in sys.modules) < 20, "every country's calendar was loaded"
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
