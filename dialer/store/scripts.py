"""What a campaign is about and what is said in it, in every version that was ever saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor

SQL = queries("script")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A campaign's brief, and the body of its script as ``core.script`` knows it; ``version`` 0 was never written."""

    campaign_id: int
    version: int
    brief: str
    body: Mapping[str, Any]
    saved_at: datetime | None
    saved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version in the list of all."""

    version: int
    saved_at: datetime
    saved_by: str
    steps: int


class Scripts:
    """Reads and writes scripts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, campaign_id: int, version: int | None = None) -> Script:
        """The campaign's script, its last version or this one; an empty one when none was written.

        Raises:
            NotFound: ``campaign.not_found``; ``script.no_version``.
        """
        with store_errors():
            return await _read(self._pool, campaign_id, version)

    async def versions(self, campaign_id: int) -> Sequence[Version]:
        """All versions, the newest first."""
        with store_errors():
            rows = await SQL["script_versions"].fetch(self._pool, campaign_id=campaign_id)
        return [Version(**row) for row in rows]

    async def shown(self, attempt_id: UUID) -> int | None:
        """The version an attempt showed; None where there was none, or no conversation."""
        with store_errors():
            found: int | None = await SQL["script_shown"].fetchval(self._pool, attempt_id=attempt_id)
        return found

    async def words(self, campaign_id: int) -> Sequence[str]:
        """Names of attributes that a text may have filled in."""
        with store_errors():
            return [row["word"] for row in await SQL["script_words"].fetch(self._pool, campaign_id=campaign_id)]

    async def write(
        self,
        campaign_id: int,
        *,
        brief: str,
        body: Mapping[str, Any],
        actor: Actor,
        based_on: int | None = None,
        now: datetime | None = None,
    ) -> Script:
        """Save a new version, audited with what it was before; the same content again is no new version.

        Conversations that go on keep the version they began with.

        Args:
            campaign_id: Whose.
            brief: What the campaign is about.
            body: Steps, scenarios, objections.
            actor: For the audit log.
            based_on: The version it was made from; None does not ask.
            now: When it is saved; by default the database's time.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``script.changed``: somebody saved another version meanwhile.
        """

        async def work(connection: Connection) -> Script:
            await SQL["script_turn"].execute(connection, campaign_id=campaign_id)
            before = await _read(connection, campaign_id, None)
            if based_on not in {None, before.version}:
                who = f" by {before.saved_by}" if before.saved_by else ""
                raise Refused(
                    "script.changed",
                    f"Version {before.version} was saved meanwhile{who}.",
                    remedy="Open it, and put your change in again.",
                    version=before.version,
                )
            if before.version and (before.brief, before.body) == (brief, body):
                return before
            await SQL["script_write"].execute(
                connection,
                campaign_id=campaign_id,
                version=before.version + 1,
                brief=brief,
                body=body,
                now=now,
                saved_by=actor.user_id,
            )
            await note(
                connection,
                actor,
                "script.change",
                f"campaign:{campaign_id}",
                before={"version": before.version},
                after={"version": before.version + 1},
            )
            return await _read(connection, campaign_id, None)

        return await transaction(self._pool, work)


async def _read(connection: Executor, campaign_id: int, version: int | None) -> Script:
    row = await SQL["script_read"].fetchrow(connection, campaign_id=campaign_id, version=version)
    if row is None:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    if version and not row["version"]:
        raise NotFound("script.no_version", "There is no such version of this script.")
    return Script(**row)
