"""The order of bases, and calling a base again: each pass begins with chosen outcomes and has its own yield."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("pass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One time through a base.

    Attributes:
        contacts: That were called, or called again, in it.
        outcomes: Of the used-up contacts that went again; empty for the first pass.
        dispositions: Of the closed ones that did.
        reached: Contacts somebody spoke with.
    """

    number: int
    started_at: datetime
    contacts: int
    outcomes: Sequence[str]
    dispositions: Sequence[str]
    attempts: int
    reached: int
    results: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Closed contacts of a base that a pass may call again.

    Attributes:
        kind: ``used_up``: by the outcome of the last attempt; ``disposition``: by what was said last.
        word: That outcome or the code of that disposition.
        contacts: How many.
    """

    kind: str
    word: str
    contacts: int


class Passes:
    """Orders and recycles bases."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def set_priority(self, base_id: int, priority: int, *, actor: Actor) -> None:
        """9 first; at equal priorities the rows' own decide.

        Raises:
            NotFound: ``base.not_found``.
            Refused: ``base.priority``.
        """

        async def work(connection: Connection) -> None:
            if not await SQL["pass_priority"].execute(connection, base_id=base_id, priority=priority):
                raise NotFound("base.not_found", "There is no such base.")
            await note(connection, actor, "base.priority", f"base:{base_id}", after={"priority": priority})

        try:
            await transaction(self._pool, work)
        except asyncpg.CheckViolationError as error:
            raise Refused("base.priority", "A priority is 0 to 9.", remedy="Choose one of these.") from error

    async def begin(
        self,
        base_id: int,
        *,
        outcomes: Sequence[str],
        dispositions: Sequence[str] = (),
        now: datetime,
        actor: Actor,
    ) -> tuple[int, int]:
        """Let used-up contacts with these last outcomes, and closed ones with these dispositions, go again.

        Returns:
            The number of the pass and how many contacts go again.

        Raises:
            NotFound: ``base.not_found``.
            Refused: ``base.nothing_chosen``.
        """
        if not outcomes and not dispositions:
            raise Refused("base.nothing_chosen", "Nothing would go again.", remedy="Choose outcomes or dispositions.")
        chosen = {"outcomes": list(outcomes), "dispositions": list(dispositions)}

        async def work(connection: Connection) -> tuple[int, int]:
            row = await SQL["pass_begin"].fetchrow(
                connection, base_id=base_id, now=now, user_id=actor.user_id, **chosen
            )
            if row is None:
                raise NotFound("base.not_found", "There is no such base.")
            after = {**chosen, "pass": row["pass"], "contacts": row["contacts"]}
            await note(connection, actor, "base.pass", f"base:{base_id}", after=after)
            return row["pass"], row["contacts"]

        return await transaction(self._pool, work)

    async def who(self, base_id: int) -> Sequence[Candidates]:
        """Whom a pass that began now would call again, most first; what the gate says of them is asked as ever."""
        with store_errors():
            return [Candidates(**row) for row in await SQL["pass_who"].fetch(self._pool, base_id=base_id)]

    async def of_base(self, base_id: int) -> Sequence[Pass]:
        """What each pass brought.

        Raises:
            NotFound: ``base.not_found``.
        """

        async def work(connection: Connection) -> Sequence[Pass]:
            rows = await SQL["pass_yield"].fetch(connection, base_id=base_id)
            if not rows:
                raise NotFound("base.not_found", "There is no such base.")
            return [Pass(number=row["pass"], **{name: row[name] for name in _SAME}) for row in rows]

        return await transaction(self._pool, work)


_SAME = ("started_at", "contacts", "outcomes", "dispositions", "attempts", "reached", "results")
