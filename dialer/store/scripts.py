"""What a campaign is about and what is said in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialer.errors import NotFound
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor

SQL = queries("script")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A campaign's brief, and the body of its script as ``core.script`` knows it."""

    campaign_id: int
    brief: str
    body: Mapping[str, Any]


class Scripts:
    """Reads and writes scripts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, campaign_id: int) -> Script:
        """The campaign's script; an empty one when none was written.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            return await _read(self._pool, campaign_id)

    async def write(self, campaign_id: int, *, brief: str, body: Mapping[str, Any], actor: Actor) -> Script:
        """Replace it; audited with what it was before.

        Raises:
            NotFound: ``campaign.not_found``.
        """

        async def work(connection: Connection) -> Script:
            before = await _read(connection, campaign_id)
            await SQL["script_write"].execute(connection, campaign_id=campaign_id, brief=brief, body=body)
            await note(
                connection,
                actor,
                "script.change",
                f"campaign:{campaign_id}",
                before={"brief": before.brief, "script": before.body},
                after={"brief": brief, "script": body},
            )
            return Script(campaign_id=campaign_id, brief=brief, body=body)

        return await transaction(self._pool, work)


async def _read(connection: Executor, campaign_id: int) -> Script:
    row = await SQL["script_read"].fetchrow(connection, campaign_id=campaign_id)
    if row is None:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    return Script(**row)
