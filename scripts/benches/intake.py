"""A base of a million rows: rehearsed and loaded while another campaign dials, against what bare tools need for it.

The file has names, two phones, a city and five attributes, 3 % bad rows and 10 % repeated ones. Loading it may cost not
more than 1.5 times as much as COPY of the very same rows into a bare table plus phonenumbers.parse of the same cells on
one core. The service and its worker together stay below 300 MB; a claim of the dialing campaign takes not more than
50 ms in 99 of 100 cases (how long it takes before the base comes is told beside it: a busy machine is seen there); a
spreadsheet of a fifth of the rows takes its worker not more than 400 MB, and one with too many is refused.

    scripts/bench intake                    a million rows: five minutes on two quiet cores
    scripts/bench intake --rows 50000       a look
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import phonenumbers
import xlsxwriter

from dialer import intake
from dialer.core.model import Outcome
from dialer.errors import Refused
from dialer.intake import sheets, work, workers
from dialer.intake.folder import FILE
from dialer.store.migrate import migrate
from dialer.store.partitions import keep_partitions
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from scripts.benches.site import NOBODY, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The goals.
RATIO_MAX = 1.5
MEMORY_MB_MAX = 300
SHEET_MB_MAX = 400
CLAIM_MS_P99_MAX = 50

BAD, REPEATED = 0.03, 0.10
HEAD = ["ФИО", "Телефон", "Телефон 2", "Город", "Должность", "Источник", "Сумма", "Дата", "Комментарий"]
CITIES = ("Москва", "Тула", "Казань", "Омск", "Пермь", "Самара", "Уфа", "Томск")
CLAIM_EVERY_S = 0.02
#: The campaign dials so long before the base comes.
ALONE_S = 10.0
PARSED_SAMPLE = 200_000


def rows(count: int, seed: int = 1) -> Iterator[list[str]]:
    """What an admin gets: numbers in several hands' writing."""
    rng = random.Random(seed)
    for place in range(count):
        chance = rng.random()
        # The other rows have numbers of their own; a repeated one has that of some row before it.
        number = rng.randrange(place) if place and chance < REPEATED else place
        mobile = f"9{16 + number // 10**7}{number % 10**7:07}"
        bad = chance > 1 - BAD
        phone = "нет" if bad else _written(mobile, number % 4)
        second = "" if bad else f"8 (495) {2000000 + number * 7 % 7999999}"
        name = f"Иванова Мария {number}"
        yield [name, phone, second, CITIES[number % 8], "менеджер", "выставка 2025", str(number % 9973), "2025-11-20",
               f"перезвонить после {number % 24} часов"]  # fmt: skip


def _written(mobile: str, hand: int) -> str:
    match hand:
        case 0:
            return f"+7{mobile}"
        case 1:
            return f"8 ({mobile[:3]}) {mobile[3:6]}-{mobile[6:8]}-{mobile[8:]}"
        case 2:
            return f"8{mobile}"
        case _:
            return f"+7 {mobile[:3]} {mobile[3:6]} {mobile[6:]}"


@dataclass(slots=True)
class Figures:
    """What was measured."""

    rows: int = 0
    rehearse_s: float = 0.0
    load_s: float = 0.0
    copy_s: float = 0.0
    parse_s: float = 0.0
    service_mb: float = 0.0
    worker_mb: float = 0.0
    sheet_rows: int = 0
    sheet_mb: float = 0.0
    refused: str = ""
    alone_ms: list[float] = field(default_factory=list)
    claims_ms: list[float] = field(default_factory=list)
    accounted: bool = False

    @property
    def ratio(self) -> float:
        """Load against both bare parts."""
        return self.load_s / (self.copy_s + self.parse_s)

    @property
    def p99_ms(self) -> float:
        """Of the claims while the base was rehearsed and loaded."""
        return _p99(self.claims_ms)

    def good(self) -> bool:
        """Whether all goals are met."""
        return (
            self.accounted
            and self.ratio <= RATIO_MAX
            and self.service_mb + self.worker_mb <= MEMORY_MB_MAX
            and self.sheet_mb <= SHEET_MB_MAX
            and self.p99_ms <= CLAIM_MS_P99_MAX
            and "CSV" in self.refused
        )

    def line(self) -> str:
        """The last line."""
        return (
            f"intake: {'' if self.good() else 'falls short; '}{self.rows} rows rehearsed in {self.rehearse_s:.1f} s, "
            f"loaded in {self.load_s:.1f} s = {self.ratio:.2f} x (COPY {self.copy_s:.1f} s + parse {self.parse_s:.1f} "
            f"s) (goal {RATIO_MAX:g}), memory {self.service_mb:.0f} MB service + {self.worker_mb:.0f} MB worker "
            f"(goal {MEMORY_MB_MAX}), claim p50 {statistics.median(self.claims_ms):.1f} ms, p99 {self.p99_ms:.1f} ms "
            f"of {len(self.claims_ms)} (goal {CLAIM_MS_P99_MAX}; without a load {_p99(self.alone_ms):.1f} ms), XLSX "
            f"of {self.sheet_rows} rows {self.sheet_mb:.0f} MB (goal {SHEET_MB_MAX}), a larger one: "
            f"{self.refused or 'NOT REFUSED'} Every row accounted for: {'yes' if self.accounted else 'NO'}"
        )


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def write_csv(path: Path, count: int) -> None:
    """The file as Excel saves it in Russia."""
    with path.open("w", newline="", encoding="cp1251") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(HEAD)
        writer.writerows(rows(count))


def write_sheet(path: Path, lines: Iterable[list[str]]) -> None:
    """As XLSX."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet()
    for line, row in enumerate(lines):
        sheet.write_row(line, 0, row)
    book.close()


async def dial(
    url: str, pools: Pools, stores: Stores, loading: asyncio.Event, done: asyncio.Event, figures: Figures
) -> None:
    """A campaign that claims, calls and ends as fast as thirty operators' does, until it is enough."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.store.places import Place, live  # noqa: PLC0415  # the tests are no part of the package

    began = datetime.now(UTC)
    store = PgStore(pools.engine, url, clock=lambda: began)  # the lease never runs out, however busy the machine is
    place = await Place.make(pools, url, stores, store, carried=(2000, 0))
    await place.add_contacts(*islice(numbers(), 20_000), zones=("America/New_York",))
    place.now = place.now.replace(hour=17)
    while not done.is_set():
        before = time.perf_counter()
        result = await place.claim(2)
        took_ms = (time.perf_counter() - before) * 1000
        if not result.claims:
            place.now += timedelta(hours=1)  # all were called: those that were busy are due again
            continue
        (figures.claims_ms if loading.is_set() else figures.alone_ms).append(took_ms)
        for claim in result.claims:
            await place.end(live(claim), Outcome.BUSY)
        await asyncio.sleep(CLAIM_EVERY_S)
    await store.close()


async def measure(url: str, folder: Path, count: int, figures: Figures) -> None:
    """Rehearse and load while the other campaign dials."""
    async with Pools.open(url) as pools:
        await keep_partitions(pools.engine)
        stores = Stores.of(pools)
        loading, done = asyncio.Event(), asyncio.Event()
        dialing = asyncio.create_task(dial(url, pools, stores, loading, done, figures), name="dialing")
        while not figures.alone_ms:
            await asyncio.sleep(0.1)
            if dialing.done():
                dialing.result()
        await asyncio.sleep(ALONE_S)
        loading.set()
        values = {
            "name": "base",
            "mode": "progressive",
            "customer": "c",
            "team": "t",
            "trunk": "world",
            "profile": "world",
        }
        campaign = await stores.campaigns.create(values, actor=NOBODY)
        found = await intake.look(folder, {})
        plan = intake.Plan.of({**found["plan"], "zone": "Europe/Moscow"})
        started = time.perf_counter()
        rehearsed = await intake.rehearse(stores, folder, plan, campaign_id=campaign.id)
        figures.rehearse_s = time.perf_counter() - started
        print(f"rehearsed: {figures.rehearse_s:.1f} s, {rehearsed.accepted} accepted, {rehearsed.reasons}", flush=True)
        started = time.perf_counter()
        seen: dict[str, float] = {}

        def progress(what: str, _done: int, _of: int) -> None:
            seen.setdefault(what, time.perf_counter() - started)

        loaded = await intake.load_file(
            stores, folder, plan, campaign_id=campaign.id, name="base", source="bench", actor=NOBODY, progress=progress
        )
        figures.load_s = time.perf_counter() - started
        print("loaded:", ", ".join(f"{what} from {at:.1f} s" for what, at in seen.items()), flush=True)
        done.set()
        await dialing
        base = loaded.base
        contacts = await pools.web.fetchval("SELECT count(*) FROM contact WHERE base_id = $1", base.id)
        figures.rows = count
        figures.accounted = (
            base.rows_in == count
            and contacts == base.rows_loaded == rehearsed.accepted
            and base.rows_loaded + base.rows_rejected == count
        )
        figures.worker_mb = loaded.report.peak_kb / 1024
        figures.service_mb = work.peak_kb() / 1024


async def bare(url: str, file: Path, figures: Figures) -> None:
    """COPY of the same rows into a bare table, and phonenumbers.parse of the same cells."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "CREATE TABLE bare (a text, b text, c text, d text, e text, f text, g text, h text, i text)"
    )
    started = time.perf_counter()
    await connection.copy_to_table("bare", source=file, format="csv", delimiter=";", header=True, encoding="win1251")
    figures.copy_s = time.perf_counter() - started
    await connection.close()
    cells = [cell for row in islice(rows(figures.rows), PARSED_SAMPLE // 2) for cell in row[1:3]]
    started = time.perf_counter()
    for cell in cells:
        try:
            phonenumbers.parse(cell, "RU")
        except phonenumbers.NumberParseException:
            continue
    figures.parse_s = (time.perf_counter() - started) / len(cells) * 2 * figures.rows


async def sheet(folder: Path, count: int, figures: Figures) -> None:
    """What a spreadsheet costs its worker, and what is said of one that is too large."""
    await asyncio.to_thread(write_sheet, folder / FILE, chain([HEAD], rows(count)))
    found = await workers.run(folder, {"command": "look", "chosen": {}})
    judged = await workers.run(folder, {"command": "judge", "plan": {**found["plan"], "zone": "Europe/Moscow"}})
    figures.sheet_rows = judged["rows"]
    figures.sheet_mb = max(found["peak_kb"], judged["peak_kb"]) / 1024
    await asyncio.to_thread(write_sheet, folder / FILE, ([str(n)] for n in range(sheets.ROWS_MAX + 1)))
    try:
        await workers.run(folder, {"command": "look", "chosen": {}})
    except Refused as refused:
        figures.refused = f"{refused.message} {refused.remedy}"


async def run(count: int) -> Figures:
    """All of it."""
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="dialer-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "text").mkdir()
        (folder / "sheet").mkdir()
        await asyncio.to_thread(write_csv, folder / "text" / FILE, count)
        print(f"{count} rows, {(folder / 'text' / FILE).stat().st_size / 1e6:.0f} MB", flush=True)
        async with OwnServer(folder / "pg") as url:
            migrate(url)
            await measure(url, folder / "text", count, figures)
            await bare(url, folder / "text" / FILE, figures)
        await sheet(folder / "sheet", count // 5, figures)
    return figures


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench intake", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    figures = asyncio.run(run(parser.parse_args(argv).rows))
    print(figures.line())
    return 0 if figures.good() else 1
