"""Scripts and styles: compressed, known again, and never a way out of their folder."""

from __future__ import annotations

import gzip

import pytest

from dialer.web.files import STATIC
from tests.web.conftest import running


async def test_a_script_travels_compressed_and_once(world):
    client = world.visitor()
    raw = (STATIC / "common.js").read_bytes()
    answer = await client.get("/static/common.js", headers={"Accept-Encoding": "gzip"}, auto_decompress=False)
    packed = await answer.read()
    assert (answer.headers["Content-Encoding"], answer.content_type) == ("gzip", "text/javascript")
    assert len(packed) < len(raw) / 2
    assert gzip.decompress(packed) == raw
    again = await client.get("/static/common.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")


async def test_whoever_cannot_unpack_gets_it_plain(world):
    answer = await world.visitor().get("/static/common.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert await answer.read() == (STATIC / "common.js").read_bytes()


@pytest.mark.parametrize(
    "name", ["nothing.js", "vendor/.made-from", ".hidden", "../app.py", "vendor", "a%00b.js", "//etc/passwd"]
)
async def test_only_files_of_the_folder_exist(world, name):
    answer = await world.visitor().get(f"/static/{name}")
    assert answer.status in {403, 404}


async def test_pages_travel_compressed(world):
    answer = await world.visitor().get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("path", "status", "words"), [("/nowhere", 404, "no such page"), ("/board", 403, "Not open to you")]
)
async def test_people_get_refusals_as_pages_and_programs_as_json(world, path, status, words):
    client = await world.login("operator")
    page = await client.get(path, headers={"Accept": "text/html"})
    assert (page.status, page.content_type) == (status, "text/html")
    assert words in await page.text()
    answer = await client.get(path)
    assert (answer.status, answer.content_type) == (status, "application/json")


async def test_a_page_of_a_dead_database_says_so_before_the_login_too(password_hash):
    async with running(password_hash) as world:
        client = await world.login("supervisor")
        world.stores.users.down = True
        answer = await client.get("/board", headers={"Accept": "text/html", "Accept-Language": "ru"})
        assert answer.status == 503
        assert "База данных не отвечает" in await answer.text()
