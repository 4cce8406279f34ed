"""Bounds and the best settings of the rivals: found by search, kept as data with their seeds in ``known.json``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import exp, log, sqrt
from typing import Any

from scripts.benches.pace import known
from scripts.benches.pace.day import Count
from scripts.benches.pace.oracle import Oracle
from scripts.benches.pace.rivals import Settings, Vici
from scripts.benches.pace.runs import CAP, LONG_TEAM, Run, days_of, planned
from scripts.benches.pace.world import thirty

#: Where the search for θ begins, and how often it may try.
THETA, TRIES = 0.03, 10
#: So near the cap, or between two days so near each other, busy share is a straight line of the abandoned share.
NEAR, BETWEEN = 0.0003, 0.012


@dataclass(frozen=True, slots=True)
class Bound:
    """What is possible in a scenario at exactly the cap."""

    busy: float
    theta: float


def bound(run: Run) -> Bound:
    """Tune θ to the cap on the run's own days: regula falsi in logarithms; in the end a straight line to the cap."""
    tried: list[tuple[float, Count]] = []
    guess = log(THETA)
    while len(tried) < TRIES:
        count = days_of(run, partial(Oracle, run.world, exp(guess)))
        tried.append((guess, count))
        below, above = _around(tried)
        if abs(count.lost - CAP) < NEAR or (below and above and above[1].lost - below[1].lost < BETWEEN):
            break
        guess = _next(tried)
    if below is None or above is None:
        guess, count = min(tried, key=lambda one: abs(one[1].lost - CAP))
        return Bound(count.busy, exp(guess))
    (low, less), (high, more) = below, above
    part = (CAP - less.lost) / (more.lost - less.lost)
    return Bound(less.busy + part * (more.busy - less.busy), exp(low + part * (high - low)))


def _next(tried: list[tuple[float, Count]]) -> float:
    below, above = _around(tried)
    guess, count = tried[-1]
    if below is None or above is None:
        return guess + log(CAP / max(count.lost, CAP / 4))
    (low, less), (high, more) = below, above
    part = log(CAP / max(less.lost, 1e-4)) / log(more.lost / max(less.lost, 1e-4))
    return low + min(0.9, max(0.1, part)) * (high - low)


def _around(tried: list[tuple[float, Count]]) -> tuple[tuple[float, Count] | None, tuple[float, Count] | None]:
    """The nearest tries at or below the cap, and above it."""
    below = max((one for one in tried if one[1].lost <= CAP), key=lambda one: one[1].lost, default=None)
    above = min((one for one in tried if one[1].lost > CAP), key=lambda one: one[1].lost, default=None)
    return below, above


#: Where the greatest level is looked for, and in how many halvings.
LEVELS, HALVINGS = (1.0, 12.0), 7
#: A target so high that the level is always the greatest: a fixed ratio.
ALWAYS = 1e6


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best settings found, with what they came to."""

    settings: Settings
    busy: float
    lost: float

    def figures(self) -> dict[str, Any]:
        """As data."""
        return {"settings": asdict(self.settings), "busy": round(self.busy, 4), "lost": round(self.lost, 5)}


def tuned_vici(run: Run) -> Tuned:
    """The busiest settings at or below the cap: one after the other is varied, the greatest level found anew each time.

    It begins with the fixed ratio, and goes through all alternatives twice.
    """
    best = _best_level(run, Settings(target=ALWAYS, drop_permille=1000))
    for _ in range(2):
        for change in _changes(run.world.operators):
            candidate = replace(best.settings, **change)
            if replace(candidate, level_max=best.settings.level_max) != best.settings:
                best = max(best, _best_level(run, candidate, best.busy), key=lambda one: one.busy)
    return best


def _changes(operators: int) -> Iterator[dict[str, Any]]:
    yield {"available_only": True}
    yield {"available_only": False}
    for share in (0.0, 0.03, 0.06, 0.1, 0.15, 0.25):
        yield {"target": -share * operators}
    yield {"target": ALWAYS}
    yield from ({"intensity": intensity} for intensity in (-30, -15, 0, 20))
    yield from ({"method": method, "drop_permille": 28} for method in ("hard", "average", "tapered"))
    yield {"drop_permille": 1000}


def _best_level(run: Run, settings: Settings, to_beat: float = 0.0) -> Tuned:
    """Halve, in logarithms, between levels at or below the cap and levels above it, while it may still win."""
    low, high = LEVELS
    best = Tuned(settings, 0.0, 1.0)
    for _ in range(HALVINGS):
        level = sqrt(low * high)
        candidate = replace(settings, level_max=round(level, 4))
        count = days_of(run, partial(Vici, candidate))
        if count.lost > CAP:
            if count.busy <= to_beat:
                break
            high = level
            continue
        low = level
        if count.busy > best.busy:
            best = Tuned(candidate, count.busy, count.lost)
    return best


def retune(run: Run) -> tuple[str, str, dict[str, Any]]:
    """The part of what is known, its key and its figures that this run is about: ``bound`` or ``vici``."""
    of = {"days": run.days, "seed": run.seed, "source": known.SEARCH}
    part, key = _place(run)
    if run.dialer == "vici":
        return part, key, tuned_vici(run).figures() | of
    best = bound(run)
    return part, key, {"busy": round(best.busy, 4), "theta": round(best.theta, 5)} | of


def found(run: Run) -> bool:
    """Whether a search was made for exactly this before."""
    return known.is_found(*_place(run))


def _place(run: Run) -> tuple[str, str]:
    return "vici" if run.dialer == "vici" else "bounds", known.name(run.world, run.until_s)


def searches() -> list[Run]:
    """All that ``--retune`` looks for: bounds and settings, of the longest team for both lengths of its days."""
    runs = [planned(world, dialer) for dialer in ("bound", "vici") for world in thirty()]
    long = [world for world in thirty() if world.operators >= LONG_TEAM]
    return runs + [planned(world, dialer, full=True) for dialer in ("bound", "vici") for world in long]
