"""Money: prices with their history, what a day would have cost, and days that are closed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import asyncpg

from dialer.core import money as rules
from dialer.core.money import Kind, Said
from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("money")
#: By night a day is closed so long after its end: what was told late is in it.
GRACE = timedelta(hours=6)
#: Closed days that ended no longer ago are looked through for facts that came after they were closed.
LATELY = timedelta(days=4)
_ROWS = 500
_SERVICE = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What money of a campaign is.

    Attributes:
        zone: Whose days prices hold for.
        digits: Of the currency's smallest unit.
        closed_until: To when days are closed; None where none is.
        closed_day: The last of them.
        today: In that zone.
    """

    zone: str
    currency: str
    digits: int
    closed_until: datetime | None
    closed_day: date | None
    today: date

    def midnight(self, day: date) -> datetime:
        """When a day begins in that zone."""
        return datetime.combine(day, time(), ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A price as it was said; ``until`` is the day from which another one holds, or None."""

    id: int
    kind: str
    base_id: int | None
    base: str
    since: date
    until: date | None
    amount: Decimal
    currency: str
    first_s: int | None
    step_s: int | None
    made_at: datetime
    made_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one price comes to: ``quantity`` in hours, minutes, or pieces (of a month: its hours), both exact."""

    price_id: int
    kind: str
    base_id: int | None
    base: str
    since: date
    price: Decimal
    first_s: int | None
    step_s: int | None
    quantity: Fraction
    amount: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A closed day (revision 0), or what facts that came after it added."""

    day: date
    revision: int
    since: datetime
    until: datetime
    currency: str
    cost: Fraction
    revenue: Fraction
    closed_at: datetime
    closed_by: str


class _Undo(Exception):
    """What was only rehearsed is taken back."""


class Money:
    """Sets prices, rehearses them, closes days.

    Args:
        pool: Of the pages; closing by night uses one with time for long statements.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def rule(self, campaign_id: int, now: datetime) -> Rule:
        """Zone, currency and up to when days are closed.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            row = await SQL["money_rule"].fetchrow(self._pool, campaign_id=campaign_id, now=now)
        if row is None:
            raise NotFound("campaign.not_found", "There is no such campaign.")
        return Rule(**row)

    async def prices(self, campaign_id: int, *, tariff_only: bool = False) -> Sequence[Price]:
        """All prices ever said, the newest first; at most 500."""
        with store_errors():
            rows = await SQL["price_list"].fetch(
                self._pool, campaign_id=campaign_id, tariff_only=tariff_only, limit=_ROWS
            )
        return [Price(**row) for row in rows]

    async def set(self, campaign_id: int, said: Said, *, now: datetime, actor: Actor) -> int:
        """Say a price; one of the same kind from the same day makes place for it. Its number.

        Days that are closed keep what they were counted by.

        Raises:
            NotFound: ``campaign.not_found``, ``base.not_found``.
            Refused: As ``core.money.refusal``; ``price.closed``: a base would be paid on a day that is closed,
                or once more than on one.
        """
        if why := rules.refusal(said):
            raise _refused(*why)
        rule = await self.rule(campaign_id, now)

        async def work(connection: Connection) -> int:
            return await _say(connection, campaign_id, said, rule.currency, now, actor)

        return await transaction(self._pool, work)

    async def withdraw(self, campaign_id: int, price_id: int, *, now: datetime, actor: Actor) -> None:
        """Take a price back: it holds for no day that is not closed yet; the one before it holds on.

        Raises:
            NotFound: ``campaign.not_found``, ``price.not_found``.
        """
        await self.rule(campaign_id, now)

        async def work(connection: Connection) -> None:
            await SQL["money_turn"].execute(connection, campaign_id=campaign_id)
            row = await SQL["price_withdraw"].fetchrow(
                connection, campaign_id=campaign_id, id=price_id, now=now, by=actor.user_id
            )
            if row is None:
                raise NotFound("price.not_found", "There is no such price to take back.")
            before = {"kind": row["kind"], "amount": rules.plain(row["amount"]), "since": row["since"].isoformat()}
            await note(connection, actor, "price.withdraw", f"campaign:{campaign_id}", before=before)

        await transaction(self._pool, work)

    async def rehearse(
        self, campaign_id: int, said: Sequence[Said], day: date, *, now: datetime
    ) -> tuple[Sequence[Part], Sequence[Part]]:
        """What a day would come to by the prices said now, and with these beside or instead; nothing is kept.

        Raises:
            NotFound: ``campaign.not_found``, ``base.not_found``.
            Refused: As ``core.money.refusal``.
        """
        for one in said:
            if why := rules.refusal(one):
                raise _refused(*why)
        rule = await self.rule(campaign_id, now)
        found: dict[str, Sequence[Part]] = {}

        async def work(connection: Connection) -> None:
            given = {"campaign_id": campaign_id, "day": day}
            found["before"] = [_part(dict(row)) for row in await SQL["money_as_if"].fetch(connection, **given)]
            for one in said:
                await _say(connection, campaign_id, _on(one, day), rule.currency, now, _SERVICE, only_tried=True)
            found["after"] = [_part(dict(row)) for row in await SQL["money_as_if"].fetch(connection, **given)]
            raise _Undo

        with suppress(_Undo):
            await transaction(self._pool, work)
        return found["before"], found["after"]

    async def made_of(
        self,
        campaign_id: int,
        since: datetime,
        until: datetime,
        *,
        now: datetime,
        operator_id: int | None = None,
        tariff_only: bool = False,
    ) -> Sequence[Part]:
        """Price by price what the hours that begin in a period come to."""
        with store_errors():
            rows = await SQL["money_made_of"].fetch(
                self._pool,
                campaign_id=campaign_id,
                since=since,
                until=until,
                now=now,
                operator_id=operator_id,
                tariff_only=tariff_only,
            )
        return [_part(dict(row)) for row in rows]

    async def days(self, campaign_id: int, limit: int = 62) -> Sequence[Closed]:
        """Closed days, the last first, each revision by itself."""
        with store_errors():
            rows = await SQL["money_days"].fetch(self._pool, campaign_id=campaign_id, limit=limit)
        return [Closed(**{**row, "cost": _whole(row["cost"]), "revenue": _whole(row["revenue"])}) for row in rows]

    async def close(
        self,
        campaign_id: int,
        through: date | None = None,
        *,
        now: datetime,
        actor: Actor,
        grace: timedelta = timedelta(0),
    ) -> Sequence[date]:
        """Close days one after another, to ``through`` or to the last that has ended; which.

        Args:
            campaign_id: Of this campaign.
            through: The last one to be closed.
            now: Days that end later stay open.
            actor: Who closes them; the service by night.
            grace: Not before so long after their end.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``money.not_over``: ``through`` is not over, or its numbers are just being made anew;
                ``money.no_price``: there is nothing to count by.
        """
        rule = await self.rule(campaign_id, now)
        if through is not None and through >= rule.today:
            raise _not_closed("money.not_over", "it is not over")
        done: list[date] = []
        while day := await transaction(self._pool, lambda c: _close_next(c, campaign_id, through, now, actor, grace)):
            done.append(day)
        if through is not None and not done and (rule.closed_day is None or rule.closed_day < through):
            if any(price.withdrawn_at is None and price.since <= through for price in await self.prices(campaign_id)):
                raise _not_closed("money.not_over", "its numbers are being made anew")
            raise _not_closed("money.no_price", "no price holds on it")
        return done

    async def night(self, now: datetime) -> tuple[int, int]:
        """Close what has ended long enough ago, and add to closed days what came late; how many days of each.

        The days before are looked at once for each day that is closed: that is once a night.
        """
        with store_errors():
            due = [row["campaign_id"] for row in await SQL["money_due"].fetch(self._pool)]
        closed = late = 0
        for campaign_id in due:
            with store_errors():
                before = await SQL["money_lately"].fetch(self._pool, campaign_id=campaign_id, since=now - LATELY)
            days = await self.close(campaign_id, now=now, actor=_SERVICE, grace=GRACE)
            closed += len(days)
            for row in before if days else ():
                late += await self.settle(campaign_id, row["day"], now=now)
        return closed, late

    async def settle(self, campaign_id: int, day: date, *, now: datetime) -> bool:
        """Add to a closed day what facts that came after it are worth, by its own prices; whether any came."""

        async def work(connection: Connection) -> bool:
            await SQL["money_turn"].execute(connection, campaign_id=campaign_id)
            row = await SQL["money_settle"].fetchrow(connection, campaign_id=campaign_id, day=day, now=now)
            if row is None:
                return False
            after = {"day": day.isoformat(), "revision": row["revision"], **_noted(dict(row))}
            await note(connection, _SERVICE, "money.late", f"campaign:{campaign_id}", after=after)
            return True

        return await transaction(self._pool, work)


def total(parts: Sequence[Part], *, tariff: bool) -> Fraction:
    """What the prices of the tariff, or those of costs, come to together."""
    return sum((part.amount for part in parts if Kind(part.kind).tariff == tariff), Fraction(0))


async def _say(
    connection: Connection,
    campaign_id: int,
    said: Said,
    currency: str,
    now: datetime,
    actor: Actor,
    *,
    only_tried: bool = False,
) -> int:
    await SQL["money_turn"].execute(connection, campaign_id=campaign_id)
    rule = await SQL["money_rule"].fetchrow(connection, campaign_id=campaign_id, now=now)
    if said.base_id is not None and not only_tried and rule and rule["closed_day"] and said.since <= rule["closed_day"]:
        raise _refused("price.closed", "This day is closed: nothing can be paid on it any more.", "since")
    whose = {"campaign_id": campaign_id, "kind": said.kind, "base_id": said.base_id}
    before = await SQL["price_same"].fetchrow(connection, **whose, since=said.since)
    if before is not None:
        await SQL["price_withdraw"].fetchrow(
            connection, campaign_id=campaign_id, id=before["id"], now=now, by=actor.user_id
        )
    try:
        price_id = await SQL["price_add"].fetchval(
            connection,
            **whose,
            since=said.since,
            amount=said.amount,
            currency=currency,
            first_s=said.first_s,
            step_s=said.step_s,
            now=now,
            by=actor.user_id,
        )
    except asyncpg.CheckViolationError as error:
        if error.constraint_name == "price_base":
            raise NotFound("base.not_found", "There is no such base in this campaign.") from None
        if error.constraint_name == "price_base_paid":
            raise _refused("price.closed", "This base was paid on a day that is closed.", "since") from None
        if error.constraint_name == "price_currency":
            raise Refused("price.currency", "The currency has just changed.", remedy="Load the page again.") from None
        raise
    if not only_tried:
        told = {"kind": said.kind, **_words(said.since, said.amount, said.first_s, said.step_s), "currency": currency}
        told |= {"base": said.base_id} if said.base_id else {}
        old = _words(before["since"], before["amount"], before["first_s"], before["step_s"]) if before else None
        await note(connection, actor, "price.set", f"campaign:{campaign_id}", before=old, after=told)
    return int(price_id)


def _words(since: date, amount: Decimal, first_s: int | None, step_s: int | None) -> dict[str, Any]:
    step = {"step": f"{first_s}/{step_s}"} if first_s else {}
    return {"since": since.isoformat(), "amount": rules.plain(amount), **step}


async def _close_next(
    connection: Connection, campaign_id: int, through: date | None, now: datetime, actor: Actor, grace: timedelta
) -> date | None:
    """Close the first day that is not closed, if it is over; which."""
    await SQL["money_turn"].execute(connection, campaign_id=campaign_id)
    row = await SQL["money_next"].fetchrow(connection, campaign_id=campaign_id)
    if row is None or row["stale"] or row["until"] + grace > now or (through is not None and row["day"] > through):
        return None
    given = {name: row[name] for name in ("day", "since", "until", "prices")}
    sums = await SQL["money_close"].fetchrow(connection, campaign_id=campaign_id, **given, now=now, by=actor.user_id)
    if sums is None:
        raise AssertionError(given)
    day: date = row["day"]
    after = {"day": day.isoformat(), **_noted(dict(sums))}
    await note(connection, actor, "money.close", f"campaign:{campaign_id}", after=after)
    return day


def _noted(row: Mapping[str, Any]) -> dict[str, str]:
    """Amounts as the audit log keeps them: rounded to the millionth of a unit, which no price is finer than."""
    return {name: rules.plain(rules.rounded(_whole(row[name]), rules.PLACES)) for name in ("cost", "revenue")}


def _whole(parts: Decimal) -> Fraction:
    """An amount of PostgreSQL, in units of the currency."""
    return Fraction(parts) / rules.PARTS


def _part(row: Mapping[str, Any]) -> Part:
    values = {**row}
    kind = Kind(values["kind"])
    size = rules.PARTS if kind in rules.HOURLY else 60 if kind in rules.STEPPED else 1
    amount, quantity = _whole(values.pop("amount")), Fraction(values.pop("quantity")) / size
    return Part(price_id=values.pop("id"), **values, quantity=quantity, amount=amount)


def _on(said: Said, day: date) -> Said:
    """The price as if it had held on that day."""
    return Said(
        kind=said.kind, since=day, amount=said.amount, base_id=said.base_id, first_s=said.first_s, step_s=said.step_s
    )


def _not_closed(code: str, why: str) -> Refused:
    remedy = "Say a price first." if code == "money.no_price" else "Wait and try again."
    return Refused(code, f"This day cannot be closed: {why}.", remedy=remedy)


def _refused(code: str, sentence: str, field: str) -> Refused:
    return Refused(
        code, sentence, remedy="Correct it and send it again.", fields=[{"field": field, "message": sentence}]
    )
