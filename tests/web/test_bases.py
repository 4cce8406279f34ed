"""The wizard's way over a real PostgreSQL: upload, look, rehearse, load, mend, take back; and its pages."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from dialer.intake import words
from dialer.intake.rows import REASONS
from dialer.web.call import CONTEXT
from dialer.web.texts import TEXTS
from tests.web.conftest import CSRF, error_of
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

CSV = "ФИО;Тел.;Город\nИванов;8 916 123-45-67;Москва\nПлохой;12;Тула\nПетров;4957654321;Тула\n".encode("cp1251")


class Clerk:
    """Somebody who loads bases."""

    def __init__(self, where, client):
        self.office = where
        self.client = client
        self.campaign = where.place.campaign.id

    async def upload(self, data=CSV, name="spring.csv", status=201):
        answer = await self.client.post(
            "/api/v1/bases/files", params={"campaign": self.campaign, "name": name}, data=data, headers=CSRF
        )
        assert answer.status == status, await answer.text()
        return (await answer.json())["file"] if status == 201 else error_of(await answer.json())

    async def ask(self, path, status=202, **body):
        return await self.office.post(self.client, f"/api/v1/bases/{path}", status, **body)

    async def done(self, file):
        """When nobody works on it any more."""
        for _ in range(200):
            found = (await self.office.get(self.client, f"/api/v1/bases/files/{file['id']}"))["file"]
            if not found["busy"]:
                return found
            await asyncio.sleep(0.1)
        raise AssertionError(found)

    async def page(self, path, status=200):
        answer = await self.client.get(path)
        assert answer.status == status, await answer.text()
        return await answer.text()


@pytest.fixture
async def clerk(office, monkeypatch, tmp_path):  # noqa: F811 - pytest's way
    monkeypatch.setattr(office.server.app[CONTEXT].desk, "_folder", tmp_path)
    return Clerk(office, await office.login("base_manager"))


async def test_who_steers_says_in_which_order_the_bases_are_called(office):  # noqa: F811
    """A base manager reads it; one base alone has no order."""
    place, boss = office.place, await office.login("supervisor")
    path = f"/bases?campaign={place.campaign.id}"
    [first] = await place.add_contacts("+79035550101")
    form = re.compile(r'data-api="POST (/api/v1/bases/\d+/priority)"')
    assert not form.findall(await (await boss.get(path)).text())
    [second] = await place.add_contacts("+79035550102")
    bases = [
        await place.pools.web.fetchval("SELECT base_id FROM contact WHERE id = $1", one) for one in (first, second)
    ]
    ways = form.findall(await (await boss.get(path)).text())
    assert ways == [f"/api/v1/bases/{base}/priority" for base in reversed(bases)]
    await office.post(boss, ways[0], priority=9)
    shown = (await office.get(boss, f"/api/v1/campaigns/{place.campaign.id}/bases"))["bases"]
    assert [one["priority"] for one in shown] == [0, 9]
    assert '<option value="9" selected>' in await (await boss.get(path)).text()
    place.now += timedelta(seconds=2)
    [called] = await place.dial(1)
    assert called.contact_id == second
    manager = await office.login("base_manager")
    assert not form.findall(await (await manager.get(path)).text())


async def test_from_a_file_to_a_base_and_back(clerk):
    file = await clerk.done(await clerk.upload())
    plan = file["found"]["plan"]
    assert (file["state"], plan["encoding"], plan["delimiter"], plan["region"]) == ("ready", "cp1251", ";", "RU")
    assert plan["targets"] == ["name", "phone", "attribute"]
    assert "Иванов" in await clerk.page(f"/bases/files/{file['id']}")
    await clerk.ask(f"files/{file['id']}/rehearse", zone="Europe/Moscow")
    rehearsed = await clerk.done(file)
    assert (rehearsed["state"], rehearsed["report"]["accepted"]) == ("rehearsed", 2)
    assert rehearsed["report"]["reasons"] == {"bad_phone": 1}
    assert rehearsed["report"]["notes"] == {"prefix_lost": 1}
    assert await clerk.office.place.count("contact") == 0
    page = await clerk.page(f"/bases/files/{file['id']}")
    assert words.reasons("en")["bad_phone"] in page
    rejected = await (await clerk.client.get(f"/api/v1/bases/files/{file['id']}/rejected")).text()
    assert "Плохой" in rejected
    await clerk.ask(f"files/{file['id']}/load")
    loaded = await clerk.done(file)
    assert (loaded["state"], loaded["report"]["accepted"]) == ("loaded", 2)
    assert "2" in await clerk.page(f"/bases/files/{file['id']}")
    assert "spring.csv" in await clerk.page(f"/bases?campaign={clerk.campaign}")
    gone = (await clerk.ask(f"{loaded['base_id']}/undo", 200))["base"]
    assert (gone["rows_withdrawn"], bool(gone["undone_at"])) == (2, True)
    assert (await clerk.office.get(clerk.client, f"/api/v1/campaigns/{clerk.campaign}/bases"))["bases"][0] == gone


async def test_another_encoding_shows_other_letters(clerk):
    file = await clerk.done(await clerk.upload())
    await clerk.ask(f"files/{file['id']}/look", 200, encoding="koi8-r", header_line=1)
    other = await clerk.done(file)
    assert other["found"]["plan"]["encoding"] == "koi8-r"
    assert "Иванов" not in str(other["found"]["sample"])


async def test_a_template_reads_the_next_file_of_the_same_supplier(clerk):
    file = await clerk.done(await clerk.upload())
    await clerk.ask("templates", 200, name="supplier", file=file["id"], targets=["skip", "phone", "name"])
    [saved] = (await clerk.office.get(clerk.client, "/api/v1/bases/templates"))["templates"]
    assert saved["template"]["columns"] == {"фио": "skip", "тел": "phone", "город": "name"}
    await clerk.ask(f"files/{file['id']}/rehearse", template="supplier", zone="Europe/Moscow")
    assert (await clerk.done(file))["found"]["plan"]["targets"] == ["skip", "phone", "name"]


async def test_a_file_that_cannot_be_read_says_why_and_can_be_forgotten(clerk):
    file = await clerk.done(await clerk.upload(b"\xd0\xcf\x11\xe0 old", "old.xls"))
    assert (file["state"], file["error"]["code"]) == ("failed", "base.old_excel")
    assert file["error"]["remedy"] in await clerk.page(f"/bases/files/{file['id']}")
    answer = await clerk.client.delete(f"/api/v1/bases/files/{file['id']}", headers=CSRF)
    assert answer.status == 200
    assert (await clerk.client.get(f"/api/v1/bases/files/{file['id']}")).status == 404


async def test_a_plan_that_cannot_be_carried_out_is_refused_at_once(clerk):
    file = await clerk.done(await clerk.upload())
    answer = await clerk.ask(f"files/{file['id']}/rehearse", 422, targets=["name", "name", "skip"])
    assert error_of(answer).code == "base.plan"
    clerk.campaign = 99
    assert (await clerk.upload(status=404)).code == "campaign.not_found"


@pytest.mark.parametrize("place", [0, 1])
def test_every_verdict_and_repair_is_a_sentence_in_both_languages(place):
    assert set(words.REASONS) == set(REASONS)
    assert all(texts[place] for texts in [*words.REASONS.values(), *words.NOTES.values()])


def test_every_choice_of_the_wizard_has_a_name():
    """They are put together in the template, where no other test sees them."""
    from dialer.intake.columns import TARGETS
    from dialer.intake.plan import POLICIES

    named = {f"target.{each}" for each in TARGETS} | {f"policy.{each}" for each in POLICIES}
    named |= {f"plan.{each}" for each in ("in_file", "in_campaign", "elsewhere")}
    states = ("new", "looking", "ready", "rehearsing", "rehearsed", "loading", "loaded", "failed")
    named |= {f"file.{each}" for each in states} | {
        f"progress.{each}" for each in ("look", "judge", "compare", "contacts")
    }
    assert named <= set(TEXTS["en"])
