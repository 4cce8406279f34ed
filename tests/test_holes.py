"""The holes other dialers and Asterisk itself had, each as a class that cannot come back (promises.md, section 3).

What is held elsewhere: a field that becomes a header or an action of AMI (tests/ami/test_encode.py), access to each
route (tests/web/test_access.py), bombs in files (tests/intake/test_ugly.py), cells that are formulas
(tests/intake/test_load.py), sessions and origins (tests/web/test_auth.py, test_live.py), hostile names on pages
(tests/web/test_facts.py, test_pages.py), numbers outside the allowed ones (tests/core/test_gate.py), the first admin
without a default password (tests/web/test_admin.py), paths out of the static folder (tests/web/test_pages.py).
"""

from __future__ import annotations

import ast
import gzip
import re
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from ami import actions
from dialer.web.routes import ROUTES
from tests.web.conftest import *  # noqa: F403 - the fixtures of the web room
from tests.web.conftest import CSRF

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for room in ("ami", "dialer") for path in (ROOT / room).rglob("*.py"))
#: What runs SQL, and what a query must be made of.
RUNS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "prepare", "cursor"}
#: Ways to a shell, to code from text, and to objects from bytes.
NEVER = {"system", "popen", "create_subprocess_shell", "eval", "exec", "getoutput", "getstatusoutput", "unsafe_load"}

#: Code made of names in our own sources when they are imported, as ``dataclass`` does; nothing from outside is in it.
OWN_CODE = {"dialer/core/quick.py": {"exec"}}
#: What a service hands to a process of its own, which reads nothing else; no byte of it comes from outside as a pickle.
TO_ITSELF = {"dialer/web/ahead_work.py": {"pickle"}}


def calls(path):
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def name_of(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sql_is_put_together_from_text(path):
    """CVE-2024-8503, CVE-2022-34878: SQL injection in VICIdial, twice in the same area."""
    assert "noqa: S608" not in path.read_text()
    for call in calls(path):
        if name_of(call) in RUNS and call.args:
            made = isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
            formatted = isinstance(call.args[0], ast.Call) and name_of(call.args[0]) in {"format", "join", "replace"}
            assert not made, (path, call.lineno)
            assert not formatted, (path, call.lineno)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_reaches_a_shell_or_becomes_code(path):
    """CVE-2013-4468, CVE-2024-0986, CVE-2024-8504: shell metacharacters from a field; pickles are code too."""
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & (
        {"pickle", "marshal", "shelve", "commands"} - TO_ITSELF.get(str(path.relative_to(ROOT)), set())
    )
    own = OWN_CODE.get(str(path.relative_to(ROOT)), set())
    for call in calls(path):
        assert name_of(call) not in NEVER - own or _of_regex(call), (path, call.lineno)
        assert not any(word.arg == "shell" for word in call.keywords), (path, call.lineno)


def _of_regex(call):
    """``re.compile`` and our own methods named alike take no code."""
    return isinstance(call.func, ast.Attribute) and not isinstance(call.func.value, ast.Name)


def test_there_is_no_page_for_commands_of_the_switch():
    """CVE-2024-0986: the "Asterisk CLI" page of Issabel; GOautodial's parameter that included any file."""
    for route in ROUTES:
        fields = set(route.ask.model_fields) if route.ask else set()
        assert not re.search(r"\b(cli|shell|exec|command|console)\b", route.path), route.path
        assert not fields & {"command", "action", "application", "context", "exten", "filename", "path"}, route.path


def test_what_we_may_ask_of_the_switch_is_a_short_list():
    """CVE-2019-18610, CVE-2024-42365, CVE-2022-42706: an AMI user that may do more than it must. Deny-lists lose."""
    asked = {
        name for name, value in vars(actions).items() if isinstance(value, type) and value.__module__ == "ami.actions"
    }
    assert asked & {"Originate", "Bridge", "Hangup"}
    assert not asked & {
        "Command",
        "GetConfig",
        "UpdateConfig",
        "CreateConfig",
        "System",
        "ModuleLoad",
        "AGI",
        "DialplanExtensionAdd",
    }
    manager = (ROOT / "docker/asterisk/manager.conf").read_text()
    writes = re.findall(r"^write = (.*)$", manager, re.MULTILINE)
    assert [set(line.split(",")) for line in writes] == [{"originate", "call", "reporting"}]
    reads = re.findall(r"^read = (.*)$", manager, re.MULTILINE)
    assert [set(line.split(",")) for line in reads] == [{"call", "user", "system"}]


def test_no_dialled_text_is_expanded_in_the_dialplan():
    """AST-2010-002: ``Dial(SIP/${EXTEN})`` lets ``300&Zap/g1/…`` add a call. Ours has no Dial; patterns hang up or keep digits."""
    plan = (ROOT / "docker/asterisk/extensions.conf").read_text()
    code = "\n".join(line for line in plan.splitlines() if not line.lstrip().startswith(";"))
    assert {line.partition(",1,")[2] for line in re.findall(r"exten => _.*", code)} <= {
        "Hangup(21)",
        "Set(KEY=${FILTER(0-8,${EXTEN})})",
        "Set(DIALLED=${FILTER(+0-9,${EXTEN})})",
    }
    assert not re.search(r"\b(Dial|System|TrySystem|AGI|Exec|ExecIf|EVAL|SHELL|CURL|FILE|DISA)\(", code)
    for filtered in ("FILTER(0-8,${EXTEN})", "FILTER(+0-9,${EXTEN})", "FILTER(+0-9,${CALLERID(num)})"):
        code = code.replace(filtered, "")
    assert "${EXTEN" not in code
    assert "${CALLERID" not in code
    for name in re.findall(r"\$\{(DIALER_\w+)\}", code):  # what came over AMI is filtered where it is used
        for use in re.finditer(rf"\$\{{{name}\}}", code):
            assert re.search(r"FILTER\([a-z0-9_-]+,$", code[: use.start()]), name


def test_sip_is_not_open_to_the_world():
    """The honeypot of ten days: 19 million messages. No guests, no numbers as names, long secrets, loopback for AMI and HTTP."""
    pjsip = (ROOT / "docker/asterisk/pjsip.conf").read_text()
    assert not re.search(r"\[anonymous\]|identify_by\s*=.*anonymous|allow_guest", pjsip)
    endpoints = [part for part in re.split(r"^\[", pjsip, flags=re.MULTILINE) if "\ntype = endpoint" in part]
    assert len(endpoints) == 3
    for part in endpoints:
        assert re.search(r"^identify_by = (ip|username)$", part, re.MULTILINE)
        assert "allow_transfer = no" in part
    assert "bindaddr = 127.0.0.1" in (ROOT / "docker/asterisk/http.conf").read_text()
    manager = (ROOT / "docker/asterisk/manager.conf").read_text()
    assert manager.count("deny = 0.0.0.0/0.0.0.0") == 2
    assert "webenabled = no" in manager


def test_the_web_server_is_one_without_the_known_holes():
    """Smuggling and unbounded decompression in old aiohttp; its parser in plain Python had more of them."""
    assert tuple(int(part) for part in aiohttp.__version__.split(".")[:3]) >= (3, 13, 3)
    assert '"aiohttp>=3.13.3"' in (ROOT / "pyproject.toml").read_text()
    assert HttpRequestParser is not HttpRequestParserPy


async def test_a_small_body_that_unpacks_to_a_large_one_is_refused(world):
    """A gzip bomb at the door of the API."""
    admin = await world.login("admin")
    bomb = gzip.compress(b'{"text": "' + b"x" * 30_000_000 + b'"}')
    assert len(bomb) < 200_000
    headers = {**CSRF, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await admin.post("/api/v1/users", data=bomb, headers=headers)
    assert answer.status in {400, 413}


@pytest.mark.parametrize("token", ["", "dls_", "dls_" + "x" * 43, "dls_' OR 1=1 --", "admin"])
async def test_a_made_up_session_opens_nothing(world, token):
    """CVE-2021-43175: an API that took any user and any password."""
    visitor = world.visitor()
    for route in ROUTES:
        if route.public or "{" in route.path:
            continue
        headers = {**CSRF, "Cookie": f"dialer_session={token}", "Authorization": f"Bearer dlt_{token}"}
        answer = await visitor.request(route.method, route.path, headers=headers, allow_redirects=False)
        assert answer.status == (303 if route.page else 401), route.path


@pytest.mark.postgres
async def test_a_fresh_installation_has_no_account(url):
    """CVE-2013-7382: a hard-coded password that nobody changed."""
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM app_user") == 0
    assert await connection.fetchval("SELECT count(*) FROM api_token") == 0
    await connection.close()
