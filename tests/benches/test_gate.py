"""The checks of ``bench gate`` in small: no call after the answer, no wrong minute, no strange number; and they see one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer import profiles
from dialer.core import hours, numbers
from dialer.store import claims
from scripts.benches import gate_order, gate_windows

#: Changes to the north and the south, by half an hour, at midnight, by two hours, around Ramadan, and abolished ones.
SAMPLE = (
    *("Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "America/Havana", "America/Sao_Paulo"),
    *("Africa/Casablanca", "Pacific/Apia", "America/Scoresbysund", "Asia/Tehran", "Antarctica/Troll"),
)


@pytest.mark.postgres
async def test_nobody_is_called_after_it_was_answered_that_he_is_not(url):
    """Do-not-call, withdrawal and erasure at random instants among claims; the long run is ``scripts/bench gate``."""
    forbidden, claimed, after = await gate_order.interleave(url, 2000, seed=7)
    assert (forbidden, after) == (2000, 0)
    assert 200 < claimed < 1900


@pytest.mark.postgres
async def test_a_claim_without_the_phone_s_lock_is_seen(url, monkeypatch):
    """Else the test above would prove little: without the lock a claim that judged before the answer commits after it."""
    whole = claims.SQL["claim_lock"]
    bare = replace(whole, sql=whole.sql.replace("FOR NO KEY UPDATE OF c, p SKIP LOCKED", ""))
    assert bare != whole
    monkeypatch.setitem(claims.SQL, "claim_lock", bare)
    after = 0
    for seed in range(6):
        after += (await gate_order.interleave(url, 500, seed=seed))[2]
        if after:
            break
    assert after


def test_every_minute_around_a_change_of_clocks_is_as_the_clock_shows_it():
    """Of ten zones here; of all by ``scripts/bench gate --sizes --windows``."""
    asked, wrong = gate_windows.windows(SAMPLE)
    assert asked > 30_000
    assert wrong == 0


def test_a_window_that_takes_the_offset_of_the_day_s_start_is_seen(monkeypatch):
    offset = hours._offset
    monkeypatch.setattr(hours, "_offset", lambda zone, at: offset(zone, at // 86_400 * 86_400))
    hours._open.cache_clear()
    assert gate_windows.windows(["Europe/Berlin"])[1] > 0
    hours._open.cache_clear()


def test_no_hostile_string_is_dialled_outside_the_allowed_prefixes():
    rules = profiles.load("de")
    passed, wrong = gate_windows.outside(gate_windows.hostile(50_000), rules.allow, rules.deny)
    assert passed > 500
    assert wrong == 0


def test_a_rule_that_takes_any_digit_of_unicode_is_seen(monkeypatch):
    monkeypatch.setattr(numbers, "allowed", lambda text, _allow, _deny: text[1:2].isdigit())
    assert gate_windows.outside(gate_windows.hostile(20_000), ("+49",), ())[1] > 0
