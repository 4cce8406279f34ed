"""Recorded offers: the sound, and which campaigns play it. An offer is never changed, only archived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("offer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer without its sound; ``spoken`` is the text a voice was made of, empty for a recording."""

    id: int
    word: str
    name: str
    spoken: str
    language: str
    bytes: int
    made_at: datetime
    made_by: str
    archived: bool
    campaigns: Sequence[str]


class Offers:
    """Keeps offers; every change is in the audit log."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self) -> Sequence[Offer]:
        """All, the newest first."""
        with store_errors():
            return [Offer(**row) for row in await SQL["offer_list"].fetch(self._pool)]

    async def add(
        self, *, name: str, audio: bytes, actor: Actor, spoken: str = "", language: str = ""
    ) -> tuple[int, str]:
        """Keep a new offer; its id and word."""

        async def work(connection: Connection) -> tuple[int, str]:
            row = await SQL["offer_add"].fetchrow(
                connection, name=name, spoken=spoken, language=language, audio=audio, made_by=actor.user_id
            )
            assert row is not None  # noqa: S101 - RETURNING
            after = {"name": name, "word": row["word"], "bytes": len(audio), "spoken": spoken}
            await note(connection, actor, "offer.add", f"offer:{row['id']}", after=after)
            return row["id"], row["word"]

        return await transaction(self._pool, work)

    async def audio(self, offer_id: int) -> tuple[str, bytes]:
        """Its word and its sound.

        Raises:
            NotFound: ``offer.not_found``.
        """
        with store_errors():
            row = await SQL["offer_audio"].fetchrow(self._pool, id=offer_id)
        if row is None:
            raise _not_found()
        return row["word"], row["audio"]

    async def words(self) -> Sequence[tuple[int, str, int]]:
        """Id, word and size of all that the switch must have."""
        with store_errors():
            return [tuple(row) for row in await SQL["offer_words"].fetch(self._pool)]

    async def archive(self, offer_id: int, *, archived: bool, actor: Actor) -> None:
        """Let nobody choose it any more, or take it back.

        Raises:
            NotFound: ``offer.not_found``.
            Refused: ``offer.played``: a campaign that is not stopped plays it.
        """

        async def work(connection: Connection) -> None:
            row = await SQL["offer_archive"].fetchrow(connection, id=offer_id, archived=archived)
            if row is None:
                if not await SQL["offer_known"].fetchval(connection, id=offer_id):
                    raise _not_found()
                raise Refused("offer.played", "a campaign plays it", remedy="Give that campaign another offer first.")
            await note(connection, actor, "offer.archive", f"offer:{offer_id}", after={"archived": archived, **row})

        await transaction(self._pool, work)


def _not_found() -> NotFound:
    return NotFound("offer.not_found", "there is no such offer")
