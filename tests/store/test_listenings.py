"""Who heard whom, on a real PostgreSQL: begun with its line in the audit log, ended once, by a dead engine's heir too."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from dialer.core.listening import Listening, Mode
from dialer.engine.ports import Journal
from dialer.store.users import Actor

pytestmark = pytest.mark.postgres


@pytest.fixture
async def heard(place):
    """A supervisor who hears an operator."""
    boss, eva = await place.add_operator("boss"), await place.add_operator("eva")
    listening = Listening(
        id=uuid4(),
        user_id=boss,
        name="Boss",
        seat="seat-9",
        operator_id=eva,
        campaign_id=place.campaign.id,
        attempt_id=uuid4(),
        session_id=uuid4(),
        asked=Mode.WHISPER,
        began_at=place.now,
    )
    await place.stores.listenings.begin(listening, switch="main", actor=Actor(user_id=boss, ip="127.0.0.1"))
    return listening


async def rows(place):
    return [dict(row) for row in await place.pools.web.fetch("SELECT * FROM listening ORDER BY began_at")]


async def audit(place):
    asked = "SELECT user_id, action, object, after FROM audit WHERE action LIKE 'operator.listening%' ORDER BY id"
    return [tuple(row) for row in await place.pools.web.fetch(asked)]


async def test_it_has_a_row_and_an_audit_line_at_its_begin_and_one_more_at_its_end(place, heard):
    [row] = await rows(place)
    assert (row["user_id"], row["operator_id"], row["mode"], row["ended_at"]) == (
        heard.user_id,
        heard.operator_id,
        "whisper",
        None,
    )
    until = place.now + timedelta(seconds=90)
    for _ in range(2):  # a journal that is written twice changes nothing
        await place.store.write(Journal(listenings=[(heard.id, until, "conversation")]))
    [row] = await rows(place)
    assert (row["ended_at"], row["how"]) == (until, "conversation")
    begun, ended = await audit(place)
    who = (heard.user_id, f"user:{heard.operator_id}")
    assert (begun[0], begun[2], begun[1]) == (*who, "operator.listening")
    assert begun[3] == {"mode": "whisper", "attempt": str(heard.attempt_id), "shown": True}
    assert (ended[0], ended[2], ended[1]) == (*who, "operator.listening_ended")
    assert ended[3]["how"] == "conversation"
    assert {"from", "to", "attempt", "how"} == set(ended[3])


async def test_an_engine_that_begins_ends_what_a_dead_one_left_and_nothing_of_its_own(place, heard):
    later = place.now + timedelta(seconds=5)
    await place.store.write(Journal(began_at=place.now))
    assert (await rows(place))[0]["ended_at"] is None
    await place.store.write(Journal(began_at=later))
    [row] = await rows(place)
    assert (row["ended_at"], row["how"]) == (later, "service")
    assert len(await audit(place)) == 2


async def test_one_that_the_engine_refuses_ends_as_it_began(place, heard):
    await place.stores.listenings.refused(heard)
    [row] = await rows(place)
    assert (row["ended_at"], row["how"]) == (heard.began_at, "refused")


async def test_whether_listeners_are_shown_is_a_setting_of_the_campaign(place):
    assert (await place.read()).listening_shown
    await place.stores.campaigns.change(place.campaign.id, {"listening_shown": False}, actor=Actor())
    assert not (await place.read()).listening_shown
