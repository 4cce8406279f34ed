"""Receivers of events: set up by an admin, tried, paused, given another secret; what each was told, told again."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from dialer.core.deliveries import refused_url
from dialer.errors import NotFound, Refused
from dialer.outbox.webhooks import secret
from dialer.passwords import WEBHOOK_KEY, key_in
from dialer.store.webhooks import KINDS, ROWS
from dialer.web import pages, schemas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from aiohttp import web

    from dialer.web.call import Call

_SEED_BYTES = 16
#: So long both secrets sign after a change.
BOTH_FOR = timedelta(days=1)


async def read(call: Call) -> schemas.WebhooksAnswer:
    """All receivers."""
    rows = await call.stores.webhooks.list()
    return schemas.WebhooksAnswer(webhooks=[schemas.WebhookView.model_validate(row) for row in rows])


async def add(call: Call, ask: schemas.WebhookAsk) -> schemas.WebhookMade:
    """A receiver; its secret is in this answer and nowhere else.

    Raises:
        Refused: ``webhook.url``, ``webhook.value``.
    """
    _check(call, ask.url)
    seed = secrets.token_bytes(_SEED_BYTES)
    webhook_id = await call.stores.webhooks.add(
        name=ask.name,
        url=ask.url,
        kinds=ask.kinds,
        seed=seed,
        customer_id=ask.customer,
        campaign_id=ask.campaign_id,
        actor=call.actor,
    )
    return await _made(call, webhook_id, seed)


async def change(call: Call, ask: schemas.WebhookChange) -> schemas.WebhooksAnswer:
    """Change what it is told, where, or whether at present.

    Raises:
        Refused: ``webhook.url``.
    """
    said = ask.model_dump(exclude_none=True)
    if ask.url is not None:
        _check(call, ask.url)
    await call.stores.webhooks.change(call.id(), said, now=call.now, actor=call.actor)
    return await read(call)


async def rotate(call: Call) -> schemas.WebhookMade:
    """A new secret; for a day the one before signs beside it."""
    seed = secrets.token_bytes(_SEED_BYTES)
    await call.stores.webhooks.rotate(call.id(), seed, until=call.now + BOTH_FOR, actor=call.actor)
    return await _made(call, call.id(), seed)


async def remove(call: Call) -> schemas.Done:
    """Forget a receiver and what it was still to be told."""
    await call.stores.webhooks.remove(call.id(), actor=call.actor)
    return schemas.Done()


async def test(call: Call) -> schemas.Done:
    """Send an event of nothing."""
    await call.stores.webhooks.test(call.id(), now=call.now)
    return schemas.Done()


async def deliveries(call: Call, ask: schemas.DeliveriesQuery) -> schemas.DeliveriesAnswer:
    """What a receiver was told, and is still to be told."""
    await _one(call, call.id())
    rows = await call.stores.webhooks.deliveries(call.id(), state=ask.state, before=ask.cursor)
    found = [schemas.DeliveryView.model_validate(row) for row in rows]
    return schemas.DeliveriesAnswer(deliveries=found, next=found[-1].id if len(found) == ROWS else None)


async def replay(call: Call, ask: schemas.ReplayAsk) -> schemas.Replayed:
    """Tell one event again, or all that were given up; their ids stay."""
    again = await call.stores.webhooks.replay(call.id(), ask.delivery, actor=call.actor)
    return schemas.Replayed(events=again)


async def page(call: Call, ask: schemas.WebhooksQuery) -> web.Response:
    """Receivers, and of one of them the last events."""
    hooks = await call.stores.webhooks.list()
    chosen = next((hook for hook in hooks if hook["id"] == ask.webhook), hooks[0] if len(hooks) == 1 else None)
    rows = await call.stores.webhooks.deliveries(chosen["id"], before=ask.cursor) if chosen else []
    return pages.page_for(
        call,
        "webhooks.html",
        "/webhooks",
        hooks=hooks,
        chosen=chosen,
        rows=rows,
        further=rows[-1]["id"] if len(rows) == ROWS else None,
        kinds=KINDS,
        customers=await call.stores.customers.list(),
        campaigns=await call.stores.campaigns.list(),
    )


def _check(call: Call, url: str) -> None:
    """Refuse an address that leads inside; names are asked for their addresses at each delivery."""
    if why := refused_url(url, call.context.settings.named_hosts):
        raise Refused(
            "webhook.url",
            why,
            remedy="Give a public https address, or name the host in DIALER_WEBHOOK_HOSTS.",
            fields=[{"field": "url", "message": why}],
        )


async def _one(call: Call, webhook_id: int) -> Mapping[str, Any]:
    found = await call.stores.webhooks.list(webhook_id)
    if not found:
        raise NotFound("webhook.not_found", "There is no such webhook.")
    return found[0]


async def _made(call: Call, webhook_id: int, seed: bytes) -> schemas.WebhookMade:
    key = await asyncio.to_thread(key_in, call.context.settings.data_dir, WEBHOOK_KEY)
    row = await _one(call, webhook_id)
    return schemas.WebhookMade(webhook=schemas.WebhookView.model_validate(row), secret=secret(key, seed))
