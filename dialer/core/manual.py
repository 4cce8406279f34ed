"""A number that an operator types, and the call of it.

    paused (dial) ── call ──> the gate is asked ──> sent ──> rings ──> talking ──> wrap_up ──> ready
         ^                        │ no                         │ no conversation
         └────────────────────────┴────────────────────────────┘

Whoever opens the place to type leaves the pool first: it is a pause of its own (``DIAL``), so that nobody is put
through between typing and pressing, and it is given like any pause, when no line in flight needs this operator. Who
dials in another pause comes back to that pause.

It is a call an operator asked for, as one that follows a look (``preview``): the operator waits for the callee, so it
needs no cover and takes nothing of the abandonment budget. A number nobody of the campaign has becomes a contact in
the statement that takes it, and only if the gate lets it pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from dialer.core.quick import quick

#: Reason of the pause in which an operator types a number.
DIAL = "dial"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """A number one operator wants to call now.

    Attributes:
        id: Of the attempt it becomes.
        e164: The number that was understood.
        zones: Where its callee may be, should it be a new contact.
        countries: Of the number, two letters each; empty for numbers of no country.
        contact_id: Which of the campaign's contacts with this number; None: the only one, or a new one.
    """

    id: UUID
    operator_id: int
    campaign_id: int
    e164: str
    zones: tuple[str, ...]
    countries: tuple[str, ...] = ()
    contact_id: int | None = None
