"""Promises to call back under seeds, over a night in which clocks change; ``scripts/bench callbacks`` shows the month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from dialer.core import callbacks
from dialer.store.keeping import NOTICE
from tests.sim import promises
from tests.sim.gate import Gate
from tests.sim.month import BERLIN, SYDNEY, few_days, month, on_the_clock, run


def test_promises_are_kept_in_time_where_somebody_is_free_and_shown_late_with_the_reason_where_not():
    """Some hundred promises, for anybody and for one operator; engine, switch, link and database break."""
    report = run(2, few_days())
    told = "\n".join([*report.verdicts.lines(), str(report.failure)])
    assert report.failure is None, told
    assert report.verdicts.wrong == [], told
    assert report.verdicts.missed == [], told
    assert report.verdicts.counts["in time"] >= 150, told
    assert report.verdicts.counts["late"] > 10, told
    assert report.verdicts.counts["moved"] > 0, told
    assert report.deaths > 2


def _nobody_is_passed_on(monkeypatch):
    monkeypatch.setattr(promises.PromisedTables, "settle", lambda *_: 0)


def _promises_come_late_in_the_order(monkeypatch):
    callable_ = Gate._callable

    def later(gate, callback, lanes, ask):
        return callback.next_at < ask.now - timedelta(minutes=2) and callable_(gate, callback, lanes, ask)

    monkeypatch.setattr(Gate, "_callable", later)


def _the_board_knows_one_reason(monkeypatch):
    monkeypatch.setattr(callbacks, "why_late", lambda *_: "nobody_free")


@pytest.mark.parametrize(
    ("breaks", "what"),
    [
        (_nobody_is_passed_on, "WRONG"),
        (_promises_come_late_in_the_order, "missed"),
        (_the_board_knows_one_reason, "WRONG"),
    ],
)
def test_a_promise_that_is_not_kept_or_told_falsely_is_caught(breaks, what, monkeypatch):
    breaks(monkeypatch)
    report = run(2, few_days(shifts=1))
    assert any(what in line for line in report.verdicts.lines()), report.verdicts.lines()


def test_clocks_change_both_ways_in_the_month():
    """An hour is missing in Sydney and one comes twice in Berlin, and somebody works then."""
    gap, again = datetime(2026, 10, 4, 2, 30), datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 -- on the wall
    assert on_the_clock(gap, SYDNEY) == datetime(2026, 10, 3, 16, 0, tzinfo=UTC)
    assert on_the_clock(again, BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    sessions = month().sessions
    assert all(before.ends_at < after.begins_at for before, after in pairwise(sessions))
    for at in (on_the_clock(gap, SYDNEY), on_the_clock(again, BERLIN)):
        assert any(s.begins_at < at < s.ends_at - timedelta(minutes=15) for s in sessions)


def test_the_simulated_service_moves_promises_as_early_as_the_real_one():
    assert promises.NOTICE == NOTICE
