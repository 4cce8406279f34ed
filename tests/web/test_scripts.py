"""The editor of scripts over a real PostgreSQL: what is saved, what is found, who may."""

from __future__ import annotations

import pytest

from tests.web.conftest import error_of
from tests.web.test_admin import add, asked
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

STEPS = [
    {"id": "hello", "title": "Hello", "text": "Hello {name} in {city}", "answers": [{"text": "yes", "to": "bye"}]},
    {"id": "bye", "text": "Bye {citi}", "answers": [{"text": "bye", "to": None}, {"text": "wait", "to": "hello"}]},
]


async def test_a_script_is_checked_before_it_is_saved(office):  # noqa: F811
    """Also what could not be saved yet; words are held to the columns of the bases."""
    sup = await office.login("supervisor")
    path = f"/api/v1/campaigns/{office.place.campaign.id}/script"
    await office.place.add_contacts("+79035550001")  # with the attribute city
    found = await asked(sup, "POST", f"{path}/check", steps=STEPS)
    assert found["words"] == ["city"]
    assert [(one["code"], one["step"], one["detail"]) for one in found["findings"]] == [
        ("one_answer", "hello", "yes"),
        ("unknown_word", "bye", "citi"),
    ]
    assert all(one["en"] and one["ru"] for one in found["findings"])
    torn = await asked(sup, "POST", f"{path}/check", steps=[{**STEPS[0], "answers": [{"text": "yes", "to": "x"}]}])
    assert "broken" in {one["code"] for one in torn["findings"]}
    refused = await asked(sup, "PUT", path, 422, body={"steps": [STEPS[0]]})
    assert error_of(refused).code == "request.invalid"


async def test_a_newer_version_is_not_overwritten_in_silence(office):  # noqa: F811
    sup = await office.login("supervisor")
    path = f"/api/v1/campaigns/{office.place.campaign.id}/script"
    made = (await asked(sup, "PUT", path, brief="Sell", body={"steps": STEPS}, based_on=0))["script"]
    assert (made["version"], made["saved_by"]) == (1, "supervisor")
    refused = await asked(sup, "PUT", path, 409, brief="Mine", based_on=0)
    assert error_of(refused).code == "script.changed"
    await asked(sup, "PUT", path, brief="Mine", based_on=1)
    listed = (await office.get(sup, f"{path}/versions"))["versions"]
    assert [(one["version"], one["steps"]) for one in listed] == [(2, 0), (1, 2)]
    assert (await office.get(sup, path, version=1))["script"]["brief"] == "Sell"
    assert (await asked(sup, "GET", f"{path}?version=9", 404))["error"]["code"] == "script.no_version"
    line = await office.place.pools.web.fetchrow("SELECT * FROM audit WHERE action = 'script.change' ORDER BY id DESC")
    assert (line["before"], line["after"]) == ({"version": 1}, {"version": 2})


async def test_an_auditor_reads_the_editor_and_saves_nothing(office):  # noqa: F811
    _, auditor = await add(office, "auditor", "auditor")
    id_ = office.place.campaign.id
    page = await (await auditor.get(f"/campaigns/{id_}/script")).text()
    assert 'id="save"' not in page
    assert "data-may" not in page
    assert (await asked(auditor, "PUT", f"/api/v1/campaigns/{id_}/script", 403, brief="x"))["error"]
