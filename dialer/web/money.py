"""Money of a campaign: tariff and costs with their history, what a period is made of, and closed days.

Supervisors, admins and auditors read all of it; a customer reads its tariff and what it owes, never what work costs.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from dialer.core import money as rules
from dialer.core.money import Kind, Said
from dialer.store.money import total
from dialer.web import numbers, pages, schemas, texts
from dialer.web.access import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from aiohttp import web

    from dialer.store.money import Price
    from dialer.web.call import Call

#: Quantities are shown to so many decimals.
_QUANTITY = 4


def written(call: Call, amount: Decimal) -> str:
    """An amount as the reader's language writes it, with all its decimals."""
    return texts.figure(call.user.language, amount, max(0, -int(amount.as_tuple().exponent)))


def plain(call: Call, amount: Decimal) -> str:
    """A price or a quantity as the reader's language writes it, without zeros at its end."""
    return written(call, _trimmed(amount))


# REST --------------------------------------------------------------------


async def prices(call: Call) -> schemas.PricesAnswer:
    """All prices ever said for a campaign; a customer reads its tariff."""
    rule = await call.stores.money.rule(call.id(), call.now)
    found = await call.stores.money.prices(call.id(), tariff_only=_tariff_only(call))
    return schemas.PricesAnswer(
        currency=rule.currency,
        closed_day=rule.closed_day,
        prices=[schemas.PriceInfo.model_validate(_info(call, one)) for one in found],
    )


async def set_price(call: Call, ask: schemas.PriceAsk) -> schemas.PricesAnswer:
    """Say a price.

    Raises:
        NotFound: ``base.not_found``.
        Refused: ``price.amount``, ``price.step``, ``price.base``, ``price.closed``.
    """
    await call.stores.money.set(call.id(), _said(ask), now=call.now, actor=call.actor)
    return await prices(call)


async def withdraw(call: Call, ask: schemas.PriceWithdraw) -> schemas.PricesAnswer:
    """Take a price back.

    Raises:
        NotFound: ``price.not_found``.
    """
    await call.stores.money.withdraw(call.id(), ask.id, now=call.now, actor=call.actor)
    return await prices(call)


async def rehearse(call: Call, ask: schemas.PriceRehearsal) -> schemas.RehearsedPrice:
    """What a day would have come to with a price; nothing is kept.

    Raises:
        NotFound: ``base.not_found``.
        Refused: ``price.amount``, ``price.step``, ``price.base``.
    """
    rule = await call.stores.money.rule(call.id(), call.now)
    day = ask.day or rule.today - timedelta(days=1)
    before, after = await call.stores.money.rehearse(call.id(), [_said(ask.price)], day, now=call.now)
    sums = {
        f"{side}_{when}": rules.rounded(total(parts, tariff=side == "revenue"), rule.digits)
        for side in ("cost", "revenue")
        for when, parts in (("before", before), ("after", after))
    }
    return schemas.RehearsedPrice(day=day, currency=rule.currency, **sums)


async def close(call: Call, ask: schemas.DaysClose) -> schemas.MoneyDaysAnswer:
    """Close days now.

    Raises:
        Refused: ``money.not_over``, ``money.no_price``.
    """
    await call.stores.money.close(call.id(), ask.through, now=call.now, actor=call.actor)
    return await days(call)


async def days(call: Call) -> schemas.MoneyDaysAnswer:
    """Closed days, the last first."""
    rule = await call.stores.money.rule(call.id(), call.now)
    return schemas.MoneyDaysAnswer(
        currency=rule.currency,
        days=[schemas.MoneyDay.model_validate(one) for one in await _days(call, rule.digits)],
    )


async def made_of(call: Call, ask: schemas.MoneyQuery) -> schemas.MoneyAnswer:
    """What a period comes to, price by price.

    Raises:
        Refused: ``request.period``, ``request.operator``.
    """
    if ask.operator is not None and _tariff_only(call):
        raise numbers.of_operator()
    rule = await call.stores.money.rule(call.id(), call.now)
    since = ask.since or rule.midnight(rule.today.replace(day=1))
    until = ask.until or rule.midnight(rule.today + timedelta(days=1))
    numbers.check(since, until, "total")
    found = await call.stores.money.made_of(
        call.id(), since, until, now=call.now, operator_id=ask.operator, tariff_only=_tariff_only(call)
    )
    cost, revenue = total(found, tariff=False), total(found, tariff=True)
    said = [] if _tariff_only(call) or ask.operator else await call.stores.money.prices(call.id())
    whole = any(not Kind(one.kind).tariff for one in said)  # what nobody gave a price for is not free
    return schemas.MoneyAnswer(
        currency=rule.currency,
        since=since,
        until=until,
        cost=rules.rounded(cost, rule.digits) if whole else None,
        revenue=rules.rounded(revenue, rule.digits),
        margin=rules.rounded(revenue - cost, rule.digits) if whole else None,
        parts=[
            schemas.MoneyPart.model_validate(
                {
                    **asdict(part),
                    "quantity": rules.rounded(part.quantity, _QUANTITY),
                    "amount": rules.rounded(part.amount, rule.digits),
                }
            )
            for part in found
        ],
    )


# The page ----------------------------------------------------------------


async def page(call: Call, ask: schemas.MoneyQuery) -> web.Response:
    """Tariff, costs, what a period is made of, closed days."""
    tariff_only = _tariff_only(call)
    campaign = await call.stores.campaigns.get(call.id())
    rule = await call.stores.money.rule(campaign.id, call.now)
    said = (await prices(call)).prices
    answer = await made_of(call, ask)
    admin = Role(call.user.role) is Role.ADMIN
    bases = [base for base in await call.stores.bases.of_campaign(campaign.id) if not base.by_hand] if admin else []
    return pages.page_for(
        call,
        "money.html",
        "/reports" if tariff_only else "/campaigns",
        help_of="money",
        campaign=campaign,
        rule=rule,
        tariff=_in_force(said, tariff=True),
        costs=_in_force(said, tariff=False),
        history=said,
        made_of=answer,
        zone=ZoneInfo(rule.zone),
        days=await _days(call, rule.digits),
        kinds=[kind.value for kind in Kind],
        stepped=[kind.value for kind in rules.STEPPED],
        bases=[base for base in bases if base.undone_at is None],
        admin=admin,
        whole=not tariff_only,
        operator=ask.operator,
        yesterday=rule.today - timedelta(days=1),
        written=lambda amount: written(call, amount),
        plain=lambda amount: plain(call, amount),
    )


async def tariff_of(call: Call, campaign_id: int) -> Sequence[Price]:
    """The tariff that holds today, and what is to come."""
    found = await call.stores.money.prices(campaign_id, tariff_only=True)
    rule = await call.stores.money.rule(campaign_id, call.now)
    return [one for one in found if one.withdrawn_at is None and (one.until is None or one.until > rule.today)]


def _in_force(said: Sequence[schemas.PriceInfo], *, tariff: bool) -> Sequence[schemas.PriceInfo]:
    """Prices of a side that were not taken back, by kind and day."""
    order = [kind.value for kind in Kind]
    found = [one for one in said if one.withdrawn_at is None and Kind(one.kind).tariff == tariff]
    return sorted(found, key=lambda one: (order.index(one.kind), one.since))


async def _days(call: Call, digits: int) -> Sequence[Mapping[str, Any]]:
    found = await call.stores.money.days(call.id())
    return [
        {
            **asdict(one),
            "cost": None if _tariff_only(call) else rules.rounded(one.cost, digits),
            "revenue": rules.rounded(one.revenue, digits),
            "closed_by": "" if _tariff_only(call) else one.closed_by,
        }
        for one in found
    ]


def _said(ask: schemas.PriceAsk) -> Said:
    return Said(
        kind=Kind(ask.kind),
        since=ask.since,
        amount=ask.amount,
        base_id=ask.base,
        first_s=ask.first_s,
        step_s=ask.step_s,
    )


def _info(call: Call, price: Price) -> dict[str, Any]:
    """Who in the call centre said a price is not the customer's business."""
    hidden = {"made_by": "", "withdrawn_by": ""} if _tariff_only(call) else {}
    return {**asdict(price), "amount": _trimmed(price.amount), **hidden}


def _trimmed(amount: Decimal) -> Decimal:
    return type(amount)(rules.plain(amount))


def _tariff_only(call: Call) -> bool:
    return numbers.reads(call.user) != "all"


def open_made_of(campaign_id: int, since: datetime, until: datetime, operator_id: object = None) -> str:
    """The address of what an amount is made of."""
    asked = {"since": since.isoformat(), "until": until.isoformat(), "operator": operator_id}
    return pages.address(f"/campaigns/{campaign_id}/money", asked)
