"""What lies ahead of a campaign, by playing the rest of it many times over with the same rules.

what the database knows ──> Known ─┐                                     ┌─> Shift: results, attempts, what is left
who works when, assumptions ─> Plan┼─> rates of one future ─> Future ─> Told (many)
the number of a future ──> Chance ─┘                                     └─> Base: when it ends

known    what is known and assumed
rates    rates as they may be: drawn from what the observations leave open
rules    retry rules, windows and pacing, each decision asked once
future   one possible future, event by event
outlook  many of them, and their intervals
"""

from dialer.core.ahead.days import Work, plan, usual
from dialer.core.ahead.known import NATURE_OF, NATURES, Crowd, Known, Line, Plan, Seen, Worker
from dialer.core.ahead.observed import Stretch, Tried, observed
from dialer.core.ahead.outlook import (
    Base,
    End,
    Fan,
    Shift,
    Spread,
    base,
    difference,
    of_base,
    of_shift,
    shift,
    spread,
    with_operators,
)
from dialer.core.ahead.report import Ask, Outset, forecast, planned

__all__ = [
    "NATURES",
    "NATURE_OF",
    "Ask",
    "Base",
    "Crowd",
    "End",
    "Fan",
    "Known",
    "Line",
    "Outset",
    "Plan",
    "Seen",
    "Shift",
    "Spread",
    "Stretch",
    "Tried",
    "Work",
    "Worker",
    "base",
    "difference",
    "forecast",
    "observed",
    "of_base",
    "of_shift",
    "plan",
    "planned",
    "shift",
    "spread",
    "usual",
    "with_operators",
]
