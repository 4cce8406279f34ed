"""One number and everything about it: its history across bases, export and erasure of a person's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.errors import NotFound, Refused
from dialer.store import consents, recordings
from dialer.store.pools import transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that is kept of a number; each part a list of plain rows, to be shown or exported."""

    phone: str
    attempts: Sequence[Mapping[str, Any]]
    contacts: Sequence[Mapping[str, Any]]
    callbacks: Sequence[Mapping[str, Any]]
    return_calls: Sequence[Mapping[str, Any]]
    consents: Sequence[Mapping[str, Any]]
    do_not_calls: Sequence[Mapping[str, Any]]
    rests: Sequence[Mapping[str, Any]]
    leads: Sequence[Mapping[str, Any]]
    letters: Sequence[Mapping[str, Any]]
    recordings: Sequence[Mapping[str, Any]]


class Phones:
    """Reads and erases by number."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def dossier(self, phone: str, *, actor: Actor) -> Dossier:
        """Everything about a number; reading it is in the audit log.

        Raises:
            NotFound: ``phone.not_found``.
        """

        async def work(connection: Connection) -> Dossier:
            phone_id = await SQL["phone_find"].fetchval(connection, e164=phone)
            if phone_id is None:
                raise _not_found()
            await note(connection, actor, "phone.read", f"phone:{phone_id}")
            parts = {
                part: [dict(row) for row in await SQL[f"phone_{part}"].fetch(connection, phone_id=phone_id)]
                for part in (
                    "attempts",
                    "contacts",
                    "callbacks",
                    "return_calls",
                    "do_not_calls",
                    "rests",
                    "leads",
                    "letters",
                )
            }
            recorded = await recordings.SQL["recording_of_phone"].fetch(connection, phone_id=phone_id)
            agreed = await consents.SQL["consent_of_phone"].fetch(connection, phone_id=phone_id)
            return Dossier(
                phone=phone, consents=[dict(row) for row in agreed], recordings=[dict(row) for row in recorded], **parts
            )

        return await transaction(self._pool, work)

    async def erase(self, phone: str, *, now: datetime, actor: Actor) -> int:
        """Forget whose number it is, and never call it again; the facts stay, without a name. The phone's id.

        A ringing line to it is for the caller to cut. What is left is a keyed hash, so that the number is known again
        when another file brings it, and by nobody who has only the database.

        Raises:
            NotFound: ``phone.not_found``.
            Refused: ``phone.no_key``: the service has no suppression key.
        """

        async def work(connection: Connection) -> int:
            await SQL["phone_erase_turn"].execute(connection)
            phone_id = await SQL["phone_lock"].fetchval(connection, e164=phone)
            if phone_id is None:
                raise _not_found()
            await SQL["phone_suppress"].execute(connection, e164=phone, at=now)
            await SQL["phone_erase_addresses"].execute(connection, phone_id=phone_id, at=now)
            people = await SQL["phone_erase_contacts"].fetchval(connection, phone_id=phone_id, at=now)
            await SQL["phone_erase_consents"].execute(connection, phone_id=phone_id, at=now)
            gone, held = await recordings.erase(connection, phone_id, now)
            await SQL["phone_erase_reasons"].execute(connection, phone_id=phone_id)
            await SQL["phone_erase_files"].execute(connection, digits=phone.removeprefix("+"))
            await SQL["phone_erase"].execute(connection, phone_id=phone_id)
            await note(
                connection,
                actor,
                "phone.erase",
                f"phone:{phone_id}",
                after={"contacts": people, "recordings": gone, "recordings_held": held},
            )
            return int(phone_id)

        try:
            return await transaction(self._pool, work)
        except asyncpg.PostgresError as error:
            if error.sqlstate == "DI001":
                raise Refused(
                    "phone.no_key",
                    "Erasing needs the suppression key, which is not set.",
                    remedy="Set DIALER_SUPPRESSION_KEY_FILE to a file with 64 hexadecimal digits and start again.",
                ) from error
            raise


def _not_found() -> NotFound:
    return NotFound("phone.not_found", "This number is in no base and on no list.")
