"""The operator's routes: only about oneself, and nothing is "saved" before it is committed."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from dialer.errors import Refused, StoreDown
from tests.web import fakes
from tests.web.conftest import CSRF, error_of

KEY = {**CSRF, "Idempotency-Key": "k1"}


class Saves:
    """A disposition store that notes the order of things."""

    def __init__(self, order, *, do_not_call=(), failure=None):
        self.order, self.do_not_call, self.failure = order, do_not_call, failure
        self.asked = {}
        self.drafts = []

    async def save(self, **asked):
        self.asked = asked
        if self.failure:
            raise self.failure
        await asyncio.sleep(0)
        self.order.append(("committed",))
        names = ("attempt_id", "code", "reason", "address", "note")
        return SimpleNamespace(
            **{name: asked[name] for name in names}, saved_at=asked["now"], do_not_call=self.do_not_call
        )

    async def save_draft(self, **asked):
        self.drafts.append(asked)


async def test_a_shift_goes_through_its_states(world):
    """Start, ready, pause, hang up and stop ask the engine in the operator's own name and answer the new state."""
    client, me = await world.login("operator"), world.id_of("operator")
    started = await client.post("/api/v1/operator/start", json={"seat": "seat1"}, headers=CSRF)
    assert (await started.json())["operator"]["state"] == "ringing"
    assert (await (await client.post("/api/v1/operator/ready", headers=CSRF)).json())["operator"]["state"] == "ready"
    paused = await client.post("/api/v1/operator/pause", json={"reason": "lunch"}, headers=CSRF)
    assert (await paused.json())["operator"]["reason"] == "lunch"
    assert (await client.post("/api/v1/operator/hangup", headers=CSRF)).status == 200
    stopped = await client.post("/api/v1/operator/stop", headers=CSRF)
    assert (await stopped.json()) == {"operator": None}
    assert {asked[1] for asked in world.commands.asked} == {me}


async def test_what_the_engine_refuses_is_told_with_its_code_and_remedy(world):
    """A seat that is taken is a conflict, not a failure."""
    second = await world.login("second")
    await second.post("/api/v1/operator/start", json={"seat": "seat1"}, headers=CSRF)
    client = await world.login("operator")
    answer = await client.post("/api/v1/operator/start", json={"seat": "seat1"}, headers=CSRF)
    assert answer.status == 409
    assert error_of(await answer.json()).code == "operator.seat_taken"


async def test_an_operator_without_a_team_is_told_so(world):
    """Nothing is asked of the engine."""
    world.stores.users.put("lonely", "operator", world.stores.users.hashes["operator"], team_id=None)
    client = await world.login("lonely")
    answer = await client.post("/api/v1/operator/start", json={"seat": "seat1"}, headers=CSRF)
    assert error_of(await answer.json()).code == "operator.no_team"
    assert not world.commands.asked


@pytest.mark.parametrize("state", ["talking", "wrap_up"])
async def test_the_card_is_shown_while_talking_and_in_wrap_up(world, state):
    """The card of the present attempt comes with its dispositions and history."""
    me, card = world.id_of("operator"), fakes.card()
    world.stores.contacts.cards[card.attempt_id] = (me, card)
    await world.live.put(fakes.operator(me, state=state, attempt_id=card.attempt_id, campaign_id=1))
    body = await (await (await world.login("operator")).get("/api/v1/operator")).json()
    assert body["operator"]["state"] == state
    assert body["card"]["attempt_id"] == str(card.attempt_id)


async def test_a_card_is_never_another_operators(world):
    """Even if the engine named the attempt, the store shows it to its own operator alone."""
    card = fakes.card()
    world.stores.contacts.cards[card.attempt_id] = (world.id_of("second"), card)
    await world.live.put(fakes.operator(world.id_of("operator"), state="talking", attempt_id=card.attempt_id))
    body = await (await (await world.login("operator")).get("/api/v1/operator")).json()
    assert body["card"] is None


async def test_the_state_is_shown_while_the_database_is_away(world):
    """A page keeps the card it shows; the state is the engine's and stays true."""
    me, card = world.id_of("operator"), fakes.card()
    await world.live.put(fakes.operator(me, state="talking", attempt_id=card.attempt_id))
    client = await world.login("operator")
    world.stores.contacts.down = True
    body = await (await client.get("/api/v1/operator")).json()
    assert body["operator"]["state"] == "talking"
    assert body["card"] is None
    assert body["card_unknown"] is True


async def test_the_card_brings_the_script_and_where_it_begins(world):
    """A callee who was talked to before hears other first words; what the phone answers is told too."""
    me = world.id_of("operator")
    body = {
        "steps": [{"id": "hello", "text": "Hi"}, {"id": "again", "text": "Me again"}],
        "scenarios": {"repeat": "again"},
    }
    talked = SimpleNamespace(
        attempt_id=uuid4(),
        number=1,
        sent_at=datetime.now(UTC),
        outcome="connected",
        operator=None,
        code=None,
        note=None,
    )
    card = fakes.card(script=body, brief="Sell", number=2, history=[talked])
    world.stores.contacts.cards[card.attempt_id] = (me, card)
    await world.live.put(fakes.operator(me, state="talking", attempt_id=card.attempt_id, leg="opr-1"))
    now = await (await (await world.login("operator")).get("/api/v1/operator")).json()
    assert (now["card"]["kind"], now["card"]["begin"], now["card"]["brief"]) == ("repeat", "again", "Sell")
    assert now["leg"] == "opr-1"


async def test_more_time_for_the_wrap_up_is_counted(world):
    """The engine decides whether; each time is written down with its conversation."""
    noted = []

    class Shifts:
        async def note_extension(self, operator_id, attempt_id):
            noted.append((operator_id, attempt_id))

    world.stores.shifts, me, attempt = Shifts(), world.id_of("operator"), uuid4()
    await world.live.put(fakes.operator(me, state="wrap_up", attempt_id=attempt))
    answer = await (await world.login("operator")).post("/api/v1/operator/more-time", headers=CSRF)
    assert (await answer.json())["operator"]["extended"] == 1
    assert noted == [(me, attempt)]


async def test_a_page_without_a_call_may_ask_for_it_and_sees_how_long_its_callee_waits(world):
    """What the page shows of a lost phone is the engine's word."""
    me, until = world.id_of("operator"), datetime.now(UTC) + timedelta(seconds=18)
    await world.live.put(fakes.operator(me, state="talking", held_until=until))
    page = await world.login("operator")
    now = await (await page.get("/api/v1/operator")).json()
    assert datetime.fromisoformat(now["operator"]["held_until"]) == until
    assert (await page.post("/api/v1/operator/call-phone", headers=CSRF)).status == 200
    assert ("call_phone", me) in world.commands.asked


@pytest.mark.parametrize(
    "body",
    [
        {"steps": [{"id": "a", "text": "", "answers": [{"text": "x", "to": "gone"}]}]},
        {"steps": [{"id": "a", "text": ""}, {"id": "a", "text": ""}]},
        {"scenarios": {"first": "gone"}},
        {"scenarios": {"never": "a"}, "steps": [{"id": "a", "text": ""}]},
    ],
)
async def test_a_script_that_leads_nowhere_is_refused(world, body):
    admin = await world.login("admin")
    answer = await admin.put("/api/v1/campaigns/1/script", json={"brief": "", "body": body}, headers=CSRF)
    assert answer.status == 422
    assert error_of(await answer.json()).code == "request.invalid"


async def test_the_engine_is_told_after_the_commit(world):
    """disposition_saved and do_not_call_added come after the store has committed, in this order."""
    world.stores.dispositions = Saves(world.commands.asked, do_not_call=(5,))
    client, attempt = await world.login("operator"), uuid4()
    body = {"code": "refused_unheard", "note": "no"}
    answer = await client.post(f"/api/v1/attempts/{attempt}/disposition", json=body, headers=KEY)
    assert answer.status == 200, await answer.text()
    assert (await answer.json())["disposition"]["code"] == "refused_unheard"
    me = world.id_of("operator")
    assert world.commands.asked == [("committed",), ("disposition_saved", me, attempt), ("do_not_call_added", (5,))]


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Refused("disposition.other_content", "no"), 409),
        (Refused("disposition.exists", "no"), 409),
        (Refused("disposition.unknown", "no"), 422),
        (Refused("disposition.needs_time", "no"), 422),
        (Refused("disposition.needs_reason", "no"), 422),
        (Refused("disposition.needs_address", "no"), 422),
        (Refused("callback.past", "no"), 422),
        (Refused("callback.outside_window", "no"), 422),
        (StoreDown("store.down", "gone"), 503),
    ],
    ids=lambda value: getattr(value, "code", value),
)
async def test_a_disposition_that_is_not_saved_says_so_and_changes_nothing(world, failure, status):
    """Each refusal has its stable code and status; the engine hears nothing."""
    world.stores.dispositions = Saves([], failure=failure)
    client = await world.login("operator")
    answer = await client.post(f"/api/v1/attempts/{uuid4()}/disposition", json={"code": "lead"}, headers=KEY)
    assert answer.status == status
    assert error_of(await answer.json()).code == failure.code
    assert world.commands.asked == []


async def test_the_same_content_has_the_same_hash_however_it_is_written(world):
    """A repeated request is known as the same even when its JSON was written in another order."""
    saves = world.stores.dispositions = Saves([])
    client, url = await world.login("operator"), f"/api/v1/attempts/{uuid4()}/disposition"
    hashes = []
    for text in ('{"code":"lead","note":"x"}', '{ "note": "x", "code": "lead", "reason": null }', '{"code":"lead"}'):
        headers = {**KEY, "Content-Type": "application/json"}
        assert (await client.post(url, data=text, headers=headers)).status == 200
        hashes.append(saves.asked["body_hash"])
    assert hashes[0] == hashes[1] != hashes[2]


async def test_a_callback_to_me_is_to_the_operator_who_asks(world):
    """``me`` is the user of the session, never an id from outside."""
    saves = world.stores.dispositions = Saves([])
    client = await world.login("operator")
    body = {"code": "callback", "callback": {"due_at": "2026-05-01T14:00:00+03:00", "operator": "me"}}
    await client.post(f"/api/v1/attempts/{uuid4()}/disposition", json=body, headers=KEY)
    assert saves.asked["callback_operator_id"] == world.id_of("operator") == saves.asked["operator_id"]
    assert saves.asked["due_at"] == datetime(2026, 5, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        ({"code": "lead"}, CSRF, "request.no_key"),
        ({"code": "lead"}, {**CSRF, "Idempotency-Key": "x" * 201}, "request.no_key"),
        ({"code": "lead", "typo": 1}, KEY, "request.invalid"),
        ({"code": "callback", "callback": {"due_at": "2026-05-01T14:00:00"}}, KEY, "request.invalid"),
        ({"code": "lead", "note": "a\x00b"}, KEY, "request.invalid"),
        ({}, KEY, "request.invalid"),
        ([], KEY, "request.invalid"),
    ],
)
async def test_bad_content_is_refused_without_repeating_it(world, body, headers, code):
    """The answer names the field, never the value that was sent."""
    world.stores.dispositions = Saves([])
    client = await world.login("operator")
    url = f"/api/v1/attempts/{uuid4()}/disposition"
    answer = await client.post(url, data=json.dumps(body), headers={**headers, "Content-Type": "application/json"})
    assert answer.status == 422
    assert error_of(await answer.json()).code == code


async def test_too_large_and_other_than_json_are_refused(world):
    """256 KB of JSON at most; a form is no JSON."""
    client, url = await world.login("operator"), f"/api/v1/attempts/{uuid4()}/draft"
    large = await client.put(url, json={"note": "x" * 300_000}, headers=CSRF)
    form = await client.put(url, data={"note": "x"}, headers=CSRF)
    assert (large.status, form.status) == (413, 415)
    assert error_of(await large.json()).code == "request.too_large"


async def test_a_draft_is_kept_in_the_operators_name(world):
    """What was typed so far goes to the server as it is."""
    saves = world.stores.dispositions = Saves([])
    client, attempt = await world.login("operator"), uuid4()
    await client.put(f"/api/v1/attempts/{attempt}/draft", json={"code": "lead", "note": "half a wor"}, headers=CSRF)
    [draft] = saves.drafts
    assert draft == {
        "attempt_id": attempt,
        "operator_id": world.id_of("operator"),
        "body": {"code": "lead", "note": "half a wor"},
    }
