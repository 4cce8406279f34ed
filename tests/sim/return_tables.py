"""People who call back, in the simulated database: ``sql/queries/return_call.sql`` over dictionaries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialer.core.model import AttemptState, LiveAttempt, Outcome
from dialer.core.states import CampaignState
from dialer.engine.ports import ReturnResult
from dialer.errors import LeaseLost
from dialer.store.returns import LOOKS_BACK, readings
from tests.sim.gate import ConstraintViolated, Gate
from tests.sim.rows import NEVER, Callback, LiveRow, Returned

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.core.model import Ended
    from dialer.engine.ports import ReturnAsk

#: Where every campaign of a day shows its number.
COUNTRIES = ("GB",)
#: A campaign that is over puts nobody through.
OPEN = frozenset({CampaignState.RUNNING, CampaignState.PAUSED})


class ReturnTables(Gate):
    """``return_call``, and what follows from its rows.

    Attributes:
        returns: Every call that came in and was looked up, once it is over or nobody is there for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.returns: dict[UUID, Returned] = {}

    def take_return(self, ask: ReturnAsk) -> ReturnResult:
        """As ``dialer.store.returns.take``."""
        lease = self.leases[ask.lease.switch]
        if lease.epoch != ask.lease.epoch or lease.expires_at <= self.time():
            raise LeaseLost("lease.lost", f"Epoch {ask.lease.epoch} on {ask.lease.switch} is over.")
        last = self._last_call(ask)
        campaign = self.campaigns[last.campaign_id] if last else None
        if last is None or campaign is None or not self._puts_through(campaign.id, ask):
            why = "closed" if last else "unknown"
            row = Returned(ask.id, last.contact_id if last else None, ask.now, ask.now, "refused", why)
            self.returns.setdefault(ask.id, row)
            return ReturnResult(why=why)
        forbidden = self.forbidden(last.phone_id, campaign)
        line = self.live.get(self.live_phone.get(last.phone_id) or self.live_contact.get(last.contact_id) or ask.id)
        if line is not None:
            missed = ask.last and not (line.attempt.came_in or line.attempt.connected_at is not None)
            if missed and ask.id not in self.returns:
                self.returns[ask.id] = Returned(ask.id, last.contact_id, ask.now, ask.now, "missed")
                self._owe(last, self.returns[ask.id])
            return ReturnResult(ringing_phone_id=line.attempt.phone_id, calls_back=missed and not forbidden)
        attempt = self._came(ask, last)
        if attempt.id in self.attempts:
            raise ConstraintViolated("attempt_end_pkey", attempt)
        self.live[attempt.id] = LiveRow(attempt, ask.lease.switch, ask.lease.epoch)
        self.live_phone[attempt.phone_id] = self.live_contact[attempt.contact_id] = attempt.id
        self.claimed += 1
        return ReturnResult(attempt=attempt, calls_back=not forbidden)

    def _last_call(self, ask: ReturnAsk) -> LiveAttempt | None:
        """The last call to the number that calls, also one that goes on."""
        numbers = {self.phone_ids.get(number) for number in readings(ask.number, COUNTRIES)} - {None}
        rows = [row.attempt for row in self.live.values() if row.attempt.phone_id in numbers]
        for finished in self.attempts.values():
            told = finished.ended
            ours = told.attempt.phone_id in numbers and not told.attempt.came_in
            if ours and told.outcome is not Outcome.NOT_SENT and told.attempt.sent_at > ask.now - LOOKS_BACK:
                rows.append(told.attempt)
        return max(rows, key=lambda row: row.sent_at, default=None)

    def _puts_through(self, campaign_id: int, ask: ReturnAsk) -> bool:
        campaign = self.campaigns[campaign_id]
        return campaign.state in OPEN and not campaign.operator_free and campaign_id in ask.campaign_ids

    def _came(self, ask: ReturnAsk, last: LiveAttempt) -> LiveAttempt:
        promise = self.pending.get(last.contact_id)
        return LiveAttempt(
            id=ask.id,
            campaign_id=last.campaign_id,
            contact_id=last.contact_id,
            phone_id=last.phone_id,
            e164=self.phones[last.phone_id].e164,
            number=0,
            state=AttemptState.WAITING,
            sent_at=ask.now,
            waiting_at=ask.now,
            counted=self.contacts[last.contact_id].counted,
            callback_id=promise.id if promise else None,
            asked=True,
            came_in=True,
        )

    def came_to_an_end(self, ended: Ended) -> bool:
        """Keep the fact; whether a conversation follows from it, else whoever was missed is owed a call."""
        attempt = ended.attempt
        if attempt.id in self.returns:
            raise ConstraintViolated("return_call_pkey", ended)
        outcome = "connected" if attempt.connected_at is not None else "missed"
        row = Returned(attempt.id, attempt.contact_id, attempt.sent_at, ended.ended_at, outcome)
        self.returns[attempt.id] = row = replace(row, held_phone=True)
        if outcome == "missed":
            self._owe(attempt, row)
        return outcome == "connected"

    def missed_since(self, attempt: LiveAttempt) -> bool:
        """``return_beside``: whether the contact called us in vain while this attempt went on, and is owed a call."""
        owed = self.pending.get(attempt.contact_id)
        return (
            owed is not None
            and owed.urgent
            and any(
                row.contact_id == attempt.contact_id and row.came_at >= attempt.sent_at and row.outcome == "missed"
                for row in self.returns.values()
            )
        )

    def _owe(self, whom: LiveAttempt, row: Returned) -> None:
        """``return_owed``: before all others; a promise there is becomes this one, a closed contact is open for it."""
        contact, campaign = self.contacts[whom.contact_id], self.campaigns[whom.campaign_id]
        if self.forbidden(whom.phone_id, campaign) or whom.phone_id not in contact.phones:
            return
        callback, at = self.pending.get(contact.id), row.ended_at
        if callback is None:
            number = len(self.callbacks) + 1
            callback = Callback(number, contact.id, campaign.id, whom.phone_id, row.id, at, at, None, urgent=True)
            self.callbacks[number] = self.pending[contact.id] = callback
        else:
            callback.urgent, callback.operator_id, callback.phone_id = True, None, whom.phone_id
            callback.next_at, callback.due_at = min(callback.next_at, at), min(callback.due_at, at)
        if contact.state == "closed":
            contact.state, contact.closed_by, contact.closed_at, contact.next_at = "open", None, None, NEVER
        contact.promised, contact.phone_id, contact.refused_by = True, whom.phone_id, None
