"""The house keeps its order: who may import whom, no circles, nothing left undone."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("dialer/**/*.py"), *ROOT.glob("ami/**/*.py")])

#: Who may import whom inside the house: room -> rooms. ``dialer`` means the files beside the rooms.
ALLOWED = {
    "ami": set(),
    "ami.simulator": {"ami"},
    "core": set(),
    "profiles": {"core", "dialer"},
    "engine": {"core", "dialer"},
    "store": {"core", "dialer", "profiles", "engine.ports"},
    "intake": {"core", "dialer", "store"},
    "outbox": {"core", "dialer", "store"},
    "web": {"core", "dialer", "store", "engine.ports", "intake", "outbox"},
    "world": {"core", "dialer", "store", "intake", "ami", "ami.simulator"},
    "dialer": {"core", "dialer", "engine", "store", "web", "world", "intake", "outbox", "profiles", "ami"},
}
#: Files beside the rooms that every room may use; the others only wire.
PLAIN = {"errors", "settings", "logs", "offers", "passwords", "priority", "sealing", "seats", "tapes"}
#: What only one room may import from outside, and who else has a reason.
FOREIGN = {
    "panoramisk": {"ami"},
    "asyncpg": {"store"},
    "aiohttp": {"web", "world", "outbox", "service"},
    "aiosmtplib": {"outbox"},
    "cryptography": {"sealing"},
    "phonenumbers": {"intake", "web", "store", "world"},
}


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "ami":
        return "ami.simulator" if parts[1:2] == ("simulator",) else "ami"
    return parts[1] if len(parts) > 2 else "dialer"


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, at_run_time: bool = False) -> set[str]:
    """Modules a file imports, absolutely; with ``at_run_time`` only those that are needed to load it."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if at_run_time and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if at_run_time and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module:
                found.add(child.module)
                found.update(f"{child.module}.{alias.name}" for alias in child.names)
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


def target_room(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] == "ami":
        return "ami.simulator" if parts[1:2] == ["simulator"] else "ami"
    if parts[0] != "dialer" or len(parts) == 1:
        return None
    if (ROOT / "dialer" / parts[1]).is_dir():
        return parts[1]
    return "dialer"


def may(path: Path, name: str) -> bool:
    mine, theirs = room(path), target_room(name)
    if theirs is None or theirs == mine:
        return True
    if theirs == "dialer" and mine not in {"dialer", "world"}:
        return name.split(".")[1] in PLAIN
    if mine == "engine" and theirs == "ami":
        return path.name in {"switch.py", "engine.py", "trials.py", "ears.py", "tapes.py", "callers.py"}
    if theirs == "engine" and mine != "dialer":
        return "engine.ports" in ALLOWED[mine] and name.startswith("dialer.engine.ports")
    return theirs in ALLOWED[mine]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_inward(path: Path) -> None:
    """Each room imports only the rooms it may; ami knows nothing of campaigns, core nothing of the world."""
    assert [name for name in imports(path) if not may(path, name)] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_library_has_one_room(path: Path) -> None:
    """What talks to the outside is imported in one place."""
    mine = room(path) if room(path) != "dialer" else path.stem
    wrong = [
        n for n in imports(path) if n.split(".")[0] in FOREIGN and mine.split(".")[0] not in FOREIGN[n.split(".")[0]]
    ]
    assert wrong == []


def test_core_is_pure() -> None:
    """Decisions ask no clock, draw no chance, do no I/O."""
    forbidden = {"asyncio", "time", "random", "os", "socket", "logging", "structlog", "subprocess", "pathlib"}
    for path in ROOT.glob("dialer/core/**/*.py"):
        assert not {n.split(".")[0] for n in imports(path)} & forbidden, path
        assert not re.search(r"\bdatetime\.now\(|\butcnow\(", path.read_text()), path


def test_there_are_no_import_circles() -> None:
    """Any module can be read without knowing one that needs it."""
    known = {module(path): path for path in SOURCES}
    graph = {
        name: {i for i in imports(path, at_run_time=True) if i in known and i != name} for name, path in known.items()
    }
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in done:
            for other in sorted(graph[name]):
                if not name.startswith(f"{other}."):
                    walk(other, (*above, name))
            done.add(name)

    for name in graph:
        walk(name, ())


def tracked() -> list[str]:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_the_top_level_is_fixed() -> None:
    """A newcomer finds the same few things."""
    allowed = {
        "pyproject.toml",
        "dialer",
        "ami",
        "scripts",
        "sql",
        "tests",
        "docker",
        "README.md",
        "requirements.lock",
        "CHANGELOG.md",
    }
    top = {name.split("/")[0] for name in tracked()}
    assert {name for name in top - allowed if not name.startswith(".")} == set()


def test_nothing_is_left_undone() -> None:
    """No unfinished marks, no skipped or expected failures, no raw SQL made of strings."""
    marks = re.compile(
        r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|NotImplemented" r"Error|mark\.(ski" r"p|xfa" r"il)\b"
    )
    sql = re.compile(r"""f["'](SELECT|INSERT|UPDATE|DELETE)\b""")
    for name in tracked():
        path = ROOT / name
        if path.suffix in {".py", ".sql", ".js", ".html"} and path.is_file():
            text = path.read_text()
            assert not marks.search(text), name
            assert not sql.search(text) or name.startswith("tests/"), name
