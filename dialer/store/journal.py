"""The journal: facts of a moment in one transaction, few statements, each a no-op when it is repeated.

An end goes first (its operator is free for the next attempt of the same moment), after the dispositions that keys of
its offer chose; then progress; then shifts.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from dialer.core import budget as law
from dialer.core import retry
from dialer.core.model import AttemptState, CallbackState, EndedBy, OperatorState
from dialer.errors import LeaseLost
from dialer.store import dispositions, do_not_call, lease, listenings, recordings, returns
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dialer.core.model import Ended, LiveAttempt, LiveOperator, OperatorInterval
    from dialer.core.preview import PreviewEnd
    from dialer.engine.ports import Journal, Lease
    from dialer.store.queries import Connection

SQL = queries("journal")

#: What the callee asked for by key holds for everybody this customer calls for.
OPT_OUT_SCOPE = "customer"


async def write(connection: Connection, journal: Journal, held: Lease | None) -> None:
    """Store a journal inside the caller's transaction.

    Raises:
        LeaseLost: Another engine has taken over since; it tells what happened now.
    """
    if held and not await lease.SQL["lease_fence_facts"].fetchval(connection, switch=held.switch, epoch=held.epoch):
        raise LeaseLost("lease.lost", f"Epoch {held.epoch} on {held.switch} is over.")
    await _by_key(connection, journal)
    if journal.ended:
        await _end(connection, journal.ended)
    rows = _latest(journal.progress)
    for part in ([row for row in rows if not _holds(row)], [row for row in rows if _holds(row)]):
        if part:
            await _progress(connection, part)
    if journal.previews:
        await _previews(connection, {end.preview.id: end for end in journal.previews})
    if journal.operators:
        await _operators(connection, {operator.operator_id: operator for operator in journal.operators})
    if journal.intervals:
        await _intervals(connection, journal.intervals)
    await _listened(connection, journal, held)
    if journal.recordings and held is not None:
        await recordings.begin(connection, journal.recordings, held.switch)
    if journal.pauses:
        await recordings.pause(connection, journal.pauses)


async def _by_key(connection: Connection, journal: Journal) -> None:
    """What callees chose by key."""
    for attempt_id, code, at in journal.key_dispositions:
        await dispositions.save_key(connection, attempt_id, code, at)
    for attempt_id, at in journal.opt_outs:
        await do_not_call.opt_out(connection, attempt_id, OPT_OUT_SCOPE, at)


async def _listened(connection: Connection, journal: Journal, held: Lease | None) -> None:
    """Supervisors who hear conversations no more."""
    if journal.began_at is not None and held is not None:
        await listenings.end_lost(connection, held.switch, journal.began_at)
    if journal.listenings:
        await listenings.end(connection, journal.listenings)


def _latest(progress: Sequence[LiveAttempt]) -> Sequence[LiveAttempt]:
    """One row per attempt: the last told, as one statement cannot change a row twice."""
    latest = {attempt.id: attempt for attempt in progress}
    return [attempt for attempt in latest.values() if attempt.state is not AttemptState.ENDED]


def _holds(row: LiveAttempt) -> bool:
    """Whether it takes its operator; whoever lets one go is written first."""
    return row.state in {AttemptState.BRIDGING, AttemptState.CONNECTED} and row.ended_by is not EndedBy.PHONE_LOST


async def _progress(connection: Connection, rows: Sequence[LiveAttempt]) -> None:
    await SQL["journal_progress"].execute(
        connection,
        ids=[row.id for row in rows],
        states=[row.state for row in rows],
        rang_at=[row.rang_at for row in rows],
        answered_at=[row.answered_at for row in rows],
        waiting_at=[row.waiting_at for row in rows],
        operator_ids=[row.operator_id for row in rows],
        connected_at=[row.connected_at for row in rows],
        keys=[row.key for row in rows],
        ended_by=[row.ended_by for row in rows],
    )


async def _end(connection: Connection, told: Sequence[Ended]) -> None:
    rows = list({row.attempt.id: row for row in told}.values())
    gone = await SQL["journal_end"].fetch(
        connection,
        ids=[row.attempt.id for row in rows],
        rang_at=[row.attempt.rang_at for row in rows],
        answered_at=[row.attempt.answered_at for row in rows],
        waiting_at=[row.attempt.waiting_at for row in rows],
        operator_ids=[row.attempt.operator_id for row in rows],
        connected_at=[row.attempt.connected_at for row in rows],
        ended_at=[row.ended_at for row in rows],
        outcomes=[row.outcome for row in rows],
        ended_by=[row.ended_by for row in rows],
        causes=[row.cause for row in rows],
        sip_codes=[row.sip_code for row in rows],
        keys=[row.attempt.key for row in rows],
        counts=[row.counts for row in rows],
        legal_answered=[row.legal_answered for row in rows],
        legal_abandoned=[row.legal_abandoned for row in rows],
    )
    moved: set[UUID] = {record["attempt_id"] for record in gone}
    rows = [row for row in rows if row.attempt.id in moved]
    missed = [row.attempt.id for row in rows if row.attempt.came_in and row.attempt.connected_at is None]
    if missed:
        await returns.SQL["return_owed"].execute(connection, ids=missed)
        rows = [row for row in rows if row.attempt.id not in set(missed)]
    if rows:
        rows = await _owed_beside(connection, rows)
        await _contacts(connection, rows)
        await _phones(connection, rows)
        await _callbacks(connection, [row for row in rows if row.attempt.callback_id is not None])
        await _budgets(connection, rows)


async def _owed_beside(connection: Connection, rows: Sequence[Ended]) -> list[Ended]:
    """Ends that would close a contact, with a call back owed since they began: it outlasts them."""
    last = sorted((row for row in rows if row.closes or row.dead_phone), key=lambda row: row.attempt.contact_id)
    if not last:
        return list(rows)
    about = {"contacts": [row.attempt.contact_id for row in last]}
    await returns.SQL["return_beside_lock"].execute(connection, **about)
    since = [row.attempt.sent_at for row in last]
    owed = {found["contact_id"] for found in await returns.SQL["return_beside"].fetch(connection, **about, since=since)}
    beside = {row.attempt.id for row in last if row.attempt.contact_id in owed}
    return [retry.owed_beside(row) if row.attempt.id in beside else row for row in rows]


async def _contacts(connection: Connection, rows: Sequence[Ended]) -> None:
    rows = sorted(rows, key=lambda row: row.attempt.contact_id)
    contacts = [row.attempt.contact_id for row in rows]
    phones = [row.attempt.phone_id for row in rows]
    dead = [row.attempt for row in rows if row.dead_phone]
    if dead:
        await SQL["journal_dead_phones"].execute(
            connection, contacts=[row.contact_id for row in dead], phones=[row.phone_id for row in dead]
        )
    await SQL["journal_contacts"].execute(
        connection,
        ids=[row.attempt.id for row in rows],
        contacts=contacts,
        phones=phones,
        counts=[row.counts for row in rows],
        next_at=[row.next_at for row in rows],
        closes=[row.closes for row in rows],
        next_phone=[row.next_phone for row in rows],
        dead_phone=[row.dead_phone for row in rows],
        ended_at=[row.ended_at for row in rows],
    )


async def _phones(connection: Connection, rows: Sequence[Ended]) -> None:
    resting = {row.attempt.phone_id: row for row in rows if row.phone_not_before or row.phone_held_until}
    if resting:
        told = [resting[phone] for phone in sorted(resting)]
        await SQL["journal_phones"].execute(
            connection,
            phones=sorted(resting),
            not_before=[row.phone_not_before for row in told],
            held_until=[row.phone_held_until for row in told],
        )


async def _callbacks(connection: Connection, rows: Sequence[Ended]) -> None:
    if rows:
        await SQL["journal_callbacks"].execute(
            connection,
            ids=[row.attempt.id for row in rows],
            callbacks=[row.attempt.callback_id for row in rows],
            states=[row.callback or CallbackState.PENDING for row in rows],
            next_at=[row.next_at for row in rows],
            ended_at=[row.ended_at for row in rows],
        )


async def _budgets(connection: Connection, rows: Sequence[Ended]) -> None:
    by_campaign: defaultdict[int, list[Ended]] = defaultdict(list)
    for row in rows:
        by_campaign[row.attempt.campaign_id].append(row)
    for campaign_id, of_campaign in sorted(by_campaign.items()):
        ended = [row for row in of_campaign if law.touched_by(row)]
        answered: list[datetime] = [row.attempt.sent_at for row in ended if row.legal_answered]
        abandoned: list[datetime] = [row.attempt.sent_at for row in ended if row.legal_abandoned]
        await SQL["journal_budget"].execute(
            connection,
            campaign_id=campaign_id,
            answered=answered,
            abandoned=abandoned,
            ended=sum(not row.attempt.asked for row in ended),
        )


async def _previews(connection: Connection, told: Mapping[UUID, PreviewEnd]) -> None:
    rows = list(told.values())
    await SQL["journal_previews"].execute(
        connection,
        ids=[row.preview.id for row in rows],
        operators=[row.preview.operator_id for row in rows],
        campaigns=[row.preview.campaign_id for row in rows],
        contacts=[row.preview.contact_id for row in rows],
        offered_at=[row.preview.offered_at for row in rows],
        ended_at=[row.ended_at for row in rows],
        hows=[row.how for row in rows],
        reasons=[row.reason for row in rows],
    )


async def _operators(connection: Connection, told: Mapping[int, LiveOperator]) -> None:
    gone = [operator for operator in told.values() if operator.state is OperatorState.OFFLINE]
    if gone:
        await SQL["journal_operators_gone"].execute(
            connection,
            operators=[operator.operator_id for operator in gone],
            sessions=[operator.session_id for operator in gone],
        )
    rows = [operator for operator in told.values() if operator.state is not OperatorState.OFFLINE]
    if rows:
        await SQL["journal_operators"].execute(
            connection,
            operators=[row.operator_id for row in rows],
            sessions=[row.session_id for row in rows],
            seats=[row.seat for row in rows],
            teams=[row.team_id for row in rows],
            names=[row.name for row in rows],
            states=[row.state for row in rows],
            since=[row.since for row in rows],
            reasons=[row.reason for row in rows],
            until=[row.until for row in rows],
            campaigns=[row.campaign_id for row in rows],
            attempts=[row.attempt_id for row in rows],
            pauses_after=[row.pause_after for row in rows],
            leaving=[row.leaving for row in rows],
        )


async def _intervals(connection: Connection, rows: Sequence[OperatorInterval]) -> None:
    await SQL["journal_intervals"].execute(
        connection,
        operators=[row.operator_id for row in rows],
        sessions=[row.session_id for row in rows],
        states=[row.state for row in rows],
        started_at=[row.started_at for row in rows],
        ended_at=[row.ended_at for row in rows],
        reasons=[row.reason for row in rows],
        campaigns=[row.campaign_id for row in rows],
        attempts=[row.attempt_id for row in rows],
    )
