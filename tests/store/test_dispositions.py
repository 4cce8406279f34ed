"""Dispositions: saved once, with everything that follows from them, whether the call has ended yet or not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from dialer.core.model import Outcome
from dialer.engine.ports import Journal
from dialer.errors import NotFound, Refused
from tests.store.places import SYSTEM, Place

pytestmark = pytest.mark.postgres

PHONE = "+12025550101"


@pytest.fixture
async def ann(place) -> int:
    return await place.add_operator("ann")


@pytest.fixture
async def talk(place, ann):
    """A conversation of ann's with the only contact of the base."""
    await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    return await place.talk(attempt, ann)


async def refused(saving) -> str:
    with pytest.raises(Refused) as error:
        await saving
    return error.value.code


async def test_the_same_key_and_content_is_the_same_answer(place, talk, ann):
    first = await place.save(talk.id, ann, "lead", note="wants two")
    again = await place.save(talk.id, ann, "lead", note="wants two")
    assert (first.repeated, again.repeated) == (False, True)
    assert (again.code, again.note, again.saved_at) == (first.code, first.note, first.saved_at)
    assert await place.count("disposition") == 1


async def test_the_same_key_with_other_content_and_another_key_are_refused(place, talk, ann):
    await place.save(talk.id, ann, "lead")
    once = await place.snapshot()
    assert await refused(place.save(talk.id, ann, "agreed")) == "disposition.other_content"
    assert await refused(place.save(talk.id, ann, "lead", key="other")) == "disposition.exists"
    assert await place.snapshot() == once


async def test_the_same_disposition_saved_twice_at_once_is_saved_once(place, talk, ann):
    saved = await asyncio.gather(*(place.save(talk.id, ann, "refused_unheard") for _ in range(6)))
    assert sorted(one.repeated for one in saved) == [False, *[True] * 5]
    assert await place.count("disposition") == await place.count("do_not_call") == 1


async def test_a_conversation_is_closed_only_by_its_own_operator(place, talk):
    other = await place.add_operator("bob")
    with pytest.raises(NotFound):
        await place.save(talk.id, other, "lead")


@pytest.mark.parametrize(
    ("code", "values", "why"),
    [
        ("sold", {}, "disposition.unknown"),
        ("callback", {}, "disposition.needs_time"),
        ("refused_with_reason", {}, "disposition.needs_reason"),
        ("refused_with_reason", {"reason": "weather"}, "disposition.unknown_reason"),
        ("email_cold", {"address": " "}, "disposition.needs_address"),
        ("callback", {"due_at": timedelta(hours=-1)}, "callback.past"),
        ("callback", {"due_at": timedelta(seconds=1)}, "callback.too_soon"),
    ],
)
async def test_what_is_not_filled_in_is_refused_with_a_stable_code(place, talk, ann, code, values, why):
    if "due_at" in values:
        values = {"due_at": place.now + values["due_at"]}
    assert await refused(place.save(talk.id, ann, code, **values)) == why
    assert await place.count("disposition") == 0


async def test_a_promise_outside_the_callees_window_is_refused_when_it_is_made(place, ann):
    strict = await place.add_campaign("strict", profile="strict", purpose="service")
    await place.add_contacts(PHONE, campaign=strict)
    [attempt] = await place.dial(campaign=strict)
    attempt = await place.talk(attempt, ann)
    night = place.now + timedelta(hours=11)  # 23:00 there
    assert await refused(place.save(attempt.id, ann, "callback", due_at=night)) == "callback.outside_window"


@pytest.mark.parametrize("ended_first", [True, False])
@pytest.mark.parametrize(
    ("code", "values", "state"),
    [
        ("lead", {}, ("closed", "disposition")),
        ("email_cold", {"address": "a@b.example"}, ("open", None)),
        ("machine", {}, ("open", None)),
        ("callback", {"due_at": timedelta(days=1)}, ("open", None)),
    ],
)
async def test_it_does_not_matter_whether_the_call_or_the_saving_ends_first(
    place: Place, talk, ann, code, values, state, ended_first
):
    values = {name: place.now + value if name == "due_at" else value for name, value in values.items()}
    if ended_first:
        await place.end(talk, Outcome.CONNECTED, after_s=0)
        await place.save(talk.id, ann, code, **values)
    else:
        await place.save(talk.id, ann, code, **values)
        await place.end(talk, Outcome.CONNECTED, after_s=0)
    contact = await place.contact(talk.contact_id)
    assert (contact["state"], contact["closed_by"]) == state
    assert (contact["counted"], contact["promised"]) == (1, code == "callback")
    if code == "email_cold":
        assert contact["next_at"] == place.now + timedelta(days=7)
    if code == "machine":
        assert contact["next_at"] == place.now + timedelta(days=1)


async def test_a_gatekeepers_refusal_brings_the_contact_back_once(place, ann):
    [contact] = await place.add_contacts(PHONE)
    for state in ("open", "closed"):
        [attempt] = await place.dial()
        attempt = await place.talk(attempt, ann)
        await place.end(attempt, Outcome.CONNECTED, after_s=0)
        await place.save(attempt.id, ann, "refused_gatekeeper", key=str(attempt.id))
        row = await place.contact(contact)
        assert row["state"] == state
        place.now += timedelta(days=30)


async def test_a_refusal_forbids_the_number_for_the_customer_in_the_same_transaction(place, talk, ann):
    saved = await place.save(talk.id, ann, "refused_unheard")
    assert saved.do_not_call == (talk.phone_id,)
    row = await place.pools.web.fetchrow("SELECT * FROM do_not_call")
    assert (row["scope"], row["customer_id"]) == ("customer", place.campaign.customer_id)


async def test_a_promise_comes_first_at_its_time_with_its_own_operator(place, talk, ann):
    others = await place.add_contacts("+12025550102", "+12025550103", priority=9)
    due_at = place.now + timedelta(hours=1)
    await place.save(talk.id, ann, "callback", due_at=due_at, callback_operator_id=ann)
    await place.end(talk, Outcome.CONNECTED)
    await place.start_shift(ann, "seat-1")
    place.now = due_at
    assert await place.store.callbacks_due([place.campaign.id], due_at) == {place.campaign.id: [(due_at, ann)]}
    first = await place.dial(1, free=9)
    assert [attempt.contact_id for attempt in first] == [others[0]]  # ann is busy
    [attempt] = await place.dial(1, free=9, ready=[ann])
    assert (attempt.contact_id, attempt.for_operator) == (talk.contact_id, ann)
    assert attempt.callback_id is not None


async def test_a_promise_of_an_operator_who_is_not_at_work_passes_to_the_team(place, talk, ann):
    due_at = place.now + timedelta(hours=1)
    await place.save(talk.id, ann, "callback", due_at=due_at, callback_operator_id=ann)
    await place.end(talk, Outcome.CONNECTED)
    place.now = due_at
    assert not await place.dial()
    place.now += timedelta(minutes=10)
    [attempt] = await place.dial()
    assert (attempt.contact_id, attempt.for_operator) == (talk.contact_id, None)


async def test_only_promises_are_taken_when_only_promises_are_asked_for(place, talk, ann):
    await place.add_contacts("+12025550102")
    await place.save(talk.id, ann, "callback", due_at=place.now + timedelta(hours=1))
    await place.end(talk, Outcome.CONNECTED)
    assert not await place.dial(5, callbacks_only=True)
    place.now += timedelta(hours=1)
    assert [attempt.contact_id for attempt in await place.dial(5, callbacks_only=True)] == [talk.contact_id]


async def test_who_asks_for_promises_is_told_when_the_next_one_is_due_and_not_who_else_may_be_called(place, talk, ann):
    await place.add_contacts("+12025550102")
    due_at = place.now + timedelta(hours=1)
    await place.save(talk.id, ann, "callback", due_at=due_at)
    await place.end(talk, Outcome.CONNECTED)
    assert (await place.claim(callbacks_only=True)).next_due_at == due_at
    await place.dial()
    assert (await place.claim()).next_due_at == due_at


async def test_a_promise_is_kept_even_by_one_attempt_too_many(place, ann):
    once = await place.add_campaign("once", attempts_max=1)
    [contact] = await place.add_contacts(PHONE, campaign=once)
    [attempt] = await place.dial(campaign=once)
    attempt = await place.talk(attempt, ann)
    await place.end(attempt, Outcome.CONNECTED, campaign=once)
    assert (await place.contact(contact))["closed_by"] == "used_up"
    await place.save(attempt.id, ann, "callback", due_at=place.now + timedelta(hours=1))
    place.now += timedelta(hours=1)
    assert [again.contact_id for again in await place.dial(campaign=once)] == [contact]


async def test_a_new_promise_takes_the_place_of_the_one_it_was_made_in(place, talk, ann):
    await place.save(talk.id, ann, "callback", due_at=place.now + timedelta(hours=1))
    await place.end(talk, Outcome.CONNECTED)
    place.now += timedelta(hours=1)
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    await place.save(attempt.id, ann, "callback", key="second", due_at=place.now + timedelta(hours=2))
    await place.end(attempt, Outcome.CONNECTED)
    rows = await place.pools.web.fetch("SELECT state, kept_by_attempt FROM callback ORDER BY id")
    assert [(row["state"], row["kept_by_attempt"]) for row in rows] == [("kept", attempt.id), ("pending", None)]
    assert (await place.contact(talk.contact_id))["promised"]


async def test_a_forbidden_number_blocks_its_promise_and_says_so(place, talk, ann):
    await place.save(talk.id, ann, "callback", due_at=place.now + timedelta(hours=1))
    await place.end(talk, Outcome.CONNECTED)
    await place.stores.do_not_call.add(phone=PHONE, scope="global", actor=SYSTEM)
    [promise] = await place.stores.callbacks.list(now=place.now)
    assert promise.state == "blocked"
    assert await place.store.callbacks_due([place.campaign.id], place.now + timedelta(days=1)) == {
        place.campaign.id: []
    }


async def test_a_key_of_the_offer_is_a_disposition_whose_author_is_the_offer(place):
    news = await place.add_campaign("news", mode="ivr", offer="news", keys={"2": "callback", "9": "refused_unheard"})
    [contact] = await place.add_contacts(PHONE, campaign=news)
    [attempt] = await place.dial(campaign=news)
    ended = place.ended(attempt, Outcome.OFFER_ENDED, campaign=news)
    await place.store.write(Journal(ended=[ended], key_dispositions=[(attempt.id, "callback", place.now)]))
    row = await place.pools.web.fetchrow("SELECT * FROM disposition")
    assert (row["code"], row["operator_id"]) == ("callback", None)
    [promise] = await place.stores.callbacks.list(now=place.now)
    assert promise.due_at == place.now + timedelta(minutes=15)
    assert (await place.contact(contact))["promised"]


async def test_a_key_that_means_nothing_does_not_stop_the_journal(place):
    await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    journal = Journal(
        ended=[place.ended(attempt, Outcome.NO_ANSWER)], key_dispositions=[(attempt.id, "sold", place.now)]
    )
    await place.store.write(journal)
    assert (await place.count("attempt"), await place.count("disposition")) == (1, 0)


async def test_the_card_shows_the_contact_of_an_own_conversation_with_its_history_and_draft(place, ann):
    await place.add_contacts(PHONE)
    [first] = await place.dial()
    first = await place.talk(first, ann)
    await place.save(first.id, ann, "machine", note="beep")
    await place.end(first, Outcome.CONNECTED)
    place.now += timedelta(days=2)
    [second] = await place.dial()
    second = await place.talk(second, ann)
    await place.stores.dispositions.save_draft(attempt_id=second.id, operator_id=ann, body={"note": "so far"})
    card = await place.stores.contacts.card(second.id, operator_id=ann)
    assert (card.name, card.phone, card.number, card.zones) == ("contact 2", PHONE, 2, ["Europe/Moscow"])
    assert (card.attributes, card.draft, card.saved) == ({"city": "Vladivostok"}, {"note": "so far"}, None)
    assert [(e.number, e.outcome, e.operator, e.code, e.note) for e in card.history] == [
        (1, "connected", "ann", "machine", "beep")
    ]
    assert [kind.code for kind in card.dispositions][:3] == ["lead", "agreed", "callback"]
    other = await place.add_operator("bob")
    with pytest.raises(NotFound):
        await place.stores.contacts.card(second.id, operator_id=other)
    with pytest.raises(NotFound):
        await place.stores.dispositions.save_draft(attempt_id=second.id, operator_id=other, body={})


async def test_a_saved_disposition_needs_no_draft_and_takes_none(place, talk, ann):
    await place.stores.dispositions.save_draft(attempt_id=talk.id, operator_id=ann, body={"code": "lead"})
    await place.save(talk.id, ann, "lead")
    assert await place.count("draft") == 0
    saving = place.stores.dispositions.save_draft(attempt_id=talk.id, operator_id=ann, body={})
    assert await refused(saving) == "disposition.exists"
