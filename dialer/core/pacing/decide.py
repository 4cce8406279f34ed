"""The decision: the least of what the rules allow, and which of them it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING

from dialer.core.pacing import words
from dialer.core.pacing.forecast import Horizon, Outlook, ahead
from dialer.core.quick import quick
from dialer.core.states import Mode

if TYPE_CHECKING:
    from dialer.core.pacing.laws import Laws
    from dialer.core.pacing.learn import Learned
    from dialer.core.pacing.state import Policy, Snapshot

#: With so few operators a forecast that adds nothing to one line each is said to be one to one.
SMALL_TEAM = 2
#: New calls up to this are looked at in one go; more are asked about when these are not too many.
SOON = 8
#: Nothing is looked at more often because time passes.
LOOK_S = 0.5
#: While nothing happens the harm of one more call falls to less than this within ``LOOK_S`` in one of a hundred cases.
FALLS_TO = 0.8
#: A decision stands no longer than this. Of those that stand longer than 3 s, 1.4 % would have allowed a call sooner.
STANDS_MAX_S = 6.0


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many calls to place now, and why.

    Attributes:
        calls: New calls, at least 0.
        reason: The rule that limits, a stable word: ``forecast``, ``free_operators``, ``abandon_budget``,
            ``lines_per_operator``, ``trunk_limit``, ``starts_limit``, ``little_data``, ``stale_data``,
            ``small_team``, ``slow_switch``, ``trunk_off`` or ``no_operators``.
        target: Lines in flight with these calls.
        expected_free: Operators expected to be free when a call placed now is answered; None without a forecast.
        risk: The harm one more call would do, in expected abandons; None without a forecast.
        theta: The harm it may do.
        of: What was known, for the sentence.
    """

    calls: int
    reason: str
    target: int
    expected_free: float | None
    risk: float | None
    theta: float
    of: tuple[Snapshot, Learned, Policy] = field(repr=False)

    @property
    def ages(self) -> bool:
        """Whether time alone may change this decision: talks and lines grow older, starts are counted by the second."""
        if self.reason in {"starts_limit", "trunk_off"}:
            return True
        snapshot = self.of[0]
        busy = snapshot.setting_up_s or snapshot.ringing_s or snapshot.talking_s or snapshot.wrap_up_s
        return self.reason in {"forecast", "small_team"} and bool(busy)

    @property
    def stands_s(self) -> float:
        """For how long time alone hardly changes this: the farther one more call is from being allowed, the longer."""
        if self.reason == "starts_limit":
            return 0.0
        if self.risk is None or self.risk <= self.theta:
            return LOOK_S
        looks = log(self.risk / max(self.theta, 1e-9)) / log(1 / FALLS_TO)
        return min(STANDS_MAX_S, LOOK_S * (1 + int(looks)))

    @property
    def sentence(self) -> dict[str, str]:
        """The explanation by language: ``en``, ``ru``. Made when somebody reads it."""
        return words.sentence(*self.of, reason=self.reason, lines=self.target, free=self.expected_free, risk=self.risk)


def decide(snapshot: Snapshot, learned: Learned, policy: Policy) -> Decision:
    """Decide how many calls to place at this moment; the same arguments always give the same decision."""
    limits = _limits(snapshot, learned, policy)
    expected_free = risk = None
    if "forecast" in limits:
        # A line with a free operator of its own risks nothing.
        alone = limits.pop("forecast")
        most = min(limits.values())
        if most > max(0, alone):
            forecast, expected_free, risk = _ahead(snapshot, learned, policy, most)
            nothing = forecast <= max(0, alone) and snapshot.operators <= SMALL_TEAM
            limits["small_team" if nothing else "forecast"] = max(alone, forecast)
    reason = min(limits, key=limits.__getitem__)
    calls = max(0, limits[reason])
    return Decision(
        calls=calls,
        reason=reason,
        target=snapshot.lines + calls,
        expected_free=expected_free,
        risk=risk,
        theta=learned.theta / policy.caution,
        of=(snapshot, learned, policy),
    )


def looks_ahead(snapshot: Snapshot, learned: Learned, policy: Policy) -> bool:
    """Whether a forecast may matter; if not, nobody need look at the rivals, only count who is ``elsewhere``."""
    if policy.operator_free or _one_to_one(learned, policy) is not None:
        return False
    most = min(policy.room_budget, policy.room_trunk, policy.room_starts)
    return most > max(0, snapshot.ready - snapshot.reserved - snapshot.lines)


def _limits(snapshot: Snapshot, learned: Learned, policy: Policy) -> dict[str, int]:
    """New calls each rule allows, ``forecast`` by itself; the first of the smallest is the reason."""
    lines = snapshot.lines
    operators = 0 if policy.operator_free else snapshot.operators
    alone = snapshot.ready - snapshot.reserved - lines
    if not policy.operator_free and operators == 0:
        return {"no_operators": 0}
    limits: dict[str, int] = {"trunk_off": policy.room_starts} if policy.trunk_off else {}
    if not policy.operator_free:
        word = _one_to_one(learned, policy)
        if word is not None:
            limits[word] = alone
        limits["abandon_budget"] = policy.room_budget
        if word is None:
            limits["forecast"] = alone
        limits["lines_per_operator"] = int(policy.max_lines_per_operator * operators) - lines
    limits["trunk_limit"] = policy.room_trunk
    limits["starts_limit"] = policy.room_starts
    return limits


def _one_to_one(learned: Learned, policy: Policy) -> str | None:
    """Why nothing is dialled ahead, or None."""
    if policy.slow:
        return "slow_switch"
    if policy.mode is Mode.PROGRESSIVE:
        return "free_operators"
    return "stale_data" if policy.stale else learned.little


def _ahead(snapshot: Snapshot, learned: Learned, policy: Policy, most: int) -> tuple[int, float, float]:
    """New lines while the harm of one more is allowed; how many operators that expects, and the harm after them."""
    horizon, theta = Horizon.of(policy), learned.theta / policy.caution
    campaigns = [
        (snapshot, learned.laws, horizon),
        *((r.snapshot, r.learned.laws, horizon.seen_by(r.policy)) for r in snapshot.rivals),
    ]
    if snapshot.rivals:
        return _shared(campaigns, snapshot, learned, policy, most)
    outlook = Outlook(campaigns, min(most, SOON))
    placed, risk = ahead(outlook, theta, min(most, SOON))
    if placed == SOON < most:
        outlook = Outlook(campaigns, min(most, outlook.useful()))
        placed, risk = ahead(outlook, theta, min(most, outlook.useful()))
    return placed, outlook.expected_free, risk


def _shared(
    campaigns: list[tuple[Snapshot, Laws, Horizon]], snapshot: Snapshot, learned: Learned, policy: Policy, most: int
) -> tuple[int, float, float]:
    """The same where each next call goes to the campaign with the largest deficit, of those whose theta allows it.

    A rival's calls are placed by its own decision; here they only say what is left, over the horizon of who asks.
    """
    everyone = [(snapshot, learned, policy), *((r.snapshot, r.learned, r.policy) for r in snapshot.rivals)]
    limits = [most, *(_most(*one) for one in everyone[1:])]
    outlook = Outlook(campaigns, SOON)
    placed, risk = _allot(outlook, everyone, limits, SOON)
    if placed is None:
        outlook = Outlook(campaigns, min(sum(limits), outlook.useful()))
        placed, risk = _allot(outlook, everyone, limits, sum(limits))
    return placed or 0, outlook.expected_free, risk


def _allot(
    outlook: Outlook, everyone: list[tuple[Snapshot, Learned, Policy]], limits: list[int], at_once: int
) -> tuple[int | None, float]:
    """Calls of the first campaign and the harm of one more; None when more than ``at_once`` would be placed in all."""
    deficits, placed = _deficits(everyone), [0] * len(everyone)
    wanting = set(range(len(everyone)))
    while True:
        chosen = max(sorted(wanting), key=deficits.__getitem__)
        harm = outlook.harm(chosen)
        _, learned, policy = everyone[chosen]
        if placed[chosen] >= limits[chosen] or harm > learned.theta / policy.caution:
            if chosen == 0:
                return placed[0], harm
            wanting.discard(chosen)
            continue
        if sum(placed) == at_once:
            return None, harm
        outlook.place(1, chosen)
        placed[chosen] += 1
        deficits[chosen] -= float(outlook.chances[chosen].new[-1])


def _most(snapshot: Snapshot, learned: Learned, policy: Policy) -> int:
    """Calls a rival may place now, whatever the forecast says."""
    limits = _limits(snapshot, learned, policy)
    limits.pop("forecast", None)
    return max(0, min(limits.values()))


def _deficits(everyone: list[tuple[Snapshot, Learned, Policy]]) -> list[float]:
    """How many operators each campaign is short of its share of the team, by weight."""
    serves = []
    for snapshot, learned, _ in everyone:
        laws = learned.laws
        coming = len(snapshot.setting_up_s) * laws.answer + len(snapshot.ringing_s) * laws.answer_ringing
        coming += len(snapshot.in_offer_s) * laws.key
        serves.append(len(snapshot.talking_s) + len(snapshot.wrap_up_s) + snapshot.waiting + coming)
    weights = sum(policy.weight for _, _, policy in everyone)
    team = sum(snapshot.ready + len(snapshot.talking_s) + len(snapshot.wrap_up_s) for snapshot, _, _ in everyone)
    return [team * policy.weight / weights - serving for (_, _, policy), serving in zip(everyone, serves, strict=True)]
