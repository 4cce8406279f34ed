"""The live board's view of a floor: counters, operators, campaigns with the sentence of their pacing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dialer.core import attempt as life
from dialer.core import budget as law
from dialer.core.floor import Floor
from dialer.core.manual import DIAL
from dialer.core.model import AttemptState, Campaign, Mode, OperatorState, Outcome
from dialer.core.presence import Operator
from dialer.engine.campaigns import Dialing
from dialer.engine.pace import Pace
from dialer.engine.ports import Board, CampaignView, ListeningView, OperatorView
from dialer.engine.switch import LEG, channel_of

NOT_LOOKED_YET = {"en": "Not dialling yet.", "ru": "Дозвон ещё не начат."}
NOBODY_DUE = {
    "en": "No contact may be called right now; looking again at {at} UTC.",
    "ru": "Сейчас никому нельзя звонить; следующая проверка в {at} UTC.",
}

PREVIEWS = {
    "en": "Operators look first: {looking} look at a contact, {calling} are being put through.",
    "ru": "Операторы сначала смотрят карточку: смотрят {looking}, звонят {calling}.",
}


#: A campaign that must record does not dial while recordings cannot be kept.
NOT_KEPT = {
    "en": "Recordings cannot be kept, and this campaign does not dial without: see System.",
    "ru": "Записи негде сохранять, а без них эта кампания не звонит: см. «Система».",
}


def operator_view(op: Operator, listened: str | None = None, recording: str | None = None) -> OperatorView:
    """One operator as the board shows it; ``listened`` and ``recording`` are for the operator's page alone."""
    live = op.live
    shown = op.preview.id if op.preview is not None else live.attempt_id
    return OperatorView(
        operator_id=live.operator_id,
        name=live.name,
        seat=live.seat,
        state=live.state,
        since=live.since,
        reason=live.reason,
        until=live.until,
        campaign_id=live.campaign_id,
        attempt_id=shown if live.state is not OperatorState.READY else None,
        pause_after_call=op.live.leaving or op.live.pause_after not in {None, DIAL},
        extended=op.extended,
        calls=live.state is OperatorState.PREVIEW and not op.looks,
        missed=op.missed,
        dials=op.dials,
        held_until=op.held.until if op.held is not None else None,
        leg=channel_of(LEG, live.session_id),
        listened=listened,
        recording=recording,
    )


def _why(floor: Floor, campaign: Campaign, pace: Pace, at: datetime) -> tuple[str, Mapping[str, str]]:
    """What limits a campaign's dialing: a stable word and a sentence by language."""
    if campaign.mode is Mode.PREVIEW:
        mine = [op for op in floor.operators.values() if op.live.campaign_id == campaign.id]
        mine = [op for op in mine if op.live.state is OperatorState.PREVIEW]
        looking = sum(op.looks for op in mine)
        if mine or pace.rest_until is None or pace.rest_until <= at:
            said = {"looking": looking, "calling": len(mine) - looking}
            return "operators_look", {lang: text.format(**said) for lang, text in PREVIEWS.items()}
    if pace.rest_until is not None and pace.rest_until > at:
        return "nobody_due", {lang: text.format(at=f"{pace.rest_until:%H:%M:%S}") for lang, text in NOBODY_DUE.items()}
    if pace.decision is None:
        return "not_looked_yet", NOT_LOOKED_YET
    return pace.decision.reason, pace.decision.sentence


def campaign_view(
    floor: Floor, campaign: Campaign, pace: Pace, at: datetime, trunk_off_since: datetime | None, *, held_back: bool
) -> CampaignView:
    """One campaign with what limits its dialing."""
    lines = floor.cover.live[campaign.id].values()
    budget = floor.cover.budgets.get(campaign.id)
    if budget is not None:
        budget = law.present(budget, campaign, at)
    reason, sentence = ("recordings", NOT_KEPT) if held_back else _why(floor, campaign, pace, at)
    return CampaignView(
        campaign_id=campaign.id,
        name=campaign.name,
        mode=campaign.mode,
        state=campaign.state,
        lines=sum(a.state in life.IN_FLIGHT for a in lines),
        ringing=sum(a.state in life.UNANSWERED for a in lines),
        waiting=sum(a.id in floor.waiting for a in lines),
        talking=sum(a.state is AttemptState.CONNECTED for a in lines),
        ready=len(floor.crew.free(campaign.team_id)),
        reason=reason,
        sentence=sentence,
        answered=budget.answered if budget else 0,
        abandoned=budget.abandoned if budget else 0,
        cap_permille=budget.cap_permille if budget else campaign.cap_permille,
        window_starts_at=budget.starts_at if budget else None,
        carried_answered=budget.carried_answered if budget else 0,
        carried_abandoned=budget.carried_abandoned if budget else 0,
        budget_mode=campaign.budget_mode,
        owed=law.owed(budget) if budget else 0,
        caution=campaign.caution,
        listening_shown=campaign.listening_shown,
        trunk=campaign.trunk.name,
        trunk_off_since=trunk_off_since,
        changes=pace.why.changes(at),
    )


def board(
    floor: Floor,
    dialing: Dialing,
    *,
    at: datetime,
    version: int,
    switch: str,
    switch_up: bool,
    stopped_because: str | None,
    alerts: tuple[str, ...],
    listenings: tuple[ListeningView, ...],
) -> Board:
    """Everything the board shows, of one moment."""
    outcomes = floor.outcomes
    return Board(
        at=at,
        version=version,
        switch=switch,
        switch_up=switch_up,
        dialing=stopped_because is None,
        stopped_because=stopped_because,
        operators=tuple(operator_view(op) for op in floor.operators.values()),
        campaigns=tuple(
            campaign_view(
                floor,
                c,
                dialing.paces.get(c.id, Pace()),
                at,
                dialing.trunk_off_since(c),
                held_back=dialing.held_back(c) is not None,
            )
            for c in floor.campaigns.values()
        ),
        alerts=alerts,
        listenings=listenings,
        counters={
            "attempts": sum(outcomes.values()) + sum(not a.came_in for a in floor.attempts.values()),
            "connected": outcomes[Outcome.CONNECTED],
            "abandoned": outcomes[Outcome.ABANDONED],
            "lines": sum(a.state in life.UNANSWERED for a in floor.attempts.values()),
            "max_lines_per_ready_operator_x100": round(dialing.lines_per_ready() * 100),
        },
    )
