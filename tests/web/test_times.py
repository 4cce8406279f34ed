"""A time that a callee names is found on the callee's own clock, also where clocks change that night."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import dialer.web
from tests.sim.month import on_the_clock

TIMES = Path(dialer.web.__file__).parent / "static" / "times.js"
ASK = """
import(process.argv[1]).then(({ fromWall, oddity }) => {
  const asked = JSON.parse(process.argv[2]);
  console.log(JSON.stringify(asked.map(([wall, zone]) => [fromWall(wall, zone), oddity(wall, zone)])));
});
"""
#: The first day of a change, its zone, and what happens to its hours; half an hour at Lord Howe.
CHANGES = (
    ("2026-03-29", "Europe/Berlin", {"02:00": "missing", "02:30": "missing", "03:00": "", "01:59": ""}),
    ("2026-10-25", "Europe/Berlin", {"02:00": "twice", "02:30": "twice", "03:00": "", "01:59": ""}),
    ("2026-10-04", "Australia/Sydney", {"02:30": "missing", "03:00": ""}),
    ("2026-04-05", "Australia/Sydney", {"02:30": "twice", "03:00": "", "14:00": ""}),
    ("2026-03-08", "America/New_York", {"02:15": "missing", "10:00": ""}),
    ("2026-11-01", "America/New_York", {"01:15": "twice", "02:00": ""}),
    ("2026-10-04", "Australia/Lord_Howe", {"02:10": "missing", "02:30": ""}),
    ("2026-04-05", "Australia/Lord_Howe", {"01:40": "twice", "02:00": ""}),
    ("2026-07-01", "Asia/Kolkata", {"00:00": "", "12:34": ""}),
)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node to run the page's script")
def test_a_missing_hour_is_called_after_and_one_that_comes_twice_the_first_time(tmp_path):
    script = tmp_path / "times.mjs"
    script.write_text(TIMES.read_text(encoding="utf-8"), encoding="utf-8")
    asked = [(f"{day}T{clock}", zone, what) for day, zone, clocks in CHANGES for clock, what in clocks.items()]
    command = ["node", "-e", ASK, str(script), json.dumps([(wall, zone) for wall, zone, _ in asked])]
    answers = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    for (wall, zone, what), (at_ms, odd) in zip(asked, answers, strict=True):
        at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms)
        assert (at, odd) == (on_the_clock(datetime.fromisoformat(wall), zone), what), (wall, zone)
