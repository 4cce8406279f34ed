"""Files of do-not-call numbers: in force as a whole when the answer comes, once, and back again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.store.do_not_call import Scope
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor
    from dialer.store.users import Actor

SQL = queries("do_not_call_file")

#: New numbers are made so many at a time: whoever waits for one of them waits a moment.
CHUNK_NUMBERS = 5000
#: A row without a number that is in no earlier row is known; all other words are reasons of rejection.
REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A row of a file.

    Attributes:
        line: Of the file, from 1.
        numbers: In E.164; none if it is rejected.
        verdict: ``number``, ``repeated``, or why it is rejected: ``bad_phone``, ``rounded``.
    """

    line: int
    verdict: str
    numbers: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotCallFile:
    """A file that was taken; ``rows_known`` were forbidden already, or named in an earlier row."""

    id: int
    name: str
    scope: str
    customer_id: int | None
    campaign_id: int | None
    rows_in: int
    rows_added: int
    rows_known: int
    rows_rejected: int
    taken_at: datetime
    taken_by: int | None
    undone_at: datetime | None
    undone_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a file.

    Attributes:
        file: As it is kept; None after a rehearsal.
        verdicts: By line: ``added``, ``known``, ``repeated`` or why the row is rejected.
        live: Phones with lines on their way, to be cut.
        repeated: It had been taken before; nothing was done now.
    """

    file: DoNotCallFile | None
    verdicts: Mapping[int, str]
    live: Sequence[int] = ()
    repeated: bool = False


class DoNotCallFiles:
    """Takes and takes back.

    Args:
        pool: For reading.
        intake: For files, which take longer.
    """

    def __init__(self, pool: Pool, intake: Pool) -> None:
        self._pool = pool
        self._intake = intake

    async def rehearse(self, rows: Sequence[Listed], scope: Scope) -> Taken:
        """What would become of each row; nothing is written."""
        with store_errors():
            return Taken(file=None, verdicts=_verdicts(rows, await _known(self._pool, rows, scope)))

    async def take(
        self, rows: Sequence[Listed], scope: Scope, *, name: str, file_hash: bytes, now: datetime, actor: Actor
    ) -> Taken:
        """Forbid every number of a file, all or none; in force when this returns. The same file twice is taken once.

        Raises:
            Refused: ``do_not_call.scope``; ``do_not_call.empty``: it has no number.
            StoreDown: Whether it was taken is not known; the same again is right.
        """
        numbers = _numbers(rows)
        if not numbers:
            raise Refused("do_not_call.empty", "The file has no number.", remedy="Give one number a line.")
        for start in range(0, len(numbers), CHUNK_NUMBERS):
            some = numbers[start : start + CHUNK_NUMBERS]
            with store_errors():
                await SQL["do_not_call_file_numbers"].execute(self._intake, numbers=some)
        where = {"scope": scope.word, "customer_id": scope.customer_id, "campaign_id": scope.campaign_id}
        same = {**where, "file_hash": file_hash}

        async def work(connection: Connection) -> Taken:
            phones = [row["id"] for row in await SQL["do_not_call_file_lock"].fetch(connection, numbers=numbers)]
            known = await _known(connection, rows, scope)
            there = await SQL["do_not_call_file_same"].fetchval(connection, **same)
            if there is not None:
                return Taken(file=await _get(connection, there), verdicts=_verdicts(rows, known), repeated=True)
            by = {"now": now, "user_id": actor.user_id}
            file_id = await SQL["do_not_call_file_add"].fetchval(connection, name=name, **same, **by)
            await SQL["do_not_call_file_entries"].execute(connection, phones=phones, file_id=file_id, **where, **by)
            await SQL["do_not_call_file_block"].execute(connection, phones=phones, **where, **by)
            verdicts = _verdicts(rows, known)
            counts = _counts(verdicts)
            await SQL["do_not_call_file_counts"].execute(connection, file_id=file_id, **counts)
            after = {**where, "name": name, **counts}
            await note(connection, actor, "do_not_call.file", f"do_not_call_file:{file_id}", after=after)
            live = await SQL["do_not_call_file_live"].fetch(connection, phones=phones)
            file = await _get(connection, file_id)
            return Taken(file=file, verdicts=verdicts, live=[row["phone_id"] for row in live])

        try:
            return await transaction(self._intake, work)
        except asyncpg.UniqueViolationError:
            return await transaction(self._intake, work)  # another one took the same file meanwhile
        except asyncpg.IntegrityConstraintViolationError as error:
            raise Refused(
                "do_not_call.scope", "The scope names no customer or campaign.", remedy="Give its id."
            ) from error

    async def list(self) -> Sequence[DoNotCallFile]:
        """All files, the last first."""
        with store_errors():
            return [DoNotCallFile(**row) for row in await SQL["do_not_call_file_list"].fetch(self._pool, id=None)]

    async def undo(self, file_id: int, *, now: datetime, actor: Actor) -> DoNotCallFile:
        """Take a file back: the entries that only it brought are gone, and their contacts come before the gate again.

        Raises:
            NotFound: ``do_not_call.no_file``.
            Refused: ``do_not_call.undone``: it was taken back already.
        """

        async def work(connection: Connection) -> DoNotCallFile:
            before = await _get(connection, file_id)
            by = {"now": now, "user_id": actor.user_id}
            if not await SQL["do_not_call_file_undone"].execute(connection, id=file_id, **by):
                raise Refused("do_not_call.undone", "This file was taken back already.", remedy="Read the list again.")
            phones = [row["phone_id"] for row in await SQL["do_not_call_file_remove"].fetch(connection, id=file_id)]
            await SQL["do_not_call_file_judge_again"].execute(connection, phones=phones)
            after = {"name": before.name, "entries": len(phones)}
            await note(connection, actor, "do_not_call.file_undone", f"do_not_call_file:{file_id}", after=after)
            return await _get(connection, file_id)

        return await transaction(self._intake, work)


async def _get(connection: Connection, file_id: int) -> DoNotCallFile:
    rows = await SQL["do_not_call_file_list"].fetch(connection, id=file_id)
    if not rows:
        raise NotFound("do_not_call.no_file", "There is no such file of do-not-call numbers.")
    return DoNotCallFile(**rows[0])


async def _known(connection: Executor, rows: Sequence[Listed], scope: Scope) -> set[str]:
    found = await SQL["do_not_call_file_known"].fetch(
        connection,
        numbers=_numbers(rows),
        scope=scope.word,
        customer_id=scope.customer_id,
        campaign_id=scope.campaign_id,
    )
    return {row["e164"] for row in found}


def _numbers(rows: Sequence[Listed]) -> list[str]:
    return sorted({number for row in rows for number in row.numbers})


def _verdicts(rows: Sequence[Listed], known: set[str]) -> dict[int, str]:
    """By line; a row with a new number and a known one is new."""
    new = {row.line for row in rows if row.verdict == "number" and not known.issuperset(row.numbers)}
    return {
        row.line: row.verdict if row.verdict != "number" else "added" if row.line in new else "known" for row in rows
    }


def _counts(verdicts: Mapping[int, str]) -> dict[str, int]:
    by_word = Counter(verdicts.values())
    added, known = by_word.pop("added", 0), by_word.pop("known", 0) + by_word.pop(REPEATED, 0)
    return {"added": added, "known": known, "rejected": by_word.total()}
