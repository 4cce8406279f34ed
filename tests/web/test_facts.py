"""Pages that open from a number: for those who may see it, and hostile names are only names."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from dialer.core.model import Outcome
from dialer.store.facts import Sought
from dialer.web.supervisor import masked
from tests.store.places import SYSTEM
from tests.web.test_admin import add
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}"


async def page(client, path, status=200):
    answer = await client.get(path, allow_redirects=False, headers={"Accept": "text/html"})
    assert answer.status == status, await answer.text()
    return await answer.text()


@pytest.fixture
async def told(office):  # noqa: F811
    """A conversation of the team "one" about a contact with a hostile name, and one of another team."""
    place = office.place
    place.operator_id = await place.add_operator("ann")
    await place.pools.web.execute("UPDATE app_user SET name = $2 WHERE id = $1", place.operator_id, HOSTILE)
    place.foreign = await place.add_campaign("foreign", customer="other", team="two")
    for campaign, number in ((place.campaign, "+79035550100"), (place.foreign, "+79035550200")):
        await place.add_contacts(number, campaign=campaign)
        [attempt] = await place.dial(1, campaign=campaign)
        await place.end(await place.talk(attempt, place.operator_id), Outcome.CONNECTED, campaign=campaign)
    await place.pools.web.execute("UPDATE contact SET name = $1", HOSTILE)
    rows = (await place.stores.facts.find(Sought())).rows
    office.mine = next(row for row in rows if row["campaign_id"] == place.campaign.id)
    office.theirs = next(row for row in rows if row["campaign_id"] == place.foreign.id)
    await place.save(office.mine["attempt_id"], place.operator_id, "refused_with_reason", reason="price", note=HOSTILE)
    return office


async def test_a_hostile_name_is_only_a_name_on_every_page_that_shows_it(told):
    """Names and notes come from files of strangers and from operators."""
    _, admin = await add(told, "admin", "admin")
    _, operator = await add(told, "op", "operator", team="one")
    for path in (
        "/attempts",
        f"/attempts/{told.mine['attempt_id']}",
        f"/contacts/{told.mine['contact_id']}",
        "/callbacks",
        "/people",
    ):
        text = await page(admin, path)
        assert "<img src=x" not in text, path
        assert ">49<" not in text, path
    assert "&lt;img src=x" in await page(admin, "/attempts")
    assert "<img src=x" not in await page(operator, "/operator")


async def test_a_bound_supervisor_opens_own_attempts_and_contacts_alone(told):
    """What is foreign is not found, and a list shows one of the own campaigns."""
    _, bound = await add(told, "bound", "supervisor", team="one")
    _, free = await add(told, "free", "supervisor")
    for row, status in ((told.mine, 200), (told.theirs, 404)):
        await page(bound, f"/attempts/{row['attempt_id']}", status)
        await page(bound, f"/contacts/{row['contact_id']}", status)
        await page(free, f"/attempts/{row['attempt_id']}")
    own = await page(bound, "/attempts")
    assert str(told.mine["attempt_id"]) in own
    assert str(told.theirs["attempt_id"]) not in own
    await page(bound, f"/attempts?campaign={told.place.foreign.id}", 404)
    everywhere = await page(bound, f"/attempts?phone={told.theirs['phone_id']}&operator={told.place.operator_id}")
    assert str(told.theirs["attempt_id"]) not in everywhere
    assert str(told.theirs["attempt_id"]) in await page(free, "/attempts")
    _, lost = await add(told, "lost", "supervisor", team="three")
    for path in ("/attempts", "/callbacks"):
        text = await page(lost, path)
        assert str(told.mine["attempt_id"]) not in text
        assert "&lt;img src=x" not in text, "an operator of another team"


async def test_numbers_are_masked_for_everybody(told):
    _, admin = await add(told, "admin", "admin")
    for path in ("/attempts", f"/attempts/{told.mine['attempt_id']}", f"/contacts/{told.mine['contact_id']}"):
        text = await page(admin, path)
        assert "+79035550100" not in text
        assert "+7903…00" in text


async def test_an_attempts_id_in_the_search_leads_to_it(told):
    _, admin = await add(told, "admin", "admin")
    answer = await admin.get("/attempts", params={"q": str(told.mine["attempt_id"])}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"/attempts/{told.mine['attempt_id']}")


@pytest.mark.parametrize("query", ["since=yesterday", "operator=x", "fact=secrets", "cursor=x", "outcome=maybe", "x=1"])
async def test_a_question_that_makes_no_sense_is_a_page_that_says_so(told, query):
    _, admin = await add(told, "admin", "admin")
    assert "Traceback" not in await page(admin, f"/attempts?{query}", 422)


async def test_an_attempt_says_why_it_was_placed(told):
    """The decision of its minute, while minutes are kept."""
    place = told.place
    await place.pools.web.execute(
        """INSERT INTO pacing_minute (campaign_id, minute, decided_at, calls, target, reason, sentence, inputs, decisions, placed, reasons)
           VALUES ($1, date_trunc('minute', $2::timestamptz), $2, 1, 3, 'ready', $3, '{}', 5, 2, '{}')""",
        place.campaign.id,
        told.mine["sent_at"],
        {"en": "One line for one operator.", "ru": "Одна линия на одного оператора."},
    )
    _, admin = await add(told, "admin", "admin")
    assert "One line for one operator." in await page(admin, f"/attempts/{told.mine['attempt_id']}")


async def test_erasing_a_person_leaves_pages_without_a_name(told):
    await told.place.stores.do_not_call.add(phone="+79035550100", scope="global", reason="", actor=SYSTEM)
    await told.place.pools.web.execute("UPDATE contact SET name = '', attributes = '{}'")
    _, admin = await add(told, "admin", "admin")
    text = await page(admin, f"/contacts/{told.mine['contact_id']}")
    assert "without a name" in text
    assert "on a do-not-call list" in text


async def test_a_conversation_opens_the_script_it_showed_whatever_was_written_later(told):
    """From the attempt and from the contact's history, filled in and masked; where nothing was shown nothing opens."""
    scripts, mine = told.place.stores.scripts, told.mine
    _, admin = await add(told, "admin", "admin")
    before = mine["connected_at"] - timedelta(minutes=5)
    body = {"steps": [{"id": "hello", "title": "Hello", "text": "{name}, {phone}?", "answers": [{"text": "yes", "to": None}]}],
        "scenarios": {"any": "hello"}, "objections": [{"title": "Dear", "text": "Cheap"}]}  # fmt: skip
    assert f"{mine['attempt_id']}/script" not in await page(admin, f"/attempts/{mine['attempt_id']}")
    await page(admin, f"/attempts/{mine['attempt_id']}/script", 404)
    await scripts.write(told.place.campaign.id, brief="Old brief", body=body, actor=SYSTEM, now=before)
    await scripts.write(told.place.campaign.id, brief="New brief", body={}, actor=SYSTEM)
    for path in (f"/attempts/{mine['attempt_id']}", f"/contacts/{mine['contact_id']}"):
        assert f'/attempts/{mine["attempt_id"]}/script">script, version 1<' in await page(admin, path), path
    shown = await page(admin, f"/attempts/{mine['attempt_id']}/script")
    for text in ("Old brief", "Hello", "began here", "Dear", "now it is version 2", masked("+79035550100"), "&lt;img"):
        assert text in shown, text
    assert "New brief" not in shown
    assert "+79035550100" not in shown


async def test_a_contact_that_somebody_looks_at_says_who_and_since_when(told):
    place, mine = told.place, told.mine
    _, admin = await add(told, "admin", "admin")
    row = "INSERT INTO preview SELECT phone_id, $1, id, campaign_id, $2, 'main', now() FROM contact WHERE id = $3"
    await place.pools.web.execute(row, uuid4(), place.operator_id, mine["contact_id"])
    text = await page(admin, f"/contacts/{mine['contact_id']}")
    assert "An operator looks at this contact before the call" in text
    assert "called, or looked" not in text
    [reason] = [
        one
        for one in (await told.get(admin, f"/api/v1/contacts/{mine['contact_id']}/why"))["reasons"]
        if one["reason"] == "live_attempt"
    ]
    assert (reason["detail"], reason["by"]) == ("looked_at", HOSTILE)
    assert reason["since"]
