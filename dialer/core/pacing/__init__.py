"""How many calls to place now, and why, in one sentence.

    observations ──> Learner ──> Learned ─┐
    operators and lines now ──> Snapshot ─┼──> decide ──> Decision
    limits, budget, caution ──> Policy ───┘

Progressive: one line per ready operator. Predictive: as many as the forecast allows; a call is placed as long as the
harm it may do, the chance that somebody who answers finds nobody, is at most ``theta``, and ``theta`` follows the
abandons that really happened. IVR-first: the same, where what needs an operator is not an answer but a pressed key.

    laws      how long people ring, talk and write, who answers; what follows for each age
    learn     the same from the campaign's own calls, and theta
    forecast  who will be free and who will have answered; the harm of one more call
    decide    the least of what all rules allow
    words     why

The forecast is only a proposal. Above it stand the trunk, starts per second, lines per operator, and the abandon
budget, which no forecast overrides. Without enough observations, or with a slow switch, it is one to one.
"""

from dialer.core.pacing.decide import Decision, decide, looks_ahead
from dialer.core.pacing.forecast import WAIT_S
from dialer.core.pacing.laws import Laws
from dialer.core.pacing.learn import AIM, ATTEMPTS_MIN, Learned, Learner
from dialer.core.pacing.state import Policy, Rival, Snapshot

__all__ = [
    "AIM",
    "ATTEMPTS_MIN",
    "WAIT_S",
    "Decision",
    "Laws",
    "Learned",
    "Learner",
    "Policy",
    "Rival",
    "Snapshot",
    "decide",
    "looks_ahead",
]
