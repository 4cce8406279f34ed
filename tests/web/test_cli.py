"""The command line: each failure is one sentence with its remedy and an exit code that is not 0."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import asyncpg
import pytest
import typer

from ami.simulator.manager import dialer_users
from ami.simulator.people import TableWorld
from ami.simulator.server import SimServer
from dialer import cli, profiles, seats

ADMIN_SECRET, COMMANDS_SECRET = "events-secret", "commands-secret"
CSV = "name,phone,zone\nAda,+12025550100,America/New_York\nBad,12,America/New_York\n"


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path):
    """Only what a test says."""
    for name in list(os.environ):
        if name.startswith("DIALER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DIALER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DIALER_HTTP_PORT", "0")
    monkeypatch.setenv("DIALER_AMI_EVENTS_SECRET", ADMIN_SECRET)
    monkeypatch.setenv("DIALER_AMI_COMMANDS_SECRET", COMMANDS_SECRET)
    return monkeypatch.setenv


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command line; its exit code, what it printed and what it said to standard error."""

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["dialer", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return command


def commands(app=cli.app, before=()):
    for info in app.registered_commands:
        yield (*before, info.name or info.callback.__name__)
    for group in app.registered_groups:
        yield from commands(group.typer_instance, (*before, group.name))


@pytest.mark.parametrize(
    "words", [(), *commands()], ids=lambda words: " ".join(words) if isinstance(words, tuple) else words
)
def test_every_command_explains_itself(run, words):
    """``--help`` works everywhere; the demo's own is the demo's."""
    if words == ("demo",):
        return
    code, out, _ = run(*words, "--help")
    assert code == 0
    assert "Usage" in out
    assert "--help" in out


def test_the_commands_are_those_the_readme_promises():
    """Nobody has to look for a command elsewhere."""
    assert {words[0] for words in commands()} == {
        *(
            "serve",
            "demo",
            "migrate",
            "load-base",
            "base",
            "campaign",
            "kpi",
            "user",
            "doctor",
            "trunk",
            "switch-config",
            "profile",
            "national-list",
            "phone",
            "pass",
            "segment",
            "do-not-call",
            "retry-rule",
            "customer",
            "consent",
            "why",
            "seat",
            "forecast",
            "letters",
            "price",
        )
    }
    group = typer.main.get_command(cli.app).commands["campaign"]
    assert set(group.commands) == {"list", "create", "start", "pause", "stop", "pace", "explain"}


def one_sentence(err: str) -> bool:
    return err.startswith("dialer: ") and err.count("\n") == 1


@contextmanager
def port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield str(taken.getsockname()[1])


def test_a_port_in_use_is_one_sentence(run, settings):
    """Said before a database is started for nothing."""
    with port_in_use() as port:
        settings("DIALER_HTTP_PORT", port)
        code, _, err = run("serve")
    assert code == 2
    assert one_sentence(err)
    assert f"127.0.0.1:{port}" in err
    assert "DIALER_HTTP_PORT" in err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DIALER_HTTP_PORT", "many", "DIALER_HTTP_PORT"),
        ("DIALER_DATABASE_URL", "postgresql://x:canary-password@127.0.0.1:1/x", "database"),
        ("DIALER_CONFIG", "/nowhere.toml", "/nowhere.toml"),
    ],
)
def test_a_wrong_setting_is_one_sentence(run, settings, name, value, says):
    """It names what is wrong and never repeats a password."""
    settings(name, value)
    code, _, err = run("migrate")
    assert code == 2
    assert one_sentence(err)
    assert says in err
    assert "canary" not in err


@contextmanager
def switch(*, version=None, plan="6"):
    """A simulated Asterisk in a thread of its own: the command line runs its own loop."""
    ready, ports, stop = threading.Event(), [], None
    loop = asyncio.new_event_loop()

    async def serve():
        nonlocal stop
        stop = asyncio.Event()
        given = {"version": version} if version else {}
        simulated = SimServer(TableWorld({}), dialer_users(ADMIN_SECRET, COMMANDS_SECRET), **given)
        await simulated.start()
        simulated.manager.globals["DIALER_PLAN"] = plan
        ports.append(simulated.port)
        ready.set()
        await stop.wait()
        await simulated.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(5)
    try:
        yield str(ports[0])
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def doctor_on(run, settings, **kinds):
    with switch(**kinds) as port:
        settings("DIALER_AMI_PORT", port)
        return run("doctor")


def test_doctor_finds_everything_well(run, settings):
    """Exit code 0, a line per thing that was tried."""
    code, out, _ = doctor_on(run, settings)
    assert code == 0, out
    assert [line.split()[1] for line in out.splitlines()] == [
        "settings:",
        "database:",
        "recordings:",
        "pages:",
        "switch:",
    ]
    assert "FAIL" not in out


@pytest.mark.parametrize(
    ("kinds", "secret", "says"),
    [
        ({}, "canary", "manager.conf"),
        ({"version": "18.4.0"}, COMMANDS_SECRET, "18.4.0"),
        ({"plan": "0"}, COMMANDS_SECRET, "dialplan"),
    ],
    ids=["a wrong secret", "an old Asterisk", "another dialplan"],
)
def test_doctor_says_what_is_wrong_with_the_switch_and_what_to_do(run, settings, kinds, secret, says):
    """One line for what is wrong, one for the remedy, exit code 2, and no secret in either."""
    settings("DIALER_AMI_COMMANDS_SECRET", secret)
    code, out, _ = doctor_on(run, settings, **kinds)
    assert code == 2
    failed = out[out.index("FAIL") :].splitlines()
    assert failed[0].startswith("FAIL switch:")
    assert len(failed) == 2
    assert says in out
    assert secret not in out


@pytest.mark.postgres
def test_doctor_tells_of_registers_a_campaign_needs(run, settings, url, tmp_path):
    """Days before it fails, it is a warning; then nobody is called, and that is a failure."""
    settings("DIALER_DATABASE_URL", url)
    run("trunk", "set", "carrier")
    run("campaign", "create", "spring", "--trunk", "carrier", "--profile", "us")
    run("campaign", "start", "spring")
    code, out, _ = doctor_on(run, settings)
    assert code == 2
    assert "FAIL register: us-dnc, which spring needs, was never imported" in out
    assert "dialer national-list import us-dnc FILE" in out
    (tmp_path / "register").write_text("+12025550101\n")
    run("national-list", "import", "us-dnc", str(tmp_path / "register"))
    code, out, _ = doctor_on(run, settings)
    assert (code, "register" in out) == (0, False)
    aged = "UPDATE national_list SET imported_at = imported_at - interval '{} days'"
    for days, expected, mark in ((25, 0, "warn"), (7, 2, "FAIL")):
        asyncio.run(execute(url, aged.format(days)))
        code, out, _ = doctor_on(run, settings)
        assert (code, f"{mark} register: us-dnc" in out) == (expected, True), out


@pytest.mark.postgres
def test_doctor_tells_of_a_profile_whose_figures_nobody_has_checked_for_half_a_year(run, settings, url, monkeypatch):
    settings("DIALER_DATABASE_URL", url)
    run("trunk", "set", "carrier")
    run("campaign", "create", "spring", "--trunk", "carrier", "--profile", "fr", "--purpose", "service")
    monkeypatch.setattr(profiles, "STALE_AFTER", timedelta(days=-1))
    code, out, _ = doctor_on(run, settings)
    assert code == 0
    assert "warn profile: some figures of fr were last checked on 2026-11-21" in out


async def execute(url, statement):
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def test_doctor_says_that_nothing_listens(run, settings):
    """At once, not after its patience."""
    with port_in_use() as port:
        settings("DIALER_HTTP_PORT", port)
        settings("DIALER_AMI_PORT", "1")
        code, out, _ = run("doctor")
    assert code == 2
    assert "FAIL pages:" in out
    assert "FAIL switch:" in out


def test_serve_with_a_wrong_secret_is_one_sentence(run, settings, url):
    """The service does not stand there without a switch it can never use."""
    settings("DIALER_DATABASE_URL", url)
    settings("DIALER_LOG_LEVEL", "error")
    settings("DIALER_AMI_EVENTS_SECRET", "wrong")
    with switch() as port:
        settings("DIALER_AMI_PORT", port)
        code, _, err = run("serve")
    assert code == 2
    assert err.splitlines()[-1].startswith("dialer: ")
    assert "secret" in err
    assert "Traceback" not in err


def test_from_a_trunk_to_numbers(run, settings, url, tmp_path):
    """A base goes in from the command line, with each bad row's line and reason, and the campaign starts."""
    settings("DIALER_DATABASE_URL", url)
    file = tmp_path / "contacts.csv"
    file.write_text(CSV)
    assert run("trunk", "set", "carrier")[0] == 0
    assert "is a draft" in run("campaign", "create", "spring", "--trunk", "carrier")[1]
    code, out, err = run("load-base", str(file), "--campaign", "spring")
    assert (code, out) == (0, "contacts: 1 of 2 rows loaded, 1 rejected.\n")
    assert "line 3: bad_phone: Bad,12" in err
    assert "loaded before" in run("load-base", str(file), "--campaign", "spring")[1]
    assert "contacts" in run("base", "list", "spring")[1]
    assert "1 contacts taken back" in run("base", "undo", "1")[1]
    mend = tmp_path / "mend.csv"
    mapped = (
        "--column",
        "name=skip",
        "--zone",
        "Europe/Moscow",
        "--save-template",
        "supplier",
        "--rejected",
        str(mend),
    )
    code, out, _ = run("load-base", str(file), "--campaign", "spring", "--rehearse", *mapped)
    assert (code, out) == (0, ("contacts: 1 of 2 rows would be loaded, 0 would update a contact; rejected: 1 bad_phone; "
                              "repaired: none. Nothing was loaded.\n"))  # fmt: skip
    assert "no valid number" in mend.read_text()
    code, out, err = run("load-base", str(file), "--campaign", "spring", "--template", "supplier")
    assert "name=skip" in err
    assert "1 of 2 rows loaded" in out
    assert "0 stay" in run("base", "withdraw", "2")[1]
    assert run("load-base", str(file), "--campaign", "spring", "--column", "phone=zone")[2].count(
        "No column is a phone"
    )
    assert run("campaign", "start", "1")[1] == "spring: running.\n"
    assert "running" in run("campaign", "list")[1]
    code, out, _ = run("kpi", "--by", "campaign", "--json")
    assert code == 0
    assert out.startswith("{")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("campaign", "start", "nothing"), "campaign list"),
        (("campaign", "create", "x", "--trunk", "nowhere"), "nowhere"),
        (("kpi", "--from", "yesterday"), "yesterday"),
        (("kpi", "--by", "phase"), "phase"),
        (("user", "add", "x", "--language", "de"), "de"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, tuple) else words,
)
def test_what_is_not_there_is_one_sentence(run, settings, url, words, says):
    """Exit code 1 and what to do."""
    settings("DIALER_DATABASE_URL", url)
    code, _, err = run(*words)
    assert code == 1
    assert one_sentence(err)
    assert says in err


def test_a_user_gets_a_random_password_once(run, settings, url):
    """Two users never have the same, and a second user of the same login is refused."""
    settings("DIALER_DATABASE_URL", url)
    first, second = run("user", "add", "anna")[1], run("user", "add", "boris", "--role", "admin")[1]
    assert first.startswith("anna (operator): ")
    assert second.startswith("boris (admin): ")
    assert first.split()[-1] != second.split()[-1]
    code, _, err = run("user", "add", "anna")
    assert code == 1
    assert one_sentence(err)


def test_a_switch_is_configured_with_fresh_secrets_that_only_we_can_read(run, tmp_path):
    words = ["switch-config", "--out", str(tmp_path / "switch"), "--trunk", "carrier=sip.example.net", "--seats", "2"]
    secrets = []
    for _ in range(2):
        code, said, _error = run(*words)
        assert code == 0
        kept = tmp_path / "switch" / "secrets"
        secrets.append((kept / "ami-commands").read_text())
        assert (kept / "ami-commands").stat().st_mode & 0o077 == 0
        assert secrets[-1] in (tmp_path / "switch" / "etc" / "manager.conf").read_text()
        assert secrets[-1] not in said
        assert f"DIALER_AMI_COMMANDS_SECRET_FILE={kept / 'ami-commands'}" in said
        pool = seats.read(kept / "seats")
        assert list(pool) == ["seat-001", "seat-002"]
        phones = (tmp_path / "switch" / "etc" / "pjsip.conf").read_text()
        for seat in pool.values():
            assert f"username = {seat.name}\npassword = {seat.desk_secret}\n" in phones
            assert f"username = {seat.web_name}\npassword = {seat.web_secret}\n" in phones
        assert f"DIALER_SEATS_FILE={kept / 'seats'}" in said
    assert secrets[0] != secrets[1]


@pytest.mark.parametrize("trunk", ["carrier", "a b=host", "carrier=host;rm", "carrier=host:99999", "seat-001=host"])
def test_a_trunk_that_must_not_reach_a_configuration_is_one_sentence(run, tmp_path, trunk):
    code, _said, error = run("switch-config", "--out", str(tmp_path / "switch"), "--trunk", trunk)
    assert code == 2
    assert "--help" in error
    assert not (tmp_path / "switch" / "etc").exists()


@pytest.mark.postgres
def test_whoever_lost_the_phone_is_let_in_again_from_the_command_line(run, settings, url):
    """Also the only admin; the log keeps it."""
    settings("DIALER_DATABASE_URL", url)
    run("user", "add", "ann", "--role", "admin")
    code, _, said = run("user", "reset-second-factor", "ann")
    assert (code, "no second factor" in said) == (1, True)

    async def rows(text):
        connection = await asyncpg.connect(url)
        found = await connection.fetch(text)
        await connection.close()
        return found

    asyncio.run(
        rows(
            "INSERT INTO second_factor (user_id, seed, confirmed_at) SELECT id, substr(sha256('x'), 1, 16), now() FROM app_user"
        )
    )
    code, out, _ = run("user", "reset-second-factor", "ann")
    assert (code, "password alone" in out) == (0, True)
    assert asyncio.run(rows("SELECT FROM second_factor")) == []
    assert len(asyncio.run(rows("SELECT FROM audit WHERE action = 'second_factor.remove'"))) == 1
    assert run("user", "reset-second-factor", "nobody")[0] == 1


def test_doctor_tries_the_mail_server_and_says_what_is_wrong(run, settings):
    """Calls can wait for it: a warning."""
    settings("DIALER_SMTP_HOST", "127.0.0.1")
    settings("DIALER_PUBLIC_URL", "https://dialer.example")
    settings("DIALER_SMTP_PORT", "1")
    code, out, _ = doctor_on(run, settings)
    assert code == 0
    assert "warn mail: 127.0.0.1:1: " in out
    assert "DIALER_SMTP_HOST" in out


@pytest.mark.postgres
def test_mails_that_come_back_are_taken_from_a_pipe_or_a_maildir_once(run, settings, url, tmp_path, monkeypatch):
    settings("DIALER_DATABASE_URL", url)
    maildir = tmp_path / "bounces"
    code, _, err = run("letters", "returned", "--maildir", str(maildir))
    assert code != 0
    assert one_sentence(err)
    (maildir / "new").mkdir(parents=True)
    (maildir / "new" / "1.host").write_bytes(b"From: x\n\nhello")
    for said in ("0 bounced, 0 answered, 1 about none of ours.", "0 bounced, 0 answered, 0 about none of ours."):
        code, out, _ = run("letters", "returned", "--maildir", str(maildir))
        assert (code, out.strip()) == (0, said)
    assert [path.name for path in (maildir / "cur").iterdir()] == ["1.host:2,S"]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"From: x\n\nhello")))
    assert run("letters", "returned")[1].strip() == "0 bounced, 0 answered, 1 about none of ours."


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("load-base", "{folder}", "--campaign", "spring"), "Is a directory"),
        (("load-base", "{base}", "--campaign", "spring", "--zone", "\udcff"), "is no text"),
        (("do-not-call", "import", "{folder}"), "Is a directory"),
        (("do-not-call", "undo", "9" * 20), "too long a number"),
        (("pass", "list", "9" * 5000), "too long a number"),
        (("price", "withdraw", "spring", "9" * 20), "too long a number"),
        (("price", "set", "spring", "tariff_lead", "NaN"), "is an amount of money"),
        (("price", "made-of", "spring", "--to", "9999-12-31"), "'9999-12-31' is no day"),
        (("price", "close", "spring", "--through", "0001-01-01"), "'0001-01-01' is no day"),
        (("national-list", "import", "us-dnc", "{bytes}"), "is no text"),
    ],
)
def test_what_nothing_can_be_done_with_is_one_sentence(run, settings, url, tmp_path, words, says):
    settings("DIALER_DATABASE_URL", url)
    run("trunk", "set", "carrier")
    run("campaign", "create", "spring", "--trunk", "carrier", "--customer", "acme")
    given = {"folder": tmp_path, "base": tmp_path / "base.csv", "bytes": tmp_path / "bytes"}
    given["base"].write_text(CSV)
    given["bytes"].write_bytes(bytes(range(256)))
    code, _, said = run(*(word.format_map(given) for word in words))
    assert code != 0
    assert says in said
    assert said.count("\n") == 1
