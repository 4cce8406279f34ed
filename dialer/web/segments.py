"""Segments of refusals: looked at, rehearsed, and made a base of another campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.errors import NotFound
from dialer.store.segments import LOADED, Segment
from dialer.web import pages, schemas, scope, texts

if TYPE_CHECKING:
    from aiohttp import web

    from dialer.store.campaigns import CampaignRow
    from dialer.store.segments import Counted
    from dialer.web.call import Call


async def read(call: Call) -> schemas.SegmentsAnswer:
    """Refusals of a campaign by disposition and reason."""
    found = await call.stores.segments.counts(call.id())
    rows = [schemas.SegmentCount.model_validate(row, from_attributes=False) for row in found]
    return schemas.SegmentsAnswer(campaign_id=call.id(), segments=rows)


async def rehearse(call: Call, ask: schemas.SegmentAsk) -> schemas.SegmentRehearsal:
    """What would become of each contact; nothing is written.

    Raises:
        NotFound: ``scope.not_found``: the other campaign is not the user's.
        Refused: ``segment.…``.
    """
    await _own(call, ask.target)
    segments = call.stores.segments
    counted = await segments.rehearse(_segment(call.id(), ask), ask.target, now=call.now, actor=call.actor)
    return schemas.SegmentRehearsal(
        found=counted.found,
        loaded=counted.loaded,
        verdicts=dict(counted.verdicts),
        held=[
            schemas.SegmentHeld(reason=reason, contacts=one.contacts, until=one.until)
            for reason, one in counted.held.items()
        ],
    )


async def make(call: Call, ask: schemas.SegmentAsk) -> schemas.SegmentMade:
    """Make the base.

    Raises:
        NotFound: ``scope.not_found``: the other campaign is not the user's.
        Refused: ``segment.…``.
    """
    await _own(call, ask.target)
    source = await call.stores.campaigns.get(call.id())
    name = ask.name or _name(call, source, ask)
    base, verdicts = await call.stores.segments.make(_segment(source.id, ask), ask.target, name, actor=call.actor)
    await call.commands.campaigns_changed()
    return schemas.SegmentMade(base=schemas.BaseInfo.model_validate(base), verdicts=dict(verdicts))


async def page(call: Call, ask: schemas.SegmentQuery) -> web.Response:
    """What a campaign's refusals are, and what a base of them would be."""
    own = await scope.own_campaigns(call)
    source = next((row for row in own if row.id == ask.campaign), None)
    targets = [row for row in own if source and row.customer == source.customer and row.id != source.id]
    target = next((row for row in targets if row.id == ask.target), targets[0] if len(targets) == 1 else None)
    counted: Counted | None = None
    if source and target and (ask.code or ask.reason):
        asked = schemas.SegmentAsk(target=target.id, **ask.model_dump(exclude={"campaign", "target"}))
        segment = _segment(source.id, asked)
        counted = await call.stores.segments.rehearse(segment, target.id, now=call.now, actor=call.actor)
    return pages.page_for(
        call,
        "segments.html",
        "/reports",
        help_of="segments",
        campaigns=own,
        campaign=source,
        ask=ask,
        segments=await call.stores.segments.counts(source.id) if source else [],
        targets=targets,
        target=target,
        counted=counted,
        left_out={key: n for key, n in counted.verdicts.items() if key != LOADED} if counted else {},
        said=ask.model_dump(mode="json", include={"code", "reason", "since", "until"}, exclude_none=True),
        address=lambda **values: pages.address("/segments", _asked(ask) | values),
    )


def _asked(ask: schemas.SegmentQuery) -> dict[str, object]:
    return ask.model_dump(mode="json", exclude_none=True)


async def _own(call: Call, campaign_id: int) -> None:
    if campaign_id not in {row.id for row in await scope.own_campaigns(call)}:
        raise NotFound("scope.not_found", "there is nothing of that number that you may see")


def _segment(campaign_id: int, ask: schemas.SegmentAsk) -> Segment:
    return Segment(campaign_id=campaign_id, code=ask.code, reason=ask.reason, since=ask.since, until=ask.until)


def _name(call: Call, source: CampaignRow, ask: schemas.SegmentAsk) -> str:
    """Of whom it is: the reason or the disposition, and the campaign."""
    known = texts.TEXTS[call.user.language]
    kind = next((one for one in source.dispositions if one.code == ask.code), None)
    named = (kind.name_ru if call.user.language == "ru" else kind.name_en) if kind else known["segments.all"]
    what = known.get(f"reason.{ask.reason}", ask.reason) if ask.reason else named
    return f"{what} · {source.name}"[:200]
