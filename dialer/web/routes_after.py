"""Ways in to what follows a call: leads, webhooks; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import baskets, leads, schemas, segments, webhooks
from dialer.web.access import ADMIN, BASES, CUSTOMERS, LEADS, READERS, Route

_ID = "{id:[0-9]{1,18}}"
_V1 = "/api/v1"
_HTML = "text/html"

_HOOK = f"{_V1}/webhooks/{_ID}"
_WEBHOOKS = (
    Route(method="GET", path="/webhooks", handler=webhooks.page, roles=ADMIN, ask=schemas.WebhooksQuery, media=_HTML,
          summary="Webhooks page: receivers and what they were told"),
    Route(method="GET", path=f"{_V1}/webhooks", handler=webhooks.read, roles=ADMIN, summary="Receivers of events",
          answer=schemas.WebhooksAnswer),
    Route(method="POST", path=f"{_V1}/webhooks", handler=webhooks.add, roles=ADMIN, ask=schemas.WebhookAsk,
          summary="A receiver of events; its secret is in this answer alone", answer=schemas.WebhookMade, status=201),
    Route(method="PATCH", path=_HOOK, handler=webhooks.change, roles=ADMIN, ask=schemas.WebhookChange,
          summary="Change a receiver, or pause it", answer=schemas.WebhooksAnswer),
    Route(method="DELETE", path=_HOOK, handler=webhooks.remove, roles=ADMIN, answer=schemas.Done,
          summary="Forget a receiver and what it was still to be told"),
    Route(method="POST", path=f"{_HOOK}/secret", handler=webhooks.rotate, roles=ADMIN, answer=schemas.WebhookMade,
          summary="A new secret; the one before signs beside it for a day"),
    Route(method="POST", path=f"{_HOOK}/test", handler=webhooks.test, roles=ADMIN, answer=schemas.Done,
          summary="Send an event of nothing"),
    Route(method="GET", path=f"{_HOOK}/deliveries", handler=webhooks.deliveries, roles=ADMIN,
          ask=schemas.DeliveriesQuery, summary="What a receiver was told, the newest first",
          answer=schemas.DeliveriesAnswer),
    Route(method="POST", path=f"{_HOOK}/replay", handler=webhooks.replay, roles=ADMIN, ask=schemas.ReplayAsk,
          summary="Tell one event again, or all that were given up", answer=schemas.Replayed),
)  # fmt: skip

_BASKETS_PATH = f"{_V1}/campaigns/{_ID}/baskets"
_BASKETS = (
    Route(method="GET", path=f"/campaigns/{_ID}/baskets", handler=baskets.page, roles=READERS, media=_HTML,
          summary="Editor of the baskets of a campaign's leads"),
    Route(method="GET", path=_BASKETS_PATH, handler=baskets.read, roles=READERS,
          summary="Baskets of a campaign's leads, with counts", answer=schemas.BasketsAnswer),
    Route(method="PUT", path=_BASKETS_PATH, handler=baskets.write, roles=ADMIN, ask=schemas.BasketsAsk,
          summary="Change them, for leads made from now on; others move only if that is asked",
          answer=schemas.BasketsAnswer),
    Route(method="POST", path=f"{_BASKETS_PATH}/rehearsal", handler=baskets.rehearse, roles=ADMIN,
          ask=schemas.BasketsAsk, summary="How many leads these rules would move; nothing is written",
          answer=schemas.BasketsRehearsal),
)  # fmt: skip

_SEGMENTS_PATH = f"{_V1}/campaigns/{_ID}/segments"
_SEGMENTS = (
    Route(method="GET", path="/segments", handler=segments.page, roles=BASES, ask=schemas.SegmentQuery, media=_HTML,
          summary="Refusals by reason, and what a base of another campaign made of them would be"),
    Route(method="GET", path=_SEGMENTS_PATH, handler=segments.read, roles=BASES,
          summary="Refusals of a campaign by disposition and reason", answer=schemas.SegmentsAnswer),
    Route(method="POST", path=f"{_SEGMENTS_PATH}/rehearsal", handler=segments.rehearse, roles=BASES,
          ask=schemas.SegmentAsk, summary="Who of a segment would be loaded, who not and why; nothing is written",
          answer=schemas.SegmentRehearsal),
    Route(method="POST", path=_SEGMENTS_PATH, handler=segments.make, roles=BASES, ask=schemas.SegmentAsk, status=201,
          summary="Make a segment a base of another campaign of the customer", answer=schemas.SegmentMade),
)  # fmt: skip

AFTER: tuple[Route, ...] = (
    *_WEBHOOKS,
    *_BASKETS,
    *_SEGMENTS,
    Route(method="GET", path="/leads", handler=leads.page, roles=READERS | CUSTOMERS, ask=schemas.LeadsQuery,
          media=_HTML, summary="Leads page; the customer's users see their own"),
    Route(method="GET", path=f"/leads/{_ID}", handler=leads.one, roles=READERS | CUSTOMERS, media=_HTML,
          summary="One lead with its card and history"),
    Route(method="GET", path=f"{_V1}/leads", handler=leads.find, roles=READERS | CUSTOMERS, ask=schemas.LeadsQuery,
          summary="Leads, the newest first; numbers are masked", answer=schemas.LeadsAnswer),
    Route(method="GET", path=f"{_V1}/leads/{_ID}", handler=leads.read, roles=READERS | CUSTOMERS,
          summary="One lead; who sees its numbers is in the audit log", answer=schemas.LeadAnswer),
    Route(method="POST", path=f"{_V1}/leads/{_ID}/state", handler=leads.move, roles=LEADS | CUSTOMERS,
          summary="Let a lead go on; the customer accepts or rejects it", ask=schemas.LeadMove,
          answer=schemas.LeadAnswer),
    Route(method="PATCH", path=f"{_V1}/leads/{_ID}", handler=leads.change, roles=LEADS,
          summary="Correct a lead's card, give it to somebody, or say what the client brought", ask=schemas.LeadChange,
          answer=schemas.LeadAnswer),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}/lead-rule", handler=leads.rule, roles=READERS,
          summary="When a campaign's leads must be reached, and in which currency they pay",
          answer=schemas.LeadRuleAnswer),
    Route(method="PUT", path=f"{_V1}/campaigns/{_ID}/lead-rule", handler=leads.set_rule, roles=ADMIN,
          summary="Change it, for leads made from now on", ask=schemas.LeadRuleAsk, answer=schemas.LeadRuleAnswer),
)  # fmt: skip
