"""Files as they come from everywhere: each row gets the verdict that is written beside the file."""

from __future__ import annotations

import json
import time

import pytest

from dialer.errors import Refused
from dialer.intake import sheets, work, workers
from dialer.intake.folder import FILE
from dialer.intake.plan import Plan
from dialer.intake.rows import Rejected
from dialer.intake.verdicts import Verdicts
from tests.intake.ugly import files

UGLY = files()


def untold(*_):
    pass


@pytest.mark.parametrize("ugly", UGLY, ids=lambda ugly: ugly.name)
def test_an_ugly_file_gets_its_verdicts(ugly, tmp_path):
    (tmp_path / FILE).write_bytes(ugly.data)
    if ugly.code:
        started = time.process_time()
        with pytest.raises(Refused) as refused:
            Plan.of(work.look_at(tmp_path, {}, untold)["plan"]).checked()
        assert refused.value.code == ugly.code
        assert refused.value.remedy
        assert time.process_time() - started < 2
        return
    plan = Plan.of(work.look_at(tmp_path, {}, untold)["plan"]).checked()
    verdicts = Verdicts(work.text_of(tmp_path, plan.sheet), plan)
    found = list(verdicts)
    accepted = [row for row in found if not isinstance(row, Rejected)]
    assert tuple(tuple(row.phones) for row in accepted) == ugly.phones
    assert {row.line: row.reason for row in found if isinstance(row, Rejected)} == ugly.reasons
    assert {**dict(verdicts.notes), **ugly.notes} == dict(verdicts.notes)
    assert {name: getattr(plan, name) for name in ugly.read_as} == ugly.read_as
    assert not ugly.names or tuple(row.name for row in accepted) == ugly.names


def test_there_are_forty_of_different_kinds_and_they_are_small():
    kinds = {"an encoding" if ugly.name.startswith("encoding ") else ugly.name for ugly in UGLY}
    assert len(kinds) >= 40
    assert len({ugly.name for ugly in UGLY}) == len({ugly.data for ugly in UGLY}) == len(UGLY)
    assert all(len(ugly.data) < 400_000 for ugly in UGLY)


async def test_the_worker_refuses_a_bomb_as_people_would_say_it(tmp_path):
    """Through the process that reads real files."""
    ugly = next(ugly for ugly in UGLY if ugly.name == "a bomb")
    (tmp_path / FILE).write_bytes(ugly.data)
    with pytest.raises(Refused) as refused:
        await workers.run(tmp_path, {"command": "look", "chosen": {}})
    assert (refused.value.code, "CSV" in refused.value.remedy) == ("base.bomb", True)


def test_a_sheet_may_have_so_many_rows_and_columns_and_not_one_more(tmp_path, monkeypatch):
    sheet = next(ugly for ugly in UGLY if ugly.name == "a sheet")
    (tmp_path / FILE).write_bytes(sheet.data)
    for limit, has, code in (("ROWS_MAX", 3, "base.too_large"), ("COLUMNS_MAX", 2, "base.columns")):
        monkeypatch.setattr(sheets, limit, has)
        work.look_at(tmp_path, {}, untold)
        monkeypatch.setattr(sheets, limit, has - 1)
        with pytest.raises(Refused) as refused:
            work.look_at(tmp_path, {}, untold)
        assert (refused.value.code, "CSV" in refused.value.remedy) == (code, True)
        monkeypatch.undo()


async def test_a_gigantic_line_is_read_in_little_memory(tmp_path):
    """A quarter of a gigabyte without a line end, in a worker that would not get that much."""
    with (tmp_path / FILE).open("wb") as file:
        file.write(b"name,phone\n")
        for _ in range(256):
            file.write(b"x" * 1024**2)
        file.write(b"\nAnn,+79161234567\n")
    found = await workers.run(tmp_path, {"command": "look", "chosen": {}})
    judged = await workers.run(tmp_path, {"command": "judge", "plan": {**found["plan"], "zone": "Europe/Moscow"}})
    assert (judged["rows"], judged["reasons"]) == (2, {"too_long": 1})
    assert judged["peak_kb"] < 100_000


async def test_a_worker_that_dies_is_a_sentence(tmp_path, monkeypatch):
    """Its memory is not enough, or it is killed: the file is named, nothing else."""
    (tmp_path / FILE).write_bytes(b"phone\n+79161234567\n")
    (tmp_path / "ask.json").write_text(json.dumps({}))
    ended = workers._ended_badly(-6, "memory allocation of 17179869184 bytes failed")
    assert (ended.code, bool(ended.remedy)) == ("base.too_large", True)
    assert workers._ended_badly(-9, "").code == "base.too_slow"
    assert workers._ended_badly(1, "KeyError").code == "base.worker"
