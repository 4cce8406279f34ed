"""Settings come from the environment, a file and files of secrets; what is wrong is one sentence."""

from __future__ import annotations

import os

import pytest
from typer.testing import CliRunner

from dialer import settings
from dialer.cli import app
from dialer.errors import Misconfigured


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in list(os.environ):
        if name.startswith("DIALER_"):
            monkeypatch.delenv(name)


def test_the_environment_wins_over_the_file(monkeypatch, tmp_path):
    """And what neither says has a default."""
    file = tmp_path / "dialer.toml"
    file.write_text('http_port = 9000\nswitch = "north"\n')
    monkeypatch.setenv("DIALER_CONFIG", str(file))
    monkeypatch.setenv("DIALER_HTTP_PORT", "9001")
    found = settings.load()
    assert (found.http_port, found.switch, found.ami_port) == (9001, "north", 5038)


def test_a_secret_comes_from_its_file_and_is_not_shown(monkeypatch, tmp_path):
    """Neither the settings nor their text repeat it."""
    file = tmp_path / "secret"
    file.write_text("canary-secret\n")
    monkeypatch.setenv("DIALER_AMI_COMMANDS_SECRET_FILE", str(file))
    monkeypatch.setenv("DIALER_DATABASE_URL", "postgresql://dialer:canary-password@db/dialer")
    found = settings.load()
    assert found.ami_commands_secret.get_secret_value() == "canary-secret"
    assert set(found.secrets()) == {"canary-secret", "canary-password"}
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DIALER_HTTP_PORT", "canary"),
        ("DIALER_SWITCH", "no spaces"),
        ("DIALER_AMI_EVENTS_SECRET_FILE", "/nowhere/canary"),
        ("DIALER_LOG_LEVEL", "loud"),
        ("DIALER_PUBLIC_URL", "dialer.example"),
        ("DIALER_CONFIG", "/nowhere/dialer.toml"),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_a_remedy(monkeypatch, name, value):
    """It names the variable, and whatever was wrong with it."""
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as wrong:
        settings.load()
    assert wrong.value.code in {"settings.invalid", "settings.no_file"}
    assert wrong.value.remedy
    assert "\n" not in wrong.value.message


def test_an_address_for_browsers_is_an_origin(monkeypatch):
    """Path and query are dropped: browsers send neither in Origin."""
    monkeypatch.setenv("DIALER_PUBLIC_URL", "https://dialer.example/board?x=1")
    found = settings.load()
    assert (found.public_url, found.https) == ("https://dialer.example", True)


def test_the_help_says_what_every_setting_is_for():
    said = {
        name.removesuffix("[_FILE]").removeprefix("DIALER_").lower(): text
        for name, text in settings.described().items()
    }
    assert set(said) == {
        name for name in settings.Settings.model_fields if not name.endswith("_file") or name == "seats_file"
    }
    assert all(said.values())
    shown = CliRunner().invoke(app, ["serve", "--help"]).output
    assert all(name in shown for name in settings.described())
