"""The editor of a campaign's baskets: rules, owners, deadlines, and what a change would move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import baskets as rules
from dialer.core.baskets import Basket, Condition
from dialer.web import pages, schemas
from dialer.web.access import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from dialer.store.baskets import Move
    from dialer.web.call import Call

_HOUR_S = 3600


async def read(call: Call) -> schemas.BasketsAnswer:
    """All of them with their counts."""
    return await _listed(call, [])


async def rehearse(call: Call, ask: schemas.BasketsAsk) -> schemas.BasketsRehearsal:
    """What these rules would move, if they were to."""
    moves = await call.stores.baskets.rehearse(call.id(), _baskets(ask))
    return schemas.BasketsRehearsal(leads=sum(one.leads for one in moves), moves=_moves(moves))


async def write(call: Call, ask: schemas.BasketsAsk) -> schemas.BasketsAnswer:
    """Let these be the baskets.

    Raises:
        Refused: ``basket.…``, ``lead.owner``.
    """
    moved = await call.stores.baskets.set(call.id(), _baskets(ask), moves=ask.move, now=call.now, actor=call.actor)
    return await _listed(call, moved)


async def page(call: Call) -> web.Response:
    """The editor."""
    stores, campaign_id = call.stores, call.id()
    campaign = await stores.campaigns.get(campaign_id)
    found = (await _listed(call, [])).baskets
    script = (await stores.scripts.read(campaign_id)).body
    return pages.page_for(
        call,
        "baskets.html",
        "/campaigns",
        help_of="baskets",
        campaign=campaign,
        baskets=[one for one in found if not one.archived],
        archived=[one for one in found if one.archived],
        flagged={kind.basket: kind for kind in campaign.dispositions if kind.basket and not kind.archived},
        owners=await stores.leads.owners(campaign_id),
        steps=[step["id"] for step in script.get("steps", [])],
        headings=await stores.baskets.headings(campaign_id),
        history=await stores.baskets.history(campaign_id),
        rule=await stores.leads.rule(campaign_id),
        fields=rules.FIELDS,
        tests=rules.TESTS,
        bare=rules.BARE,
        warmths=rules.WARMTHS,
        accuracies=rules.ACCURACIES,
        admin=Role(call.user.role) is Role.ADMIN,
    )


async def _listed(call: Call, moved: Sequence[Move]) -> schemas.BasketsAnswer:
    found = await call.stores.baskets.counted(call.id(), now=call.now)
    views = [
        schemas.BasketView(
            **{name: getattr(one.basket, name) for name in schemas.BasketView.model_fields if hasattr(one.basket, name)}
            | {
                "conditions": [
                    schemas.BasketCondition.model_validate(c, from_attributes=True) for c in one.basket.conditions
                ]
            },
            owner=one.basket.owner_id,
            leads=one.leads,
            open=one.open,
            late=one.late,
        )
        for one in found
    ]
    return schemas.BasketsAnswer(campaign_id=call.id(), baskets=views, moved=_moves(moved))


def _moves(moves: Sequence[Move]) -> list[schemas.BasketMove]:
    return [schemas.BasketMove.model_validate(one) for one in moves]


def _baskets(ask: schemas.BasketsAsk) -> list[Basket]:
    return [
        Basket(
            code=one.code,
            name_en=one.name_en,
            name_ru=one.name_ru,
            warmth=one.warmth,
            accuracy=one.accuracy,
            product=one.product,
            conditions=tuple(Condition(**condition.model_dump()) for condition in one.conditions),
            owner_id=one.owner,
            contact_within_s=None if one.contact_within_hours is None else round(one.contact_within_hours * _HOUR_S),
        )
        for one in ask.baskets
    ]
