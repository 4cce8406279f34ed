"""Do-not-call: an entry and a claim take the same lock, the phone's row, so one of them sees the other."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import asyncpg

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("do_not_call")

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_DECORATION = re.compile(r"[\s().\-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A number that is not called, and for whom it is not."""

    id: int
    phone_id: int
    phone: str
    scope: str
    customer_id: int | None
    campaign_id: int | None
    reason: str
    added_by: int | None
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """For whom a number is forbidden; of the two ids the one that fits ``word`` counts."""

    word: str
    customer_id: int | None = None
    campaign_id: int | None = None


async def forbid(
    connection: Connection,
    phone_id: int,
    scope: Scope,
    *,
    reason: str,
    added_by: int | None,
    at: datetime | None = None,
) -> None:
    """Add an entry under the phone's lock and block the promises it forbids."""
    await SQL["do_not_call_lock"].execute(connection, phone_id=phone_id)
    about = {
        "phone_id": phone_id,
        "scope": scope.word,
        "customer_id": scope.customer_id,
        "campaign_id": scope.campaign_id,
        "added_by": added_by,
        "at": at,
    }
    await SQL["do_not_call_add"].execute(connection, reason=reason, **about)
    await SQL["do_not_call_block"].execute(connection, **about)


async def opt_out(connection: Connection, attempt_id: UUID, scope: str, at: datetime) -> None:
    """The callee of this attempt asked by key never to be called again."""
    row = await SQL["do_not_call_of_attempt"].fetchrow(connection, attempt_id=attempt_id)
    if row:
        about = Scope(word=scope, customer_id=row["customer_id"], campaign_id=row["campaign_id"])
        await forbid(connection, row["phone_id"], about, reason="opt_out", added_by=None, at=at)


async def ringing(pool: Pool, switch: str, lists: Sequence[tuple[int, str]]) -> Sequence[int]:
    """Phones with an unanswered line of this switch that may not be called any more.

    Args:
        pool: Any.
        switch: Whose lines.
        lists: The national lists that hold, by campaign.

    Raises:
        StoreDown: PostgreSQL does not answer.
    """
    with store_errors():
        rows = await SQL["do_not_call_ringing"].fetch(
            pool, switch=switch, campaigns=[one for one, _ in lists], lists=[name for _, name in lists]
        )
    return [row["phone_id"] for row in rows]


#: What people wrote may name somebody, and the audit log cannot forget.
_NOT_NOTED = frozenset({"phone", "added_at", "reason"})


class DoNotCall:
    """The lists, for people."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(
        self,
        *,
        phone: str,
        scope: str,
        actor: Actor,
        campaign_id: int | None = None,
        customer_id: int | None = None,
        reason: str = "",
    ) -> Entry:
        """Forbid a number; in effect when this returns. Saying it twice gives the same entry.

        Raises:
            Refused: ``do_not_call.phone``, ``do_not_call.scope``.
        """
        e164 = _DECORATION.sub("", phone)
        if not _E164.fullmatch(e164):
            raise Refused("do_not_call.phone", "That is no number in E.164.", remedy="Write it like +12025550123.")
        about = Scope(word=scope, customer_id=customer_id, campaign_id=campaign_id)

        async def work(connection: Connection) -> Entry:
            phone_id: int = await SQL["do_not_call_number"].fetchval(connection, e164=e164)
            await forbid(connection, phone_id, about, reason=reason, added_by=actor.user_id)
            row = await SQL["do_not_call_find"].fetchrow(
                connection, phone_id=phone_id, scope=scope, customer_id=customer_id, campaign_id=campaign_id
            )
            assert row is not None  # noqa: S101  # it was just added, or was there
            entry = Entry(**row)
            after = {key: value for key, value in asdict(entry).items() if key not in _NOT_NOTED}
            await note(connection, actor, "do_not_call.add", f"phone:{phone_id}", after=after)
            return entry

        try:
            return await transaction(self._pool, work)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise Refused(
                "do_not_call.scope", "The scope names no customer or campaign.", remedy="Give its id."
            ) from error

    async def list(self, *, before: int | None = None, limit: int = 200) -> Sequence[Entry]:
        """Entries, newest first; ``before`` is the id the page starts under."""
        with store_errors():
            return [Entry(**row) for row in await SQL["do_not_call_list"].fetch(self._pool, before=before, limit=limit)]

    async def remove(self, entry_id: int, *, actor: Actor) -> None:
        """Take an entry off; contacts it held back come before the gate again.

        Raises:
            NotFound: ``do_not_call.not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await SQL["do_not_call_remove"].fetchrow(connection, id=entry_id)
            if row is None:
                raise NotFound("do_not_call.not_found", "There is no such entry.")
            await SQL["do_not_call_judge_again"].execute(connection, phone_id=row["phone_id"])
            await note(
                connection,
                actor,
                "do_not_call.remove",
                f"phone:{row['phone_id']}",
                before={name: value for name, value in row.items() if name not in _NOT_NOTED},
            )

        await transaction(self._pool, work)
