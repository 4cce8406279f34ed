"""Segments over the web and the command line: told before anything is made, and only between one's own campaigns."""

from __future__ import annotations

import asyncio
import re

import pytest

from dialer.core.model import Outcome
from tests.store.places import SYSTEM
from tests.web.conftest import error_of
from tests.web.test_admin import add
from tests.web.test_cli import run, settings
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

__all__ = ["run", "settings"]

pytestmark = pytest.mark.postgres


@pytest.fixture
async def refused(office):  # noqa: F811 - the fixture's value
    """Three who refused for the price, one of them not to be called; another campaign of the customer, and a rival's."""
    place = office.place
    other = await place.add_campaign("Autumn")
    foreign = await place.add_campaign("Foreign", customer="rival", team="two")
    ann = await place.add_operator("ann")
    numbers = [f"+7903555010{n}" for n in range(3)]
    await place.add_contacts(*numbers)
    for attempt in await place.dial(3):
        talk = await place.talk(attempt, ann)
        await place.save(talk.id, ann, "refused_with_reason", key=str(talk.id), reason="price")
        await place.end(talk, Outcome.CONNECTED)
    await place.stores.do_not_call.add(phone=numbers[0], scope="global", reason="asked", actor=SYSTEM)
    return other, foreign


async def test_a_segment_is_looked_at_rehearsed_and_made_in_two_clicks(office, refused):  # noqa: F811
    other, foreign = refused
    place = office.place
    _, boss = await add(office, "boss", "supervisor", team="one")
    report = await (await boss.get(f"/reports?period=today&campaign={place.campaign.id}")).text()
    [link] = {one.replace("&amp;", "&") for one in re.findall(r'href="(/segments\?[^"]*)"', report)}
    page = await (await boss.get(link)).text()
    assert "Would be loaded" in page
    assert "every number is on a do-not-call list" in page
    assert "Make a base of 2 in “Autumn”" in page
    path = f"/api/v1/campaigns/{place.campaign.id}/segments"
    said = {"target": other.id, "reason": "price"}
    counted = await office.post(boss, f"{path}/rehearsal", **said)
    assert (counted["found"], counted["loaded"], counted["verdicts"]) == (3, 2, {"do_not_call": 1, "loaded": 2})
    assert sum(one["contacts"] for one in counted["held"]) == 2
    made = await office.post(boss, path, 201, **said)
    assert (made["base"]["name"], made["base"]["rows_loaded"]) == ("Price · sales", 2)
    assert ("campaigns_changed",) in office.commands.asked
    assert error_of(await office.post(boss, path, 422, **said)).code == "segment.empty"
    undone = await office.post(boss, f"/api/v1/bases/{made['base']['id']}/undo")
    assert undone["base"]["undone_at"] is not None
    assert error_of(await office.post(boss, path, 404, target=foreign.id)).code == "scope.not_found"
    listed = (await office.get(boss, path))["segments"]
    assert [(one["code"], one["reason"], one["contacts"]) for one in listed] == [("refused_with_reason", "price", 3)]


async def test_an_admin_too_makes_no_base_of_a_rivals_people_and_a_customer_none_at_all(office, refused):  # noqa: F811
    other, foreign = refused
    path = f"/api/v1/campaigns/{office.place.campaign.id}/segments"
    _, admin = await add(office, "adm", "admin")
    for target, code in (
        (foreign.id, "segment.other_customer"),
        (office.place.campaign.id, "segment.same_campaign"),
    ):
        for way in (path, f"{path}/rehearsal"):
            assert error_of(await office.post(admin, way, 422, target=target)).code == code
    page = await (await admin.get(f"/segments?campaign={office.place.campaign.id}&reason=price")).text()
    assert "Foreign" not in re.search(r'<select name="target".*?</select>', page, re.DOTALL)[0]
    _, client = await add(office, "cust", "customer", customer="acme")
    await office.post(client, path, 403, target=other.id)
    _, rival = await add(office, "boss", "supervisor", team="two")
    assert (await rival.get(path)).status == 404
    assert (await rival.get(f"/segments?campaign={office.place.campaign.id}")).status == 404


def test_the_command_line_says_what_there_is_and_makes_the_base(run, settings, url, tmp_path):
    settings("DIALER_DATABASE_URL", url)
    run("trunk", "set", "carrier")
    for name in ("spring", "autumn"):
        run("campaign", "create", name, "--trunk", "carrier", "--customer", "acme")
    assert run("segment", "list", "spring")[1] == ""
    assert run("segment", "make", "spring", "--to", "autumn", "--rehearse")[:2] == (0, "")
    code, _, said = run("segment", "make", "spring", "--to", "autumn", "--reason", "price")
    assert code != 0
    assert "Nobody of the segment may be loaded." in said
    assert "same" not in run("segment", "make", "spring", "--to", "nowhere")[2]


async def test_the_base_made_on_the_command_line_is_that_of_the_segment(office, refused, run, settings):  # noqa: F811
    settings("DIALER_DATABASE_URL", office.place.url)
    listed = (await asyncio.to_thread(run, "segment", "list", "sales"))[1]
    assert listed.split()[:3] == ["3", "refused_with_reason", "price"]
    words = ("segment", "make", "sales", "--to", "Autumn", "--reason", "price")
    told = (await asyncio.to_thread(run, *words, "--rehearse"))[1].splitlines()
    assert [line.split() for line in told[:2]] == [["2", "loaded"], ["1", "do_not_call"]]
    made = (await asyncio.to_thread(run, *words))[1]
    assert made.endswith("of Autumn, 2 contacts.\n")
