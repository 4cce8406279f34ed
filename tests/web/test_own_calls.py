"""Calls an operator asks for: the dialer's own rules, one sentence of refusal, and the time it may change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest

from dialer.core.gate import Refusal
from dialer.core.preview import SKIP_REASONS
from dialer.errors import NotFound, Refused
from dialer.web import schemas, texts
from tests.web import fakes
from tests.web.conftest import CSRF, error_of

PATH = "/api/v1/operator/callbacks/7/call"


class Promises:
    """One promise of one operator."""

    def __init__(self, owner):
        self.owner, self.moved = owner, []

    async def own_contact(self, callback_id, *, operator_id):
        if (callback_id, operator_id) != (7, self.owner):
            raise NotFound("callback.not_found", "There is no such callback.")
        return 70

    async def call_now(self, callback_id, *, operator_id, actor, now):
        self.moved.append((callback_id, operator_id, actor.user_id))


class Gate:
    """What the gate says of contact 70."""

    def __init__(self, *reasons):
        self.reasons = reasons

    async def why(self, contact_id, *, now):
        assert contact_id == 70
        return self.reasons


@pytest.fixture
async def desk(world):
    me = world.id_of("operator")
    world.stores.callbacks, world.stores.contacts = (
        Promises(me),
        Gate(Refusal(reason="not_due", until=datetime.now(UTC))),
    )
    await world.live.put(fakes.operator(me, state="ready"))
    return await world.login("operator")


async def test_an_own_promise_is_called_now_though_it_is_due_later(world, desk):
    me = world.id_of("operator")
    assert (await desk.post(PATH, headers=CSRF)).status == 200
    assert world.stores.callbacks.moved == [(7, me, me)]
    assert ("campaigns_changed",) in world.commands.asked


async def test_what_the_gate_refuses_is_refused_in_one_sentence_with_the_time_it_may_change(world, desk):
    until = datetime.now(UTC) + timedelta(hours=3)
    world.stores.contacts = Gate(Refusal(reason="per_day", until=until), Refusal(reason="outside_window"))
    answer = await desk.post(PATH, headers=CSRF)
    assert answer.status == 409
    error = error_of(await answer.json())
    assert (error.code, datetime.fromisoformat(error.data["until"])) == ("call.per_day", until)
    assert world.stores.callbacks.moved == []


async def test_who_is_not_ready_or_has_no_such_promise_calls_nobody(world, desk):
    other = await desk.post(PATH.replace("7", "8"), headers=CSRF)
    assert (other.status, error_of(await other.json()).code) == (404, "callback.not_found")
    await world.live.put(fakes.operator(world.id_of("operator"), state="paused"))
    early = await desk.post(PATH, headers=CSRF)
    assert (early.status, error_of(await early.json()).code) == (409, "call.not_ready")


def test_every_reason_of_the_gate_has_a_sentence_in_both_languages():
    from dialer.core import gate

    reasons = {check.__name__.strip("_") for check in gate._CHECKS} - {"window", "limit", "not_due", "budget"}
    for language in texts.LANGUAGES:
        missing = {f"error.call.{one}" for one in reasons | {"outside_window", "no_window"}} - texts.TEXTS[
            language
        ].keys()
        assert missing == set(), language


# Looking first -----------------------------------------------------------------------


@pytest.fixture
async def looking(world):
    me = world.id_of("operator")
    await world.live.put(fakes.operator(me, state="preview", attempt_id=UUID(int=7), until=datetime.now(UTC)))
    return await world.login("operator")


async def test_the_contact_that_is_shown_is_called(world, looking):
    answer = await looking.post("/api/v1/operator/preview/call", headers=CSRF)
    assert (await answer.json())["operator"]["calls"] is True
    assert ("preview", world.id_of("operator")) in world.commands.asked


async def test_the_contact_that_is_shown_is_skipped_with_a_reason(world, looking):
    answer = await looking.post("/api/v1/operator/preview/skip", json={"reason": "bad_data"}, headers=CSRF)
    assert (await answer.json())["operator"]["state"] == "ready"
    assert ("skip_preview", world.id_of("operator"), "bad_data") in world.commands.asked
    assert set(SKIP_REASONS) == set(get_args(schemas.SkipAsk.model_fields["reason"].annotation))
    other = await looking.post("/api/v1/operator/preview/skip", json={"reason": "mood"}, headers=CSRF)
    assert other.status == 422


@pytest.mark.parametrize("reason", ["stopped", "no_line", "not_known", "not_due", "do_not_call", "outside_window"])
async def test_a_refused_call_is_said_in_both_languages_with_its_time(world, looking, monkeypatch, reason):
    until = datetime.now(UTC) + timedelta(hours=1)

    async def refuse(_operator_id):
        raise Refused(f"call.{reason}", "The rules do not allow this call now.", remedy="-", until=until)

    monkeypatch.setattr(world.commands, "call_preview", refuse)
    refused = await looking.post("/api/v1/operator/preview/call", headers=CSRF)
    assert (error_of(await refused.json()).code, refused.status) == (f"call.{reason}", 409)
    assert all(f"error.call.{reason}" in texts.TEXTS[language] for language in texts.LANGUAGES)
