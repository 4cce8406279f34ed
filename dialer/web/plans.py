"""What settings mean for a base: attempts, hours, days. For a campaign, and for one that is not made yet."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dialer.core import forecast, retry
from dialer.core.model import Mode, Outcome
from dialer.errors import Refused
from dialer.web import schemas

if TYPE_CHECKING:
    from dialer.core.model import Profile
    from dialer.store.office import Calls
    from dialer.web.call import Call

_DAY_S = 86400
#: From so many conversations on, figures of one's own are better than usual ones.
_OWN_FIGURES = 30
#: A campaign without a base is planned for one of this size, and says so.
EXAMPLE_CONTACTS = 1000
#: What the database gives a campaign that says nothing else.
USUAL = {"attempts_max": 4, "ring_timeout_s": 25, "wrap_up_s": 30, "max_lines": 100}


async def of_campaign(call: Call, ask: schemas.PlanQuery) -> schemas.PlanAnswer:
    """What settings mean for the contacts a campaign has."""
    row, rules = await call.stores.campaigns.get(call.id()), await call.stores.campaigns.rules(call.id())
    if ask.profile:
        rules = await _packaged(call, ask.profile, ask.purpose or row.purpose)
    known = await call.stores.office.planned(call.id(), row.team)
    settings = {name: getattr(row, name) for name in USUAL} | {"mode": row.mode}
    gap_s = row.retry.get("no_answer", {}).get("delay_s", retry.DEFAULT[Outcome.NO_ANSWER].delay_s)
    return _answer(ask, settings, rules, known.contacts, known.operators, gap_s, [("campaign", known.calls)])


async def of_new(call: Call, ask: schemas.NewPlanQuery) -> schemas.PlanAnswer:
    """What settings would mean for a campaign that is not made yet.

    Answer rate and talk are those of the customer's last calls, else of the team's, else usual ones.
    """
    rules = await _packaged(call, ask.profile or "strict", ask.purpose or "marketing")
    mode = ask.mode or Mode.PROGRESSIVE
    operators, calls = await call.stores.office.expected(customer=ask.customer, team=ask.team, mode=mode)
    gap_s = retry.DEFAULT[Outcome.NO_ANSWER].delay_s
    return _answer(ask, {**USUAL, "mode": mode}, rules, EXAMPLE_CONTACTS, operators, gap_s, list(calls.items()))


async def _packaged(call: Call, name: str, purpose: str) -> Profile:
    found = next((one for one in await call.stores.campaigns.profiles() if one.id == name), None)
    if found is None:
        raise Refused("campaign.profile", "there is no such profile", remedy="See /api/v1/profiles.")
    return found.rules(purpose)


def _answer(
    ask: schemas.PlanQuery,
    settings: dict[str, Any],
    rules: Profile,
    contacts: int,
    operators: int,
    gap_s: float,
    calls: list[tuple[str, Calls]],
) -> schemas.PlanAnswer:
    """The plan with what is asked for, else with what is known, else with what is usual."""
    settings |= {name: value for name in settings if (value := getattr(ask, name)) is not None}
    figures_of, known = next(((of, one) for of, one in calls if one.connected >= _OWN_FIGURES), ("usual", None))
    answer_rate = round(known.connected / known.rang, 3) if known and known.rang else forecast.ANSWER_RATE
    if ask.answer_percent is not None:
        figures_of, answer_rate = "asked", round(ask.answer_percent / 100, 4)
    if ask.operators is not None:
        operators = ask.operators
    elif settings["mode"] != Mode.IVR:
        operators = max(1, operators)
    made_of: dict[str, Any] = {
        "contacts": contacts if ask.contacts is None else ask.contacts,
        "operators": operators,
        "hours_per_day": _hours_per_day(rules),
        "gap_days": round(max(rules.min_gap_s, gap_s) / _DAY_S, 2),
        "answer_rate": answer_rate,
        "talk_s": round(known.talk_s, 1) if known and known.talk_s else forecast.TALK_S,
    }
    return schemas.PlanAnswer(
        **made_of,
        **asdict(forecast.plan(**settings, **made_of)),
        attempts_max=settings["attempts_max"],
        figures_of=figures_of,
        window=forecast.usual_window(rules.windows),
    )


def _hours_per_day(rules: Profile) -> float:
    """Hours in which one callee may be called, on the average of a week."""
    seconds = sum(
        (end.hour * 3600 + end.minute * 60 or _DAY_S) - (start.hour * 3600 + start.minute * 60)
        for day in range(7)
        for start, end in rules.windows.get(day, ())
    )
    return round(seconds / 3600 / 7, 1)
