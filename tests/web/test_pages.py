"""Pages: in the user's language, with nothing inline, and never cached."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dialer.web import texts
from dialer.web.texts import LANGUAGES, TEXTS
from tests.web.conftest import running

WEB = Path(texts.__file__).parent
SCRIPTS = sorted((WEB / "static").glob("*.js"))
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
PAGES = {"/": None, "/board": "supervisor", "/operator": "operator"}


class Inline(HTMLParser):
    """Finds what the content policy would refuse."""

    def __init__(self):
        super().__init__()
        self.found = []
        self._script = False

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        self.found += [name for name in names if name == "style" or name.startswith("on")]
        self._script = tag in {"script", "style"}
        if tag == "script" and "src" not in names:
            self.found.append("script")
        self.found += [value for name, value in attrs if name in {"src", "href"} and "//" in (value or "")]

    def handle_data(self, data):
        if self._script and data.strip():
            self.found.append(data)

    def handle_endtag(self, tag):
        self._script = False


async def opened(world, path):
    client = await world.login(PAGES[path]) if PAGES[path] else world.visitor()
    return await client.get(path)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(world, path):
    """The content policy allows our own scripts and styles only, so a contact's name can never become code."""
    answer = await opened(world, path)
    page = Inline()
    page.feed(await answer.text())
    assert answer.status == 200
    assert page.found == []
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/me", "/nowhere", "/health"])
async def test_every_answer_carries_the_headers(world, path):
    """Also errors do."""
    headers = (await world.visitor().get(path, allow_redirects=False)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Permissions-Policy"] == "microphone=(self)"
    assert "Server" not in headers


@pytest.mark.parametrize(("language", "word"), [("en", "Live board"), ("ru", "Живое табло")])
async def test_a_page_speaks_the_users_language(world, language, word):
    """The user chooses it, and the next page has it."""
    client = await world.login("supervisor")
    chosen = await client.post("/api/v1/me/language", json={"language": language}, headers={"X-Dialer": "1"})
    assert chosen.status == 200
    page = await (await client.get("/board")).text()
    assert f'lang="{language}"' in page
    assert word in page


@pytest.mark.parametrize(
    ("accepts", "language"), [("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("de,en;q=0.7", "en"), ("", "en")]
)
async def test_the_login_page_speaks_the_browsers_language(world, accepts, language):
    """Nobody is logged in yet."""
    page = await (await world.visitor().get("/", headers={"Accept-Language": accepts})).text()
    assert f'lang="{language}"' in page


@pytest.mark.parametrize(
    ("role", "home"),
    [
        *(("operator", "/operator"), ("supervisor", "/board"), ("admin", "/board"), ("auditor", "/campaigns")),
        ("customer", "/leads"),
    ],
)
async def test_whoever_is_logged_in_is_led_to_the_page_of_the_role(world, role, home):
    """And a role without a page is told so instead of being led in a circle."""
    answer = await (await world.login(role)).get("/", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, home)
    assert (await (await world.login("api")).get("/", allow_redirects=False)).status == 200


async def test_a_name_cannot_become_markup(password_hash):
    """Names come from files of strangers; the template escapes them."""
    async with running(password_hash) as world:
        user = world.stores.users.put("mallory", "supervisor", password_hash)
        object.__setattr__(user, "name", '<script>alert(1)</script>"')
        page = await (await (await world.login("mallory")).get("/board")).text()
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


async def test_static_files_do_not_lead_out_of_their_folder(world):
    """No path reaches the sources beside them."""
    client = world.visitor()
    assert (await client.get("/static/board.js")).status == 200
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        assert (await client.get(path)).status in {403, 404}


def test_both_languages_have_the_same_texts_and_none_is_empty():
    """A text somebody forgot to translate fails here, not on a screen."""
    assert set(TEXTS["en"]) == set(TEXTS["ru"])
    assert len(TEXTS["en"]) > 100


def test_no_room_takes_the_words_of_another():
    """Of a text that two rooms name, the later one's words would stand on the pages of both."""
    for language in LANGUAGES:
        rooms = (WEB / "locale").glob(f"*.{language}.po")
        named = Counter(name for room in rooms for name in re.findall(r'^msgid "(.+)"', room.read_text(), re.MULTILINE))
        assert not {name for name, times in named.items() if times > 1}
    for language in LANGUAGES:
        assert all(TEXTS[language].values())


def test_every_text_a_page_names_exists():
    """In templates and in scripts."""
    named = set()
    for path in TEMPLATES:
        named |= set(re.findall(r'_\([\'"]([\w.]+)[\'"]\)', path.read_text()))
    assert len(named) > 40
    assert named <= set(TEXTS["en"])
    scripted = {name for path in SCRIPTS for name in re.findall(r'(?<![\w.])t\("([\w.]+)"', path.read_text())}
    assert len(scripted) > 40
    assert scripted <= set(texts.SCRIPTED["en"])


def test_a_text_and_its_translation_have_the_same_gaps():
    """``{at}`` in one language is ``{at}`` in the other."""
    for name, english in TEXTS["en"].items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", TEXTS["ru"][name])), name


def test_no_script_builds_markup_from_text():
    """Text is set as text: no innerHTML, no eval, nothing from another origin."""
    for path in SCRIPTS:
        source = path.read_text()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://(?!www\.w3\.org)", source
        )


@pytest.mark.parametrize(
    ("up", "database", "problems"), [(True, True, []), (False, True, ["switch"]), (True, False, ["database"])]
)
async def test_health_says_what_is_wrong(world, up, database, problems):
    """200 when calls can be made and saved, else 503 with the reasons."""
    world.live.switch_up, world.stores.database_up = up, database
    answer = await world.visitor().get("/health")
    body = await answer.json()
    assert (answer.status, body["ok"], body["problems"]) == (503 if problems else 200, not problems, problems)
    assert body["loop_lag_ms"] >= 0
    assert set(body["lease"] or {}) <= {"epoch", "expires_at"}  # the holder's host and process are nobody's business
    assert body["why"] == (None if up else "no connection to Asterisk")


async def test_health_says_when_another_engine_holds_the_switch(world):
    """One sentence, in the language that is asked for."""
    world.live.switch_up, world.live.stopped = False, "switch_in_use"
    for language, words in {"en": "another engine is still logged in", "ru": "вошёл другой процесс"}.items():
        answer = await world.visitor().get("/health", headers={"Accept-Language": language})
        assert words in (await answer.json())["why"]


#: What only programs, the command line or a mended address can cause.
OF_PROGRAMS = {
    *(
        "access.no_header",
        "access.other_origin",
        "attempts.cursor",
        "callback.cursor",
        "looks.cursor",
        "request.media",
        "returns.cursor",
    ),
    *(
        "request.invalid",
        "request.name_campaign",
        "request.no_key",
        "request.not_found",
        "request.scope",
        "kpi.of_bases",
    ),
    *(
        "consent.not_found",
        "consent.phone",
        "consent.value",
        "customer.country",
        "customer.not_found",
        "phone.not_found",
    ),
    *("national.empty", "national.number", "seat.not_found", "trunk.not_found", "letter.list_not_found"),
    *("recording.broken", "recording.link", "recording.range", "reports.sheet"),
}
CODE = re.compile(r'(?:Refused|NotFound|_refused|_not_closed)\(\s*"([a-z_0-9]+(?:\.[a-z_0-9]+)+)"')


def test_every_refusal_of_a_page_is_said_in_both_languages_where_forms_show_it():
    """Texts that stay on the server never reach a form, which then spoke English to everybody."""
    found = {
        code
        for room in ("core", "engine", "intake", "store", "web")
        for path in (WEB.parent / room).rglob("*.py")
        for code in CODE.findall(path.read_text())
    }
    assert len(found) > 150
    for language in LANGUAGES:
        assert {code for code in found if f"error.{code}" not in texts.SCRIPTED[language]} == OF_PROGRAMS & found
        assert not {text for text in TEXTS[language] if text.startswith("error.")} - set(texts.SCRIPTED[language])
    assert found >= OF_PROGRAMS
