"""PostgreSQL as a few dictionaries: the tables, constraints and statements of the schema, without waiting.

Each public method is one transaction: it checks first and changes afterwards, so a refusal leaves no trace. The
rules are not written again here: windows and budget are asked of ``dialer.core``, as the SQL is held to them by its
own tests. What the schema refuses (``attempt_live`` primary keys, ``one_callee_per_operator``, ``abandon_cap``, facts
written twice) is refused here with ``ConstraintViolated``.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from dialer.core import budget as law
from dialer.core import hours, retry
from dialer.core.model import (
    AttemptState,
    Budget,
    CallbackState,
    Campaign,
    CampaignState,
    Claim,
    Ended,
    LiveAttempt,
    LiveOperator,
    OperatorInterval,
    OperatorState,
)
from dialer.engine.ports import ClaimAsk, ClaimResult, Journal, Recovered
from dialer.errors import LeaseLost, NotFound, Refused
from tests.sim.rows import NEVER, Callback, Contact, Finished, Form, LeaseRow, LiveRow, Phone, Saved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

#: States in which an operator belongs to the callee (index ``one_callee_per_operator``).
TAKEN = frozenset({AttemptState.BRIDGING, AttemptState.CONNECTED})
#: Lines that may still need an operator: I of the abandonment budget.
IN_FLIGHT = frozenset(AttemptState) - {AttemptState.CONNECTED, AttemptState.ENDED}


class ConstraintViolated(Exception):  # noqa: N818 -- what a database says
    """PostgreSQL would have refused this: the name of the constraint, and the row."""


class Tables:
    """The data of one database. Public attributes are the tables; the checker reads them."""

    def __init__(self) -> None:
        self.phones: dict[int, Phone] = {}
        self.phone_ids: dict[str, int] = {}
        self.contacts: dict[int, Contact] = {}
        self.campaigns: dict[int, Campaign] = {}
        self.budgets: dict[int, Budget] = {}
        self.leases: defaultdict[str, LeaseRow] = defaultdict(LeaseRow)
        self.do_not_call: dict[tuple[int, str, int | None], datetime] = {}
        self.live: dict[UUID, LiveRow] = {}
        self.attempts: dict[UUID, Finished] = {}
        self.operators: dict[int, LiveOperator] = {}
        self.intervals: dict[tuple[datetime, int], OperatorInterval] = {}
        self.dispositions: dict[UUID, Saved] = {}
        self.disposition_keys: dict[str, UUID] = {}
        self.callbacks: dict[int, Callback] = {}
        self.pending_callback: dict[int, int] = {}
        self.said: defaultdict[tuple[int, str], int] = defaultdict(int)
        self.live_phone: dict[int, UUID] = {}
        self.live_contact: dict[int, UUID] = {}
        self.taken: dict[int, UUID] = {}
        self.claimed = 0
        self._waiting: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)
        self._due: defaultdict[int, list[tuple[int, datetime, int]]] = defaultdict(list)
        self._promised: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)

    # Loading -------------------------------------------------------------------

    def add_campaign(self, campaign: Campaign, now: datetime) -> None:
        self.campaigns[campaign.id] = campaign
        starts_at, ends_at = law.window(campaign.profile.legal_window, now, campaign.zone)
        self.budgets[campaign.id] = Budget(
            campaign_id=campaign.id,
            starts_at=starts_at,
            ends_at=ends_at,
            answered=0,
            abandoned=0,
            uncovered=0,
            cap_permille=min(campaign.cap_permille, campaign.profile.cap_permille),
        )

    def add_contact(self, campaign_id: int, numbers: Sequence[str], zones: Sequence[str], *, priority: int = 0) -> int:
        contact_id = len(self.contacts) + 1
        phones = [self._phone(number) for number in numbers]
        for phone in phones:
            phone.contacts.append(contact_id)
        contact = Contact(
            contact_id, campaign_id, campaign_id, tuple(zones), [p.id for p in phones], phones[0].id, priority=priority
        )
        self.contacts[contact_id] = contact
        self._queue(contact)
        return contact_id

    def _phone(self, e164: str) -> Phone:
        phone_id = self.phone_ids.setdefault(e164, len(self.phone_ids) + 1)
        return self.phones.setdefault(phone_id, Phone(phone_id, e164))

    def _queue(self, contact: Contact) -> None:
        """Keep the indexes ``contact_due`` and ``contact_promised``: stale entries are dropped when they are met."""
        if contact.state != "open":
            return
        if contact.callback_at is not None:
            heapq.heappush(self._promised[contact.campaign_id], (contact.callback_at, contact.id))
        elif contact.next_at < NEVER:
            heapq.heappush(self._waiting[contact.campaign_id], (contact.next_at, contact.id))

    # The lease -----------------------------------------------------------------

    def fence(self, switch: str, epoch: int) -> None:
        if self.leases[switch].epoch != epoch:
            raise LeaseLost("lease.lost", f"Epoch {epoch} is over on {switch}.")

    # The claim -----------------------------------------------------------------

    def claim(self, ask: ClaimAsk) -> ClaimResult:
        self.fence(ask.switch, ask.epoch)
        campaign = self.campaigns[ask.campaign.id]
        budget = self._rolled(campaign, ask.now)
        in_flight = sum(
            1 for row in self.live.values() if row.attempt.campaign_id == campaign.id and row.attempt.state in IN_FLIGHT
        )
        room = law.room(budget, in_flight=in_flight, free=ask.free_operators)
        wanted = min(len(ask.ids), room) if campaign.state is CampaignState.RUNNING else 0
        claims: list[Claim] = []
        for contact in self._candidates(campaign, ask):
            if len(claims) >= wanted:
                self._queue(contact)
                break
            claims.append(self._take(contact, ask, ask.ids[len(claims)], campaign))
        in_flight += len(claims)
        budget = self._set_budget(replace(budget, uncovered=max(0, in_flight - ask.free_operators)), claims=len(claims))
        return ClaimResult(
            claims=claims,
            boot_s=0.0,
            budget=budget,
            held_back=max(0, len(ask.ids) - room),
            next_due_at=None if claims else self._next_due(campaign.id, ask.now),
        )

    def _candidates(self, campaign: Campaign, ask: ClaimAsk) -> Iterator[Contact]:
        """Contacts that pass the gate now, promises first, each taken out of its index."""
        kept: list[tuple[datetime, int]] = []
        promised = self._promised[campaign.id]
        try:
            while promised and promised[0][0] <= ask.now:
                entry = heapq.heappop(promised)
                contact = self.contacts[entry[1]]
                if contact.callback_at != entry[0] or contact.state != "open" or contact.id in self.live_contact:
                    continue
                if self._not_with_me(contact, ask) or self._refusal(contact, campaign, ask.now) is not None:
                    kept.append(entry)
                else:
                    yield contact
        finally:
            for entry in kept:
                heapq.heappush(promised, entry)
        if not ask.callbacks_only:
            yield from self._ordinary(campaign, ask.now)

    def _ordinary(self, campaign: Campaign, now: datetime) -> Iterator[Contact]:
        waiting, due = self._waiting[campaign.id], self._due[campaign.id]
        while waiting and waiting[0][0] <= now:
            next_at, contact_id = heapq.heappop(waiting)
            heapq.heappush(due, (-self.contacts[contact_id].priority, next_at, contact_id))
        while due:
            _, next_at, contact_id = heapq.heappop(due)
            contact = self.contacts[contact_id]
            current = contact.state == "open" and contact.callback_at is None and contact.next_at == next_at
            if not current or contact_id in self.live_contact:
                continue
            until = self._refusal(contact, campaign, now)
            if until is None:
                yield contact
            else:
                contact.next_at = until
                self._queue(contact)

    def _not_with_me(self, contact: Contact, ask: ClaimAsk) -> bool:
        callback = self.callbacks[self.pending_callback[contact.id]]
        return callback.operator_id is not None and callback.operator_id not in ask.ready_operator_ids

    def _refusal(self, contact: Contact, campaign: Campaign, now: datetime) -> datetime | None:
        """Until when the gate refuses this contact; None lets it through."""
        profile, phone = campaign.profile, self.phones[contact.phone_id]
        if self.forbidden(phone.id, campaign):
            return NEVER
        if phone.id in self.live_phone:
            return now + timedelta(seconds=60)
        if not hours.may_call(now, contact.zones, profile, campaign.ring_timeout_s):
            return hours.next_open(now, contact.zones, profile, campaign.ring_timeout_s) or NEVER
        until = max(
            phone.not_before, _limit(phone, now, 1, profile.per_day), _limit(phone, now, 30, profile.per_30_days)
        )
        if phone.rang_at:
            until = max(until, phone.rang_at[-1] + timedelta(seconds=profile.min_gap_s))
        return until if until > now else None

    def forbidden(self, phone_id: int, campaign: Campaign) -> bool:
        """Whether a do-not-call entry of any scope covers this phone."""
        listed = self.do_not_call
        return (
            (phone_id, "global", None) in listed
            or (phone_id, "customer", campaign.customer_id) in listed
            or (phone_id, "campaign", campaign.id) in listed
        )

    def _take(self, contact: Contact, ask: ClaimAsk, attempt_id: UUID, campaign: Campaign) -> Claim:
        callback_id = self.pending_callback.get(contact.id) if contact.callback_at is not None else None
        claim = Claim(
            attempt_id=attempt_id,
            campaign_id=campaign.id,
            contact_id=contact.id,
            phone_id=contact.phone_id,
            e164=self.phones[contact.phone_id].e164,
            number=contact.attempts + 1,
            counted=contact.counted,
            sent_at=ask.now,
            callback_id=callback_id,
            for_operator=self.callbacks[callback_id].operator_id if callback_id else None,
        )
        if contact.phone_id in self.live_phone or contact.id in self.live_contact or attempt_id in self.attempts:
            raise ConstraintViolated("attempt_live_pkey", claim)
        row = LiveAttempt(
            id=attempt_id,
            campaign_id=claim.campaign_id,
            contact_id=claim.contact_id,
            phone_id=claim.phone_id,
            e164=claim.e164,
            number=claim.number,
            counted=claim.counted,
            state=AttemptState.SENT,
            sent_at=claim.sent_at,
            callback_id=claim.callback_id,
            for_operator=claim.for_operator,
        )
        self.live[attempt_id] = LiveRow(row, ask.switch, ask.epoch)
        self.live_phone[contact.phone_id] = self.live_contact[contact.id] = attempt_id
        contact.attempts += 1
        self.claimed += 1
        return claim

    def _next_due(self, campaign_id: int, now: datetime) -> datetime | None:
        heads = [heap[0][0] for heap in (self._waiting[campaign_id],) if heap]
        heads += [due_at for due_at, _ in self._promised[campaign_id] if due_at > now][:1]
        if self._due[campaign_id]:
            heads.append(now)
        return min(heads, default=None)

    # Budget ----------------------------------------------------------------------

    def _rolled(self, campaign: Campaign, now: datetime) -> Budget:
        """The budget of the legal window of now; a new window begins at nothing."""
        budget = self.budgets[campaign.id]
        if now < budget.ends_at:
            return budget
        starts_at, ends_at = law.window(campaign.profile.legal_window, now, campaign.zone)
        return replace(budget, starts_at=starts_at, ends_at=ends_at, answered=0, abandoned=0, uncovered=0)

    def _set_budget(self, budget: Budget, *, claims: int) -> Budget:
        covered = budget.uncovered == 0 or (
            (budget.abandoned + budget.uncovered) * 1000 <= budget.cap_permille * (budget.answered + budget.uncovered)
        )
        if not covered and claims:
            raise ConstraintViolated("abandon_cap", budget)
        if not covered:
            budget = replace(budget, uncovered=self.budgets[budget.campaign_id].uncovered)
        self.budgets[budget.campaign_id] = budget
        return budget

    # Facts -------------------------------------------------------------------------

    def write(self, journal: Journal, switch: str, epoch: int) -> None:
        self.fence(switch, epoch)
        for ended in journal.ended:
            self._end(ended)
        for attempt in journal.progress:
            self._progress(attempt)
        for operator in journal.operators:
            self._operator(operator)
        for interval in journal.intervals:
            self.intervals.setdefault((interval.started_at, interval.operator_id), interval)
        for attempt_id, code, at in journal.key_dispositions:
            self._key_disposition(attempt_id, code, at)
        for attempt_id, at in journal.opt_outs:
            self._opt_out(attempt_id, at)

    def _progress(self, attempt: LiveAttempt) -> None:
        row = self.live.get(attempt.id)
        if row is None:
            return
        old = row.attempt
        back = old.state is AttemptState.BRIDGING and attempt.state in {AttemptState.ANSWERED, AttemptState.WAITING}
        if attempt.state.rank < old.state.rank and not back:
            return
        if old.operator_id is not None and self.taken.get(old.operator_id) == old.id:
            del self.taken[old.operator_id]
        if attempt.state in TAKEN and attempt.operator_id is not None:
            holder = self.taken.setdefault(attempt.operator_id, attempt.id)
            if holder != attempt.id:
                raise ConstraintViolated("one_callee_per_operator", attempt, self.live[holder].attempt)
        row.attempt = attempt

    def _end(self, ended: Ended) -> None:
        row = self.live.pop(ended.attempt.id, None)
        if row is None:
            return
        attempt = ended.attempt
        if attempt.id in self.attempts:
            raise ConstraintViolated("attempt_end_pkey", ended)
        self.attempts[attempt.id] = Finished(ended, row.switch, row.epoch)
        del self.live_phone[attempt.phone_id], self.live_contact[attempt.contact_id]
        if attempt.operator_id is not None and self.taken.get(attempt.operator_id) == attempt.id:
            del self.taken[attempt.operator_id]
        phone = self.phones[attempt.phone_id]
        if attempt.rang_at is not None or attempt.answered_at is not None or ended.counts:
            phone.rang_at.append(attempt.sent_at)
        if ended.phone_not_before is not None:
            phone.not_before = max(phone.not_before, ended.phone_not_before)
        self._count(ended)
        self._callback_after(ended)
        self._contact_after(ended)

    def _count(self, ended: Ended) -> None:
        budget = self.budgets[ended.attempt.campaign_id]
        belongs = law.belongs(budget, ended.attempt.sent_at)
        self.budgets[ended.attempt.campaign_id] = replace(
            budget,
            answered=budget.answered + (belongs and ended.legal_answered),
            abandoned=budget.abandoned + (belongs and ended.legal_abandoned),
            uncovered=max(0, budget.uncovered - 1),
        )

    def _callback_after(self, ended: Ended) -> None:
        callback = self.callbacks.get(ended.attempt.callback_id or 0)
        if callback is None or callback.state is not CallbackState.PENDING:
            return
        if ended.callback in {None, CallbackState.PENDING}:
            callback.next_at = ended.next_at or ended.ended_at + timedelta(seconds=60)
            self.contacts[callback.contact_id].callback_at = callback.next_at
        elif ended.callback is not None:
            self._close_callback(callback, ended.callback, ended.ended_at, kept_by=ended.attempt.id)

    def _close_callback(
        self, callback: Callback, state: CallbackState, at: datetime, *, kept_by: UUID | None = None
    ) -> None:
        callback.state, callback.closed_at = state, at
        callback.kept_by_attempt = kept_by if state is CallbackState.KEPT else None
        del self.pending_callback[callback.contact_id]
        self.contacts[callback.contact_id].callback_at = None

    def _contact_after(self, ended: Ended) -> None:
        contact = self.contacts[ended.attempt.contact_id]
        contact.counted += ended.counts
        if ended.dead_phone:
            contact.dead.add(ended.attempt.phone_id)
        living = [p for p in contact.phones if p not in contact.dead]
        if ended.next_phone:
            after = [p for p in living if contact.phones.index(p) > contact.phones.index(contact.phone_id)]
            contact.phone_id = (after or living or [contact.phone_id])[0]
        saved = self.dispositions.get(ended.attempt.id)
        if saved is not None:
            self._decide(contact, saved, ended.next_at)
        elif contact.state == "open":
            contact.next_at = ended.next_at or NEVER
            closes = ended.closes if living else "dead"
            if closes:
                contact.state, contact.closed_by, contact.closed_at = "closed", closes, ended.ended_at
                self._break_promise(contact, ended)
        self._queue(contact)

    def _break_promise(self, contact: Contact, ended: Ended) -> None:
        """A contact that is closed without a conversation cannot be called back any more."""
        callback = self.callbacks.get(self.pending_callback.get(contact.id, 0))
        if callback is not None:
            self._close_callback(callback, CallbackState.BROKEN, ended.ended_at)

    def _decide(self, contact: Contact, saved: Saved, ended_next_at: datetime | None) -> None:
        """What the disposition makes of its contact, before or after the end of the call."""
        campaign = self.campaigns[saved.campaign_id]
        kind = campaign.dispositions[saved.form.code]
        closed_by, next_at = retry.after_disposition(
            kind,
            campaign,
            saved_at=saved.saved_at,
            counted=contact.counted + (saved.attempt_id in self.live),
            times=self.said[(contact.id, saved.form.code)],
            ended_next_at=ended_next_at,
            promised=saved.form.callback_at is not None,
        )
        if closed_by is not None:
            contact.state, contact.closed_by, contact.closed_at = "closed", closed_by, saved.saved_at
            contact.callback_at = None
        else:
            contact.state, contact.closed_by, contact.closed_at = "open", None, None
            contact.next_at = next_at or NEVER

    def _operator(self, operator: LiveOperator) -> None:
        if operator.state is OperatorState.OFFLINE:
            self.operators.pop(operator.operator_id, None)
            return
        for other in self.operators.values():
            if other.seat == operator.seat and other.operator_id != operator.operator_id:
                raise ConstraintViolated("operator_live_seat_key", operator, other)
        self.operators[operator.operator_id] = operator

    # Dispositions and promises ---------------------------------------------------------

    def save_disposition(self, attempt_id: UUID, key: str, form: Form, operator_id: int | None, now: datetime) -> Saved:
        """As the web saves it: once; the same again is the same, anything else is refused."""
        known = self.dispositions.get(attempt_id)
        if known is not None and known.key == key and known.form == form:
            return known
        if key in self.disposition_keys:
            raise Refused("disposition.other_content", "This key was used with other content.")
        if known is not None:
            raise Refused("disposition.exists", "This conversation has its disposition.")
        attempt = self.attempt(attempt_id)
        if attempt is None or (operator_id is not None and attempt.operator_id != operator_id):
            raise NotFound("attempt.not_found", "There is no such conversation of yours.")
        saved = Saved(attempt_id, key, form, attempt.campaign_id, attempt.contact_id, operator_id, now)
        self.dispositions[attempt_id] = saved
        self.disposition_keys[key] = attempt_id
        self._carry_out(saved, attempt, now)
        return saved

    def _carry_out(self, saved: Saved, attempt: LiveAttempt, now: datetime) -> None:
        campaign, contact = self.campaigns[attempt.campaign_id], self.contacts[attempt.contact_id]
        self.said[(contact.id, saved.form.code)] += 1
        finished = self.attempts.get(attempt.id)
        pending = self.callbacks.get(self.pending_callback.get(contact.id, 0))
        if pending is not None:
            self._close_callback(pending, CallbackState.KEPT, now, kept_by=attempt.id)
        self._decide(contact, saved, finished.ended.next_at if finished else None)
        if saved.form.callback_at is not None and contact.state == "open":
            self._promise(saved, attempt, contact, saved.form.callback_at)
        kind = campaign.dispositions[saved.form.code]
        if kind.dnc_scope is not None:
            self.add_do_not_call(attempt.phone_id, kind.dnc_scope, campaign, now)
        self._queue(contact)

    def _promise(self, saved: Saved, attempt: LiveAttempt, contact: Contact, due_at: datetime) -> None:
        owner = saved.operator_id if saved.form.callback_to_me else None
        number = len(self.callbacks) + 1
        callback = Callback(
            number, contact.id, contact.campaign_id, attempt.phone_id, attempt.id, due_at, due_at, owner
        )
        self.callbacks[number] = callback
        self.pending_callback[contact.id] = number
        contact.callback_at = contact.next_at = due_at

    def _key_disposition(self, attempt_id: UUID, code: str, at: datetime) -> None:
        if attempt_id not in self.dispositions:
            self.save_disposition(attempt_id, f"offer-{attempt_id}", Form(code), None, at)

    def _opt_out(self, attempt_id: UUID, at: datetime) -> None:
        attempt = self.attempt(attempt_id)
        if attempt is not None:
            self.add_do_not_call(attempt.phone_id, "customer", self.campaigns[attempt.campaign_id], at)

    def add_do_not_call(self, phone_id: int, scope: str, campaign: Campaign, now: datetime) -> None:
        """Forbid a number; pending callbacks to it in reach of the scope are blocked."""
        about = {"global": None, "customer": campaign.customer_id, "campaign": campaign.id}[scope]
        self.do_not_call.setdefault((phone_id, scope, about), now)
        for contact_id in self.phones[phone_id].contacts:
            callback = self.callbacks.get(self.pending_callback.get(contact_id, 0))
            if callback is None or callback.phone_id != phone_id:
                continue
            if self.forbidden(phone_id, self.campaigns[callback.campaign_id]):
                self._close_callback(callback, CallbackState.BLOCKED, now)
                self._queue(self.contacts[contact_id])

    # Reading back ------------------------------------------------------------------------

    def attempt(self, attempt_id: UUID) -> LiveAttempt | None:
        """An attempt, live or finished."""
        live, finished = self.live.get(attempt_id), self.attempts.get(attempt_id)
        return live.attempt if live else finished.ended.attempt if finished else None

    def recover(self, switch: str, epoch: int) -> Recovered:
        for row in self.live.values():
            if row.switch == switch:
                row.epoch = epoch
        attempts = [row.attempt for row in self.live.values() if row.switch == switch]
        return Recovered(attempts=attempts, operators=list(self.operators.values()))

    def callbacks_due(self, campaign_ids: Sequence[int], until: datetime) -> Mapping[int, int]:
        due = dict.fromkeys(campaign_ids, 0)
        for callback_id in self.pending_callback.values():
            callback = self.callbacks[callback_id]
            if callback.campaign_id in due and callback.next_at <= until:
                due[callback.campaign_id] += 1
        return due

    def learned(self, campaign_id: int) -> Mapping[str, float]:
        """Means over the last 200 ended attempts of a campaign."""
        sums: defaultdict[str, list[float]] = defaultdict(list)
        for finished in islice(reversed(self.attempts.values()), 200):
            attempt = finished.ended.attempt
            if attempt.campaign_id != campaign_id or attempt.rang_at is None:
                continue
            sums["answer_rate"].append(float(attempt.answered_at is not None))
            if attempt.answered_at is not None:
                sums["ring_s"].append((attempt.answered_at - attempt.rang_at).total_seconds())
            if attempt.connected_at is not None:
                sums["talk_s"].append((finished.ended.ended_at - attempt.connected_at).total_seconds())
        means = {name: sum(values) / len(values) for name, values in sums.items()}
        return means | {f"n_{name}": float(len(values)) for name, values in sums.items()}


def _limit(phone: Phone, now: datetime, days: int, most: int) -> datetime:
    """When the legal counter of this number lets another call through."""
    if len(phone.rang_at) < most:
        return phone.not_before
    return phone.rang_at[-most] + timedelta(days=days)
