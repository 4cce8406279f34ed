"""Load a base: let a worker judge the file, then rehearse or store what was accepted."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialer.intake import workers
from dialer.intake.folder import FILE, REJECTED, ROWS, SHOWN_MAX
from dialer.intake.plan import Plan
from dialer.intake.rows import Rejected
from dialer.store.bases import Base, Batch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from dialer.store.bases import Judged
    from dialer.store.stores import Stores
    from dialer.store.users import Actor

    #: Told what is done now, how much of it, of how much: bytes of the file, then rows of the load.
    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every row of a file has a verdict.

    Attributes:
        rows: Under the headings, not blank; accepted + updated + all rejected.
        accepted: Become, or would become, contacts.
        updated: Change a contact that is there already.
        reasons: Rejected rows by reason.
        notes: Accepted rows by repair.
        rejected: The first rejected rows.
        lanes: How many combinations of zones, priority and countries of numbers.
        repeated: The campaign had the very same file already; nothing was loaded now.
        peak_kb: Memory of the worker.
    """

    rows: int
    accepted: int
    updated: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    rejected: Sequence[Rejected] = ()
    lanes: int = 0
    repeated: bool = False
    peak_kb: int = 0

    def values(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What became of a file.

    Attributes:
        base: The base it became.
        rejected: The first rows that are not in it, each with its line and reason; ``base`` says how many they are.
        repeated: This campaign had the very same file already; nothing was loaded now.
        report: All of it.
    """

    base: Base
    rejected: Sequence[Rejected]
    repeated: bool
    report: Report


def _untold(_what: str, _done: int, _of: int) -> None:
    """Nobody looks."""


async def look(folder: Path, chosen: Mapping[str, Any], *, progress: Progress = _untold) -> dict[str, Any]:
    """What the file in a folder seems to be: ``plan``, ``sheets``, ``sample``.

    Raises:
        Refused: ``base.…``: it cannot be read.
    """
    ask = {"command": "look", "chosen": chosen}
    found = await workers.run(folder, ask, told=lambda told: progress("look", told["done"], told["of"]))
    return {name: found[name] for name in ("plan", "sheets", "sample")}


async def rehearse(
    stores: Stores, folder: Path, plan: Plan, *, campaign_id: int, progress: Progress = _untold
) -> Report:
    """What loading the file in a folder would come to; nothing is written.

    Raises:
        Refused: ``base.…``: it cannot be read.
        NotFound: ``campaign.not_found``.
    """
    judging = _Judging(folder, plan, progress)
    async with judging as batch:
        judged = await stores.bases.rehearse(
            batch, campaign_id=campaign_id, verdicts=folder / REJECTED, shown=SHOWN_MAX, progress=progress
        )
    return _report(judging.found, judged)


async def load_file(
    stores: Stores,
    folder: Path,
    plan: Plan,
    *,
    campaign_id: int,
    name: str,
    source: str,
    actor: Actor,
    progress: Progress = _untold,
) -> Loaded:
    """Load the file in a folder: every row that is not rejected, in one transaction.

    Raises:
        Refused: ``base.…``: it cannot be read.
        NotFound: ``campaign.not_found``.
        StoreDown: Whether it is loaded is not known; the same again is right.
    """
    digest = await asyncio.to_thread(hash_of, folder / FILE)
    judging = _Judging(folder, plan, progress)
    async with judging as batch:
        base, repeated, judged = await stores.bases.take(
            batch,
            campaign_id=campaign_id,
            name=name,
            source=source,
            file_hash=digest,
            actor=actor,
            verdicts=folder / REJECTED,
            shown=SHOWN_MAX,
            progress=progress,
        )
    report = _report(judging.found, judged, repeated=repeated)
    return Loaded(base=base, rejected=report.rejected, repeated=repeated, report=report)


async def load(
    stores: Stores,
    *,
    campaign_id: int,
    name: str,
    source: str,
    data: bytes,
    actor: Actor,
    region: str | None = None,
) -> Loaded:
    """Load a file as it comes, its columns matched by name and content.

    Args:
        stores: Where to.
        campaign_id: Whose base it becomes.
        name: What it is called.
        source: Where it comes from; kept with the base.
        data: The file.
        actor: For the audit log.
        region: Country (``RU``) of numbers without ``+``; by default the one whose numbers the file is full of.

    Raises:
        Refused: ``base.…``: the file as a whole cannot be read.
        NotFound: ``campaign.not_found``.
        StoreDown: Whether it is loaded is not known; the same again is right.
    """
    with tempfile.TemporaryDirectory(prefix="dialer-intake-") as name_of_folder:
        folder = Path(name_of_folder)
        await asyncio.to_thread((folder / FILE).write_bytes, data)
        found = await look(folder, {"region": region} if region else {})
        plan = Plan.of(found["plan"]).checked()
        return await load_file(stores, folder, plan, campaign_id=campaign_id, name=name, source=source, actor=actor)


def hash_of(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


class _Judging:
    """``async with`` gives the accepted rows of a file while its worker is still at the next ones.

    Attributes:
        found: The worker's answer, once the rows are at their end.
    """

    def __init__(self, folder: Path, plan: Plan, progress: Progress) -> None:
        self._folder = folder
        self._plan = plan.checked()
        self._progress = progress
        self._ready: asyncio.Queue[int] = asyncio.Queue()
        self.found: dict[str, Any] = {}

    async def __aenter__(self) -> Batch:
        ask = {"command": "judge", "plan": self._plan.values()}
        self._worker = asyncio.create_task(workers.run(self._folder, ask, told=self._told), name="intake worker")
        self._worker.add_done_callback(lambda _: self._ready.put_nowait(0))
        plan = self._plan
        self._batch = Batch(
            rows=self._blocks(), in_campaign=plan.in_campaign, elsewhere=plan.elsewhere, again=plan.again
        )
        return self._batch

    async def __aexit__(self, *_: object) -> None:
        self._worker.cancel()
        await asyncio.gather(self._worker, return_exceptions=True)

    def _told(self, told: Mapping[str, Any]) -> None:
        self._progress("judge", told["done"], told["of"])
        if told["ready"]:
            self._ready.put_nowait(told["ready"])

    async def _blocks(self) -> AsyncIterator[bytes]:
        after = 0
        while ready := await self._ready.get():
            if ready > after:
                yield await asyncio.to_thread(_region, self._folder / ROWS, after, ready)
            after = ready
        self.found = await self._worker
        self._batch.lanes = [(zones, priority, countries) for zones, priority, countries in self.found["lanes"]]
        self._batch.agreed = self.found["agreed"]
        self._batch.rejected = self.found["rows"] - self.found["accepted"]


def _region(path: Path, after: int, until: int) -> bytes:
    with path.open("rb") as file:
        file.seek(after)
        return file.read(until - after)


def _report(found: Mapping[str, Any], judged: Judged | None, *, repeated: bool = False) -> Report:
    """The worker's verdicts and the database's together."""
    reasons = Counter(found["reasons"])
    shown = [Rejected(**row) for row in found["rejected"]]
    if judged is not None:
        reasons.update({reason: rows for reason, rows in judged.reasons.items() if reason != "update"})
        shown = sorted([*shown, *(Rejected(**row) for row in judged.shown)], key=lambda row: row.line)[:SHOWN_MAX]
    rejected, updated = (judged.rejected, judged.updated) if judged else (0, 0)
    return Report(
        rows=found["rows"],
        accepted=found["accepted"] - rejected - updated,
        updated=updated,
        reasons=dict(reasons),
        notes=found["notes"],
        rejected=shown,
        lanes=len(found["lanes"]),
        repeated=repeated,
        peak_kb=found["peak_kb"],
    )
