"""The decision: the least of what the rules allow, and which of them it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialer.core.model import Mode
from dialer.core.pacing import words
from dialer.core.pacing.forecast import Horizon, Outlook, ahead

if TYPE_CHECKING:
    from dialer.core.pacing.learn import Learned
    from dialer.core.pacing.state import Policy, Rival, Snapshot

#: With so few operators a forecast that adds nothing to one line each is said to be one to one.
SMALL_TEAM = 2
#: New calls up to this are looked at in one go; more are asked about when these are not too many.
SOON = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many calls to place now, and why.

    Attributes:
        calls: New calls, at least 0.
        reason: The rule that limits, a stable word: ``forecast``, ``free_operators``, ``abandon_budget``,
            ``lines_per_operator``, ``trunk_limit``, ``starts_limit``, ``little_data``, ``stale_data``,
            ``small_team``, ``slow_switch`` or ``no_operators``.
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
        if self.reason == "starts_limit":
            return True
        snapshot = self.of[0]
        busy = snapshot.setting_up_s or snapshot.ringing_s or snapshot.talking_s or snapshot.wrap_up_s
        return self.reason in {"forecast", "small_team"} and bool(busy)

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


def _limits(snapshot: Snapshot, learned: Learned, policy: Policy) -> dict[str, int]:
    """New calls each rule allows, ``forecast`` by itself; the first of the smallest is the reason."""
    alone = snapshot.ready - snapshot.reserved - snapshot.lines
    if not policy.operator_free and snapshot.operators == 0:
        return {"no_operators": 0}
    limits: dict[str, int] = {}
    if not policy.operator_free:
        word = _one_to_one(learned, policy)
        if word is not None:
            limits[word] = alone
        limits["abandon_budget"] = policy.room_budget
        if word is None:
            limits["forecast"] = alone
        limits["lines_per_operator"] = int(policy.max_lines_per_operator * snapshot.operators) - snapshot.lines
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
        outlook = Outlook(campaigns, min(most, SOON))
        placed, risk = _shared(outlook, snapshot, learned, policy, most)
        return placed, outlook.expected_free, risk
    outlook = Outlook(campaigns, min(most, SOON))
    placed, risk = ahead(outlook, theta, min(most, SOON))
    if placed == SOON < most:
        outlook = Outlook(campaigns, min(most, outlook.useful()))
        placed, risk = ahead(outlook, theta, min(most, outlook.useful()))
    return placed, outlook.expected_free, risk


def _shared(outlook: Outlook, snapshot: Snapshot, learned: Learned, policy: Policy, most: int) -> tuple[int, float]:
    """Calls of the campaign that asks, where each next call goes to the campaign with the largest deficit.

    A rival's calls are counted over the horizon of the campaign that asks: they are placed by its own decision,
    here they only say what is left.
    """
    everyone = [(snapshot, learned, policy, most), *((*_of(r), _most(r)) for r in snapshot.rivals)]
    deficits = _deficits(everyone)
    placed = [0] * len(everyone)
    risk = 0.0
    wanting = set(range(len(everyone)))
    while 0 in wanting:
        chosen = max(sorted(wanting), key=deficits.__getitem__)
        _, known, bounds, limit = everyone[chosen]
        harm = float(outlook.harms(0, 1, chosen)[0])
        if chosen == 0:
            risk = harm
        if placed[chosen] >= limit or harm > known.theta / bounds.caution:
            wanting.discard(chosen)
            continue
        outlook.place(1, chosen)
        placed[chosen] += 1
        deficits[chosen] -= float(outlook.chances[chosen].new[-1])
    return placed[0], risk


def _of(rival: Rival) -> tuple[Snapshot, Learned, Policy]:
    return rival.snapshot, rival.learned, rival.policy


def _most(rival: Rival) -> int:
    """Calls a rival may place now, its forecast apart; none ahead if it dials one to one."""
    limits = _limits(*_of(rival))
    forecast = limits.pop("forecast", None)
    most = min(limits.values())
    return max(0, most) if forecast is not None or most > 0 else 0


def _deficits(everyone: list[tuple[Snapshot, Learned, Policy, int]]) -> list[float]:
    """How many operators each campaign is short of its share of the team, by weight."""
    serves = []
    for snapshot, learned, _, _ in everyone:
        laws = learned.laws
        coming = len(snapshot.setting_up_s) * laws.answer + len(snapshot.ringing_s) * laws.answer_ringing
        coming += len(snapshot.in_offer_s) * laws.key
        serves.append(len(snapshot.talking_s) + len(snapshot.wrap_up_s) + snapshot.waiting + coming)
    weights = sum(policy.weight for _, _, policy, _ in everyone)
    team = sum(snapshot.ready + len(snapshot.talking_s) + len(snapshot.wrap_up_s) for snapshot, _, _, _ in everyone)
    return [team * entry[2].weight / weights - serving for entry, serving in zip(everyone, serves, strict=True)]
