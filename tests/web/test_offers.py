"""Offers over a real PostgreSQL: made, heard, put on the switch, chosen by a campaign, archived."""

from __future__ import annotations

import pytest

from dialer.web import offers
from dialer.web.call import CONTEXT
from tests.test_offers import tone
from tests.web.conftest import CSRF, error_of
from tests.web.test_admin import add, asked
from tests.web.test_with_postgres import Office

pytestmark = pytest.mark.postgres


@pytest.fixture
async def office(place, password_hash, tmp_path):
    (tmp_path / "sounds").mkdir()
    opened = Office(place, password_hash, data_dir=tmp_path, sounds_dir=tmp_path / "sounds")
    await opened.server.start_server()
    yield opened
    for client in opened.clients:
        await client.session.close()
    await opened.server.close()


async def upload(client, data, status=201, name="Spring ../../etc"):
    headers = {**CSRF, "Content-Type": "application/octet-stream"}
    answer = await client.post("/api/v1/offers", params={"name": name}, data=data, headers=headers)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def test_an_uploaded_recording_is_on_the_switch_and_can_be_heard(office, tmp_path):
    """Under a name of ours, whatever it was called."""
    admin = await office.login("admin")
    made = await upload(admin, tone())
    [file] = (tmp_path / "sounds").iterdir()
    assert file.name == f"offer-{made['word']}.ulaw"
    assert made["seconds"] == pytest.approx(2, abs=0.1)
    heard = await admin.get(f"/api/v1/offers/{made['id']}/audio")
    assert (heard.content_type, (await heard.read())[:4]) == ("audio/wav", b"RIFF")
    [listed] = (await office.get(admin, "/api/v1/offers"))["offers"]
    assert (listed["name"], listed["on_switch"], listed["made_by"]) == ("Spring ../../etc", True, "admin")


async def test_what_the_switch_lost_is_put_there_again(office, tmp_path):
    """At the next start of the service, or with the next offer."""
    admin = await office.login("admin")
    await upload(admin, tone())
    [file] = (tmp_path / "sounds").iterdir()
    sound = file.read_bytes()
    file.write_bytes(b"half")
    assert not (await office.get(admin, "/api/v1/offers"))["offers"][0]["on_switch"]
    await offers.bring(office.server.app[CONTEXT])
    assert file.read_bytes() == sound


async def test_a_text_is_read_by_a_voice(office):
    admin = await office.login("admin")
    said = {"name": "Try", "text": "Нажмите один.", "language": "ru"}
    made = await asked(admin, "POST", "/api/v1/offers/speech", 201, **said)
    [listed] = (await office.get(admin, "/api/v1/offers"))["offers"]
    assert (listed["word"], listed["spoken"], listed["language"]) == (made["word"], "Нажмите один.", "ru")


async def test_what_is_no_recording_is_refused_and_nothing_is_kept(office, tmp_path):
    admin = await office.login("admin")
    assert error_of(await upload(admin, b"#!/bin/sh", 422)).code == "offer.kind"
    assert error_of(await upload(admin, b"RIFF" + b"x" * 31 * 1024**2, 413)).code == "request.too_large"
    assert (await office.get(admin, "/api/v1/offers"))["offers"] == []
    assert list((tmp_path / "sounds").iterdir()) == []


async def test_a_campaign_plays_it_with_the_keys_of_the_dialplan(office):
    """And while one does, it cannot be archived."""
    admin = await office.login("admin")
    made = await upload(admin, tone())
    given = {"name": "ivr", "mode": "ivr", "customer": "acme", "team": "one", "trunk": "world", "profile": "world"}
    campaign = (await asked(admin, "POST", "/api/v1/campaigns", 201, **given, offer=made["word"]))["campaign"]
    assert campaign["keys"] == {"1": "operator", "2": "callback", "9": "refused_unheard", "*": "repeat"}
    path = f"/api/v1/offers/{made['id']}"
    assert error_of(await asked(admin, "PATCH", path, 409, archived=True)).code == "offer.played"
    other = await upload(admin, tone(hertz=600), name="Other")
    await asked(admin, "PATCH", f"/api/v1/campaigns/{campaign['id']}", offer=other["word"])
    archived = await asked(admin, "PATCH", path, archived=True)
    assert [one["archived"] for one in archived["offers"]] == [False, True]
    actions = await office.place.pools.web.fetch("SELECT action FROM audit WHERE action LIKE 'offer.%' ORDER BY id")
    assert [row["action"] for row in actions] == ["offer.add", "offer.add", "offer.archive"]


async def test_an_offer_without_the_opt_out_key_its_profile_asks_for_is_refused_at_the_key(office):
    """When it is saved, not only when it dials; what was there stays."""
    admin = await office.login("admin")
    offer = (await upload(admin, tone()))["word"]
    given = {"name": "ivr", "mode": "ivr", "customer": "acme", "team": "one", "trunk": "world"}
    us = {"profile": "us", "purpose": "survey", "offer": offer}
    made = (await asked(admin, "POST", "/api/v1/campaigns", 201, **given, **us))["campaign"]
    path = f"/api/v1/campaigns/{made['id']}"
    error = error_of(await asked(admin, "PATCH", path, 422, keys={"1": "operator", "*": "repeat"}))
    assert (error.code, [one["field"] for one in error.data["fields"]]) == ("campaign.opt_out_key", ["keys.9"])
    assert (await office.get(admin, path))["campaign"]["keys"]["9"] == "refused_unheard"
    assert error_of(await asked(admin, "PATCH", path, 422, keys={"9": "callback"})).code == "campaign.key_never"
    changed = await asked(admin, "PATCH", path, keys={"1": "operator", "2": "thinking", "9": "refused_unheard"})
    assert changed["campaign"]["keys"]["2"] == "thinking"
    assert (
        error_of(await asked(admin, "PATCH", path, 422, keys={"1": "agreed", "9": "refused_unheard"})).code
        == "campaign.key_fixed"
    )
    survey = {"1": "agreed", "2": "thinking", "0": "callback", "9": "refused_unheard"}
    assert (await asked(admin, "PATCH", path, operator_free=True, keys=survey))["campaign"]["keys"] == survey
    await asked(admin, "PATCH", path, profile="world", operator_free=False, keys={"1": "operator"})
    assert error_of(await asked(admin, "PATCH", path, 422, profile="us")).code == "campaign.opt_out_key"


async def test_only_admins_make_offers_and_auditors_may_listen(office):
    admin = await office.login("admin")
    made = await upload(admin, tone())
    _, auditor = await add(office, "auditor", "auditor")
    _, supervisor = await add(office, "sup", "supervisor")
    assert (await auditor.get(f"/api/v1/offers/{made['id']}/audio")).status == 200
    await upload(auditor, tone(), 403)
    assert (await supervisor.get(f"/api/v1/offers/{made['id']}/audio")).status == 403
