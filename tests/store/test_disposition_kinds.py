"""An admin edits a campaign's dispositions; what was counted stays counted."""

from __future__ import annotations

import pytest

from dialer.core.model import CampaignState, Outcome
from dialer.errors import NotFound, Refused
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres


@pytest.fixture
def kinds(place):
    return place.stores.disposition_kinds


async def change(place, code, **changes):
    await place.stores.disposition_kinds.change(place.campaign.id, code, changes, now=place.now, actor=SYSTEM)


async def refused(doing) -> str:
    with pytest.raises(Refused) as error:
        await doing
    return error.value.code


async def active(place):
    found = await place.stores.disposition_kinds.list(place.campaign.id)
    return [one.kind for one in found if not one.kind.archived]


async def saved(place, code, number="+79035550001", login="ann"):
    """A conversation that ended with this disposition."""
    operator = await place.add_operator(login)
    await place.add_contacts(number)
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, operator)
    await place.save(attempt.id, operator, code)
    await place.end(attempt, Outcome.CONNECTED)
    return attempt, operator


async def test_a_rename_keeps_what_was_counted(place, kinds):
    await saved(place, "lead")
    await change(place, "lead", name_en="Hot lead", name_ru="Горячий лид")
    first = (await kinds.list(place.campaign.id))[0]
    assert (first.kind.code, first.kind.name_en, first.times) == ("lead", "Hot lead", 1)
    [line] = await kinds.history(place.campaign.id)
    assert (line["before"], line["after"]) == (
        {"code": "lead", "name_en": "Lead", "name_ru": "Лид"},
        {"code": "lead", "name_en": "Hot lead", "name_ru": "Горячий лид"},
    )


async def test_flags_of_what_was_saved_stay_as_they_were(place):
    """A list that changes tomorrow does not change the numbers of today."""
    attempt, _ = await saved(place, "thinking")
    await change(place, "thinking", result=True)
    row = await place.pools.web.fetchrow("SELECT result FROM disposition WHERE attempt_id = $1", attempt.id)
    assert row["result"] is False


async def test_an_archived_one_cannot_be_chosen_and_keeps_its_history(place, kinds):
    ann, bob = await place.add_operator("ann"), await place.add_operator("bob")
    await place.add_contacts("+79035550001", "+79035550002")
    first, second = [await place.talk(one, who) for one, who in zip(await place.dial(2), (ann, bob), strict=True)]
    await place.save(first.id, ann, "stale")
    await change(place, "stale", archived=True)
    assert "stale" not in {kind.code for kind in await active(place)}
    [kept] = [one for one in await kinds.list(place.campaign.id) if one.kind.code == "stale"]
    assert (kept.times, kept.kind.key) == (1, None)
    assert await refused(place.save(second.id, bob, "stale", key="k2")) == "disposition.unknown"
    await change(place, "stale", archived=False)
    assert "stale" in {kind.code for kind in await active(place)}


async def test_a_key_that_another_has_changes_places_with_it(place):
    before = {kind.code: kind.key for kind in await active(place)}
    await change(place, "machine", key="1")
    after = {kind.code: kind.key for kind in await active(place)}
    assert (before["lead"], before["machine"]) == ("1", None)
    assert (after["lead"], after["machine"]) == (None, "1")
    await change(place, "machine", key="3")
    assert {kind.code: kind.key for kind in await active(place)}["callback"] == "1"


async def test_the_order_is_kept_and_those_not_named_follow(place, kinds):
    await kinds.order(place.campaign.id, ["machine", "lead"], actor=SYSTEM)
    assert [kind.code for kind in await active(place)][:3] == ["machine", "lead", "agreed"]
    with pytest.raises(NotFound):
        await kinds.order(place.campaign.id, ["nothing"], actor=SYSTEM)


async def test_a_new_one_has_a_code_of_its_own_and_the_first_free_key(place, kinds):
    await change(place, "callback", key=None)
    values = {"name_ru": "Тест-драйв", "name_en": "Test drive", "result": True}
    assert await kinds.add(place.campaign.id, values, actor=SYSTEM) == "test_drive"
    made = (await active(place))[-1]
    assert (made.key, made.closes, made.result) == ("3", True, True)
    await change(place, "test_drive", archived=True)
    again = await kinds.add(place.campaign.id, values, actor=SYSTEM)
    assert again == "test_drive_2"
    await saved(place, again)


async def test_what_cannot_be_meant_is_refused_at_its_field(place):
    with pytest.raises(Refused) as error:
        await change(place, "lead", needs=["time"])
    assert error.value.code == "disposition_kind.closed_callback"
    assert error.value.data["fields"][0]["field"] == "closes"
    assert await refused(change(place, "lead", name_ru=" перезвонить ")) == "disposition_kind.name"


async def test_what_was_said_of_people_may_not_become_softer(place):
    await change(place, "off_target", closes=False)  # nobody was told so yet
    await saved(place, "refused_unheard")
    for softer in ({"dnc_scope": None}, {"dnc_scope": "campaign"}, {"refusal": False}):
        assert await refused(change(place, "refused_unheard", **softer)) == "disposition_kind.softens"
    await change(place, "refused_unheard", dnc_scope="global")


async def test_looser_retry_rules_need_a_second_admin_once_it_has_run(place):
    sooner, later = {"delay_s": 60, "times": None}, {"delay_s": 40 * 86_400, "times": 1}
    assert await refused(change(place, "refused_gatekeeper", retry=sooner)) == "campaign.loosens"
    assert await refused(change(place, "refused_gatekeeper", retry=None)) == "campaign.loosens"
    await change(place, "refused_gatekeeper", retry=later)
    rule = next(kind.retry for kind in await active(place) if kind.code == "refused_gatekeeper")
    assert (rule.delay_s, rule.times) == (40 * 86_400, 1)
    place.campaign = await place.add_campaign("draft", state=CampaignState.PAUSED)
    await place.pools.web.execute("UPDATE campaign SET state = 'draft' WHERE id = $1", place.campaign.id)
    await change(place, "refused_gatekeeper", retry=sooner)


async def test_the_meaning_of_a_key_of_the_offer_cannot_be_archived(place):
    await place.stores.campaigns.change(place.campaign.id, {"keys": {"2": "callback"}}, actor=SYSTEM)
    assert await refused(change(place, "callback", archived=True)) == "disposition_kind.on_key"


async def test_a_copy_takes_the_list_without_what_is_archived(place):
    await change(place, "machine", archived=True)
    await change(place, "lead", name_en="Hot", key="0")
    copy = await place.stores.campaigns.copy(place.campaign.id, "copy", actor=SYSTEM)
    assert "machine" not in {kind.code for kind in copy.dispositions}
    assert (copy.dispositions[0].name_en, copy.dispositions[0].key) == ("Hot", "0")
