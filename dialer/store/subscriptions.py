"""Reports by mail: who asked for which, with which rights, on which days, and what became of each letter.

A day of a schedule is kept by its row (``report_run``), written with its letters and the next day in one transaction:
a crash, a second process, a clock that is put back find it there.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dialer.core.subscriptions import LATE, Due, When, next_due
from dialer.errors import NotFound, Refused
from dialer.store.letters import mailbox
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from dialer.store.letters import Told
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("subscription")
ROWS = 50
#: Of one user; and addresses of one report.
MOST, ADDRESSES_MAX = 50, 20
#: Trials somebody may send in an hour.
TRIALS_MAX = 10
#: Due reports that are begun in one transaction.
_EACH = 20
_DETAIL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A report by mail, as its user wants it.

    Attributes:
        zone: Whose calendar and clock hold, for several campaigns; one campaign has its own.
        period: ``core.subscriptions.PERIODS``.
        breakdown: By what its last table is broken down.
        form: ``csv`` or ``xlsx``.
        addresses: Where it goes, as people write them.
    """

    name: str
    campaign_id: int | None
    zone: str
    period: str
    breakdown: str
    language: str
    form: str
    when: When
    addresses: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What goes with a report."""

    name: str
    media: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What a report says."""

    subject: str
    body: str
    files: Sequence[File]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A letter that is to leave now.

    Attributes:
        about: The day whose yesterday, week or month before it tells.
        subject: What its run says, with ``body`` and ``files``; None before its first letter.
        user_id: With whose rights it is made.
        stopped: Why nothing goes to this address any more; None if it does.
        allowed: Whether who allowed this address still may.
    """

    id: int
    message_id: UUID
    address: str
    subscriber_id: int | None
    tries: int
    made_at: datetime
    run_id: int
    about: date
    subject: str | None
    body: str | None
    subscription_id: int
    user_id: int
    name: str
    campaign_id: int | None
    zone: str
    period: str
    breakdown: str
    language: str
    form: str
    stopped: str | None
    allowed: bool
    files: Sequence[File] = ()


async def fall_due(pool: Pool, *, now: datetime) -> int:
    """Begin what is due: its day, a letter to everybody who gets it, and its next day; how many reports.

    Args:
        pool: Any.
        now: Present time, aware.
    """

    async def work(connection: Connection) -> int:
        rows = await SQL["subscription_due"].fetch(connection, now=now, limit=_EACH)
        for row in rows:
            await _begin(connection, row, now)
        return len(rows)

    return await transaction(pool, work)


async def _begin(connection: Connection, row: asyncpg.Record, now: datetime) -> None:
    """One report: a day that is too long ago is left out."""
    day, at = row["next_day"], row["next_at"]
    if at >= now - LATE:
        about = {"subscription_id": row["id"], "day": day, "about": day, "due_at": at}
        run_id = await SQL["report_run_add"].fetchval(connection, **about)
        if run_id is not None and not await SQL["report_letter_add"].execute(
            connection, run_id=run_id, subscription_id=row["id"], now=now
        ):
            await _stop(connection, row["id"], "nobody", now)
    due = next_due(_when(row), ZoneInfo(row["zone"]), since=now - LATE, after=day)
    await SQL["subscription_next"].execute(connection, id=row["id"], next_day=due.day, next_at=due.at)


async def take(pool: Pool, *, now: datetime, until: datetime, limit: int) -> Sequence[int]:
    """Take letters that are due, until then: what is not told of by then is due again; which."""
    with store_errors():
        rows = await SQL["report_letter_take"].fetch(pool, now=now, until=until, limit=limit)
    return sorted(row["id"] for row in rows)


async def waiting(pool: Pool, letter_id: int) -> Waiting | None:
    """A letter that still waits, with all that it is made of."""
    with store_errors():
        row = await SQL["report_letter_due"].fetchrow(pool, id=letter_id)
        if row is None:
            return None
        files = await SQL["report_files"].fetch(pool, run_id=row["run_id"]) if row["subject"] is not None else []
    return Waiting(**row, files=[File(**one) for one in files])


async def composed(pool: Pool, run_id: int, said: Composed) -> None:
    """Keep what a report says, before its first letter leaves; what another process kept first stays."""

    async def work(connection: Connection) -> None:
        if await SQL["report_composed"].execute(connection, run_id=run_id, subject=said.subject, body=said.body):
            for place, file in enumerate(said.files):
                await SQL["report_file_add"].execute(connection, run_id=run_id, place=place, **asdict(file))

    await transaction(pool, work)


async def told(pool: Pool, one: Waiting, said: Told, *, now: datetime) -> None:
    """Keep what came of a try; nothing if somebody else has taken it since. A dead address gets no more."""

    async def work(connection: Connection) -> None:
        values = asdict(said) | {"detail": said.detail[:_DETAIL]}
        if not await SQL["report_letter_told"].execute(connection, id=one.id, tries=one.tries, now=now, **values):
            return
        if said.state == "bounced" and one.subscriber_id is not None:
            await _leave(connection, one.subscriber_id, one.subscription_id, "bounced", now)
        await SQL["report_forget"].execute(connection, run_id=one.run_id)

    await transaction(pool, work)


async def stop(pool: Pool, subscription_id: int, why: str, *, now: datetime) -> None:
    """Nothing of it is sent any more: its user was disabled (``disabled``) or may not read it (``rights``)."""

    async def work(connection: Connection) -> None:
        await _stop(connection, subscription_id, why, now)

    await transaction(pool, work)


async def leave(pool: Pool, subscriber_id: int, *, now: datetime) -> None:
    """Whoever has this address wants no more of the report."""

    async def work(connection: Connection) -> None:
        row = await SQL["subscriber_show"].fetchrow(connection, id=subscriber_id)
        if row is not None:
            await _leave(connection, subscriber_id, row["subscription_id"], "link", now)

    await transaction(pool, work)


async def bounced(pool: Pool, message_id: UUID, detail: str, *, now: datetime) -> int | None:
    """A mail server reported later that nobody is there; the letter, None where it is not ours."""

    async def work(connection: Connection) -> int | None:
        row = await SQL["report_bounced"].fetchrow(connection, message_id=message_id, detail=detail[:_DETAIL])
        if row is None:
            return None
        if row["subscriber_id"] is not None:
            about = await SQL["subscriber_show"].fetchrow(connection, id=row["subscriber_id"])
            if about is not None:
                await _leave(connection, row["subscriber_id"], about["subscription_id"], "bounced", now)
        return int(row["id"])

    return await transaction(pool, work)


class Subscriptions:
    """Reports by mail as their users see them; ``user_id`` None is an admin, who sees all."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def pool(self) -> Pool:
        """For what the outbox and the pages do alike."""
        return self._pool

    async def list(self, user_id: int | None, subscription_id: int | None = None) -> Sequence[Mapping[str, Any]]:
        """Reports by mail, the newest first."""
        with store_errors():
            rows = await SQL["subscription_list"].fetch(self._pool, user_id=user_id, id=subscription_id)
        return [dict(row) for row in rows]

    async def add(self, wanted: Wanted, *, admin: bool, now: datetime, actor: Actor) -> int:
        """A report to send from its next day on; its number.

        Raises:
            Refused: ``subscription.address``, ``subscription.too_many``, ``letter.address``.
        """

        async def work(connection: Connection) -> int:
            if await SQL["subscription_count"].fetchval(connection, user_id=actor.user_id) >= MOST:
                raise Refused("subscription.too_many", "That is enough.", remedy="Remove one first.")
            due = next_due(wanted.when, ZoneInfo(wanted.zone), since=now)
            subscription_id: int = await SQL["subscription_add"].fetchval(
                connection, user_id=actor.user_id, now=now, **_columns(wanted, due)
            )
            await _address(connection, subscription_id, wanted.addresses, actor.user_id, actor, admin=admin, now=now)
            await note(connection, actor, "subscription.add", _object(subscription_id), after=_noted(wanted))
            return subscription_id

        return await transaction(self._pool, work)

    async def change(
        self, subscription_id: int, wanted: Wanted, *, user_id: int | None, now: datetime, actor: Actor
    ) -> None:
        """Change all of it; what was kept of its days stays kept.

        Raises:
            NotFound: ``subscription.not_found``.
            Refused: ``subscription.address``, ``letter.address``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, subscription_id, user_id)
            due = next_due(wanted.when, ZoneInfo(wanted.zone), since=now, after=row["kept"])
            await SQL["subscription_change"].execute(connection, id=subscription_id, **_columns(wanted, due))
            addresses, admin = wanted.addresses, user_id is None
            await _address(connection, subscription_id, addresses, row["user_id"], actor, admin=admin, now=now)
            before = {name: row[name] for name in ("name", "campaign_id", "period", "breakdown", "form", "hour")}
            what = _object(subscription_id)
            await note(connection, actor, "subscription.change", what, before=before, after=_noted(wanted))

        await transaction(self._pool, work)

    async def pause(
        self, subscription_id: int, *, paused: bool, user_id: int | None, now: datetime, actor: Actor
    ) -> None:
        """Stop it, or let it go on from its next day.

        Raises:
            NotFound: ``subscription.not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, subscription_id, user_id)
            if paused:
                changed = await SQL["subscription_stop"].execute(connection, id=subscription_id, now=now, why="asked")
            else:
                due = next_due(_when(row), ZoneInfo(row["zone_now"]), since=now, after=row["kept"])
                changed = await SQL["subscription_resume"].execute(
                    connection, id=subscription_id, next_day=due.day, next_at=due.at
                )
            if changed:
                action = "subscription.stop" if paused else "subscription.resume"
                await note(connection, actor, action, _object(subscription_id))

        await transaction(self._pool, work)

    async def remove(self, subscription_id: int, *, user_id: int | None, now: datetime, actor: Actor) -> None:
        """Forget it; what was sent stays in the database.

        Raises:
            NotFound: ``subscription.not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, subscription_id, user_id)
            await SQL["subscription_remove"].execute(connection, id=subscription_id, now=now)
            before = {"name": row["name"]}
            await note(connection, actor, "subscription.remove", _object(subscription_id), before=before)

        await transaction(self._pool, work)

    async def send_now(self, subscription_id: int, *, user_id: int | None, now: datetime, actor: Actor) -> None:
        """A trial: as it would be today, to whoever asks.

        Raises:
            NotFound: ``subscription.not_found``.
            Refused: ``subscription.no_address``, ``subscription.trials``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, subscription_id, user_id)
            address = await SQL["own_address"].fetchval(connection, user_id=actor.user_id)
            if not address:
                raise Refused("subscription.no_address", "You have no address yet.", remedy="Save your own address.")
            if await SQL["report_trials"].fetchval(connection, user_id=actor.user_id, now=now) >= TRIALS_MAX:
                raise Refused("subscription.trials", "That is enough for this hour.", remedy="Wait an hour.")
            today = now.astimezone(ZoneInfo(row["zone_now"])).date()
            run_id = await SQL["report_run_add"].fetchval(
                connection, subscription_id=subscription_id, day=None, about=today, due_at=now
            )
            await SQL["report_letter_try"].execute(connection, run_id=run_id, address=address, now=now)
            await note(connection, actor, "subscription.send", _object(subscription_id))

        await transaction(self._pool, work)

    async def history(
        self, subscription_id: int, *, before: int | None = None, rows: int = ROWS
    ) -> Sequence[Mapping[str, Any]]:
        """What became of its letters, the newest first."""
        with store_errors():
            found = await SQL["report_history"].fetch(self._pool, id=subscription_id, before=before, limit=rows)
        return [dict(row) for row in found]

    async def own_address(self, user_id: int) -> str:
        """Where a user's own reports go; empty where nobody said."""
        with store_errors():
            return await SQL["own_address"].fetchval(self._pool, user_id=user_id) or ""

    async def set_own_address(self, address: str, *, actor: Actor) -> None:
        """From now on the user's own reports go there.

        Raises:
            Refused: ``letter.address``.
        """
        plain = mailbox(address, "address")

        async def work(connection: Connection) -> None:
            about = {"user_id": actor.user_id, "address": plain}
            await SQL["own_address_set"].execute(connection, **about)
            await SQL["own_address_moved"].execute(connection, **about)
            await note(connection, actor, "user.address", f"user:{actor.user_id}")

        await transaction(self._pool, work)

    async def subscriber(self, subscriber_id: int) -> Mapping[str, Any]:
        """An address with the report it gets.

        Raises:
            NotFound: ``subscription.not_found``.
        """
        with store_errors():
            row = await SQL["subscriber_show"].fetchrow(self._pool, id=subscriber_id)
        if row is None:
            raise _not_found()
        return dict(row)


async def _address(
    connection: Connection,
    subscription_id: int,
    addresses: Sequence[str],
    owner: int | None,
    actor: Actor,
    *,
    admin: bool,
    now: datetime,
) -> None:
    """Its addresses from now on: the user's own, those an admin allowed before, and of an admin any."""
    own = (await SQL["own_address"].fetchval(connection, user_id=owner) or "").casefold()
    rows = await SQL["subscriber_list"].fetch(connection, id=subscription_id)
    known = {row["address"].casefold(): row["allowed_by"] for row in rows}
    ids = []
    for said in addresses:
        plain = mailbox(said, "addresses")
        key = plain.casefold()
        if key != own and not admin and known.get(key) is None:
            raise _foreign()
        allowed_by = None if key == own else actor.user_id if admin else known[key]
        ids.append(
            await SQL["subscriber_set"].fetchval(connection, id=subscription_id, address=plain, allowed_by=allowed_by)
        )
    await SQL["subscriber_keep"].execute(connection, id=subscription_id, ids=ids, now=now)


async def _leave(connection: Connection, subscriber_id: int, subscription_id: int, why: str, now: datetime) -> None:
    await SQL["subscriber_stop"].execute(connection, id=subscriber_id, why=why, now=now)
    if not await SQL["subscriber_left"].fetchval(connection, id=subscription_id):
        await _stop(connection, subscription_id, "link" if why == "link" else "nobody", now)


async def _stop(connection: Connection, subscription_id: int, why: str, now: datetime) -> None:
    if await SQL["subscription_stop"].execute(connection, id=subscription_id, now=now, why=why):
        await note(connection, Actor(), "subscription.stop", _object(subscription_id), after={"why": why})


async def _locked(connection: Connection, subscription_id: int, user_id: int | None) -> asyncpg.Record:
    row = await SQL["subscription_lock"].fetchrow(connection, id=subscription_id, user_id=user_id)
    if row is None:
        raise _not_found()
    return row


def _columns(wanted: Wanted, due: Due) -> dict[str, Any]:
    names = ("name", "campaign_id", "zone", "period", "breakdown", "language", "form")
    when = {"weekdays": sorted(wanted.when.weekdays), "month_day": wanted.when.month_day, "hour": wanted.when.hour}
    return {name: getattr(wanted, name) for name in names} | when | {"next_day": due.day, "next_at": due.at}


def _noted(wanted: Wanted) -> dict[str, Any]:
    """For the audit log; addresses are people's, and only counted."""
    names = ("name", "campaign_id", "period", "breakdown", "form")
    return {name: getattr(wanted, name) for name in names} | {
        "hour": wanted.when.hour,
        "addresses": len(wanted.addresses),
    }


def _when(row: Mapping[str, Any] | asyncpg.Record) -> When:
    return When(weekdays=frozenset(row["weekdays"]), month_day=row["month_day"], hour=row["hour"])


def _object(subscription_id: int) -> str:
    return f"subscription:{subscription_id}"


def _not_found() -> NotFound:
    return NotFound("subscription.not_found", "There is no such report by mail.")


def _foreign() -> Refused:
    sentence = "Only an admin lets reports go to other addresses than your own."
    return Refused(
        "subscription.address",
        sentence,
        remedy="Ask an admin to add it.",
        fields=[{"field": "addresses", "message": sentence}],
    )
