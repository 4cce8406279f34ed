"""Customers: for whom campaigns call, and the country whose rules hold for that too."""

from __future__ import annotations

from dataclasses import dataclass
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

SQL = queries("customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """For whom campaigns call; ``country`` as two letters, None where it is not said."""

    id: int
    name: str
    country: str | None


class Customers:
    """Lists customers and says where they are."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self) -> Sequence[Customer]:
        """All, by name; one is made when a campaign first names it."""
        with store_errors():
            return [Customer(**row) for row in await SQL["customer_list"].fetch(self._pool, id=None)]

    async def set_country(self, customer_id: int, country: str | None, *, actor: Actor) -> Customer:
        """Say where it is; from then on that country's rules hold for all its campaigns too.

        Raises:
            NotFound: ``customer.not_found``.
            Refused: ``customer.country``: that is no country's two letters.
        """

        async def work(connection: Connection) -> Customer:
            found = await SQL["customer_list"].fetchrow(connection, id=customer_id)
            if found is None:
                raise NotFound("customer.not_found", "There is no such customer.")
            await SQL["customer_country"].execute(connection, id=customer_id, country=country)
            before, after = {"country": found["country"]}, {"country": country}
            await note(connection, actor, "customer.country", f"customer:{customer_id}", before=before, after=after)
            return Customer(id=customer_id, name=found["name"], country=country)

        try:
            return await transaction(self._pool, work)
        except asyncpg.CheckViolationError as error:
            raise Refused("customer.country", "That is no country.", remedy="Write it like FR.") from error
