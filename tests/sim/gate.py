"""The claim of the simulated database: ``sql/queries/claim.sql`` over dictionaries, batch by batch as there.

Windows, legal windows and the budget's room are asked of ``dialer.core``, as the store does; what PostgreSQL refuses
by a constraint is refused here with ``ConstraintViolated``.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from dialer.core import budget as law
from dialer.core import hours, numbers
from dialer.core.gate import OF_THE_NUMBER, Refusal
from dialer.core.model import Budget, CallbackState, Campaign, Claim, LiveAttempt
from dialer.core.preview import SKIP_REST_S, How, Preview, PreviewEnd
from dialer.core.quick import replace
from dialer.core.states import AttemptState, CampaignState
from dialer.engine.ports import ClaimAsk, ClaimResult
from dialer.errors import LeaseLost
from tests.sim.rows import LONG_AGO, NEVER, Callback, Contact, Finished, Lane, LeaseRow, LiveRow, Phone, Saved, Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from uuid import UUID

    from dialer.core.manual import Dial
    from dialer.core.model import LiveOperator, OperatorInterval

OWNER_GRACE = timedelta(minutes=10)
#: The gate is asked again so often, and looks at so many more contacts than wanted (``dialer.store.claims``).
ROUNDS, SPARE = 4, 8
LIVE_FOR = timedelta(seconds=30)
DAY, DAYS_7, DAYS_30 = timedelta(days=1), timedelta(days=7), timedelta(days=30)
#: No window of the simulated days is shorter, and none begins so soon after another.
WINDOW_LEAST = timedelta(minutes=15)
#: While nothing is wrong so many mere questions are answered on the spot, and so many commits the moment they are
#: made: each turn of the loop that is saved is a part of the day.
AT_ONCE = 0.9


class ConstraintViolated(Exception):
    """PostgreSQL would have refused this: the name of the constraint, and the rows."""


class Gate:
    """The tables, and the one statement that takes contacts. The checker reads the public attributes."""

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
        self.pending: dict[int, Callback] = {}
        """Pending callbacks by contact (index ``one_pending_callback``)."""
        self.live_phone: dict[int, UUID] = {}
        self.live_contact: dict[int, UUID] = {}
        self.previews: dict[UUID, Shown] = {}
        self.preview_ends: dict[UUID, PreviewEnd] = {}
        self.shown_phone: dict[int, int] = {}
        self.shown_contact: dict[int, int] = {}
        """Operators who look at a contact, by its number and by the contact."""
        self.claimed = 0
        self.at_once = AT_ONCE
        self.time: Callable[[], float] = lambda: 0.0
        self._lanes: dict[tuple[int, tuple[str, ...], int], Lane] = {}
        self._lanes_of: defaultdict[int, list[Lane]] = defaultdict(list)
        self._lanes_by_hand: dict[tuple[int, tuple[str, ...]], Lane] = {}
        self._known_open: dict[int, tuple[Campaign, datetime, datetime, list[Lane]]] = {}

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
        lane = self._lane(campaign_id, tuple(zones), priority)
        contact = Contact(contact_id, campaign_id, lane, [p.id for p in phones], phones[0].id)
        self.contacts[contact_id] = contact
        self.queue(contact)
        return contact_id

    def _by_hand(self, dial: Dial) -> Contact:
        """The contact that a typed number would become; it is in no table yet."""
        phone = self._phone(dial.e164)
        key = dial.campaign_id, dial.zones
        lane = self._lanes_by_hand.get(key)
        if lane is None:
            lane = self._lanes_by_hand[key] = Lane(-1 - len(self._lanes_by_hand), dial.zones, 0, by_hand=True)
            self._lanes_of[dial.campaign_id].append(lane)
            self._known_open.pop(dial.campaign_id, None)
        return Contact(len(self.contacts) + 1, dial.campaign_id, lane, [phone.id], phone.id)

    def _phone(self, e164: str) -> Phone:
        phone_id = self.phone_ids.setdefault(e164, len(self.phone_ids) + 1)
        return self.phones.setdefault(phone_id, Phone(phone_id, e164))

    def _lane(self, campaign_id: int, zones: tuple[str, ...], priority: int) -> Lane:
        key = (campaign_id, zones, priority)
        if key not in self._lanes:
            self._lanes[key] = Lane(len(self._lanes) + 1, zones, priority)
            self._lanes_of[campaign_id].append(self._lanes[key])
        return self._lanes[key]

    def queue(self, contact: Contact) -> None:
        """Keep the index ``contact_due``; entries that are no longer true are dropped when they are met."""
        if contact.state == "open" and not contact.promised and contact.next_at < NEVER:
            insort(contact.lane.due, (contact.next_at, contact.id))

    def lease_changed(self, switch: str) -> None:
        """The lease was taken, renewed or released."""

    # The claim -----------------------------------------------------------------

    def claim(self, ask: ClaimAsk, boot_s: float = 0.0) -> ClaimResult:
        lease = self.leases[ask.switch]
        if lease.epoch != ask.epoch or lease.expires_at <= self.time():
            raise LeaseLost("lease.lost", f"Epoch {ask.epoch} on {ask.switch} is over.")
        campaign = self.campaigns[ask.campaign.id]
        self.budgets[campaign.id] = budget = law.present(self.budgets[campaign.id], campaign, ask.now)
        if ask.operator_id is not None:
            return self._chosen(ask, campaign, boot_s)
        wanted = len(ask.ids) if campaign.state is CampaignState.RUNNING else 0
        room = wanted
        if not campaign.operator_free:
            lines = self._in_flight(campaign.id)
            older = sum(sent_at < budget.starts_at for sent_at in lines)
            room = law.room(budget, in_flight=len(lines), older=older, free=ask.free_operators)
        claims: list[Claim] = []
        open_lanes = self._open_lanes(campaign, ask.now)
        if room and open_lanes:
            self._fill(ask, campaign, open_lanes, claims, min(wanted, room))
        enough = claims and len(claims) == min(wanted, room)
        return ClaimResult(
            claims=claims,
            boot_s=boot_s,
            budget=self.budgets[campaign.id],
            held_back=max(0, wanted - room),
            next_due_at=None if enough else self._next_due(campaign, ask),
        )

    def _chosen(self, ask: ClaimAsk, campaign: Campaign, boot_s: float) -> ClaimResult:
        """For an operator who chooses: reserve the next contact, or call the one that was looked at, or typed."""
        claims: list[Claim] = []
        refusal = None if campaign.state is CampaignState.RUNNING else Refusal(reason="campaign_state")
        lanes, next_due_at = self._open_lanes(campaign, ask.now), None
        if refusal is None and ask.dial is not None:
            refusal = self._dialled(ask, campaign, ask.dial, claims)
        elif refusal is None and ask.contact_id is not None:
            refusal = self._call(ask, campaign, lanes, claims)
        elif refusal is None:
            for shown in [s.preview for s in self.previews.values() if s.preview.operator_id == ask.operator_id]:
                self.take_back(shown.id)
            if lanes:
                self._fill(ask, campaign, lanes, claims, 1)
            next_due_at = None if claims else self._next_due(campaign, ask)
        return ClaimResult(
            claims=claims, boot_s=boot_s, budget=self.budgets[campaign.id], next_due_at=next_due_at, refusal=refusal
        )

    def _call(self, ask: ClaimAsk, campaign: Campaign, lanes: Sequence[Lane], claims: list[Claim]) -> Refusal | None:
        contact = self.contacts[ask.contact_id or 0]
        if contact.lane not in lanes:
            opens_at = hours.next_open(ask.now, contact.lane.zones, campaign.profile, campaign.ring_timeout_s)
            return Refusal(reason="outside_window" if opens_at else "no_window", until=opens_at)
        callback = self.pending.get(contact.id)
        if contact.state != "open" or (callback.next_at if callback else contact.next_at) > ask.now:
            return Refusal(reason="not_due")
        refusal, until = self._refusal(contact, campaign, ask)
        self._judge(ask, campaign, [contact], claims, 1)
        return None if refusal is None else Refusal(reason=refusal, until=until if until > ask.now else None)

    def _dialled(self, ask: ClaimAsk, campaign: Campaign, dial: Dial, claims: list[Claim]) -> Refusal | None:
        """Call the contact of a typed number; if the gate says no, nothing is left of it."""
        phone = self.phones.get(self.phone_ids.get(dial.e164, 0))
        mine = [c for i in (phone.contacts if phone else ()) if (c := self.contacts[i]).campaign_id == campaign.id]
        if len(mine) > 1:
            return Refusal(reason="several_contacts")
        contact = mine[0] if mine else self._by_hand(dial)
        if not hours.may_call(ask.now, contact.lane.zones, campaign.profile, campaign.ring_timeout_s):
            return Refusal(reason="outside_window")
        callback = self.pending.get(contact.id)
        if contact.state != "open" or (callback.next_at if callback else contact.next_at) > ask.now:
            return Refusal(reason="not_due")
        turned, contact.phone_id = contact.phone_id, self.phone_ids[dial.e164]
        refusal, until = self._refusal(contact, campaign, ask)
        if refusal is not None:
            contact.phone_id = turned
            return Refusal(reason=refusal, until=until if until > ask.now else None)
        if not mine:
            self.contacts[contact.id] = contact
            self.phones[contact.phone_id].contacts.append(contact.id)
        claims.append(self._take(contact, ask, ask.ids[0]))
        return None

    def take_back(self, preview_id: UUID) -> None:
        """A contact is reserved for nobody any more."""
        row = self.previews.pop(preview_id, None)
        if row is not None:
            del self.shown_phone[row.preview.phone_id], self.shown_contact[row.preview.contact_id]

    def _rested(self, ask: ClaimAsk) -> Collection[int]:
        """Whom this operator is not to be shown."""
        if ask.operator_id is None:
            return ()
        since = ask.now - timedelta(seconds=SKIP_REST_S)
        ends = [end for end in self.preview_ends.values() if end.preview.operator_id == ask.operator_id]
        unwanted = {e.preview.contact_id for e in ends if e.ended_at > since and e.how in {How.SKIPPED, How.EXPIRED}}
        return unwanted | set(ask.rested)

    def _open_lanes(self, campaign: Campaign, now: datetime) -> list[Lane]:
        """The lanes whose windows are open; what a quarter of an hour begins and ends with also holds within it."""
        known, since, until, found = self._known_open.get(campaign.id, (None, NEVER, NEVER, []))
        if known is campaign and since <= now < until:
            return found
        lanes, until = self._lanes_of[campaign.id], now + WINDOW_LEAST
        found, then = (
            [at for at in lanes if hours.may_call(when, at.zones, campaign.profile, campaign.ring_timeout_s)]
            for when in (now, until)
        )
        self._known_open[campaign.id] = campaign, now, until if found == then else now, found
        return found

    def _in_flight(self, campaign_id: int) -> list[datetime]:
        """When the lines were sent that may still need an operator."""
        return [
            a.sent_at
            for row in self.live.values()
            if (a := row.attempt).campaign_id == campaign_id and not a.asked and a.state is not AttemptState.CONNECTED
        ]

    def _fill(self, ask: ClaimAsk, campaign: Campaign, lanes: Sequence[Lane], claims: list[Claim], wanted: int) -> None:
        for _ in range(ROUNDS):
            look_at = wanted - len(claims) + SPARE
            batch = self._next(ask, campaign, lanes, look_at)
            if not batch:
                return
            before = len(claims)
            again = self._judge(ask, campaign, batch, claims, wanted)
            if len(claims) > before and ask.operator_id is None:
                self._spend(campaign, ask.free_operators)
            if len(claims) == wanted or (len(batch) < look_at and not again):
                return

    def _next(self, ask: ClaimAsk, campaign: Campaign, lanes: Sequence[Lane], look_at: int) -> list[Contact]:
        """Who is next: promises first, urgent ones before all, then the due heads of the open lanes."""
        ids, rested = {lane.id for lane in lanes}, self._rested(ask)
        promised = sorted(
            (not callback.urgent, callback.next_at, callback.id, callback.contact_id)
            for callback in self.pending.values()
            if callback.campaign_id == campaign.id
            and callback.next_at <= ask.now
            and callback.contact_id not in rested
            and self._callable(callback, ids, ask)
        )
        first = sorted((late, at, contact_id) for late, at, _, contact_id in promised[:look_at])
        batch = [self.contacts[contact_id] for _, _, contact_id in first]
        if not ask.callbacks_only and len(batch) < look_at:
            batch += [
                self.contacts[contact_id] for contact_id in self._due(lanes, ask.now, look_at - len(batch), rested)
            ]
        return batch

    def _due(self, lanes: Sequence[Lane], now: datetime, wanted: int, rested: Collection[int]) -> list[int]:
        """The first contacts that are due: by priority, then by time."""
        by_priority: defaultdict[int, list[Lane]] = defaultdict(list)
        for lane in lanes:
            if lane.due and lane.due[0][0] <= now and not lane.by_hand:
                by_priority[lane.priority].append(lane)
        found: list[int] = []
        for priority in sorted(by_priority, reverse=True):
            heads = merge(*(self._heads(lane, now, rested) for lane in by_priority[priority]))
            found += [contact_id for _, contact_id in islice(heads, wanted - len(found))]
            if len(found) >= wanted:
                break
        return found

    def _callable(self, callback: Callback, lanes: set[int], ask: ClaimAsk) -> bool:
        contact, owner = self.contacts[callback.contact_id], callback.operator_id
        if contact.state != "open" or contact.lane.id not in lanes or contact.id in self.live_contact:
            return False
        if contact.id in self.shown_contact:
            return False
        if owner is None or owner in ask.ready_operator_ids:
            return True
        return callback.next_at <= ask.now - OWNER_GRACE and owner not in self.operators

    def _heads(self, lane: Lane, now: datetime, rested: Collection[int]) -> Iterator[tuple[datetime, int]]:
        """The entries of a lane that are due; those on the way that are no longer true are taken out."""
        due, place, last, contacts = lane.due, 0, None, self.contacts
        while place < len(due) and due[place][0] <= now:
            entry = due[place]
            if entry == last or not _true(contacts[entry[1]], entry):
                del due[place]
                continue
            place, last = place + 1, entry
            if entry[1] not in self.shown_contact and entry[1] not in rested:
                yield entry

    def _judge(
        self, ask: ClaimAsk, campaign: Campaign, batch: Sequence[Contact], claims: list[Claim], wanted: int
    ) -> bool:
        """Take who passes, tell the others why not and when to come again; all by the state before the batch.

        Whether another number of somebody is to be asked about.
        """
        judged = [(contact, *self._refusal(contact, campaign, ask)) for contact in batch]
        taken: set[int] = set()
        again = False
        for contact, refusal, until in judged:
            if refusal is not None:
                phone_id = contact.phone_id
                self._send_away(contact, refusal, until, ask.now)
                again = again or contact.phone_id != phone_id
            elif contact.phone_id not in taken and len(claims) < wanted:
                taken.add(contact.phone_id)
                take = self._show if ask.operator_id is not None and ask.contact_id is None else self._take
                claims.append(take(contact, ask, ask.ids[len(claims)]))
        return again

    def _refusal(self, contact: Contact, campaign: Campaign, ask: ClaimAsk) -> tuple[str | None, datetime]:
        profile, phone, promise = campaign.profile, self.phones[contact.phone_id], self.pending.get(contact.id)
        now, waits = ask.now, promise is not None and promise.operator_id in ask.ready_operator_ids
        held = LONG_AGO if waits or ask.operator_id is not None else phone.held_until
        rests, day, day7, days30 = phone.not_before, LONG_AGO, LONG_AGO, LONG_AGO
        if phone.rang_at:  # most never rang
            day7 = _limit(phone, now, DAYS_7, profile.per_7_days)
            day = _limit(phone, now, DAY, profile.per_day)
            days30 = _limit(phone, now, DAYS_30, profile.per_30_days)
            rests = max(rests, _limit(phone, now, timedelta(seconds=profile.min_gap_s), 1))
        until = max(rests, held, day, day7, days30)
        if self.forbidden(phone.id, campaign):
            return "do_not_call", until
        if phone.allowed_by is not profile:
            if not numbers.allowed(phone.e164, profile.allow, profile.deny):
                return "number_not_allowed", until
            phone.allowed_by = profile
        if self._shown_to_others(phone, contact, ask) or phone.id in self.live_phone or contact.id in self.live_contact:
            return "live_attempt", until
        if contact.counted >= campaign.attempts_max and promise is None:
            return "attempts_used_up", until
        if until <= now:
            return None, until
        limits = {
            "per_30_days": days30,
            "per_7_days": day7,
            "per_day": day,
            "after_abandon": held,
            "phone_resting": rests,
        }
        return next((reason for reason, limit in limits.items() if limit > now), None), until

    def _shown_to_others(self, phone: Phone, contact: Contact, ask: ClaimAsk) -> bool:
        if not self.shown_phone:
            return False
        return bool({self.shown_phone.get(phone.id), self.shown_contact.get(contact.id)} - {None, ask.operator_id})

    def forbidden(self, phone_id: int, campaign: Campaign) -> bool:
        """Whether a do-not-call entry of any scope covers this phone."""
        listed = self.do_not_call
        return (
            (phone_id, "global", None) in listed
            or (phone_id, "customer", campaign.customer_id) in listed
            or (phone_id, "campaign", campaign.id) in listed
        )

    def _send_away(self, contact: Contact, refusal: str, until: datetime, now: datetime) -> None:
        callback = self.pending.get(contact.id)
        contact.refused_by = refusal
        again_at = now + LIVE_FOR if refusal == "live_attempt" else until
        if refusal == "attempts_used_up":
            contact.state, contact.closed_by, contact.closed_at = "closed", "used_up", now
        if refusal in OF_THE_NUMBER:
            self._next_phone(contact, callback, now)
        elif callback is None:
            contact.next_at = again_at
        else:
            callback.next_at = again_at
        self.queue(contact)

    def _next_phone(self, contact: Contact, callback: Callback | None, now: datetime) -> None:
        """The number itself is refused: the next one's turn, else never again; a promise was about this number."""
        place = contact.phones.index(contact.phone_id)
        later = [phone for phone in contact.phones[place + 1 :] if phone not in contact.dead]
        if callback is not None:
            contact.next_at = NEVER
            self.close_callback(callback, CallbackState.BLOCKED, now)
        elif later:
            contact.phone_id = later[0]
        else:
            contact.next_at = NEVER

    def close_callback(
        self, callback: Callback, state: CallbackState, at: datetime, *, kept_by: UUID | None = None
    ) -> None:
        """A promise is over; its contact is an ordinary one again."""
        callback.state, callback.closed_at, callback.kept_by_attempt = state, at, kept_by
        del self.pending[callback.contact_id]
        self.contacts[callback.contact_id].promised = False

    def _take(self, contact: Contact, ask: ClaimAsk, attempt_id: UUID) -> Claim:
        callback = self.pending.get(contact.id)
        owner = callback.operator_id if callback else None
        claim = Claim(
            attempt_id=attempt_id,
            campaign_id=contact.campaign_id,
            contact_id=contact.id,
            phone_id=contact.phone_id,
            e164=self.phones[contact.phone_id].e164,
            number=contact.attempts + 1,
            counted=contact.counted,
            sent_at=ask.now,
            callback_id=callback.id if callback else None,
            for_operator=ask.operator_id or (owner if owner in ask.ready_operator_ids else None),
            asked=ask.operator_id is not None,
            manual=ask.dial is not None,
        )
        if contact.phone_id in self.live_phone or contact.id in self.live_contact or attempt_id in self.attempts:
            raise ConstraintViolated("attempt_live_pkey", claim)
        self.live[attempt_id] = LiveRow(_sent(claim), ask.switch, ask.epoch)
        self.live_phone[contact.phone_id] = self.live_contact[contact.id] = attempt_id
        shown = self.previews.get(attempt_id)
        if shown is not None:
            self.preview_ends[attempt_id] = PreviewEnd(preview=shown.preview, ended_at=ask.now, how=How.CALLED)
            self.take_back(attempt_id)
        contact.attempts += 1
        contact.next_at, contact.refused_by = NEVER, None
        self.claimed += 1
        return claim

    def _show(self, contact: Contact, ask: ClaimAsk, preview_id: UUID) -> Claim:
        """Reserve a contact for whoever asks; nothing is called."""
        operator_id = ask.operator_id or 0
        preview = Preview(
            id=preview_id,
            operator_id=operator_id,
            campaign_id=contact.campaign_id,
            contact_id=contact.id,
            phone_id=contact.phone_id,
            offered_at=ask.now,
        )
        if contact.phone_id in self.shown_phone or operator_id in self.shown_contact.values():
            raise ConstraintViolated("preview_pkey", preview)
        self.previews[preview_id] = Shown(preview, ask.switch)
        self.shown_phone[contact.phone_id] = self.shown_contact[contact.id] = operator_id
        return Claim(
            attempt_id=preview_id,
            campaign_id=contact.campaign_id,
            contact_id=contact.id,
            phone_id=contact.phone_id,
            e164=self.phones[contact.phone_id].e164,
            number=contact.attempts + 1,
            counted=contact.counted,
            sent_at=ask.now,
            callback_id=self.pending[contact.id].id if contact.id in self.pending else None,
        )

    def _spend(self, campaign: Campaign, free: int) -> None:
        uncovered = 0 if campaign.operator_free else max(0, len(self._in_flight(campaign.id)) - free)
        budget = self.budgets[campaign.id]
        if uncovered != budget.uncovered:
            budget = replace(budget, uncovered=uncovered)
        if not law.holds(budget, uncovered=uncovered):
            raise ConstraintViolated("abandon_cap", budget)
        self.budgets[campaign.id] = budget

    def _next_due(self, campaign: Campaign, ask: ClaimAsk) -> datetime | None:
        """The first moment somebody is due and his windows are open."""
        due_at: dict[int, datetime] = {}
        for callback in self.pending.values():
            if callback.campaign_id != campaign.id:
                continue
            contact, owner, at = self.contacts[callback.contact_id], callback.operator_id, callback.next_at
            if at >= due_at.get(contact.lane.id, NEVER):
                continue
            if contact.state != "open" or contact.id in self.live_contact or contact.id in self.shown_contact:
                continue
            if owner is not None and owner not in ask.ready_operator_ids:
                if owner in self.operators:
                    continue  # it waits for an operator, not for a time
                at += OWNER_GRACE
            due_at[contact.lane.id] = min(due_at.get(contact.lane.id, NEVER), at)
        heads = [
            (
                max(ask.now, min(due_at.get(lane.id, NEVER), NEVER if ask.callbacks_only else self._head(lane))),
                lane.id,
                lane,
            )
            for lane in self._lanes_of[campaign.id]
        ]
        best = NEVER
        for at, _, lane in sorted(heads):
            if at >= best:
                break
            opens_at = hours.next_open(at, lane.zones, campaign.profile, campaign.ring_timeout_s)
            best = min(best, opens_at or NEVER)
        return best if best < NEVER else None

    def _head(self, lane: Lane) -> datetime:
        """When the first contact of a lane comes due, promised ones apart."""
        due, contacts = lane.due, self.contacts
        if lane.by_hand:
            return NEVER
        while due and not _true(contacts[due[0][1]], due[0]):
            del due[0]
        if due and not self.shown_contact:
            return due[0][0]
        free = (entry[0] for entry in due if entry[1] not in self.shown_contact and _true(contacts[entry[1]], entry))
        return next(free, NEVER)


def _true(contact: Contact, entry: tuple[datetime, int]) -> bool:
    """Whether an entry of a lane is still true."""
    return contact.next_at == entry[0] and contact.state == "open" and not contact.promised


def _sent(claim: Claim) -> LiveAttempt:
    return LiveAttempt(
        id=claim.attempt_id,
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
        asked=claim.asked,
        manual=claim.manual,
        operator_id=claim.for_operator if claim.asked else None,
    )


def _limit(phone: Phone, now: datetime, period: timedelta, most: int) -> datetime:
    """Until when a counter of this number lets nothing through; long ago if it does."""
    if len(phone.rang_at) < most or phone.rang_at[-most] <= now - period:
        return LONG_AGO
    return phone.rang_at[-most] + period
