"""PostgreSQL as a few dictionaries: the facts, dispositions and promises of the schema, without waiting.

Each public method is one transaction: it checks first and changes afterwards, so a refusal leaves no trace. The
statements are those of ``sql/queries/journal.sql`` and ``disposition.sql``; a test lives the same days on both and
compares what is left at the end.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from dialer.core import budget as law
from dialer.core import callbacks as promises
from dialer.core import hours, retry
from dialer.core.model import AttemptState, CallbackState, EndedBy, OperatorState
from dialer.core.quick import replace
from dialer.engine.ports import Due, Recovered
from dialer.errors import LeaseLost, NotFound, OperatorConflict, Refused
from tests.sim.gate import ConstraintViolated
from tests.sim.return_tables import ReturnTables
from tests.sim.rows import NEVER, Callback, Finished, Form, Saved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dialer.core.model import Campaign, DispositionKind, Ended, LiveAttempt, LiveOperator
    from dialer.engine.ports import Journal

#: States in which an operator belongs to the callee (index ``one_callee_per_operator``).
TAKEN = frozenset({AttemptState.BRIDGING, AttemptState.CONNECTED})
BACK = frozenset({AttemptState.ANSWERED, AttemptState.WAITING})
KEY_CALLBACK_AFTER = timedelta(minutes=15)
#: So many promises of a campaign are looked up at once.
DUE = 50


class Tables(ReturnTables):
    """The data of one database and its statements."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[int, UUID] = {}
        self._said: defaultdict[tuple[int, str], int] = defaultdict(int)

    # The journal -----------------------------------------------------------------

    def write(self, journal: Journal, switch: str, epoch: int) -> None:
        if self.leases[switch].epoch != epoch:
            raise LeaseLost("lease.lost", f"Epoch {epoch} is over on {switch}.")
        for attempt_id, code, at in journal.key_dispositions:
            self._save_key(attempt_id, code, at)
        for attempt_id, at in journal.opt_outs:
            self._opt_out(attempt_id, at)
        for ended in journal.ended:
            self._end(ended)
        latest = {attempt.id: attempt for attempt in journal.progress}
        for attempt in sorted(latest.values(), key=lambda a: a.state in TAKEN):
            self._progress(attempt)
        for operator in {operator.operator_id: operator for operator in journal.operators}.values():
            self._operator(operator)
        for end in journal.previews:
            self.take_back(end.preview.id)
            self.preview_ends.setdefault(end.preview.id, end)
        for interval in journal.intervals:
            self.intervals.setdefault((interval.started_at, interval.operator_id), interval)

    def _progress(self, attempt: LiveAttempt) -> None:
        row = self.live.get(attempt.id)
        if row is None or attempt.state is AttemptState.ENDED:
            return
        old = row.attempt
        back = old.state is AttemptState.BRIDGING and attempt.state in BACK
        if attempt.state.rank < old.state.rank and not back:
            return
        if old.operator_id is not None and self.taken.get(old.operator_id) == old.id:
            del self.taken[old.operator_id]
        with_somebody = attempt.state in TAKEN and attempt.ended_by is not EndedBy.PHONE_LOST
        if with_somebody and attempt.operator_id is not None:
            holder = self.taken.setdefault(attempt.operator_id, attempt.id)
            if holder != attempt.id:
                raise OperatorConflict("operator.conflict", "one_callee_per_operator", rows=(attempt, holder))
        row.attempt = _merged(attempt, old, keep_operator=False)

    def _end(self, told: Ended) -> None:
        row = self.live.pop(told.attempt.id, None)
        if row is None:
            return
        if told.attempt.id in self.attempts:
            raise ConstraintViolated("attempt_end_pkey", told)
        attempt = _merged(told.attempt, row.attempt, keep_operator=True)
        ended = told if attempt is told.attempt else replace(told, attempt=attempt)
        del self.live_phone[attempt.phone_id], self.live_contact[attempt.contact_id]
        if attempt.operator_id is not None and self.taken.get(attempt.operator_id) == attempt.id:
            del self.taken[attempt.operator_id]
        if attempt.came_in and not self.came_to_an_end(ended):
            self.queue(self.contacts[attempt.contact_id])
            return
        if (ended.closes or ended.dead_phone) and self.missed_since(attempt):
            ended = retry.owed_beside(ended)
        self.attempts[attempt.id] = Finished(ended, row.switch, row.epoch)
        phone = self.phones[attempt.phone_id]
        if ended.counts or attempt.rang_at is not None or attempt.answered_at is not None:
            phone.rang_at.append(attempt.sent_at)
        self._contact_after(ended)
        if ended.phone_not_before is not None:
            phone.not_before = max(phone.not_before, ended.phone_not_before)
        if ended.phone_held_until is not None:
            phone.held_until = max(phone.held_until, ended.phone_held_until)
        self._callback_after(ended)
        self._count(ended)
        self.queue(self.contacts[attempt.contact_id])

    def _contact_after(self, ended: Ended) -> None:
        contact, attempt = self.contacts[ended.attempt.contact_id], ended.attempt
        contact.counted += ended.counts
        if ended.dead_phone:
            contact.dead.add(attempt.phone_id)
        closes = ended.closes
        if ended.next_phone or ended.dead_phone:
            place = contact.phones.index(attempt.phone_id)
            living = [p for p in contact.phones[place + 1 :] + contact.phones[: place + 1] if p not in contact.dead]
            contact.phone_id = living[0] if living else contact.phone_id
            closes = closes or ("dead" if ended.dead_phone and not living else None)
        if contact.decided_by == attempt.id:
            return
        contact.next_at = ended.next_at or NEVER
        if closes is not None and contact.state == "open":
            contact.state, contact.closed_by, contact.closed_at = "closed", closes, ended.ended_at

    def _callback_after(self, ended: Ended) -> None:
        callback = self.callbacks.get(ended.attempt.callback_id or 0)
        if callback is None or callback.state is not CallbackState.PENDING:
            return
        state = ended.callback or CallbackState.PENDING
        if state is CallbackState.PENDING:
            callback.next_at = ended.next_at or ended.ended_at + timedelta(minutes=1)
            if self.contacts[callback.contact_id].state == "open":
                return
            state = CallbackState.BROKEN
        kept_by = ended.attempt.id if state is CallbackState.KEPT else None
        self.close_callback(callback, state, ended.ended_at, kept_by=kept_by)

    def _count(self, ended: Ended) -> None:
        budget = self.budgets[ended.attempt.campaign_id]
        if not law.touched_by(ended):
            return
        belongs = ended.attempt.sent_at >= budget.starts_at
        if budget.uncovered or (belongs and (ended.legal_answered or ended.legal_abandoned)):
            budget = replace(
                budget,
                answered=budget.answered + (belongs and ended.legal_answered),
                abandoned=budget.abandoned + (belongs and ended.legal_abandoned),
                uncovered=max(0, budget.uncovered - (not ended.attempt.asked)),
            )
        if not law.holds(budget, uncovered=budget.uncovered):
            raise ConstraintViolated("abandon_cap", budget)
        self.budgets[ended.attempt.campaign_id] = budget

    def _operator(self, operator: LiveOperator) -> None:
        if operator.state is OperatorState.OFFLINE:
            stored = self.operators.get(operator.operator_id)
            if stored is not None and stored.session_id == operator.session_id:
                del self.operators[operator.operator_id]
            return
        for other in self.operators.values():
            if other.seat == operator.seat and other.operator_id != operator.operator_id:
                raise ConstraintViolated("operator_live_seat_key", operator, other)
        self.operators[operator.operator_id] = operator

    # Dispositions and promises ---------------------------------------------------------

    def save_disposition(self, attempt_id: UUID, key: str, form: Form, operator_id: int | None, now: datetime) -> Saved:
        """As the web saves it: once; the same again is the same, anything else is refused."""
        attempt = self.attempt(attempt_id)
        if attempt is None or (operator_id is not None and attempt.operator_id != operator_id):
            raise NotFound("attempt.not_found", "There is no such conversation of yours.")
        known = self.dispositions.get(self.disposition_keys.get(key, attempt_id))
        if known is not None:
            if known.key != key:
                raise Refused("disposition.exists", "This conversation has its disposition.")
            if (known.attempt_id, known.form) != (attempt_id, form):
                raise Refused("disposition.other_content", "This key was used to save something else.")
            return known
        campaign = self.campaigns[attempt.campaign_id]
        kind = campaign.dispositions[form.code]
        due_at = self._due_at(form, kind, campaign, attempt, now, by_key=operator_id is None)
        saved = Saved(attempt_id, key, form, campaign.id, attempt.contact_id, operator_id, now)
        self.dispositions[attempt_id] = saved
        self.disposition_keys[key] = attempt_id
        self._said[(attempt.contact_id, form.code)] += 1
        self._follow(saved, kind, campaign, attempt, due_at)
        if kind.dnc_scope is not None:
            self.add_do_not_call(attempt.phone_id, kind.dnc_scope, campaign, now)
        return saved

    def _due_at(
        self,
        form: Form,
        kind: DispositionKind,
        campaign: Campaign,
        attempt: LiveAttempt,
        now: datetime,
        *,
        by_key: bool,
    ) -> datetime | None:
        zones = self.contacts[attempt.contact_id].lane.zones
        soonest = now + timedelta(seconds=campaign.profile.min_gap_s)
        soonest = max(soonest, promises.free_again(self._sent(attempt), campaign.profile, now))
        if by_key:
            if "time" not in kind.needs:
                return None
            wanted = max(now + KEY_CALLBACK_AFTER, soonest)
            return hours.next_open(wanted, zones, campaign.profile, campaign.ring_timeout_s)
        if form.callback_at is None:
            return None
        refusal = promises.refusal(form.callback_at, now, zones, campaign.profile, campaign.ring_timeout_s)
        if refusal is not None:
            raise Refused(refusal[0], refusal[1])
        if form.callback_at < soonest:
            raise Refused("callback.too_soon", "This number may not be called so soon.")
        return form.callback_at

    def _sent(self, attempt: LiveAttempt) -> list[datetime]:
        """When the number of an attempt was called, the last time first; a call that goes on counts, too."""
        live = self.live.get(self.live_phone.get(attempt.phone_id, attempt.id))
        now = [live.attempt.sent_at] if live is not None and not live.attempt.came_in else []
        return sorted([*self.phones[attempt.phone_id].rang_at, *now], reverse=True)[:200]

    def _follow(
        self, saved: Saved, kind: DispositionKind, campaign: Campaign, attempt: LiveAttempt, due_at: datetime | None
    ) -> None:
        """Close the contact or plan its next call; keep, replace and make promises."""
        contact, now, live = self.contacts[attempt.contact_id], saved.saved_at, attempt.id in self.live
        finite = contact.next_at if contact.next_at < NEVER else None
        closes, next_at = retry.after_disposition(
            kind,
            campaign,
            saved_at=now,
            counted=contact.counted + live,
            times=self._said[(contact.id, saved.form.code)],
            ended_next_at=finite if not live and contact.state == "open" else None,
            promised=due_at is not None,
        )
        old = self.pending.get(contact.id)
        if old is not None and old.id == attempt.callback_id:
            self.close_callback(old, CallbackState.KEPT, now, kept_by=attempt.id)
        elif old is not None and (due_at is not None or closes is not None):
            self.close_callback(old, CallbackState.CANCELLED, now)
        if due_at is not None and closes is None:
            self._promise(saved, attempt, due_at)
            contact.phone_id = attempt.phone_id
        contact.state = "open" if closes is None else "closed"
        contact.closed_by, contact.closed_at = closes, now if closes else None
        contact.next_at, contact.decided_by, contact.refused_by = next_at or NEVER, attempt.id, None
        contact.promised = contact.id in self.pending
        if contact.id not in self.live_contact:
            self.queue(contact)

    def _promise(self, saved: Saved, attempt: LiveAttempt, due_at: datetime) -> None:
        owner = saved.operator_id if saved.form.callback_to_me else None
        number = len(self.callbacks) + 1
        callback = Callback(
            number, attempt.contact_id, attempt.campaign_id, attempt.phone_id, attempt.id, due_at, due_at, owner
        )
        self.callbacks[number] = self.pending[attempt.contact_id] = callback

    def _save_key(self, attempt_id: UUID, code: str, at: datetime) -> None:
        try:
            self.save_disposition(attempt_id, f"offer-{attempt_id}", Form(code), None, at)
        except Refused:
            return

    def _opt_out(self, attempt_id: UUID, at: datetime) -> None:
        attempt = self.attempt(attempt_id)
        if attempt is not None:
            self.add_do_not_call(attempt.phone_id, "customer", self.campaigns[attempt.campaign_id], at)

    def forbid(self, phone_id: int, scope: str, campaign: Campaign, now: datetime) -> None:
        """What a supervisor asks for."""
        self.add_do_not_call(phone_id, scope, campaign, now)

    def add_do_not_call(self, phone_id: int, scope: str, campaign: Campaign, now: datetime) -> None:
        """Forbid a number; pending callbacks to it in reach of the scope are blocked."""
        about = {"global": None, "customer": campaign.customer_id, "campaign": campaign.id}[scope]
        self.do_not_call.setdefault((phone_id, scope, about), now)
        for contact_id in self.phones[phone_id].contacts:
            callback, contact = self.pending.get(contact_id), self.contacts[contact_id]
            if callback is None or phone_id not in {callback.phone_id, contact.phone_id}:
                continue
            other = self.campaigns[callback.campaign_id]
            if about in {None, other.customer_id if scope == "customer" else other.id}:
                self.close_callback(callback, CallbackState.BLOCKED, now)
                self.queue(contact)

    # Reading back ------------------------------------------------------------------------

    def attempt(self, attempt_id: UUID) -> LiveAttempt | None:
        """An attempt, live or finished."""
        live, finished = self.live.get(attempt_id), self.attempts.get(attempt_id)
        return live.attempt if live else finished.ended.attempt if finished else None

    def recover(self, switch: str) -> Recovered:
        epoch = self.leases[switch].epoch
        for row in self.live.values():
            row.epoch = epoch
        attempts = sorted((row.attempt for row in self.live.values()), key=lambda a: (a.sent_at, a.id))
        return Recovered(
            attempts=attempts,
            operators=sorted(self.operators.values(), key=lambda o: o.operator_id),
            previews=[row.preview for _, row in sorted(self.previews.items()) if row.switch == switch],
        )

    def callbacks_due(self, campaign_ids: Sequence[int], until: datetime) -> Mapping[int, Sequence[Due]]:
        found: dict[int, list[tuple[datetime, int, int | None]]] = {campaign_id: [] for campaign_id in campaign_ids}
        for callback in self.pending.values():
            if callback.next_at > until or callback.campaign_id not in found:
                continue
            if self.contacts[callback.contact_id].state == "open" and callback.contact_id not in self.live_contact:
                found[callback.campaign_id].append((callback.next_at, callback.id, callback.operator_id))
        return {
            campaign_id: [Due(at, owner) for at, _, owner in sorted(due)[:DUE]] for campaign_id, due in found.items()
        }

    def learned(self, campaign_id: int) -> Mapping[str, float]:
        """Means over the last 250 attempts that reached the network, and over the last wrap-ups."""
        sums: dict[str, list[float]] = {"answer_rate": [], "ring_s": [], "talk_s": [], "wrap_up_s": []}
        ended = (f.ended for f in self.attempts.values() if f.ended.attempt.campaign_id == campaign_id)
        ended = (e for e in ended if not e.attempt.asked)
        known = [e for e in ended if e.counts or e.attempt.rang_at or e.outcome == "invalid_number"]
        for end in sorted(known, key=lambda e: e.attempt.sent_at)[-250:]:
            attempt = end.attempt
            sums["answer_rate"].append(float(attempt.answered_at is not None))
            if attempt.answered_at is not None:
                sums["ring_s"].append((attempt.answered_at - attempt.sent_at).total_seconds())
            if attempt.connected_at is not None:
                sums["talk_s"].append((end.ended_at - attempt.connected_at).total_seconds())
        of_campaign = (i for i in reversed(self.intervals.values()) if i.campaign_id == campaign_id)
        wrap_ups = (i for i in of_campaign if i.state is OperatorState.WRAP_UP)
        sums["wrap_up_s"] = [(i.ended_at - i.started_at).total_seconds() for i in islice(wrap_ups, 250)]
        means = {name: sum(values) / len(values) if values else 0.0 for name, values in sums.items()}
        return means | {f"n_{name}": float(len(values)) for name, values in sums.items()}


def _merged(new: LiveAttempt, old: LiveAttempt, *, keep_operator: bool) -> LiveAttempt:
    """The row after an update: what is not told stays."""
    told = (new.rang_at, new.answered_at, new.waiting_at, new.connected_at, new.key, new.ended_by)
    known = (old.rang_at, old.answered_at, old.waiting_at, old.connected_at, old.key, old.ended_by)
    operator_stays = not keep_operator or new.operator_id or not old.operator_id
    if operator_stays and all(now or not before for now, before in zip(told, known, strict=True)):
        return new
    return replace(
        new,
        rang_at=new.rang_at or old.rang_at,
        answered_at=new.answered_at or old.answered_at,
        waiting_at=new.waiting_at or old.waiting_at,
        operator_id=new.operator_id or old.operator_id if keep_operator else new.operator_id,
        connected_at=new.connected_at or old.connected_at,
        key=new.key or old.key,
        ended_by=new.ended_by or old.ended_by,
    )
