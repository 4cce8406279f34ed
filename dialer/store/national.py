"""Do-not-call registers of states: imported whole, in force when the import returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.core import registers
from dialer.core.model import CampaignState
from dialer.core.numbers import E164
from dialer.errors import Refused
from dialer.store import campaigns
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor
    from dialer.store.users import Actor

SQL = queries("national")


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalList:
    """A register as it was imported last."""

    name: str
    imported_at: datetime
    numbers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A register that a campaign needs and does not have, or will not have in some days."""

    campaign_id: int
    campaign: str
    register: registers.Register

    @property
    def alert(self) -> str:
        """As the board shows it: a word, and what it is about."""
        at = self.register.too_old_at
        about = f"{self.register.name} · {self.campaign}"
        return f"register_{self.register.age} {about}" + (f" · {at:%Y-%m-%d %H:%M} UTC" if at else "")


async def warnings(connection: Executor, now: datetime) -> Sequence[Warned]:
    """Of campaigns that run or are paused, the registers somebody should import again."""
    imported = {row["name"]: row["imported_at"] for row in await SQL["national_all"].fetch(connection)}
    return [
        Warned(campaign_id=campaign.id, campaign=campaign.name, register=register)
        for campaign in await campaigns.read(connection)
        if campaign.state in {CampaignState.RUNNING, CampaignState.PAUSED}
        for register in registers.needed(campaign.profile, imported, now)
        if register.age is not registers.Age.WELL
    ]


class NationalLists:
    """Imports and lists registers.

    Args:
        pool: For reading.
        intake: For importing, which takes longer.
    """

    def __init__(self, pool: Pool, intake: Pool) -> None:
        self._pool = pool
        self._intake = intake

    async def list(self) -> Sequence[NationalList]:
        """All registers."""
        with store_errors():
            return [NationalList(**row) for row in await SQL["national_all"].fetch(self._pool)]

    async def warnings(self, now: datetime) -> Sequence[Warned]:
        """As the function of this name."""
        with store_errors():
            return await warnings(self._pool, now)

    async def replace(
        self, name: str, numbers: Collection[str], *, now: datetime, actor: Actor
    ) -> tuple[int, Sequence[int]]:
        """Put this in place of the last import: how many numbers, and the phones whose ringing lines are to be cut.

        Raises:
            Refused: ``national.number``: nothing is imported if one line is no number; ``national.empty``.
        """
        wrong = next((line for line, number in enumerate(numbers, 1) if not E164.fullmatch(number)), None)
        if wrong is not None:
            raise Refused("national.number", f"Line {wrong} is no number in E.164.", remedy="Correct the file.")
        if not numbers:
            raise Refused("national.empty", "The file has no number.", remedy="Give the whole register.")

        async def work(connection: Connection) -> tuple[int, Sequence[int]]:
            await SQL["national_stage"].execute(connection)
            records = [(number,) for number in sorted(set(numbers))]
            await connection.copy_records_to_table("national_row", records=records)
            await SQL["national_list_add"].execute(connection, name=name)
            await SQL["national_drop"].execute(connection, name=name)
            await SQL["national_fill"].execute(connection, name=name)
            count = await SQL["national_imported"].fetchval(connection, name=name, at=now, user_id=actor.user_id)
            await note(connection, actor, "national.import", f"national:{name}", after={"numbers": count})
            await SQL["national_lock"].execute(connection)
            live = await SQL["national_live"].fetch(connection)
            return count, [row["phone_id"] for row in live]

        return await transaction(self._intake, work)
