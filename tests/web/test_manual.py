"""Numbers that operators type: understood, judged and called in one's own name, and no stuck key calls ten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dialer.core.gate import Refusal
from dialer.errors import Refused
from dialer.store.by_hand import Known, Looked
from dialer.web import manual, texts
from tests.core.floors import CAMPAIGN
from tests.web import fakes
from tests.web.conftest import CSRF, error_of

DIAL, LOOK = "/api/v1/operator/dial", "/api/v1/operator/dial/look"
RUSSIAN = replace(CAMPAIGN, id=7, manual=True, caller_number="+74951234567")


class ByHand:
    """One campaign, and what is said of a number."""

    def __init__(self):
        self.looked, self.says = [], Looked(contacts=[], chosen=None, refusals=[])

    async def campaigns(self, operator_id):
        return [RUSSIAN]

    async def look(self, campaign, dial, *, now):
        self.looked.append(dial)
        return self.says


@pytest.fixture
async def desk(world):
    world.stores.by_hand = ByHand()
    await world.live.put(fakes.operator(world.id_of("operator"), state="paused", reason="dial"))
    return await world.login("operator")


async def post(desk, path, number="8 (912) 345-67-89", campaign=7, **values):
    answer = await desk.post(path, json={"number": number, "campaign": campaign, **values}, headers=CSRF)
    return answer.status, await answer.json()


async def test_the_page_learns_where_it_may_dial_and_whose_numbers_need_no_plus(desk):
    answer = await (await desk.get(DIAL)).json()
    assert answer == {"campaigns": [{"id": 7, "name": "Spring", "country": "RU"}]}


@pytest.mark.parametrize(
    ("law", "shown", "country"), [("US", "+74951234567", "US"), ("nowhere", "74951234567", "RU"), (None, "", None)]
)
async def test_the_country_is_that_of_the_law_else_of_the_number_callees_see(law, shown, country):
    campaign = replace(RUSSIAN, caller_number=shown, profile=replace(RUSSIAN.profile, country=law))
    assert manual.country_of(campaign) == country


@pytest.mark.parametrize(
    "typed", ["8 (912) 345-67-89", "+7 912 345 67 89", "9123456789", "tel: +79123456789", "79123456789"]
)
async def test_any_usual_writing_is_understood(world, desk, typed):
    status, answer = await post(desk, LOOK, typed)
    assert (status, answer["number"], answer["country"], answer["allowed"]) == (200, "+79123456789", "RU", True)
    [dial] = world.stores.by_hand.looked
    assert (dial.operator_id, dial.countries, dial.contact_id) == (world.id_of("operator"), ("RU",), None)
    assert dial.zones


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("hello", "dial.number"),
        ("112", "dial.number"),
        ("7,9E+10", "dial.rounded"),
        ("+79123456789, +79123456780", "dial.several_numbers"),
        ("+79123456789 / nobody", "dial.several_numbers"),
    ],
)
@pytest.mark.parametrize("path", [LOOK, DIAL])
async def test_what_is_no_number_is_said_at_its_field_and_calls_nobody(world, desk, typed, code, path):
    status, answer = await post(desk, path, typed)
    assert (status, error_of(answer).code) == (422, code)
    assert not any(asked[0] == "dial" for asked in world.commands.asked)


async def test_the_reasons_are_told_with_their_times_and_the_contact(world, desk):
    until = datetime.now(UTC) + timedelta(hours=2)
    known = Known(
        id=70, phone_id=1, name="Ada", state="open", counted=2, base="spring", by_hand=False, zones=["Europe/Moscow"],
        last_at=until, last_outcome="busy", last_code=None,
    )  # fmt: skip
    world.stores.by_hand.says = Looked(
        contacts=[known], chosen=known, refusals=[Refusal(reason="outside_window", until=until, profile="ru")]
    )
    _, answer = await post(desk, LOOK, contact=70)
    assert (answer["allowed"], answer["contact"], answer["zones"]) == (False, 70, ["Europe/Moscow"])
    assert [(one["reason"], one["profile"]) for one in answer["reasons"]] == [("outside_window", "ru")]
    assert world.stores.by_hand.looked[0].contact_id == 70


async def test_the_call_is_asked_of_the_engine_in_the_own_name(world, desk):
    status, answer = await post(desk, DIAL, contact=70)
    assert (status, answer["operator"]["state"]) == (200, "preview")
    [(_, who, what)] = [asked for asked in world.commands.asked if asked[0] == "dial"]
    assert (who, what["e164"], what["campaign_id"], what["contact_id"]) == (
        world.id_of("operator"), "+79123456789", 7, 70,
    )  # fmt: skip


async def test_a_campaign_that_is_not_the_operators_is_refused(world, desk):
    for path in (LOOK, DIAL):
        status, answer = await post(desk, path, campaign=8)
        assert (status, error_of(answer).code) == (409, "dial.no_campaign")
    assert not any(asked[0] == "dial" for asked in world.commands.asked)


async def test_a_stuck_key_dials_no_ten_numbers_and_others_go_on(world, desk):
    statuses = [(await post(desk, DIAL))[0] for _ in range(10)]
    assert statuses == [200] * manual.CALLS_MAX + [429] * (10 - manual.CALLS_MAX)
    answer = await desk.post(DIAL, json={"number": "+79123456789", "campaign": 7}, headers=CSRF)
    assert (error_of(await answer.json()).code, int(answer.headers["Retry-After"]) > 0) == ("dial.too_often", True)
    other = await world.login("second")
    assert (await post(other, DIAL))[0] == 200


@pytest.mark.parametrize("reason", ["do_not_call", "several_contacts", "by_hand", "no_line", "not_known", "per_day"])
async def test_a_refused_call_is_said_in_both_languages_with_its_time(world, desk, monkeypatch, reason):
    until = datetime.now(UTC) + timedelta(hours=1)

    async def refuse(_operator_id, **_what):
        raise Refused(f"call.{reason}", "The rules do not allow this call now.", remedy="-", until=until)

    monkeypatch.setattr(world.commands, "dial", refuse)
    status, answer = await post(desk, DIAL)
    assert (status, error_of(answer).code) == (409, f"call.{reason}")
    assert datetime.fromisoformat(error_of(answer).data["until"]) == until
    for language in texts.LANGUAGES:
        assert f"error.call.{reason}" in texts.TEXTS[language]


def test_every_refusal_of_ours_has_a_sentence_in_both_languages():
    codes = ("number", "rounded", "several_numbers", "no_campaign", "too_often", "not_now", "no_phone", "needed")
    for language in texts.LANGUAGES:
        assert {f"error.dial.{code}" for code in codes} <= texts.SCRIPTED[language].keys()
