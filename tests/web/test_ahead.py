"""Forecasts over the web: begun when asked for, told while they are made, given up when nobody waits."""

from __future__ import annotations

import asyncio

import pytest

from dialer.core import ahead
from dialer.web import ahead_work, forecasts
from dialer.web.call import CONTEXT
from dialer.web.forecasts import Forecasts, in_process
from tests.web.conftest import error_of
from tests.web.test_admin import add, asked
from tests.web.test_cli import run, settings
from tests.web.test_with_postgres import office

__all__ = ["office", "run", "settings"]

PATH = "/api/v1/campaigns/1/forecast"


@pytest.fixture
async def outset(office):
    """A campaign with a small base, before its first call."""
    await office.place.add_contacts(*(f"+7495000000{i}" for i in range(9)))
    return await office.place.stores.ahead.outset(office.place.campaign.id, office.place.now)


async def until(holds):
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110 -- another process is waited for
            await asyncio.sleep(0.05)


@pytest.mark.postgres
async def test_a_forecast_is_begun_followed_and_kept_with_its_time(office, outset):
    """A rehearsal with two operators and every figure somebody may object to; an auditor reads what was made."""
    assert outset.known.at_s
    _, supervisor = await add(office, "anna", "supervisor")
    assert await office.get(supervisor, PATH) == {"state": "none", "done": 0, "of": 0, "error": None, "forecast": None}
    begun = await asked(supervisor, "POST", PATH, 202, operators=2, answer_rate=0.5, begins=0, ends=1440)
    assert begun["state"] == "running"
    found = {}

    async def done():
        found.update(await office.get(supervisor, PATH))
        return found["state"] != "running"

    await until(done)
    assert found["state"] == "done", found
    forecast = found["forecast"]
    assert forecast["rehearsal"]
    assert (forecast["made_of"]["operators"], forecast["made_of"]["contacts"]) == (2, 9)
    assert forecast["made_of"]["answer_rate"] == 0.5
    assert set(forecast["made_of"]["assumed"]) == {"operators", "answer_rate", "begins", "ends"}
    assert forecast["results"]["low"] <= forecast["results"]["middle"] <= forecast["results"]["high"] <= 9
    assert forecast["fan"][0]["left"] == [9, 9, 9]
    assert {"en", "ru"} == set(forecast["sentences"][0])
    assert "operators_more" in {one["plan"] for one in forecast["plans"]}
    _, auditor = await add(office, "carl", "auditor")
    assert (await office.get(auditor, PATH))["forecast"]["at"] == forecast["at"]
    await asked(auditor, "POST", PATH, 403, operators=2)


@pytest.mark.postgres
async def test_the_board_says_the_bases_end_once_by_the_forecast_that_assumes_nothing(office, outset):
    """Of what was only tried out the board says nothing; without a forecast it has the plain pace, or none."""
    assert outset.known.at_s
    _, supervisor = await add(office, "anna", "supervisor")
    hub, made = office.server.app[CONTEXT].hub, office.server.app[CONTEXT].forecasts

    async def on_the_board(**assumed):
        made.begin(1, outset, ahead.Ask(**assumed))
        await until(lambda: _is_done(made))
        hub.overview.forget()
        await office.get(supervisor, "/api/v1/board")
        await asyncio.sleep(0.5)
        board = await office.get(supervisor, "/api/v1/board")
        return next(one for one in board["overview"]["campaigns"] if one["steering"]["campaign_id"] == 1)

    tried = await on_the_board(operators=9)
    assert (tried["ends"], tried["forecast_at"]) == (None, None)
    told = await on_the_board()
    plain = made.plain(1).model_dump(mode="json")
    assert (told["forecast_at"], told["ends"]) == (plain["at"], plain["base"]["ends"])
    assert told["hours_left"] is None
    kept = await on_the_board(operators=9)
    assert kept["forecast_at"] == told["forecast_at"]


async def _is_done(made):
    return made.of(1).answer().state != "running"


@pytest.mark.postgres
async def test_where_nobody_may_be_called_that_is_said(office, outset):
    """Working hours outside of the law leave nothing to forecast."""
    assert outset.known.crowds
    _, supervisor = await add(office, "anna", "supervisor")
    refused = await asked(supervisor, "POST", PATH, 409, begins=600, ends=600)
    assert error_of(refused).code == "forecast.no_window"


class Stage:
    """Plays nothing until it is let, and knows what was begun and given up."""

    def __init__(self):
        self.begun = self.given_up = 0
        self.go = asyncio.Event()

    async def play(self, packed, told):
        assert packed
        self.begun += 1
        try:
            told({"done": 10, "of": 300})
            await self.go.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise


@pytest.mark.postgres
async def test_one_is_made_at_a_time_and_a_new_one_replaces_the_old(outset):
    stage = Stage()
    made = Forecasts(play=stage.play)
    made.begin(1, outset, ahead.Ask())
    made.begin(2, outset, ahead.Ask())
    await asyncio.sleep(0.01)
    assert stage.begun == 1
    assert (made.of(1).answer().done, made.of(1).answer().of) == (10, 300)
    made.begin(1, outset, ahead.Ask(operators=3))
    await asyncio.sleep(0.01)
    assert (stage.begun, stage.given_up) == (2, 1)
    await made.close()
    assert stage.begun == stage.given_up


@pytest.mark.postgres
async def test_what_nobody_waits_for_is_given_up(outset, monkeypatch):
    """And that is no failure: the page asks anew when somebody opens it."""
    monkeypatch.setattr(forecasts, "PATIENCE_S", 0.05)
    stage = Stage()
    made = Forecasts(play=stage.play)
    job = made.begin(1, outset, ahead.Ask())
    await asyncio.wait_for(job.task, 5)
    assert (stage.given_up, job.answer().state) == (1, "none")


@pytest.mark.postgres
async def test_a_process_that_dies_is_a_failure_that_is_told(outset):
    async def dies(_packed, _told):
        raise OSError("no more processes")

    made = Forecasts(play=dies)
    job = made.begin(1, outset, ahead.Ask())
    await asyncio.wait_for(job.task, 5)
    assert (job.answer().state, job.answer().error) == ("failed", "forecast.worker")


async def test_why_a_process_died_is_not_lost():
    with pytest.raises(RuntimeError, match="UnpicklingError"):
        await in_process(b"nothing that can be read", lambda said: pytest.fail(str(said)))


@pytest.mark.postgres
async def test_a_forecast_that_is_given_up_leaves_no_process(outset):
    begun = asyncio.create_task(in_process(ahead_work.pack(outset, ahead.Ask()), lambda _said: None))
    await asyncio.sleep(0.2)
    begun.cancel()
    with pytest.raises(asyncio.CancelledError):
        await begun


@pytest.mark.postgres
def test_the_command_line_tells_the_same(run, settings, url):
    """Sentences, other plans and what it rests on; bad times are refused."""
    settings("DIALER_DATABASE_URL", url)
    run("trunk", "set", "carrier")
    run("campaign", "create", "spring", "--trunk", "carrier", "--customer", "acme")
    code, told, _ = run("forecast", "spring", "--operators", "2", "--answer-rate", "40")
    assert code == 0
    assert "By the end of the shift" in told
    assert "0 contacts, 2 operators, 40% answered" in told
    code, _, why = run("forecast", "spring", "--begins", "24:99")
    assert code
    assert "24:99" in why
