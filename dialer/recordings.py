"""The keeper of recordings: takes them from the switch, seals them, deletes them at their date, leaves nothing over.

The switch leaves ``<attempt id>.raw`` in its spool. When the conversation is over the file is sealed onto a volume of
its own (``dialer.sealing``), its row says so, and only then it leaves the spool; so a crash at any moment leaves either
a file that is taken again, or a row that says what became of it. A row is deleted together with its seed, without
which the file is noise, and the file follows. What nobody knows of is removed.

Asterisk begins with the answer; what was said before the recording began (connect, or the callee's consent) is cut off
here.
"""

from __future__ import annotations

import asyncio
import os
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from dialer import sealing
from dialer.core.recording import Recording, Ways
from dialer.tapes import FRAME_BYTES, HEADER_BYTES, RATE_HZ, SEALED, pieces, place, trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dialer.store.recordings import FileOf, Recordings

log = structlog.get_logger(__name__)

#: The spool is looked at this often.
ROUND_S = 3.0
#: A conversation that ended so long ago is written to its end.
SETTLED = timedelta(seconds=3)
#: In a conversation as long as this something was to be heard.
SOUND = timedelta(seconds=2)
#: One without a file after this has none; one whose file cannot be read after this is lost.
MISSED = timedelta(seconds=60)
UNREADABLE = timedelta(minutes=10)
#: What is too old is looked for this often, and what lies on the volume without a right to.
EXPIRE_S = 600.0
ORPHANS_S = 3600.0
#: So much before a recording's begin is kept: events are told a little late, and no word is to be lost.
LEAD_S = 0.25
_RAW = re.compile(r"[0-9a-f]{32}\.raw")
_MANY = 500


class Keeper:
    """Keeps the recordings of one switch.

    Args:
        store: What became of each.
        switch: Its name in the rows.
        spool: Where the switch leaves them; None: nothing is recorded.
        volume: Where they are kept.
        key: What they are sealed with.
        free_bytes: Less free space than this on either is trouble.
        trouble: Told a stable word whenever recordings cannot be kept any more, None when they can again.
        failed: Told of recordings that came to nothing, and why.
    """

    def __init__(
        self,
        store: Recordings,
        *,
        switch: str,
        spool: Path | None,
        volume: Path,
        key: bytes,
        free_bytes: int,
        trouble: Callable[[str | None], None],
        failed: Callable[[str, int], None],
    ) -> None:
        self._store = store
        self._switch = switch
        self._spool = spool
        self._volume = volume
        self._key = key
        self._free_bytes = free_bytes
        self._trouble = trouble
        self._failed = failed
        self._expired_s = self._swept_s = float("-inf")

    async def run(self, leads: asyncio.Event) -> None:
        """Keep, for ever, once this is the service that leads; a campaign that records waits for the first look."""
        await leads.wait()
        while True:
            await self.round(datetime.now(UTC), asyncio.get_running_loop().time())
            await asyncio.sleep(ROUND_S)

    async def round(self, now: datetime, now_s: float) -> None:
        """One look at everything; ``now_s`` only passes.

        Raises:
            StoreDown: PostgreSQL does not answer.
        """
        self._trouble(await asyncio.to_thread(trouble, self._spool, self._volume, self._free_bytes))
        if self._spool is not None and self._spool.is_dir():
            found = await asyncio.to_thread(_files, self._spool)
            for attempt_id, path in found.items():
                await self._take(attempt_id, path, now)
            missing = set(await self._store.missing(self._switch, now - MISSED)) - found.keys()
            await self._fail(sorted(missing), "no_file")
        if now_s - self._expired_s >= EXPIRE_S:
            while await self._store.expire(now, _MANY) == _MANY:
                pass
            self._expired_s = now_s
        await self._remove(now)
        if now_s - self._swept_s >= ORPHANS_S:
            await self._sweep()
            self._swept_s = now_s

    async def _take(self, attempt_id: UUID, path: Path, now: datetime) -> None:
        """A file in the spool: seal it when its conversation is over, or remove what is not to be kept."""
        of = await self._store.file(attempt_id)
        if of is not None and (of.live or of.ended_at is None or of.ended_at > now - SETTLED):
            return
        late = _late(attempt_id, of)
        began_at = late.began_at if late is not None else of.began_at if of is not None else None
        waited_for = late is not None or (of is not None and of.state in {"recording", "failed"})
        if of is None or of.ended_at is None or began_at is None or not waited_for:
            if of is None:
                log.warning("recording.orphan", attempt_id=str(attempt_id))
            await asyncio.to_thread(_unlink, path)
            return
        seed = os.urandom(sealing.SEED_BYTES)
        try:
            ended_at = min(of.ended_at, _written(path)) if of.unseen else of.ended_at
            kept_s = (ended_at - began_at).total_seconds() + LEAD_S
            size = await asyncio.to_thread(self._seal, attempt_id, path, seed, kept_s)
        except OSError as error:
            log.warning("recording.not_sealed", attempt_id=str(attempt_id), error=str(error))
            if isinstance(error, PermissionError) and of.ended_at < now - UNREADABLE:
                await self._fail([attempt_id], "unreadable")
            return
        if size:
            duration_ms = max(1, (size - HEADER_BYTES) * 1000 // (RATE_HZ * FRAME_BYTES))
            kept = await self._store.stored(
                attempt_id, seed=seed, size=size, duration_ms=duration_ms, at=now, late=late, switch=of.switch
            )
            if not kept:
                await asyncio.to_thread(_unlink, place(self._volume, attempt_id))
        else:
            await self._fail([attempt_id], "empty", alarms=of.ended_at - began_at >= SOUND)
        await asyncio.to_thread(_unlink, path)

    def _seal(self, attempt_id: UUID, path: Path, seed: bytes, kept_s: float) -> int:
        """Seal the end of a raw file as a WAV; its size, 0 where there is nothing.

        Raises:
            OSError: it cannot be read, or there is no room.
        """
        frames = path.stat().st_size // FRAME_BYTES
        kept = min(frames, round(kept_s * RATE_HZ))
        if kept <= 0:
            return 0
        target = place(self._volume, attempt_id)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sounds = pieces(path, (frames - kept) * FRAME_BYTES, kept * FRAME_BYTES)
        return sealing.seal(sounds, target, master=self._key, seed=seed, name=attempt_id.bytes)

    async def _fail(self, attempts: list[UUID], why: str, *, alarms: bool = True) -> None:
        if attempts and (failed := await self._store.failed(attempts, why)) and alarms:
            log.error("recording.failed", why=why, attempts=[str(one) for one in failed])
            self._failed(why, len(failed))

    async def _remove(self, now: datetime) -> None:
        """The files of deleted recordings."""
        gone = []
        for attempt_id in await self._store.to_remove(_MANY):
            places = [place(self._volume, attempt_id)]
            places += [self._spool / f"{attempt_id.hex}.raw"] if self._spool is not None else []
            if all([await asyncio.to_thread(_unlink, path) for path in places]):
                gone.append(attempt_id)
        await self._store.removed(gone, now)

    async def _sweep(self) -> None:
        """Files on the volume that no row speaks of, and what a crash left half written."""
        found = await asyncio.to_thread(lambda: list(self._volume.glob("*/*")))
        ids = {_id(path): path for path in found if path.suffix == SEALED}
        ids.pop(None, None)
        names = [uid for uid in ids if uid is not None]
        for start in range(0, len(names), _MANY):
            some = names[start : start + _MANY]
            for attempt_id in set(some) - await self._store.known(some):
                log.warning("recording.orphan", attempt_id=str(attempt_id))
                await asyncio.to_thread(_unlink, ids[attempt_id])
        for path in filter(sealing.is_part, found):
            await asyncio.to_thread(_unlink, path)


def _late(attempt_id: UUID, of: FileOf | None) -> Recording | None:
    """The row of a conversation that was recorded by rule, and whose row a crash kept from being written."""
    if of is None or of.state is not None or of.connected_at is None or of.way not in {Ways.ON, Ways.TOLD}:
        return None
    return Recording(
        attempt_id=attempt_id,
        campaign_id=of.campaign_id,
        phone_id=of.phone_id,
        operator_id=of.operator_id,
        began_at=of.connected_at,
    )


def _files(spool: Path) -> dict[UUID, Path]:
    return {UUID(hex=path.stem): path for path in spool.iterdir() if _RAW.fullmatch(path.name)}


def _written(path: Path) -> datetime:
    """When the last of a file was written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _id(path: Path) -> UUID | None:
    try:
        return UUID(hex=path.stem)
    except ValueError:
        return None


def _unlink(path: Path) -> bool:
    """Remove a file that may be gone already; one that cannot be removed is said, and tried again."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("recording.not_removed", path=path.name, error=str(error))
        return False
    return True
