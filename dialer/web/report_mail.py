"""Reports by mail: asked for, changed, tried and stopped by their users; ended by whoever gets them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dialer.core import letters as core
from dialer.core.subscriptions import PERIODS, When
from dialer.errors import NotFound, Refused
from dialer.outbox.letters import STOP_REPORT, letter_of
from dialer.outbox.smtp import server_of
from dialer.passwords import LETTER_KEY, key_in
from dialer.store import subscriptions
from dialer.store.subscriptions import ROWS, Wanted
from dialer.web import letters, numbers, pages, reports, schemas, scope
from dialer.web.access import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from aiohttp import web

    from dialer.web.call import Call


async def read(call: Call) -> schemas.SubscriptionsAnswer:
    """One's own reports by mail; an admin's are all."""
    rows = await call.stores.subscriptions.list(_whose(call))
    return schemas.SubscriptionsAnswer(subscriptions=[schemas.SubscriptionView.model_validate(row) for row in rows])


async def add(call: Call, ask: schemas.SubscriptionAsk) -> schemas.SubscriptionsAnswer:
    """A report to send, with one's own rights.

    Raises:
        Refused: ``subscription.address``, ``subscription.days``, ``subscription.too_many``, ``letter.address``.
    """
    wanted = await _wanted(call, ask)
    await call.stores.subscriptions.add(wanted, admin=_admin(call), now=call.now, actor=call.actor)
    return await read(call)


async def change(call: Call, ask: schemas.SubscriptionAsk) -> schemas.SubscriptionsAnswer:
    """Change all of it.

    Raises:
        Refused: ``subscription.address``, ``subscription.days``, ``letter.address``.
    """
    wanted = await _wanted(call, ask)
    await call.stores.subscriptions.change(call.id(), wanted, user_id=_whose(call), now=call.now, actor=call.actor)
    return await read(call)


async def pause(call: Call, ask: schemas.SubscriptionPause) -> schemas.SubscriptionsAnswer:
    """Stop it, or let it go on."""
    await call.stores.subscriptions.pause(
        call.id(), paused=ask.paused, user_id=_whose(call), now=call.now, actor=call.actor
    )
    return await read(call)


async def remove(call: Call) -> schemas.Done:
    """Forget it."""
    await call.stores.subscriptions.remove(call.id(), user_id=_whose(call), now=call.now, actor=call.actor)
    return schemas.Done()


async def send_now(call: Call) -> schemas.Done:
    """A trial, to one's own address.

    Raises:
        Refused: ``letter.no_server``, ``subscription.no_address``, ``subscription.trials``.
    """
    if server_of(call.context.settings) is None:
        raise letters.no_server()
    await call.stores.subscriptions.send_now(call.id(), user_id=_whose(call), now=call.now, actor=call.actor)
    return schemas.Done()


async def history(call: Call, ask: schemas.ReportLettersQuery) -> schemas.ReportLettersAnswer:
    """What became of its letters."""
    await _one(call, call.id())
    rows = await call.stores.subscriptions.history(call.id(), before=ask.cursor)
    found = [schemas.ReportLetter.model_validate(row) for row in rows]
    return schemas.ReportLettersAnswer(letters=found, next=found[-1].id if len(found) == ROWS else None)


async def set_address(call: Call, ask: schemas.OwnAddressAsk) -> schemas.Done:
    """Where one's own reports go.

    Raises:
        Refused: ``letter.address``.
    """
    await call.stores.subscriptions.set_own_address(ask.address, actor=call.actor)
    return schemas.Done()


async def page(call: Call, ask: schemas.ReportMailQuery) -> web.Response:
    """The reports by mail of who looks, and of one of them its letters."""
    stores = call.stores.subscriptions
    rows = await stores.list(_whose(call))
    chosen = next((row for row in rows if row["id"] == ask.chosen), None)
    found = await stores.history(chosen["id"], before=ask.cursor) if chosen else []
    own = await scope.own_campaigns(call)
    return pages.page_for(
        call,
        "report_mail.html",
        "/reports",
        help_of="report_mail",
        rows=rows,
        chosen=chosen,
        letters=found,
        further=found[-1]["id"] if len(found) == ROWS else None,
        campaigns=own,
        zone=reports.shared_zone(own) or reports.UTC_ZONE,
        address=await stores.own_address(call.user.id),
        periods=PERIODS,
        breakdowns=reports.breakdowns_of(call.user),
        server=server_of(call.context.settings) is not None,
        admin=_admin(call),
    )


async def ask_stop(call: Call) -> web.Response:
    """Where the link of a report leads. Looking changes nothing; mail programs look at every link."""
    row = await _by_token(call)
    return _stop_page(row, done=row["stopped_at"] is not None)


async def stop(call: Call) -> web.Response:
    """It was the last one: from the page, or by the mail program's own button (RFC 8058)."""
    row = await _by_token(call)
    await subscriptions.leave(call.stores.subscriptions.pool, row["id"], now=call.now)
    return _stop_page(row, done=True)


def _stop_page(row: Mapping[str, Any], *, done: bool) -> web.Response:
    told = {"address": core.masked(row["address"]), "name": row["name"]}
    return pages.page("report_stop.html", row["language"], user=None, done=done, told=told)


async def _by_token(call: Call) -> Mapping[str, Any]:
    key = await asyncio.to_thread(key_in, call.context.settings.data_dir, LETTER_KEY)
    subscriber_id = letter_of(key, call.request.match_info["token"], STOP_REPORT)
    if subscriber_id is None:
        raise NotFound("subscription.not_found", "There is no such report by mail.")
    return await call.stores.subscriptions.subscriber(subscriber_id)


async def _wanted(call: Call, ask: schemas.SubscriptionAsk) -> Wanted:
    """What is asked for, of the asker's own campaigns."""
    own = await scope.own_campaigns(call)
    campaign = next((row for row in own if row.id == ask.campaign_id), None)
    if ask.campaign_id is not None and campaign is None:
        raise NotFound("campaign.unknown", f"There is no campaign {ask.campaign_id}.")
    if ask.by not in reports.breakdowns_of(call.user):
        raise numbers.of_operator()
    if bool(ask.weekdays) == (ask.month_day is not None):
        sentence = "Choose weekdays, or a day of the month."
        fields = [{"field": "weekdays", "message": sentence}]
        raise Refused("subscription.days", sentence, remedy="Choose one of them.", fields=fields)
    return Wanted(
        name=ask.name,
        campaign_id=ask.campaign_id,
        zone=campaign.zone if campaign else str(reports.shared_zone(own) or reports.UTC_ZONE),
        period=ask.period,
        breakdown=ask.by,
        language=ask.language,
        form=ask.format,
        when=When(weekdays=frozenset(ask.weekdays), month_day=ask.month_day, hour=ask.hour),
        addresses=ask.addresses,
    )


async def _one(call: Call, subscription_id: int) -> Mapping[str, Any]:
    rows: Sequence[Mapping[str, Any]] = await call.stores.subscriptions.list(_whose(call), subscription_id)
    if not rows:
        raise NotFound("subscription.not_found", "There is no such report by mail.")
    return rows[0]


def _admin(call: Call) -> bool:
    return Role(call.user.role) is Role.ADMIN


def _whose(call: Call) -> int | None:
    """Whose reports the asker may see and change; None: everybody's."""
    return None if _admin(call) else call.user.id
