"""The doctor's page: what is ill comes first, each with a remedy, in the user's language; no secret is shown."""

from __future__ import annotations

import pytest

from dialer.store.users import Actor
from dialer.web import texts
from dialer.web.call import CONTEXT
from dialer.web.doctor import Finding
from tests.outbox.mailserver import mail_server
from tests.web.conftest import CSRF, running
from tests.web.test_admin import asked
from tests.web.test_second_factor import enrolled
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture


@pytest.mark.postgres
async def test_everything_is_looked_at_and_what_is_ill_comes_first(office):  # noqa: F811
    admin = await office.login("admin")
    office.live.switch_up = False
    answer = await office.get(admin, "/api/v1/doctor")
    found = {one["code"]: one for one in answer["findings"]}
    assert set(found) >= {
        "database",
        "clock",
        "switch",
        "dialing",
        "lag",
        "priority",
        "disk",
        "https",
        "seats",
        "factor",
        "admins",
    }
    words = [one["word"] for one in answer["findings"]]
    assert words == sorted(words, key=("ill", "warn", "well").index)
    assert (found["switch"]["word"], found["database"]["word"], answer["well"]) == ("ill", "well", False)
    assert all(one["remedy"] for one in answer["findings"] if one["word"] != "well")
    assert not any("{" in one["text"] + one["remedy"] for one in answer["findings"])


@pytest.mark.postgres
async def test_who_steers_by_a_password_alone_is_counted(office):  # noqa: F811
    admin = await office.login("admin")

    async def factor():
        found = (await office.get(admin, "/api/v1/doctor"))["findings"]
        return next(one for one in found if one["code"] == "factor")

    assert "1" in (await factor())["text"]
    await enrolled(admin)
    assert (await factor())["word"] == "well"


@pytest.mark.postgres
async def test_a_register_that_a_campaign_lacks_stops_it_and_is_ill(office):  # noqa: F811
    admin = await office.login("admin")
    await office.place.stores.campaigns.set_trunk("carrier", actor=Actor())
    await office.place.add_campaign("us", profile="us", trunk="carrier", state="paused")
    found = [one for one in (await office.get(admin, "/api/v1/doctor"))["findings"] if one["code"] == "register"]
    assert found
    assert {one["word"] for one in found} == {"ill"}
    assert "national-list import" in found[0]["remedy"]


async def test_the_page_opens_while_the_database_does_not_answer(password_hash):
    """Then above all."""
    async with running(password_hash, suppression_key="ab" * 32) as world:
        client = await world.login("admin")
        world.stores.database_up = False
        page = await (await client.get("/system")).text()
        assert "does not answer" in page
        assert "ab" * 32 not in page


@pytest.mark.postgres
async def test_it_speaks_the_users_language(office):  # noqa: F811
    admin = await office.login("admin")
    await asked(admin, "POST", "/api/v1/me/language", language="ru")
    answer = await (await admin.get("/api/v1/doctor", headers=CSRF)).json()
    assert any("свободно" in one["text"] for one in answer["findings"])


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_setting_is_explained(language):
    from dialer.settings import Settings

    shown = {name for name in Settings.model_fields if not any(w in name for w in ("secret", "key", "database_url"))}
    assert not {name for name in shown if f"setting.{name}" not in texts.TEXTS[language]}


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_finding_is_told_with_what_to_do(language):
    told = Finding(what="disk", word="warn", values={"gb": 1.5}).told(language)
    assert "1.5" in told.text
    assert told.remedy


@pytest.mark.postgres
async def test_a_mail_server_is_tried_and_one_that_is_away_is_told_with_what_it_says(office):  # noqa: F811
    admin = await office.login("admin")
    settings = office.server.app[CONTEXT].settings

    async def told():
        found = (await office.get(admin, "/api/v1/doctor"))["findings"]
        return next(one for one in found if one["code"] == "mail")

    assert (await told())["word"] == "well"
    async with mail_server() as mail:
        for name, value in (("smtp_host", "127.0.0.1"), ("smtp_port", mail.port), ("smtp_tls", "none")):
            setattr(settings, name, value)
        found = await told()
        assert (found["word"], found["text"]) == ("well", f"127.0.0.1:{mail.port} takes letters")
    settings.smtp_port = 1
    found = await told()
    assert found["word"] == "warn"
    assert "DIALER_SMTP_HOST" in found["remedy"]
