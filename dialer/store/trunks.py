"""Trunks, to be tried: which numbers a test call on one may go to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dialer import profiles
from dialer.core import numbers
from dialer.core.model import Trunk
from dialer.errors import NotFound, Refused
from dialer.store.office import SQL
from dialer.store.pools import store_errors, transaction
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor


class Trunks:
    """Judges and notes test calls."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def may_test(self, name: str, phone: str, *, actor: Actor) -> tuple[Trunk, str]:
        """The trunk, and the number in E.164, if a test call may go there; noted in the audit log before it is sent.

        What the campaigns on this trunk may call may be tried, else what the profiles for such a trunk allow; premium,
        satellite and emergency numbers never.

        Args:
            name: Of the trunk.
            phone: As it was typed, with its country.
            actor: Who wants to be called.

        Raises:
            NotFound: ``trunk.not_found``.
            Refused: ``test_call.number``, ``test_call.forbidden``.
        """

        async def work(connection: Connection) -> tuple[Trunk, str]:
            row = await SQL["office_trunk"].fetchrow(connection, name=name)
            if row is None:
                raise NotFound("trunk.not_found", "there is no such trunk")
            values = dict(row)
            used = values.pop("profiles")
            number = _number(phone)
            if not allowed(number, used, values["kind"]):
                raise Refused(
                    "test_call.forbidden",
                    "no campaign on this trunk may call such a number",
                    remedy="Use a number of a country that is called; premium and satellite numbers are never called.",
                )
            after = {"phone": f"{number[:5]}…{number[-2:]}", "trunk": name}
            await note(connection, actor, "trunk.test_call", f"trunk:{values['id']}", after=after)
            return Trunk(**values), number

        with store_errors():
            return await transaction(self._pool, work)


def allowed(number: str, used: Sequence[str], kind: str) -> bool:
    """Whether one of these profiles, or of all that fit such a trunk where none is used, lets the number be dialled."""
    found = [profiles.load(one, profiles.packaged(one).purposes[0]) for one in used or profiles.names()]
    fit = [profile for profile in found if kind in profile.trunk_kinds]
    never = profiles.never()
    return any(numbers.allowed(number, profile.allow, [*profile.deny, *never]) for profile in fit)


def _number(phone: str) -> str:
    plain = re.sub(r"[ \u00a0().\-]", "", phone)
    if not numbers.E164.fullmatch(plain):
        raise Refused("test_call.number", "this is no number", remedy="Write it with its country: +7 495 …")
    return plain
