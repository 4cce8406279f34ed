"""Dispositions: what a conversation was, once, and everything that follows from it in the same transaction.

    the same key, the same content        the same answer, nothing is done again
    the same key, other content           refused: disposition.other_content
    another key, a conversation that has  refused: disposition.exists
    its disposition

The contact's row is locked first: its attempt may be ending at this very moment, and both orders give the same result.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from dialer.core import callbacks as promises
from dialer.core import dispositions as forms
from dialer.core import hours, retry, rules
from dialer.errors import NotFound, Refused
from dialer.store import campaigns, do_not_call, leads, letters, retry_rules
from dialer.store.pools import transaction
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from dialer.core.model import Campaign, DispositionKind
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor

SQL = queries("disposition")
_log = structlog.get_logger(__name__)

#: Whoever asked by key to be called back is called not sooner than this, or than the profile allows.
KEY_CALLBACK_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A disposition that is in the database.

    Attributes:
        do_not_call: Ids of the phones it put on a do-not-call list; their ringing lines are to be cut.
        repeated: It had been saved before, with the same key and content.
        lead_id: The lead it made.
    """

    attempt_id: UUID
    contact_id: int
    code: str
    reason: str | None
    address: str | None
    note: str
    saved_at: datetime
    do_not_call: Sequence[int] = field(default_factory=tuple)
    repeated: bool = False
    lead_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What is to be saved; ``operator_id`` None is the offer."""

    attempt_id: UUID
    operator_id: int | None
    key: str
    body_hash: bytes
    code: str
    now: datetime
    note: str = ""
    reason: str | None = None
    address: str | None = None
    due_at: datetime | None = None
    owner_id: int | None = None
    person: str = ""
    company: str = ""


class Dispositions:
    """What operators save."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def save(
        self,
        *,
        attempt_id: UUID,
        operator_id: int,
        key: str,
        body_hash: bytes,
        code: str,
        now: datetime,
        note: str = "",
        reason: str | None = None,
        address: str | None = None,
        due_at: datetime | None = None,
        callback_operator_id: int | None = None,
        person: str = "",
        company: str = "",
    ) -> Saved:
        """Save what an operator says the conversation was; when this returns it is committed.

        Args:
            attempt_id: A live or finished attempt of this operator.
            operator_id: Who says so.
            key: Idempotency key.
            body_hash: Of the content, to know a repetition from another content.
            code: One of the campaign's dispositions.
            now: Present time, aware.
            note: Free text.
            reason: One of the disposition's reasons, if it needs one.
            address: If it needs one.
            due_at: A callback is promised for then.
            callback_operator_id: With whom; None is anyone.
            person: Whose lead it becomes, if it becomes one; empty: as the base tells it.
            company: The same of the company.

        Raises:
            NotFound: ``attempt.not_found``: there is no such conversation of this operator.
            Refused: ``disposition.unknown``, ``.exists``, ``.other_content``, ``.needs_time``, ``.needs_reason``,
                ``.needs_address``, ``.unknown_reason``, ``.unknown_address``, ``.takes_no_time``; ``callback.past``,
                ``callback.outside_window``, ``callback.too_soon``.
            StoreDown: Whether it is saved is not known; the same again is right.
        """
        form = _Form(
            attempt_id=attempt_id,
            operator_id=operator_id,
            key=key,
            body_hash=body_hash,
            code=code,
            now=now,
            note=note,
            reason=reason,
            address=address,
            due_at=due_at,
            owner_id=callback_operator_id,
            person=person,
            company=company,
        )
        return await transaction(self._pool, lambda connection: _save(connection, form))

    async def save_draft(self, *, attempt_id: UUID, operator_id: int, body: Mapping[str, Any]) -> None:
        """Keep what was typed so far; nothing is checked.

        Raises:
            NotFound: ``attempt.not_found``.
            Refused: ``disposition.exists``.
        """

        async def work(connection: Connection) -> None:
            if await SQL["disposition_draft_save"].execute(
                connection, attempt_id=attempt_id, operator_id=operator_id, body=body
            ):
                return
            if await SQL["disposition_saved"].fetchval(connection, attempt_id=attempt_id):
                raise _exists()
            raise _not_found()

        await transaction(self._pool, work)


async def save_key(connection: Connection, attempt_id: UUID, code: str, at: datetime) -> None:
    """The disposition that a key of the offer stands for, in the journal's transaction; a repetition is a no-op.

    The callee cannot be asked back: a key whose disposition the campaign does not have is said in the log.
    """
    body_hash = hashlib.sha256(code.encode()).digest()
    form = _Form(
        attempt_id=attempt_id, operator_id=None, key=f"offer-{attempt_id}", body_hash=body_hash, code=code, now=at
    )
    try:
        await _save(connection, form)
    except Refused as error:
        _log.warning("disposition.key_refused", attempt_id=str(attempt_id), disposition=code, code=error.code)


async def _save(connection: Connection, form: _Form) -> Saved:
    await retry_rules.SQL["retry_rule_share"].execute(connection, attempt_id=form.attempt_id, code=form.code)
    contact = await SQL["disposition_contact"].fetchrow(connection, attempt_id=form.attempt_id)
    attempt = await SQL["disposition_facts"].fetchrow(
        connection, attempt_id=form.attempt_id, key=form.key, code=form.code
    )
    if contact is None or attempt is None or form.operator_id not in {None, attempt["operator_id"]}:
        raise _not_found()
    if attempt["known_key"] is not None:
        return _repeated(attempt, form)
    [campaign] = await campaigns.read(connection, campaign_id=attempt["campaign_id"])
    campaign = campaigns.for_callee(campaign, contact["countries"])
    kind = campaign.dispositions.get(form.code)
    if kind is None or kind.archived:
        known = [one.code for one in campaign.dispositions.values() if not one.archived]
        raise Refused(
            "disposition.unknown",
            f"The campaign has no disposition {form.code!r}.",
            remedy=f"Choose one of: {', '.join(known)}.",
        )
    promises_time = form.due_at is not None or (form.operator_id is None and "time" in kind.needs)
    counted = await counted_until(connection, attempt["phone_id"], campaign, form.now) if promises_time else form.now
    due_at = _due_at(form, kind, campaign, contact["zones"], counted)
    await _store(connection, form, attempt)
    await _follow(connection, form, kind, campaign, attempt, contact, due_at)
    await _rest(connection, form, kind, campaign, attempt["contact_id"])
    forbidden: Sequence[int] = ()
    if kind.dnc_scope:
        scope = do_not_call.Scope(word=kind.dnc_scope, customer_id=campaign.customer_id, campaign_id=campaign.id)
        await do_not_call.forbid(
            connection, attempt["phone_id"], scope, reason=kind.code, added_by=form.operator_id, at=form.now
        )
        forbidden = (attempt["phone_id"],)
    lead_id = await _lead(connection, form, kind, campaign, attempt) if kind.makes_lead else None
    if kind.letter:
        await _letter(connection, form, kind.letter, campaign, attempt)
    return Saved(
        attempt_id=form.attempt_id,
        contact_id=attempt["contact_id"],
        code=form.code,
        reason=form.reason,
        address=form.address,
        note=form.note,
        saved_at=form.now,
        do_not_call=forbidden,
        lead_id=lead_id,
    )


def _repeated(known: asyncpg.Record, form: _Form) -> Saved:
    if known["known_key"] != form.key:
        raise _exists()
    if known["known_attempt_id"] != form.attempt_id or known["known_body_hash"] != form.body_hash:
        raise Refused(
            "disposition.other_content",
            "This key was used to save something else.",
            remedy="Read the card again; what is saved stays as it is.",
        )
    names = ("attempt_id", "contact_id", "code", "reason", "address", "note", "saved_at", "lead_id")
    return Saved(**{name: known[f"known_{name}"] for name in names}, repeated=True)


async def counted_until(connection: Executor, phone_id: int, campaign: Campaign, now: datetime) -> datetime:
    """Until when the counters of a number forbid a call, if it gets none meanwhile."""
    rows = await SQL["disposition_sent"].fetch(connection, phone_id=phone_id, now=now)
    return promises.free_again([row["sent_at"] for row in rows], campaign.profile, now)


def _due_at(
    form: _Form, kind: DispositionKind, campaign: Campaign, zones: Sequence[str], counted: datetime
) -> datetime | None:
    """When the promised callback is due; refuses one that may not be promised.

    Args:
        form: What is saved.
        kind: Its disposition.
        campaign: With the rules of the callee's country.
        zones: Zones the callee may be in.
        counted: Until when the number's counters forbid a call.
    """
    rests = rules.rests_until(kind.classes, campaign.profile, form.now)
    soonest = max([form.now + timedelta(seconds=campaign.profile.min_gap_s), counted, *rests.values()])
    if form.operator_id is None:
        if "time" not in kind.needs:
            return None
        wanted = max(form.now + KEY_CALLBACK_AFTER, soonest)
        return hours.next_open(wanted, zones, campaign.profile, campaign.ring_timeout_s)
    wrong = forms.check(kind, {"callback": form.due_at, "reason": form.reason, "address": form.address})
    if wrong:
        raise Refused(wrong[0], f"{kind.name_en}: {', '.join(wrong)}.", remedy="Fill it in.", all=wrong)
    if form.due_at is not None:
        check_promise(form.due_at, form.now, zones, campaign, soonest)
    return form.due_at


def check_promise(due_at: datetime, now: datetime, zones: Sequence[str], campaign: Campaign, soonest: datetime) -> None:
    """Refuse a promise that the rules would not let us keep.

    Raises:
        Refused: ``callback.past``, ``callback.outside_window``, ``callback.too_soon``.
    """
    refusal = promises.refusal(due_at, now, zones, campaign.profile, campaign.ring_timeout_s)
    if refusal:
        code, english, russian = refusal
        raise Refused(code, english, remedy="Choose another time.", ru=russian)
    if due_at < soonest:
        raise Refused(
            "callback.too_soon",
            f"This number may not be called before {soonest:%Y-%m-%d %H:%M} UTC.",
            remedy="Choose a later time.",
            ru=f"Раньше {soonest:%Y-%m-%d %H:%M} UTC на этот номер звонить нельзя.",
        )


async def _store(connection: Connection, form: _Form, attempt: asyncpg.Record) -> None:
    await SQL["disposition_add"].execute(
        connection,
        attempt_id=form.attempt_id,
        key=form.key,
        body_hash=form.body_hash,
        contact_id=attempt["contact_id"],
        campaign_id=attempt["campaign_id"],
        operator_id=form.operator_id,
        code=form.code,
        reason=form.reason,
        address=form.address,
        note=form.note,
        now=form.now,
    )


async def _rest(
    connection: Connection, form: _Form, kind: DispositionKind, campaign: Campaign, contact_id: int
) -> None:
    """So long nobody of the customer calls any number of this contact, as the profile says after such a disposition."""
    until = rules.rests_until(kind.classes, campaign.profile, form.now)
    if not until:
        return
    rows = await SQL["disposition_rest_lock"].fetch(connection, contact_id=contact_id)
    await SQL["disposition_rest"].execute(
        connection,
        phones=[row["id"] for row in rows],
        customer_id=campaign.customer_id,
        classes=list(until),
        now=form.now,
        until=list(until.values()),
    )


async def _follow(
    connection: Connection,
    form: _Form,
    kind: DispositionKind,
    campaign: Campaign,
    attempt: asyncpg.Record,
    contact: asyncpg.Record,
    due_at: datetime | None,
) -> None:
    """Close the contact or plan its next call; keep, replace and make promises."""
    where = {"contact_id": attempt["contact_id"], "attempt_id": form.attempt_id, "now": form.now}
    ended_next_at = contact["next_at"] if not attempt["live"] and contact["state"] == "open" else None
    closes, next_at = retry.after_disposition(
        kind,
        campaign,
        saved_at=form.now,
        counted=contact["counted"] + attempt["live"],
        times=attempt["times"] + 1,
        ended_next_at=ended_next_at,
        promised=due_at is not None,
    )
    promises_now = due_at is not None and closes is None
    if contact["promised"] or attempt["callback_id"] is not None:
        await SQL["disposition_callbacks"].execute(
            connection,
            **where,
            kept_id=attempt["callback_id"],
            operator_id=form.operator_id,
            replaces=promises_now or closes is not None,
        )
    if promises_now:
        await SQL["disposition_promise"].execute(
            connection,
            **where,
            campaign_id=campaign.id,
            phone_id=attempt["phone_id"],
            due_at=due_at,
            owner_id=form.owner_id,
            note=form.note,
        )
    await SQL["disposition_decide"].execute(
        connection, **where, closes=closes, next_at=next_at, promises=promises_now, phone_id=attempt["phone_id"]
    )


async def _lead(
    connection: Connection, form: _Form, kind: DispositionKind, campaign: Campaign, attempt: asyncpg.Record
) -> int:
    made = leads.Made(
        attempt_id=form.attempt_id,
        contact_id=attempt["contact_id"],
        campaign_id=campaign.id,
        customer_id=campaign.customer_id,
        phone_id=attempt["phone_id"],
        operator_id=form.operator_id,
        now=form.now,
        address=form.address or "",
        agreed=form.note,
        person=form.person,
        company=form.company,
        step=attempt["step"],
        flagged=kind.basket,
    )
    return await leads.make(connection, made)


async def _letter(connection: Connection, form: _Form, word: str, campaign: Campaign, attempt: asyncpg.Record) -> None:
    made = letters.Made(
        attempt_id=form.attempt_id,
        contact_id=attempt["contact_id"],
        campaign_id=campaign.id,
        customer_id=campaign.customer_id,
        word=word,
        address=form.address or "",
        now=form.now,
    )
    await letters.make(connection, made)


def _not_found() -> NotFound:
    return NotFound("attempt.not_found", "There is no such conversation of yours.")


def _exists() -> Refused:
    return Refused(
        "disposition.exists",
        "This conversation has its disposition.",
        remedy="Read the card again; what is saved stays as it is.",
    )
