"""Baskets of a campaign's leads: rules that an admin edits, and leads that go from one basket into another."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dialer.core import baskets as rules
from dialer.core.baskets import COMMON, Basket, Condition, Told
from dialer.core.leads import LeadState
from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor
    from dialer.store.users import Actor

SQL = queries("basket")
LEADS = queries("lead")
#: More than this nobody tells apart.
ACTIVE_MAX = 20
_WORDS = ("person", "company", "address", "agreed", "step", "attributes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A basket with how many leads it has: all, those nobody has decided on, those whose first contact is late."""

    basket: Basket
    leads: int
    open: int
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How many leads the rules would take from one basket into another; both by their codes."""

    before: str
    after: str
    leads: int


class Baskets:
    """Reads and changes them; every change is in the audit log."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self, campaign_id: int) -> Sequence[Basket]:
        """The baskets of a campaign in their order, archived ones at the end.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            return await read(self._pool, campaign_id)

    async def counted(self, campaign_id: int, *, now: datetime) -> Sequence[Listed]:
        """The same with the leads of each.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            found = await read(self._pool, campaign_id)
            rows = await SQL["basket_counts"].fetch(self._pool, campaign_id=campaign_id, now=now)
        counts = {row["code"]: row for row in rows}
        nothing = {"leads": 0, "open": 0, "late": 0}
        return [Listed(basket=one, **{name: counts.get(one.code, nothing)[name] for name in nothing}) for one in found]

    async def headings(self, campaign_id: int) -> Sequence[str]:
        """Attributes that contacts of the campaign have, by its newest bases."""
        with store_errors():
            rows = await SQL["basket_headings"].fetch(self._pool, campaign_id=campaign_id)
        return [row["heading"] for row in rows]

    async def history(self, campaign_id: int) -> Sequence[Mapping[str, Any]]:
        """Who changed them, the newest first."""
        with store_errors():
            return [dict(row) for row in await SQL["basket_history"].fetch(self._pool, campaign_id=campaign_id)]

    async def rehearse(self, campaign_id: int, baskets: Sequence[Basket]) -> Sequence[Move]:
        """What these rules would do to the leads there are, if they were moved; nothing is written.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: As ``set``.
        """

        async def work(connection: Connection) -> Sequence[Move]:
            known = await read(connection, campaign_id)
            wanted = await _checked(connection, campaign_id, _coded(baskets, known))
            return _summed([(row["basket"], to) for row, to in await _moves(connection, campaign_id, wanted)])

        return await transaction(self._pool, work)

    async def set(
        self, campaign_id: int, baskets: Sequence[Basket], *, moves: bool, now: datetime, actor: Actor
    ) -> Sequence[Move]:
        """Let these be the baskets of a campaign, in this order; those it does not name are archived.

        They hold for leads that are made from now on.

        Args:
            campaign_id: Whose.
            baskets: Those without a code are new; the common one is always among them.
            moves: Whether leads that nobody has decided on, and that nobody put where they are, go where the rules say.
            now: Present time, aware.
            actor: For the histories and the audit log.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``basket.…``; ``lead.owner``: somebody who has nothing to do with the campaign.
        """

        async def work(connection: Connection) -> Sequence[Move]:
            await SQL["basket_turn"].execute(connection, campaign_id=campaign_id)
            before = await read(connection, campaign_id)
            wanted = await _checked(connection, campaign_id, _coded(baskets, before))
            for place, basket in enumerate(wanted, 1):
                await SQL["basket_put"].execute(connection, campaign_id=campaign_id, place=place, **_row(basket))
            codes = [basket.code for basket in wanted]
            await SQL["basket_archive"].execute(connection, campaign_id=campaign_id, codes=codes)
            moved = await _moves(connection, campaign_id, wanted) if moves else []
            for row, to in moved:
                target = next(basket for basket in wanted if basket.code == to)
                await _put(connection, campaign_id, row, target, by_hand=False, reason="", now=now, actor=actor)
            old, new = (_shown(some) for some in (before, await read(connection, campaign_id)))
            if old != new or moved:
                what = f"campaign:{campaign_id}"
                after = {"baskets": new, "moved": len(moved)}
                await note(connection, actor, "campaign.baskets", what, before={"baskets": old}, after=after)
            return _summed([(row["basket"], to) for row, to in moved])

        return await transaction(self._pool, work)

    async def put(self, lead_id: int, code: str, *, reason: str, now: datetime, actor: Actor) -> None:
        """Put a lead into another basket by hand; rules do not move it any more.

        Raises:
            NotFound: ``lead.not_found``.
            Refused: ``basket.unknown``, ``basket.needs_reason``.
        """

        async def work(connection: Connection) -> None:
            row = await LEADS["lead_lock"].fetchrow(connection, id=lead_id)
            if row is None:
                raise NotFound("lead.not_found", "There is no such lead.")
            active = {one.code: one for one in await read(connection, row["campaign_id"]) if not one.archived}
            if code not in active:
                raise _wrong("basket.unknown", "The campaign has no such basket.", "basket")
            if not reason.strip():
                raise _wrong("basket.needs_reason", "A lead is moved by hand with a reason.", "basket_reason")
            if code != row["basket"]:
                await _put(
                    connection, row["campaign_id"], row, active[code], by_hand=True, reason=reason, now=now, actor=actor
                )

        await transaction(self._pool, work)


async def read(connection: Executor, campaign_id: int) -> Sequence[Basket]:
    """The baskets of a campaign in their order, archived ones at the end.

    Raises:
        NotFound: ``campaign.not_found``: every campaign has a basket.
    """
    found = [_basket(row) for row in await SQL["basket_list"].fetch(connection, campaign_id=campaign_id)]
    if not found:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    return found


async def of_new_lead(connection: Connection, campaign_id: int, told: Told, flagged: str | None) -> Basket:
    """The basket of a lead that is being made; its owner is None where that user may not own it any more."""
    found = await read(connection, campaign_id)
    code = rules.choose(found, told, flagged)
    return next(one for one in found if one.code == code)


async def may_own(connection: Connection, campaign_id: int, owner_id: int | None) -> int | None:
    """The owner, if this user may take up leads of the campaign; else None."""
    if owner_id is None:
        return None
    asked = {"owner_id": owner_id, "campaign_id": campaign_id}
    return owner_id if await LEADS["lead_may_own"].fetchval(connection, **asked) else None


async def _moves(
    connection: Connection, campaign_id: int, baskets: Sequence[Basket]
) -> list[tuple[asyncpg.Record, str]]:
    """Leads that belong elsewhere by these rules, each with where to."""
    rows = await SQL["basket_leads"].fetch(connection, campaign_id=campaign_id)
    chosen = (
        (row, rules.choose(baskets, Told(**{name: row[name] for name in _WORDS}), row["flagged"])) for row in rows
    )
    return [(row, code) for row, code in chosen if code != row["basket"]]


async def _put(
    connection: Connection,
    campaign_id: int,
    row: asyncpg.Record,
    to: Basket,
    *,
    by_hand: bool,
    reason: str,
    now: datetime,
    actor: Actor,
) -> None:
    """Move it; while nobody has taken it up, the basket's deadline and owner hold for it."""
    due_at, owner_id = row["due_at"], row["owner_id"]
    if row["state"] == LeadState.NEW:
        rule = await LEADS["lead_rule"].fetchrow(connection, campaign_id=campaign_id)
        within_s = to.contact_within_s or (rule["contact_within_s"] if rule else 0)
        due_at = row["made_at"] + timedelta(seconds=within_s)
        owner_id = await may_own(connection, campaign_id, to.owner_id) or owner_id
    await SQL["basket_move"].execute(
        connection, id=row["id"], code=to.code, by_hand=by_hand, owner_id=owner_id, due_at=due_at, now=now
    )
    moved = {"id": row["id"], "before": row["basket"], "after": to.code}
    await SQL["basket_note"].execute(connection, **moved, now=now, user_id=actor.user_id, reason=reason.strip())
    if by_hand:
        what = f"lead:{row['id']}"
        await note(connection, actor, "lead.basket", what, before={"basket": row["basket"]}, after={"basket": to.code})


def _coded(baskets: Sequence[Basket], known: Sequence[Basket]) -> list[Basket]:
    """With a code for each new one; the common one at the end.

    Raises:
        Refused: ``basket.unknown``: a code that nobody gave.
    """
    codes = {one.code for one in known}
    coded: list[Basket] = []
    for basket in baskets:
        if basket.code and basket.code not in codes:
            raise _wrong("basket.unknown", "The campaign has no such basket.", "baskets")
        values = {name: getattr(basket, name) for name in Basket.__dataclass_fields__}
        code = basket.code or _code(basket.name_en, codes | {one.code for one in coded})
        coded.append(Basket(**values | {"code": code, "archived": False}))
    return sorted(coded, key=lambda one: one.code == COMMON)


async def _checked(connection: Connection, campaign_id: int, baskets: list[Basket]) -> list[Basket]:
    if len({one.code for one in baskets}) < len(baskets):
        raise _wrong("basket.twice", "The same basket is named twice.", "baskets")
    if len(baskets) > ACTIVE_MAX:
        raise _wrong("basket.too_many", f"A campaign has at most {ACTIVE_MAX} baskets.", "baskets")
    if wrong := rules.flaw(baskets):
        raise _wrong(*wrong, "baskets")
    for basket in baskets:
        if basket.owner_id is not None and await may_own(connection, campaign_id, basket.owner_id) is None:
            raise Refused("lead.owner", "This user has nothing to do with the campaign.", remedy="Choose another.")
    return baskets


def _code(name: str, known: set[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:34] or "basket"
    return next(code for code in (plain, *(f"{plain}_{n}" for n in range(2, 1000))) if code not in known)


def _basket(row: asyncpg.Record) -> Basket:
    conditions = tuple(Condition(**one) for one in row["conditions"])
    return Basket(**{**row, "conditions": conditions})


def _row(basket: Basket) -> dict[str, Any]:
    values = {name: value for name, value in asdict(basket).items() if name != "archived"}
    return values | {"conditions": list(values["conditions"])}


def _shown(baskets: Sequence[Basket]) -> list[dict[str, Any]]:
    return [_row(one) for one in baskets if not one.archived]


def _summed(moves: Sequence[tuple[str, str]]) -> list[Move]:
    return [Move(before=way[0], after=way[1], leads=moves.count(way)) for way in sorted(set(moves))]


def _wrong(code: str, sentence: str, field: str) -> Refused:
    fields = [{"field": field, "message": sentence}]
    return Refused(code, sentence, remedy="Correct it.", fields=fields)
