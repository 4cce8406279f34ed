"""Who hears which conversation, by an address that is good for one person and a quarter of an hour, in any part."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiohttp import ClientPayloadError

from dialer import sealing, tapes
from dialer.core.model import Outcome
from dialer.core.recording import begun
from dialer.engine.ports import Journal
from dialer.errors import Refused
from dialer.passwords import RECORDING_KEY, key_in
from dialer.store.users import Actor
from dialer.web import recordings
from tests.web import fakes
from tests.web.conftest import CSRF, error_of
from tests.web.test_admin import add, asked
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

SEED = bytes(range(32))


@pytest.fixture
async def heard(office, tmp_path):  # noqa: F811 - the fixture's value
    """A conversation of eva that is stored: the office, its attempt, its bytes, and eva at a browser."""
    place = office.place
    await place.stores.campaigns.change(place.campaign.id, {"recording": "told"}, actor=Actor())
    place.campaign = await place.read()
    eva, client = await add(office, "eva", "operator", team="one")
    await place.add_contacts("+79035550101")
    [sent] = await place.dial()
    live = await place.talk(sent, eva.id)
    await place.store.write(Journal(recordings=[begun(live, place.campaign)]))
    await place.end(live, Outcome.CONNECTED)
    raw = tmp_path / "raw"
    raw.write_bytes(bytes(i % 251 for i in range(4 * 40_000)))
    target = tapes.place(tmp_path / "recordings", live.id)
    target.parent.mkdir(parents=True)
    key = key_in(tmp_path, RECORDING_KEY)
    size = sealing.seal(tapes.pieces(raw, 0, 160_000), target, master=key, seed=SEED, name=live.id.bytes)
    await place.stores.recordings.stored(
        live.id, seed=SEED, size=size, duration_ms=5000, at=place.now, late=None, switch="main"
    )
    return office, live.id, tapes.header(160_000) + raw.read_bytes(), client


async def link(client, attempt, status=200):
    return await asked(client, "POST", f"/api/v1/recordings/{attempt}/link", status)


async def allow(office, **flags):  # noqa: F811 - the fixture's value
    await office.place.stores.campaigns.change(office.place.campaign.id, flags, actor=Actor())


async def test_a_supervisor_hears_any_part_of_it_and_the_audit_log_says_so(heard):
    office, attempt, sound, _ = heard  # noqa: F811
    boss, client = await add(office, "boss", "supervisor", team="one")
    url = (await link(client, attempt))["url"]
    whole = await client.get(url)
    assert (whole.status, whole.content_type, await whole.read()) == (200, "audio/wav", sound)
    for asked_for, start, stop in (
        ("bytes=0-", 0, len(sound)),
        ("bytes=70000-70009", 70000, 70010),
        ("bytes=-5", -5, None),
    ):
        part = await client.get(url, headers={"Range": asked_for})
        assert (part.status, await part.read()) == (206, sound[start:stop])
    assert part.headers["Content-Range"] == f"bytes {len(sound) - 5}-{len(sound) - 1}/{len(sound)}"
    assert (await client.get(url, headers={"Range": f"bytes={len(sound)}-"})).status == 416
    said = await office.place.pools.web.fetch("SELECT user_id, object FROM audit WHERE action = 'recording.listen'")
    assert [tuple(row) for row in said] == [(boss.id, f"attempt:{attempt}")]


async def test_an_address_is_no_good_for_another_person_nor_later_nor_changed(heard):
    office, attempt, _, _ = heard  # noqa: F811
    _, boss = await add(office, "boss", "supervisor", team="one")
    _, other = await add(office, "other", "supervisor", team="one")
    url = (await link(boss, attempt))["url"]
    assert (await other.get(url)).status == 410
    assert (await boss.get(url[:-1] + ("A" if url[-1] != "A" else "B"))).status in {200, 410}
    assert (await boss.get(url[:20] + ("A" if url[20] != "A" else "B") + url[21:])).status == 410
    key, now = bytes(32), datetime.now(UTC)
    token = recordings.signed(key, attempt, 7, now + recordings.LINK_LASTS)
    assert recordings.attempt_of(key, token, 7, now) == attempt
    with pytest.raises(Refused):
        recordings.attempt_of(key, token, 7, now + recordings.LINK_LASTS + timedelta(seconds=1))


async def test_operators_hear_their_own_where_the_campaign_lets_them(heard):
    office, attempt, sound, eva = heard  # noqa: F811
    await link(eva, attempt, 404)
    await allow(office, recording_operator=True)
    assert await (await eva.get((await link(eva, attempt))["url"])).read() == sound
    _, bob = await add(office, "bob", "operator", team="one")
    await link(bob, attempt, 404)


async def test_customers_hear_theirs_where_the_campaign_lets_them(heard):
    office, attempt, _, _ = heard  # noqa: F811
    _, customer = await add(office, "acme", "customer", customer="acme")
    await office.place.add_campaign("foreign", customer="other", team="two")
    _, stranger = await add(office, "zeta", "customer", customer="other")
    await link(customer, attempt, 404)
    await allow(office, recording_customer=True)
    assert (await link(customer, attempt))["url"]
    await link(stranger, attempt, 404)


async def test_another_teams_supervisor_and_a_base_manager_never_do(heard):
    office, attempt, _, _ = heard  # noqa: F811
    await office.place.add_campaign("foreign", customer="other", team="two")
    _, foreign = await add(office, "foreign", "supervisor", team="two")
    await link(foreign, attempt, 404)
    _, manager = await add(office, "manager", "base_manager")
    await link(manager, attempt, 403)
    _, auditor = await add(office, "auditor", "auditor")
    assert (await link(auditor, attempt))["url"]


async def test_an_admin_holds_and_deletes_and_the_page_says_what_became_of_it(heard):
    office, attempt, _, _ = heard  # noqa: F811
    _, admin = await add(office, "admin", "admin")
    page = await (await admin.get(f"/attempts/{attempt}")).text()
    assert f'data-recording="{attempt}"' in page
    held = await asked(admin, "PUT", f"/api/v1/recordings/{attempt}/hold", reason="court")
    assert held["recording"]["hold"] == "court"
    refused = await asked(admin, "DELETE", f"/api/v1/recordings/{attempt}", 409)
    assert error_of(refused).code == "recording.held"
    await asked(admin, "PUT", f"/api/v1/recordings/{attempt}/hold", reason=None)
    gone = await asked(admin, "DELETE", f"/api/v1/recordings/{attempt}")
    assert (gone["recording"]["state"], gone["recording"]["why"]) == ("deleted", "asked")
    await link(admin, attempt, 404)
    page = await (await admin.get(f"/attempts/{attempt}")).text()
    assert f'data-recording="{attempt}"' not in page
    assert "deleted" in page


async def test_what_is_broken_on_the_disk_is_said_and_not_played(heard, tmp_path):
    office, attempt, _, _ = heard  # noqa: F811
    _, boss = await add(office, "boss", "supervisor", team="one")
    url = (await link(boss, attempt))["url"]
    path = tapes.place(tmp_path / "recordings", attempt)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    answer = await boss.get(url)
    assert (answer.status, error_of(await answer.json()).code) == (500, "recording.broken")


async def test_what_breaks_in_the_middle_is_cut_off_and_nothing_else_stands_there(heard, tmp_path):
    """The beginning has left: an answer about the trouble would be heard as sound, or never end."""
    office, attempt, _, _ = heard  # noqa: F811
    _, boss = await add(office, "boss", "supervisor", team="one")
    url = (await link(boss, attempt))["url"]
    path = tapes.place(tmp_path / "recordings", attempt)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    answer = await boss.get(url)
    assert answer.status == 200
    with pytest.raises(ClientPayloadError):
        await asyncio.wait_for(answer.read(), 10)
    assert (await boss.get("/api/v1/me")).status == 200


async def test_a_contacts_history_has_the_way_to_each_recording(heard):
    office, attempt, _, _ = heard  # noqa: F811
    _, boss = await add(office, "boss", "supervisor", team="one")
    contact = await office.place.pools.web.fetchval("SELECT contact_id FROM attempt WHERE attempt_id = $1", attempt)
    assert f'data-recording="{attempt}"' in await (await boss.get(f"/contacts/{contact}")).text()


async def test_an_operator_pauses_the_own_recording_and_goes_on(office):  # noqa: F811
    eva, client = await add(office, "eva", "operator", team="one")
    await office.live.put(fakes.operator(eva.id, state="talking", attempt_id=uuid4(), campaign_id=1))
    for wish in ("pause", "keep"):
        await asked(client, "POST", "/api/v1/operator/recording", wish=wish)
    said = [one for one in office.commands.asked if "recording" in one[0]]
    assert said == [("pause_recording", eva.id), ("resume_recording", eva.id)]
    answer = await client.post("/api/v1/operator/recording", json={"wish": "erase"}, headers=CSRF)
    assert answer.status == 422
