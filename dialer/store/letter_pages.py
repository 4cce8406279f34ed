"""Letters as people see them: lists page by page, one letter, addresses that get none, lists that are fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.core import letters as core
from dialer.errors import NotFound, Refused
from dialer.store.letters import mailbox
from dialer.store.page import Page
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("letter")
ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which letters; what is None or empty does not narrow. ``cursor``: from under this letter."""

    q: str = ""
    state: str | None = None
    reason: str | None = None
    campaign_id: int | None = None
    contact_id: int | None = None
    customer_id: int | None = None
    team_id: int | None = None
    cursor: int | None = None


class Letters:
    """Letters as people see them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def pool(self) -> Pool:
        """For what the outbox and the pages do alike."""
        return self._pool

    async def find(self, sought: Sought, *, rows: int = ROWS) -> Page:
        """A page of letters, the newest first."""
        q = sought.q.strip()
        whole = core.address(q)

        async def work(connection: Connection) -> list[asyncpg.Record]:
            await SQL["letter_plan"].execute(connection)
            return await SQL["letter_find"].fetch(
                connection,
                campaign_id=sought.campaign_id,
                contact_id=sought.contact_id,
                customer_id=sought.customer_id,
                team_id=sought.team_id,
                state=sought.state,
                reason=sought.reason,
                address=whole,
                name=q if q and not whole else None,
                before=sought.cursor,
                limit=rows + 1,
            )

        found = [dict(row) for row in await transaction(self._pool, work)]
        return Page.of(found, rows)

    async def states(self, sought: Sought) -> Mapping[str, int]:
        """How many letters are in each state."""
        with store_errors():
            rows = await SQL["letter_states"].fetch(
                self._pool, campaign_id=sought.campaign_id, team_id=sought.team_id, customer_id=sought.customer_id
            )
        return {row["state"]: row["letters"] for row in rows}

    async def unsendable(self) -> Sequence[Mapping[str, Any]]:
        """Customers whose letters wait for a sender: ``id``, ``name``, ``letters``."""
        with store_errors():
            return [dict(row) for row in await SQL["letter_unsendable"].fetch(self._pool)]

    async def show(self, letter_id: int) -> Mapping[str, Any]:
        """One letter with what it said.

        Raises:
            NotFound: ``letter.not_found``.
        """
        with store_errors():
            row = await SQL["letter_show"].fetchrow(self._pool, id=letter_id)
        if row is None:
            raise _not_found()
        return dict(row)

    async def replay(self, letter_id: int, *, actor: Actor) -> None:
        """Try again what was refused or given up, under the same Message-ID.

        Raises:
            NotFound: ``letter.not_found``.
            Refused: ``letter.no_replay``: it was sent, waits, or has nobody to go to.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, letter_id)
            if await SQL["letter_replay"].fetchval(connection, id=letter_id) is None:
                raise Refused(
                    "letter.no_replay",
                    "Only a letter that was refused or given up, and has an address, can be tried again.",
                    remedy="Read the letter again.",
                )
            await note(connection, actor, "letter.replay", f"letter:{letter_id}", before={"state": row["state"]})

        await transaction(self._pool, work)

    async def answered(self, letter_id: int, *, now: datetime, actor: Actor) -> None:
        """Somebody wrote back.

        Raises:
            NotFound: ``letter.not_found``.
            Refused: ``letter.not_sent``.
        """

        async def work(connection: Connection) -> None:
            await _locked(connection, letter_id)
            if not await SQL["letter_answered"].execute(connection, id=letter_id, now=now):
                raise Refused("letter.not_sent", "This letter was not sent.", remedy="Read the letter again.")
            await note(connection, actor, "letter.answered", f"letter:{letter_id}")

        await transaction(self._pool, work)

    async def stops(
        self, *, before: int | None = None, address: str | None = None, rows: int = ROWS
    ) -> Sequence[Mapping[str, Any]]:
        """Addresses that get no letters, the newest first."""
        with store_errors():
            found = await SQL["letter_stop_list"].fetch(self._pool, before=before, address=address, limit=rows)
        return [dict(row) for row in found]

    async def stop(
        self,
        address: str,
        scope: str,
        *,
        now: datetime,
        actor: Actor,
        customer_id: int | None = None,
        campaign_id: int | None = None,
    ) -> None:
        """Forbid letters to an address.

        Raises:
            Refused: ``letter.address``, ``letter.scope``.
        """
        plain = mailbox(address, "address")
        about = {"scope": scope, "customer_id": customer_id, "campaign_id": campaign_id}

        async def work(connection: Connection) -> None:
            await SQL["letter_stop_add"].execute(
                connection, address=plain, **about, why="asked", letter_id=None, user_id=actor.user_id, now=now
            )
            await note(connection, actor, "letter.stop", "letters", after=about)

        try:
            await transaction(self._pool, work)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise Refused(
                "letter.scope", "The scope names no customer or campaign.", remedy="Give its number."
            ) from error

    async def unstop(self, stop_id: int, *, actor: Actor) -> None:
        """Allow letters to an address again.

        Raises:
            NotFound: ``letter.stop_not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await SQL["letter_stop_remove"].fetchrow(connection, id=stop_id)
            if row is None:
                raise NotFound("letter.stop_not_found", "There is no such entry.")
            await note(connection, actor, "letter.unstop", "letters", before=dict(row))

        await transaction(self._pool, work)

    async def lists(self, campaign_id: int) -> tuple[Sequence[Mapping[str, Any]], int]:
        """The lists of a campaign, the newest first, and how many letters wait for the next."""
        with store_errors():
            rows = await SQL["letter_lists"].fetch(self._pool, campaign_id=campaign_id)
            waiting = await SQL["letter_list_next"].fetchval(self._pool, campaign_id=campaign_id)
        return [dict(row) for row in rows], int(waiting)

    async def fetch_list(self, campaign_id: int, list_id: int, *, now: datetime, actor: Actor) -> Sequence[Any]:
        """The letters of a list as it was cut; who fetched it is in the audit log.

        Raises:
            NotFound: ``letter.list_not_found``.
        """

        async def work(connection: Connection) -> Sequence[Any]:
            about = {"id": list_id, "campaign_id": campaign_id}
            if await SQL["letter_list_fetch"].fetchval(connection, **about, now=now) is None:
                raise NotFound("letter.list_not_found", "There is no such list.")
            await note(connection, actor, "letter.list", f"campaign:{campaign_id}", after={"list": list_id})
            return [dict(row) for row in await SQL["letter_list_rows"].fetch(connection, id=list_id)]

        return await transaction(self._pool, work)


async def _locked(connection: Connection, letter_id: int) -> asyncpg.Record:
    row = await SQL["letter_lock"].fetchrow(connection, id=letter_id)
    if row is None:
        raise _not_found()
    return row


def _not_found() -> NotFound:
    return NotFound("letter.not_found", "There is no such letter.")
