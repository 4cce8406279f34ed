"""Profiles, national lists, a number's data and passes on the command line."""

from __future__ import annotations

import json

import pytest

from tests.web.test_cli import run, settings

__all__ = ["run", "settings"]

PHONE = "+12025550100"
KEY = "5e" * 32


def test_profiles_are_shown_with_their_sources(run, settings):
    _, listed, _ = run("profile", "list")
    assert {line.split()[0] for line in listed.splitlines()} >= {"fr", "de", "strict"}
    code, shown, _ = run("profile", "show", "fr")
    assert code == 0
    assert "per_30_days: 4" in shown
    assert "read, 2026-11-21: Code de la consommation" in shown
    code, _, said = run("profile", "show", "atlantis")
    assert code == 2
    assert "There is no compliance profile 'atlantis'" in said


@pytest.mark.postgres
def test_a_register_is_imported_and_a_person_exported_and_erased(run, settings, url, tmp_path):
    settings("DIALER_DATABASE_URL", url)
    settings("DIALER_SUPPRESSION_KEY", KEY)
    run("trunk", "set", "carrier")
    run("campaign", "create", "spring", "--trunk", "carrier")
    (tmp_path / "base.csv").write_text(f"name,phone,zone\nAda,{PHONE},America/New_York\n")
    run("load-base", str(tmp_path / "base.csv"), "--campaign", "spring")
    (tmp_path / "register").write_text(f"{PHONE}\n+12025550101\n")
    assert run("national-list", "import", "us-dnc", str(tmp_path / "register"))[1] == "us-dnc: 2 numbers.\n"
    _, exported, _ = run("phone", "export", PHONE)
    assert json.loads(exported)["contacts"][0]["name"] == "Ada"
    assert run("phone", "erase", PHONE)[1].startswith("Erased.")
    code, _, said = run("phone", "export", PHONE)
    assert code != 0
    assert "in no base" in said
    assert run("pass", "begin", "1", "--outcome", "busy")[1] == "Pass 2: 0 contacts go again.\n"
    assert len(run("pass", "list", "1")[1].splitlines()) == 2
