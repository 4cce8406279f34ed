"""Consent with its evidence. Like do-not-call it is changed under the phone's lock, which the claim takes too."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg

from dialer.core.numbers import E164
from dialer.errors import NotFound, Refused
from dialer.store import do_not_call
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("consent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Somebody agreed to be called.

    Attributes:
        phone: In E.164.
        wording: Version of the text that was agreed to.
        channel: ``web``, ``paper``, ``voice``, ``message`` or ``in_person``.
        evidence: Where the proof is kept.
        evidence_hash: SHA-256 of the proof, 32 bytes.
        expires_at: None for never.
    """

    phone: str
    customer_id: int
    purpose: str
    wording: str
    channel: str
    given_at: datetime
    evidence_hash: bytes
    evidence: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One consent as it stands; ``evidence_hash`` in hexadecimal."""

    id: int
    phone_id: int
    customer_id: int
    customer: str
    purpose: str
    wording: str
    channel: str
    given_at: datetime
    evidence: str
    evidence_hash: str
    expires_at: datetime | None
    withdrawn_at: datetime | None
    added_at: datetime


class Consents:
    """Who agreed, and who withdrew."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, given: Given, *, actor: Actor) -> int:
        """Keep a consent; contacts that waited for it come before the gate again. The phone's id.

        Raises:
            Refused: ``consent.phone``, ``consent.value``.
        """
        if not E164.fullmatch(given.phone):
            raise Refused("consent.phone", "That is no number in E.164.", remedy="Write it like +12025550123.")
        values = {name: value for name, value in asdict(given).items() if name != "phone"}

        async def work(connection: Connection) -> int:
            phone_id: int = await do_not_call.SQL["do_not_call_number"].fetchval(connection, e164=given.phone)
            await do_not_call.SQL["do_not_call_lock"].execute(connection, phone_id=phone_id)
            await SQL["consent_add"].execute(connection, phone_id=phone_id, added_by=actor.user_id, **values)
            await SQL["consent_judge_again"].execute(connection, phone_id=phone_id)
            after = {"customer_id": given.customer_id, "purpose": given.purpose, "hash": given.evidence_hash.hex()}
            await note(connection, actor, "consent.add", f"phone:{phone_id}", after=after)
            return phone_id

        try:
            return await transaction(self._pool, work)
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            what = getattr(error, "constraint_name", None) or str(error)
            raise Refused("consent.value", f"A value is out of its bounds: {what}.", remedy="Correct it.") from error

    async def withdraw(
        self, phone: str, *, customer_id: int, now: datetime, actor: Actor, purpose: str | None = None
    ) -> int:
        """Nothing agreed to stands any more, for one purpose or for all; in effect when this returns. The phone's id.

        Raises:
            NotFound: ``consent.not_found``.
        """

        async def work(connection: Connection) -> int:
            phone_id = await do_not_call.SQL["do_not_call_number"].fetchval(connection, e164=phone)
            await do_not_call.SQL["do_not_call_lock"].execute(connection, phone_id=phone_id)
            about = {"phone_id": phone_id, "customer_id": customer_id, "purpose": purpose, "at": now}
            if not await SQL["consent_withdraw"].fetchval(connection, **about):
                raise NotFound(
                    "consent.not_found",
                    "There is no consent of this number to withdraw.",
                    remedy="Put it on the do-not-call list.",
                )
            await SQL["consent_block"].execute(connection, user_id=actor.user_id, **about)
            after = {"customer_id": customer_id, "purpose": purpose}
            await note(connection, actor, "consent.withdraw", f"phone:{phone_id}", after=after)
            return int(phone_id)

        if not E164.fullmatch(phone):
            raise NotFound("consent.not_found", "That is no number in E.164.")
        return await transaction(self._pool, work)

    async def of_phone(self, phone_id: int) -> Sequence[Consent]:
        """Every consent of a number, the newest first."""
        with store_errors():
            return [Consent(**row) for row in await SQL["consent_of_phone"].fetch(self._pool, phone_id=phone_id)]
