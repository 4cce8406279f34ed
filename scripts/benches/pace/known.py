"""What is known beforehand: bounds and the rivals' best settings, data with their seeds in ``known.json``.

``source`` says where a figure comes from: ``search`` is this benchmark's own (``tune.py``), ``specification`` was given
and holds until a search replaces it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scripts.benches.pace.rivals import Settings
from scripts.benches.pace.world import DAY_S, HOUR_S, Scenario

KNOWN = Path(__file__).with_name("known.json")
#: The source of a figure that this benchmark found itself.
SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Figure:
    """A busy share, and where it comes from."""

    busy: float
    source: str


def name(world: Scenario, until_s: float) -> str:
    """Scenario and length of a day."""
    return f"{world.name}@{until_s / HOUR_S:g}h"


def bound(world: Scenario, until_s: float) -> Figure | None:
    """The most that is possible; of a whole day if nobody has looked at one so short. None for worlds without one."""
    found = _find("bounds", world, until_s)
    return Figure(found["busy"], found["source"]) if found else None


def vici(world: Scenario, until_s: float) -> Figure | None:
    """The best of VICIdial's settings."""
    found = _find("vici", world, until_s)
    return Figure(found["busy"], found["source"]) if found else None


def settings(world: Scenario, until_s: float) -> Settings | None:
    """VICIdial's best settings; None as long as nobody has searched for them."""
    found = _find("vici", world, until_s) or {}
    return Settings(**found["settings"]) if "settings" in found else None


def keep(part: str, key: str, figures: dict[str, Any]) -> None:
    """Write one finding down at once."""
    known = _read() | {}
    known[part][key] = figures
    KNOWN.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    _read.cache_clear()


def is_found(part: str, key: str) -> bool:
    """Whether a search of ours found this figure, for days of exactly this length."""
    return _read()[part].get(key, {}).get("source") == SEARCH


def _find(part: str, world: Scenario, until_s: float) -> dict[str, Any] | None:
    part_known = _read()[part]
    found: dict[str, Any] | None = part_known.get(name(world, until_s), part_known.get(name(world, DAY_S)))
    return found


@cache
def _read() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(KNOWN.read_text(encoding="utf-8"))
    return known
