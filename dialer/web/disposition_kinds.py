"""The editor of a campaign's dispositions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialer.core.dispositions import KEYS
from dialer.core.letters import WORDS
from dialer.core.model import COLOURS, RetryRule
from dialer.web import audit_words, pages, schemas
from dialer.web.access import Role

if TYPE_CHECKING:
    from aiohttp import web

    from dialer.store.disposition_kinds import Listed
    from dialer.web.call import Call

_HOUR_S = 3600
#: Null means something here: none of them.
_NULLABLE = frozenset({"verdict", "dnc_scope", "colour", "key", "letter", "basket"})


async def read(call: Call) -> schemas.KindsAnswer:
    """The whole list, archived ones included."""
    return await _listed(call)


async def add(call: Call, ask: schemas.KindAsk) -> schemas.KindsAnswer:
    """A new disposition.

    Raises:
        Refused: ``disposition_kind.…``.
    """
    values = _values(ask)
    if retry := values.pop("retry", None):
        values["retry"] = RetryRule(**retry)
    await call.stores.disposition_kinds.add(call.id(), values, actor=call.actor)
    await call.commands.campaigns_changed()
    return await _listed(call)


async def change(call: Call, ask: schemas.KindChange) -> schemas.KindsAnswer:
    """Change one; conversations that go on see it at their next look.

    Raises:
        Refused: ``disposition_kind.…``, ``campaign.loosens``.
    """
    values = _values(ask)
    code = values.pop("code")
    await call.stores.disposition_kinds.change(call.id(), code, values, now=call.now, actor=call.actor)
    await call.commands.campaigns_changed()
    return await _listed(call)


async def order(call: Call, ask: schemas.KindOrder) -> schemas.KindsAnswer:
    """Put the list in order."""
    await call.stores.disposition_kinds.order(call.id(), ask.codes, actor=call.actor)
    await call.commands.campaigns_changed()
    return await _listed(call)


def _values(ask: schemas.KindFields) -> dict[str, Any]:
    """What was said, with the retry rule as one value; null where it means none."""
    said = ask.model_dump(exclude_unset=True)
    hours, times = said.pop("retry_hours", ()), said.pop("retry_times", None)
    values = {name: value for name, value in said.items() if value is not None or name in _NULLABLE}
    if hours != ():
        values["retry"] = None if hours is None else {"delay_s": round(hours * _HOUR_S), "times": times}
    return values


async def _listed(call: Call) -> schemas.KindsAnswer:
    found = await call.stores.disposition_kinds.list(call.id())
    return schemas.KindsAnswer(campaign_id=call.id(), dispositions=[_info(one) for one in found])


def _info(one: Listed) -> schemas.KindInfo:
    rule = one.kind.retry
    return schemas.KindInfo(
        **schemas.DispositionKindView.model_validate(one.kind).model_dump(),
        dnc_scope=one.kind.dnc_scope,
        colour=one.kind.colour,
        letter=one.kind.letter,
        basket=one.kind.basket,
        retry_s=rule.delay_s if rule else None,
        retry_times=rule.times if rule else None,
        times=one.times,
        last_at=one.last_at,
    )


async def page(call: Call) -> web.Response:
    """The editor."""
    campaign = await call.stores.campaigns.get(call.id())
    kinds = (await _listed(call)).dispositions
    history = await call.stores.disposition_kinds.history(call.id())
    return pages.page_for(
        call,
        "dispositions.html",
        "/campaigns",
        help_of="dispositions",
        campaign=campaign,
        kinds=[kind for kind in kinds if not kind.archived],
        archived=[kind for kind in kinds if kind.archived],
        history=history,
        words=await audit_words.words(call, [{**row, "object": f"campaign:{campaign.id}"} for row in history]),
        keys=KEYS,
        colours=COLOURS,
        letters=WORDS,
        baskets=[basket for basket in await call.stores.baskets.list(call.id()) if not basket.archived],
        admin=Role(call.user.role) is Role.ADMIN,
    )
