"""Pacing explained and controlled."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dialer.core.model import BudgetMode
from dialer.errors import Refused
from dialer.web import schemas
from dialer.web.access import Role

if TYPE_CHECKING:
    from dialer.web.call import Call

#: Without times this much is told.
LAST = timedelta(hours=1)


async def explain(call: Call, ask: schemas.PacingQuery) -> schemas.PacingAnswer:
    """Why this campaign dialled as it did.

    Raises:
        NotFound: ``campaign.not_found``.
    """
    campaign_id, stores = call.id(), call.stores
    await stores.campaigns.get(campaign_id)
    until = ask.until or call.now + timedelta(minutes=1)
    since = ask.since or until - LAST
    minutes = await stores.pacing.minutes(campaign_id, since, until)
    shown = [schemas.PacingMinute.model_validate(minute) for minute in minutes]
    if not ask.inputs:
        shown = [minute.model_copy(update={"inputs": None}) for minute in shown]
    recent = [e for e in call.context.live.explanations(campaign_id) if since <= e.until and e.at < until]
    exceptions = await stores.pacing.exceptions(campaign_id)
    return schemas.PacingAnswer(
        campaign_id=campaign_id,
        recent=[schemas.Explanation.model_validate(entry) for entry in recent],
        minutes=shown,
        exceptions=schemas.PacingExceptions.model_validate(exceptions) if exceptions else None,
    )


async def change(call: Call, ask: schemas.PacingChange) -> schemas.CampaignAnswer:
    """Turn target, caution, lines, cap or the way lines are counted while it runs; at once, and in the audit log.

    Raises:
        Refused: ``access.loosens``: only an admin may allow more abandons; ``campaign.…`` as the store decides.
    """
    if Role(call.user.role) is not Role.ADMIN and (ask.cap_permille is not None or ask.budget_mode is not None):
        present = await call.stores.campaigns.get(call.id())
        more = ask.cap_permille is not None and ask.cap_permille > present.cap_permille
        looser = ask.budget_mode is BudgetMode.PROBABLE and present.budget_mode != BudgetMode.PROBABLE
        if more or looser:
            raise Refused(
                "access.loosens",
                "only an admin may raise the cap, or count lines as probable",
                remedy="Ask an admin, or choose less.",
            )
    values = ask.model_dump(mode="json", exclude_unset=True)
    kept = {name: value for name, value in values.items() if value is not None or name == "target_permille"}
    row = await call.stores.campaigns.change(call.id(), kept, actor=call.actor)
    await call.commands.campaigns_changed()
    call.context.hub.overview.forget()
    return schemas.CampaignAnswer(campaign=schemas.CampaignInfo.model_validate(row))
