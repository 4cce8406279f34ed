"""A floor to tell stories on: a campaign, operators, callees, and a clock the story moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.floor import Floor
from dialer.core.model import (
    Budget,
    Campaign,
    CampaignState,
    Claim,
    LegalWindow,
    Mode,
    Profile,
    Trunk,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALL_DAY = ((time(0), time(23, 59)),)
PROFILE = Profile(
    id="world",
    version=1,
    windows=dict.fromkeys(range(7), ALL_DAY),
    cap_permille=30,
    legal_window=LegalWindow.DAYS30,
    call_types=frozenset({"auto_dialed_live", "recorded"}),
    trunk_kinds=frozenset({"world"}),
    per_day=4,
    per_30_days=10,
    min_gap_s=0,
)
CAMPAIGN = Campaign(
    id=1,
    name="Spring",
    mode=Mode.PROGRESSIVE,
    state=CampaignState.RUNNING,
    team_id=1,
    customer_id=1,
    zone="UTC",
    trunk=Trunk(id=1, name="world", kind="world"),
    profile=PROFILE,
    caller_number="+12025550100",
)
IVR = replace(
    CAMPAIGN,
    mode=Mode.IVR,
    offer="offer",
    keys={"1": "operator", "2": "callback", "9": "refused_unheard", "*": "repeat"},
)


def budget(campaign_id: int = 1, answered: int = 2000, abandoned: int = 20) -> Budget:
    return Budget(
        campaign_id=campaign_id,
        starts_at=NOON - timedelta(days=1),
        ends_at=NOON + timedelta(days=29),
        answered=answered,
        abandoned=abandoned,
        uncovered=0,
        cap_permille=30,
    )


def attempt_id(n: int) -> UUID:
    return UUID(int=0xA000 + n)


def session_id(n: int) -> UUID:
    return UUID(int=0xB000 + n)


class Story:
    """``after(s)`` moves time; ``tell(event)`` returns the effects; ``effects`` keeps all of them."""

    def __init__(self, *campaigns: Campaign, budgets: tuple[Budget, ...] = ()) -> None:
        self.floor = Floor()
        self.now = NOON
        self.effects: list[fx.Effect] = []
        self.floor.cover.budgets.update({b.campaign_id: b for b in budgets or (budget(),)})
        self.tell(ev.CampaignsRead(campaigns or (CAMPAIGN,)))

    def after(self, seconds: float) -> Story:
        self.now += timedelta(seconds=seconds)
        return self

    def tell(self, *events: ev.Event) -> list[fx.Effect]:
        out = [effect for event in events for effect in self.floor.step(event, self.now)]
        self.effects += out
        return out

    def at(self, make: Callable[..., ev.Event], *args: Any) -> list[fx.Effect]:
        return self.tell(make(*args, self.now))

    def operator(self, n: int = 1, team_id: int = 1, *, ready: bool = True) -> Story:
        self.tell(ev.ShiftStarted(n, session_id(n), f"Operator {n}", team_id, f"seat-{n:03}"))
        self.at(ev.LegWaiting, session_id(n))
        if ready:
            self.tell(ev.ReadyAsked(n))
        return self

    def dial(self, n: int = 1, campaign_id: int = 1, for_operator: int | None = None) -> Story:
        self.tell(
            ev.Taken(
                Claim(
                    attempt_id=attempt_id(n),
                    campaign_id=campaign_id,
                    contact_id=n,
                    phone_id=n,
                    e164=f"+1202555{n:04}",
                    number=1,
                    counted=0,
                    sent_at=self.now,
                    callback_id=n if for_operator else None,
                    for_operator=for_operator,
                )
            )
        )
        return self

    def answer(self, n: int = 1) -> list[fx.Effect]:
        return self.at(ev.Answered, attempt_id(n)) + self.at(ev.CalleeWaits, attempt_id(n))

    def join(self, n: int = 1, operator: int = 1) -> list[fx.Effect]:
        bridge = f"bridge-{n}"
        return self.tell(
            ev.OperatorJoined(session_id(operator), bridge, self.now), ev.CalleeJoined(attempt_id(n), bridge, self.now)
        )

    def hang_up(self, n: int = 1, cause: int = 16, word: str = "no_answer") -> list[fx.Effect]:
        return self.tell(ev.CallEnded(attempt_id(n), self.now, cause, None, word))

    def talk(self, n: int = 1, operator: int = 1) -> Story:
        """From the dialled number to two people talking."""
        self.dial(n)
        self.answer(n)
        self.join(n, operator)
        return self

    def state(self, operator: int = 1) -> str:
        return self.floor.operators[operator].live.state


def of(effects: list[fx.Effect], kind: type) -> list[Any]:
    return [e for e in effects if isinstance(e, kind)]


def end(effects: list[fx.Effect]) -> Any:
    (ended,) = of(effects, fx.AttemptEnded)
    return ended.ended
