"""What a supervisor does to an operator from the board."""

from __future__ import annotations

from tests.web import fakes
from tests.web.conftest import CSRF, error_of


async def on_shift(world):
    supervisor, operator = await world.login("supervisor"), await world.login("operator")
    id_ = world.id_of("operator")
    await world.live.put(fakes.operator(id_, state="ready"))
    return supervisor, operator, f"/api/v1/operators/{id_}"


async def test_a_pause_and_an_end_of_shift_reach_the_engine_and_the_log(world):
    supervisor, _, path = await on_shift(world)
    id_ = world.id_of("operator")
    paused = await (await supervisor.post(f"{path}/pause", headers=CSRF)).json()
    assert (paused["operator"]["state"], paused["operator"]["reason"]) == ("paused", "supervisor")
    assert (await supervisor.post(f"{path}/stop", headers=CSRF)).status == 200
    assert ("end_shift", id_) in world.commands.asked
    done_by = world.id_of("supervisor")
    assert world.stores.audit.notes == [
        (done_by, "operator.pause", f"user:{id_}"),
        (done_by, "operator.stop", f"user:{id_}"),
    ]


async def test_a_message_is_on_the_operators_page_until_it_is_read(world):
    supervisor, operator, path = await on_shift(world)
    assert (await supervisor.post(f"{path}/message", json={"text": "Call Ada first"}, headers=CSRF)).status == 200
    [message] = (await (await operator.get("/api/v1/operator")).json())["messages"]
    assert (message["text"], message["by"]) == ("Call Ada first", "Boss")
    [told] = (await (await supervisor.get(f"{path}/messages")).json())["messages"]
    assert (told["text"], told["heard_at"]) == ("Call Ada first", None)
    assert (await operator.post("/api/v1/operator/heard", headers=CSRF)).status == 200
    assert (await (await operator.get("/api/v1/operator")).json())["messages"] == []
    [told] = (await (await supervisor.get(f"{path}/messages")).json())["messages"]
    assert told["heard_at"] is not None


async def test_an_operator_who_left_cannot_be_paused(world):
    supervisor, _, _ = await on_shift(world)
    answer = await supervisor.post("/api/v1/operators/999/pause", headers=CSRF)
    assert (answer.status, error_of(await answer.json()).code) == (404, "operator.not_on_shift")
    assert world.stores.audit.notes == []
