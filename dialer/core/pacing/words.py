"""The decision in one sentence, in English and Russian."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from dialer.core.pacing import laws as l
from dialer.core.pacing.forecast import Horizon, rows
from dialer.core.pacing.learn import ATTEMPTS_MIN

if TYPE_CHECKING:
    from dialer.core.pacing.learn import Learned
    from dialer.core.pacing.state import Policy, Snapshot

#: The next free operator is looked for this far ahead, and first so far.
NEXT_WITHIN_S, SOON_S = 300, 60

#: Why not more, by language; with the numbers of the moment.
BECAUSE: dict[str, tuple[str, str]] = {
    "slow_switch": ("one to one, because the switch answers slowly", "один к одному: станция отвечает медленно"),
    "free_operators": ("one line per ready operator", "одна линия на готового оператора"),
    "little_data": ("one to one until {seen_min} calls were seen", "один к одному до {seen_min} первых звонков"),
    "stale_data": (
        "progressive now because what is known is out of date",
        "сейчас прогрессивный режим: данные устарели",
    ),
    "small_team": (
        "progressive now because one more line would find nobody free in {risk} % of answers, {theta} % may",
        "сейчас прогрессивный режим: ещё одна линия осталась бы без оператора в {risk} % ответов, можно {theta} %",
    ),
    "abandon_budget": (
        "held by the abandon budget: {rate} % of {cap} %",
        "держит лимит потерянных звонков: {rate} % из {cap} %",
    ),
    "forecast": (
        "the forecast finds {free} operators free by the answer",
        "к ответу по прогнозу свободны {free} операторов",
    ),
    "lines_per_operator": ("held by the limit of {per} lines per operator", "держит предел: {per} линий на оператора"),
    "trunk_limit": ("held by the limit of lines of trunk and campaign", "держит предел линий транка и кампании"),
    "starts_limit": ("held by the trunk's limit of calls per second", "держит предел транка: звонков в секунду"),
    "trunk_off": ("the trunk fails: one try in 30 s", "транк не работает: одна попытка в 30 с"),
    "no_operators": ("nobody is at work", "никто не работает"),
}


def sentence(
    snapshot: Snapshot,
    learned: Learned,
    policy: Policy,
    *,
    reason: str,
    lines: int,
    free: float | None,
    risk: float | None,
) -> dict[str, str]:
    """Like: 7 lines for 3 operators: 31 % answer, next free in about 12 s; held by the abandon budget: 2.1 % of 3 %."""
    budget, count = policy.budget, snapshot.operators
    numbers = {
        "rate": f"{100 * budget.abandoned / max(1, budget.answered):.1f}",
        "cap": f"{budget.cap_permille / 10:g}",
        "free": f"{max(0.0, snapshot.ready if free is None else free):.1f}",
        "per": f"{policy.max_lines_per_operator:g}",
        "seen_min": str(ATTEMPTS_MIN),
        "risk": f"{100 * (risk or 0.0):.0f}",
        "theta": f"{100 * learned.theta / policy.caution:.1f}",
    }
    english, russian = BECAUSE[reason]
    next_en, next_ru = _next_free(snapshot, learned, policy)
    share = f"{100 * learned.laws.answer:.0f} %"
    people_en = f"{count} {'operator' if count == 1 else 'operators'}"
    people_ru = f"{count} {'оператора' if _ends_in_one(count) else 'операторов'}"
    return {
        "en": f"{lines} {'line' if lines == 1 else 'lines'} for {people_en}: {share} answer{next_en}; "
        + english.format_map(numbers),
        "ru": f"{lines} {_lines_ru(lines)} на {people_ru}: отвечают {share}{next_ru}; "
        + russian.format_map({word: number.replace(".", ",") for word, number in numbers.items()}),
    }


def _next_free(snapshot: Snapshot, learned: Learned, policy: Policy) -> tuple[str, str]:
    """Who is free now, or by when it is as likely as not that one is."""
    if snapshot.ready:
        return f", {snapshot.ready} ready now", f", готовы сейчас: {snapshot.ready}"
    if not snapshot.talking_s and not snapshot.wrap_up_s:
        return "", ""
    operators = len(snapshot.talking_s) + len(snapshot.wrap_up_s)
    busy = Counter(rows(snapshot, Horizon.of(policy))[:operators])  # many are in the same stretch
    first = len(l.TALK_AGES)
    talks, wrap_ups = [row for row in busy if row < first], [row - first for row in busy if row >= first]
    seconds = NEXT_WITHIN_S
    for within_s in (SOON_S, NEXT_WITHIN_S):  # mostly it is soon, and a short law costs less
        free = learned.laws.free_within(round(within_s / l.STEP_S), talks, wrap_ups)
        nobody = np.prod((1 - np.concatenate(free)) ** np.array([*busy.values()])[:, None], axis=0)
        if nobody[-1] <= 0.5:
            seconds = max(1, round(int(np.argmax(nobody <= 0.5)) * l.STEP_S))
            break
    return f", next free in about {seconds} s", f", следующий освободится примерно через {seconds} с"


def _ends_in_one(count: int) -> bool:
    return count % 10 == 1 and count % 100 != 11


def _lines_ru(count: int) -> str:
    if _ends_in_one(count):
        return "линия"
    return "линии" if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else "линий"
