"""Profiles, national lists, a number's data and passes on the command line."""

from __future__ import annotations

import json

import pytest

from tests.web.test_cli import run, settings

__all__ = ["run", "settings"]

PHONE = "+12025550100"
KEY = "5e" * 32
#: Of a country whose law is not packaged, so that only the campaign's own rules hold.
SPANISH = "+34612345678"


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
def test_consent_is_kept_and_withdrawn_and_the_reason_a_contact_waits_is_told(run, settings, url, tmp_path):
    settings("DIALER_DATABASE_URL", url)
    run("trunk", "set", "carrier")
    run("campaign", "create", "spring", "--trunk", "carrier", "--customer", "acme")
    (tmp_path / "base.csv").write_text(f"name,phone,zone\nAda,{SPANISH},Europe/Madrid\n")
    run("load-base", str(tmp_path / "base.csv"), "--campaign", "spring")
    assert run("why", "--base", "1")[1] == "         1  no_consent\n         1  in all\n"
    proof = tmp_path / "form.pdf"
    proof.write_text("I agree")
    about = ("consent", "add", SPANISH, "--customer", "acme", "--evidence", str(proof), "--given")
    assert run(*about, "2026-01-01")[1] == f"{SPANISH}: marketing, by form.pdf.\n"
    assert run("why", "--campaign", "spring")[1] == "         1  campaign_state\n         1  in all\n"
    assert run("why", "--contact", "1")[1].split()[:2] == ["campaign_state", "draft"]
    assert run("consent", "withdraw", SPANISH, "--customer", "acme")[1] == f"{SPANISH}: agrees no more to anything.\n"
    assert "no_consent" in run("why", "--contact", "1")[1]
    for words, says in ((("why",), "Whose contacts?"), ((*about, "soon"), "'soon' is no time")):
        code, _, said = run(*words)
        assert code != 0
        assert says in said


@pytest.mark.postgres
def test_numbers_and_files_are_forbidden_for_anybody_or_for_somebody_and_taken_back(run, settings, url, tmp_path):
    settings("DIALER_DATABASE_URL", url)
    run("trunk", "set", "carrier")
    run("campaign", "create", "spring", "--trunk", "carrier", "--customer", "acme")
    assert run("do-not-call", "add", PHONE, "--customer", "acme")[1] == f"{PHONE}: entry 1, customer.\n"
    file = tmp_path / "stop.csv"
    file.write_text(f"name;phone\nAda;{PHONE}\nJoe;12025550199\nJoe;12025550199\nSue;none\n")
    said = "stop.csv: 1 added, 1 bad_phone, 1 known, 1 repeated."
    about = ("do-not-call", "import", str(file), "--customer", "acme", "--region", "US")
    assert run(*about, "--rehearse")[1] == f"{said} Nothing was written.\n"
    verdicts = tmp_path / "verdicts.csv"
    assert run(*about, "--verdicts", str(verdicts))[1] == f"{said} File 1.\n"
    assert verdicts.read_text().splitlines() == ["line,verdict", "2,known", "3,added", "4,repeated", "5,bad_phone"]
    assert "It had been taken before" in run(*about)[1]
    assert "1 added        2 known      1 rejected" in run("do-not-call", "files")[1]
    assert [line.split()[1] for line in run("do-not-call", "list")[1].splitlines()] == ["+12025550199", PHONE]
    assert run("do-not-call", "undo", "1")[1] == "stop.csv: taken back.\n"
    assert [line.split()[1] for line in run("do-not-call", "list")[1].splitlines()] == [PHONE]
    assert run("retry-rule", "set", "spring", "email_cold", "--delay-s", "864000", "--times", "2")[1] == (
        "email_cold: again in 10 days, 0:00:00, 2 times at most; 0 contacts planned anew.\n"
    )
    assert (
        "machine                  again in 1 day, 0:00:00, as after any conversation"
        in run("retry-rule", "list", "spring")[1]
    )
    assert run("retry-rule", "outcome", "spring", "busy", "--delay-s", "3600")[1] == (
        "busy: again in 1:00:00, each further time 2 times longer.\n"
    )
    listed = run("retry-rule", "list", "spring")[1]
    assert "busy                     again in 1:00:00, each further time 2 times longer\n" in listed
    assert "invalid_number           the next number at once, this one never again, as usual\n" in listed
    code, _, told = run("retry-rule", "outcome", "spring", "invalid_number", "--delay-s", "60")
    assert (code, "next number" in told) == (1, True)
    assert run("retry-rule", "set", "spring", "email_cold", "--closes")[1].startswith("email_cold: never again;")
    assert run("customer", "country", "acme", "fr")[1] == "acme: FR.\n"
    assert run("customer", "list")[1] == "    1  FR  acme\n"
    assert run("customer", "country", "1", "--", "--")[1] == "acme: nowhere in particular.\n"
    assert run("do-not-call", "remove", "1")[1] == "Entry 1 is off the list.\n"
    code, _, said = run("do-not-call", "import", str(file), "--customer", "nobody")
    assert code != 0
    assert "There is no customer 'nobody'" in said
    code, _, said = run("do-not-call", "add", PHONE, "--customer", "acme", "--campaign", "spring")
    assert "Give one of them" in said


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
