"""Baskets over a real PostgreSQL: where new leads go, what a change of rules moves, and who moved what and why."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from dialer.core.baskets import COMMON, Basket, Condition
from dialer.core.leads import LeadState
from dialer.core.model import Outcome
from dialer.errors import Refused
from dialer.store.baskets import Move
from dialer.store.leads import Sought
from dialer.store.users import Actor
from tests.store.places import SYSTEM
from tests.store.test_leads import ann, lead_of, refused  # noqa: F401 - fixtures

pytestmark = pytest.mark.postgres

REST = Basket(code=COMMON, name_en="Common", name_ru="Общая")


def hot(code="", word="invoice", **values):
    condition = Condition(field="agreed", test="contains", value=word)
    return Basket(code=code, name_en="Hot", name_ru="Горячие", conditions=(condition,), warmth="hot", **values)


async def let(place, *baskets, moves=False):
    return await place.stores.baskets.set(place.campaign.id, [*baskets, REST], moves=moves, now=place.now, actor=SYSTEM)


async def in_basket(place, lead_id):
    return (await place.stores.leads.show(lead_id))["basket"]


async def test_a_new_lead_goes_where_the_rules_say_with_owner_and_deadline(place, ann, lead_of):  # noqa: F811
    await let(place, hot(owner_id=ann, contact_within_s=600))
    taken, plain = await lead_of("+12025550101", note="send the invoice"), await lead_of("+12025550102", note="maybe")
    row = await place.stores.leads.show(taken)
    assert (row["basket"], row["owner_id"], row["due_at"] - row["made_at"]) == ("hot", ann, timedelta(minutes=10))
    row = await place.stores.leads.show(plain)
    assert (row["basket"], row["owner_id"], row["due_at"] - row["made_at"]) == (COMMON, None, timedelta(days=1))
    counted = {
        one.basket.code: one.leads for one in await place.stores.baskets.counted(place.campaign.id, now=place.now)
    }
    assert counted == {"hot": 1, COMMON: 1}
    found = await place.stores.leads.find(Sought(campaign_id=place.campaign.id, basket="hot"), now=place.now)
    assert [one["id"] for one in found.rows] == [taken]


async def test_a_disposition_names_the_basket_of_its_leads(place, lead_of):  # noqa: F811
    await let(place, hot(), Basket(code="", name_en="Ordered", name_ru="Заказали"))
    kinds = place.stores.disposition_kinds
    changed = {"now": place.now, "actor": SYSTEM}
    await kinds.change(place.campaign.id, "lead", {"basket": "ordered"}, **changed)
    assert await in_basket(place, await lead_of("+12025550101", note="the invoice")) == "ordered"
    for code, basket in (("lead", "nowhere"), ("stale", "ordered")):
        assert await refused(kinds.change(place.campaign.id, code, {"basket": basket}, **changed)) == (
            "disposition_kind.basket"
        )
    await let(place, hot("hot"))
    assert (await kinds.list(place.campaign.id))[0].kind.basket is None
    assert await in_basket(place, await lead_of("+12025550102", note="the invoice")) == "hot"


async def test_the_attributes_of_the_base_and_the_step_of_the_script_decide_too(place, ann, lead_of):  # noqa: F811
    east = Basket(
        code="",
        name_en="East",
        name_ru="Восток",
        conditions=(
            Condition(field="attribute", name="City", test="is", value="vladivostok"),
            Condition(field="step", test="is", value="offer"),
        ),
    )
    await let(place, east)
    place.now += timedelta(minutes=1)
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    await place.stores.dispositions.save_draft(attempt_id=attempt.id, operator_id=ann, body={"step": "offer"})
    saved = await place.save(attempt.id, ann, "lead")
    assert await in_basket(place, saved.lead_id) == "east"
    await place.end(attempt, Outcome.CONNECTED)
    assert await in_basket(place, await lead_of("+12025550102")) == COMMON


async def test_a_change_of_the_rules_moves_no_lead_unless_that_is_asked_and_a_rehearsal_says_how_many(place, lead_of):  # noqa: F811
    baskets = place.stores.baskets
    made = [await lead_of(f"+1202555010{n}", note="invoice please") for n in range(3)]
    await place.stores.leads.move(made[2], LeadState.ACCEPTED, now=place.now, actor=SYSTEM)
    [move] = await baskets.rehearse(place.campaign.id, [hot(), REST])
    assert move == Move(before=COMMON, after="hot", leads=2)
    assert len(await baskets.list(place.campaign.id)) == 1
    assert await let(place, hot()) == []
    assert {await in_basket(place, one) for one in made} == {COMMON}
    assert await let(place, hot("hot", contact_within_s=60), moves=True) == [move]
    assert [await in_basket(place, one) for one in made] == ["hot", "hot", COMMON]
    row = await place.stores.leads.show(made[0])
    assert row["due_at"] - row["made_at"] == timedelta(minutes=1)
    assert [(one["what"], one["before"], one["after"]) for one in row["history"]][-1] == ("basket", COMMON, "hot")
    assert await let(place, hot("hot", contact_within_s=60), moves=True) == []


async def test_a_lead_is_moved_by_hand_with_a_reason_and_rules_leave_it_there(place, ann, lead_of):  # noqa: F811
    baskets, lead_id = place.stores.baskets, await lead_of(note="maybe")
    await let(place, hot(owner_id=ann, contact_within_s=60))
    said = {"now": place.now, "actor": Actor(user_id=ann)}
    assert await refused(baskets.put(lead_id, "hot", reason=" ", **said)) == "basket.needs_reason"
    assert await refused(baskets.put(lead_id, "cold", reason="x", **said)) == "basket.unknown"
    await baskets.put(lead_id, "hot", reason="asked twice", **said)
    row = await place.stores.leads.show(lead_id)
    assert (row["basket"], row["owner_id"], row["due_at"] - row["made_at"]) == ("hot", ann, timedelta(minutes=1))
    step = row["history"][-1]
    assert (step["what"], step["after"], step["reason"], step["by"]) == ("basket", "hot", "asked twice", "ann")
    assert await let(place, hot("hot", word="nothing"), moves=True) == []
    assert await in_basket(place, lead_id) == "hot"
    audit = await place.pools.web.fetchval("SELECT after FROM audit WHERE action = 'lead.basket'")
    assert audit == {"basket": "hot"}


async def test_a_basket_that_is_gone_keeps_its_leads_and_gets_no_more(place, lead_of):  # noqa: F811
    await let(place, hot())
    lead_id = await lead_of("+12025550101", note="invoice")
    await let(place)
    assert await in_basket(place, lead_id) == "hot"
    assert await in_basket(place, await lead_of("+12025550102", note="invoice")) == COMMON
    [kept] = [one for one in await place.stores.baskets.list(place.campaign.id) if one.archived]
    assert kept.code == "hot"
    await let(place, hot("hot"))
    assert not any(one.archived for one in await place.stores.baskets.list(place.campaign.id))


async def test_an_owner_must_have_to_do_with_the_campaign_and_a_stranger_later_owns_nothing(place, ann, lead_of):  # noqa: F811
    assert await refused(let(place, hot(owner_id=999))) == "lead.owner"
    await let(place, hot(owner_id=ann))
    await place.pools.web.execute("UPDATE app_user SET team_id = NULL WHERE id = $1", ann)
    row = await place.pools.web.fetchrow("SELECT team_id FROM app_user WHERE id = $1", ann)
    assert row["team_id"] is None
    lead_id = await lead_of(note="invoice")
    assert (await place.stores.leads.show(lead_id))["owner_id"] is None


async def test_a_campaign_begun_like_another_has_its_baskets(place):
    await let(place, hot(contact_within_s=60))
    await place.stores.disposition_kinds.change(
        place.campaign.id, "lead", {"basket": "hot"}, now=place.now, actor=SYSTEM
    )
    copied = await place.stores.campaigns.copy(place.campaign.id, "again", actor=SYSTEM)
    [first, common] = await place.stores.baskets.list(copied.id)
    assert (first.code, first.conditions, first.contact_within_s, common.code) == (
        "hot",
        hot().conditions,
        60,
        COMMON,
    )
    assert {kind.code: kind.basket for kind in copied.dispositions}["lead"] == "hot"


async def test_the_database_keeps_every_lead_in_a_basket_of_its_campaign_and_the_common_one_bare(place, lead_of):  # noqa: F811
    await lead_of()
    for wrong in (
        "UPDATE lead SET basket = 'nowhere'",
        "UPDATE lead SET basket = NULL",
        "UPDATE basket SET archived_at = now() WHERE code = 'common'",
        "DELETE FROM basket",
        "UPDATE lead_change SET what = 'moved'",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await place.pools.web.execute(wrong)


async def test_why_a_lead_was_moved_goes_with_an_erasure(place, ann, lead_of):  # noqa: F811
    from dialer.store.phones import SQL

    await let(place, hot())
    lead_id = await lead_of("+12025550101")
    await place.stores.baskets.put(lead_id, "hot", reason="Ada Byron rang", now=place.now, actor=Actor(user_id=ann))
    phone_id = await place.pools.web.fetchval("SELECT id FROM phone WHERE e164 = '+12025550101'")
    await SQL["phone_erase_contacts"].fetchval(place.pools.web, phone_id=phone_id, at=place.now)
    assert "Ada" not in await place.pools.web.fetchval("SELECT string_agg(h::text, ' ') FROM lead_change h")
    assert "Ada" not in await place.pools.web.fetchval("SELECT coalesce(string_agg(a::text, ' '), '') FROM audit a")


async def test_names_and_codes_of_baskets_are_told_apart(place):
    with pytest.raises(Refused, match="same name"):
        await let(place, hot(), hot())
    with pytest.raises(Refused, match="no such basket"):
        await let(place, hot("strange"))
    await let(place, hot(), Basket(code="", name_en="Hot!", name_ru="Ещё"))
    assert [one.code for one in await place.stores.baskets.list(place.campaign.id)] == ["hot", "hot_2", COMMON]
