"""Letters: written in the transaction of their disposition, taken and told of by the outbox, read by pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from dialer.core import letters as core
from dialer.core.letters import Rule, Standing
from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from dialer.core.mail_reports import Report
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("letter")
ROWS = 50
_RULE = tuple(field.name for field in fields(Rule))
_STANDING = tuple(field.name for field in fields(Standing))
_DETAIL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a letter follows from; an empty ``address`` is the one that the base tells."""

    attempt_id: UUID
    contact_id: int
    campaign_id: int
    customer_id: int
    word: str
    address: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A letter that is to leave now, and all that it is made of.

    Attributes:
        subject: What it said in an earlier try, with ``body``; None before the first.
        version: Of its template; None: nobody has changed the text.
        told_subject: The template's, with ``told_body``.
        rule: What holds for letters of the campaign now.
        standing: What is known of the address now.
    """

    id: int
    message_id: UUID
    address: str
    word: str
    language: str
    made_at: datetime
    tries: int
    subject: str | None
    body: str | None
    template_version: int | None
    name: str
    attributes: Mapping[str, Any]
    campaign: str
    zone: str
    customer: str
    agreed: str
    operator: str
    person: str
    company: str
    sender_name: str | None
    sender: str | None
    reply_to: str | None
    version: int | None
    told_subject: str
    told_body: str
    rule: Rule
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What a letter says, and of which version of its template (0: the text nobody has changed)."""

    subject: str
    body: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a letter: its state, why (a word of ours), and what the other side said.

    Attributes:
        next_at: When it is tried again; None where it is not.
    """

    state: str
    reason: str | None = None
    detail: str = ""
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """In whose name the letters of a customer go; ``reply_to`` None: answers go to ``address``."""

    name: str
    address: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which letters; what is None or empty does not narrow. ``cursor``: from under this letter."""

    q: str = ""
    state: str | None = None
    reason: str | None = None
    campaign_id: int | None = None
    contact_id: int | None = None
    customer_id: int | None = None
    team_id: int | None = None
    cursor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Letters of a list; ``next`` is the cursor of the page after, None on the last."""

    rows: Sequence[Mapping[str, Any]]
    next: int | None


async def make(connection: Connection, made: Made) -> int | None:
    """Write a letter in the transaction of its disposition; its number, None where the campaign writes none."""
    row = await SQL["letter_facts"].fetchrow(connection, contact_id=made.contact_id)
    if row is None:
        return None
    said = made.address or core.told(row["attributes"])
    address = core.address(said)
    reason = None if address else "bad_address" if said else "no_address"
    number: int = await SQL["letter_add"].fetchval(
        connection,
        attempt_id=made.attempt_id,
        contact_id=made.contact_id,
        campaign_id=made.campaign_id,
        customer_id=made.customer_id,
        word=made.word,
        language=core.language(row["attributes"], _rule(row)),
        address=address or "",
        now=made.now,
        reason=reason,
    )
    return number


async def take(pool: Pool, *, now: datetime, until: datetime, each: int) -> Sequence[int]:
    """Take letters that are due, at most ``each`` of a campaign and not more than its limits leave room for; which.

    Args:
        pool: Any.
        now: Present time, aware.
        until: What this process takes and never tells of is due again then.
        each: At most so many of one campaign.
    """

    async def work(connection: Connection) -> list[int]:
        taken: list[int] = []
        for turn in await SQL["letter_turns"].fetch(connection, now=now):
            counts = await SQL["letter_counts"].fetchrow(connection, campaign_id=turn["campaign_id"], now=now)
            hour, day = counts or (0, 0)
            room = core.room(hour, day, Rule(per_hour=turn["per_hour"], per_day=turn["per_day"]))
            rows = await SQL["letter_take"].fetch(
                connection, campaign_id=turn["campaign_id"], now=now, until=until, room=min(each, room)
            )
            taken.extend(row["id"] for row in rows)
        return taken

    return await transaction(pool, work)


async def due(executor: Pool | Connection, ids: Sequence[int]) -> Sequence[Due]:
    """Those of these letters that still wait, with all that they are made of."""
    with store_errors():
        rows = await SQL["letter_due"].fetch(executor, ids=list(ids)) if ids else []
    names = {field.name for field in fields(Due)} - {"rule", "standing", "told_subject", "told_body"}
    return [
        Due(
            **{name: row[name] for name in names},
            told_subject=row["told_subject"] or "",
            told_body=row["told_body"] or "",
            rule=Rule(**{name: row[name] for name in _RULE if name != "language"}, language=row["usual_language"]),
            standing=Standing(**{name: row[name] for name in _STANDING}),
        )
        for row in rows
    ]


async def composed(pool: Pool, letter_id: int, said: Composed) -> None:
    """Keep what a letter says, before it leaves for the first time: every try says the same."""
    with store_errors():
        await SQL["letter_composed"].execute(pool, id=letter_id, **asdict(said))


async def told(pool: Pool, one: Due, said: Told, *, now: datetime) -> None:
    """Keep what came of a try; nothing if somebody else has taken it since. A dead address gets no more letters."""

    async def work(connection: Connection) -> None:
        values = asdict(said) | {"detail": said.detail[:_DETAIL]}
        if await SQL["letter_told"].execute(connection, id=one.id, tries=one.tries, now=now, **values) and (
            said.state == "bounced"
        ):
            await _stop(connection, one.id, one.address, "bounced", now)

    await transaction(pool, work)


async def cut_lists(pool: Pool, *, now: datetime, judge: Callable[[Due], Composed | Told]) -> int:
    """Put on lists what was written before the last even hour, of campaigns that fetch their letters; how many.

    Args:
        pool: Any.
        now: Present time, aware.
        judge: What a letter says, or why it does not go.
    """
    cut_at = core.cut_at(now)

    async def work(connection: Connection) -> int:
        listed = 0
        for turn in await SQL["letter_lists_due"].fetch(connection, cut_at=cut_at):
            rows = await SQL["letter_list_of"].fetch(connection, campaign_id=turn["campaign_id"], cut_at=cut_at)
            list_id: int | None = None
            for row in rows:  # one by one: what stands on this list counts for the next letter to the same address
                [one] = await due(connection, [row["id"]])
                said = judge(one)
                if isinstance(said, Told):
                    refused = {"reason": said.reason, "detail": said.detail[:_DETAIL]}
                    await SQL["letter_refused"].execute(connection, id=one.id, now=now, **refused)
                    continue
                if list_id is None:
                    about = {"campaign_id": turn["campaign_id"], "cut_at": cut_at}
                    list_id = await SQL["letter_list_add"].fetchval(connection, **about)
                await SQL["letter_listed"].execute(connection, id=one.id, list_id=list_id, now=now, **asdict(said))
                listed += 1
        return listed

    return await transaction(pool, work)


async def unsubscribe(pool: Pool, letter_id: int, *, now: datetime) -> bool:
    """Whoever got this letter wants no more, of whom its campaign's rule says; whether there is such a letter."""

    async def work(connection: Connection) -> bool:
        row = await SQL["letter_lock"].fetchrow(connection, id=letter_id)
        if row is None or not row["address"]:
            return False
        await SQL["letter_unsubscribed"].execute(connection, id=letter_id, now=now)
        await SQL["letter_stop_add"].execute(
            connection,
            address=row["address"],
            scope=row["scope"],
            customer_id=row["customer_id"],
            campaign_id=row["campaign_id"],
            why="unsubscribed",
            letter_id=letter_id,
            user_id=None,
            now=now,
        )
        return True

    return await transaction(pool, work)


async def report(pool: Pool, said: Report, *, now: datetime) -> int | None:
    """Keep what a mail says of a letter: that it bounced, or was answered; the letter, None where it is not ours."""

    async def work(connection: Connection) -> int | None:
        letter_id: int | None = await SQL["letter_by_message"].fetchval(connection, message_id=said.message_id)
        if letter_id is None:
            return None
        row = await SQL["letter_lock"].fetchrow(connection, id=letter_id)
        if said.kind == "answered":
            await SQL["letter_answered"].execute(connection, id=letter_id, now=now)
        elif (
            row is not None
            and row["address"]
            and await SQL["letter_bounced"].execute(connection, id=letter_id, now=now, detail=said.detail[:_DETAIL])
        ):
            await _stop(connection, letter_id, row["address"], "bounced", now)
        return letter_id

    return await transaction(pool, work)


class Letters:
    """Letters as people see them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def pool(self) -> Pool:
        """For what the outbox and the pages do alike."""
        return self._pool

    async def find(self, sought: Sought, *, rows: int = ROWS) -> Page:
        """A page of letters, the newest first."""
        q = sought.q.strip()
        whole = core.address(q)

        async def work(connection: Connection) -> list[asyncpg.Record]:
            await SQL["letter_plan"].execute(connection)
            return await SQL["letter_find"].fetch(
                connection,
                campaign_id=sought.campaign_id,
                contact_id=sought.contact_id,
                customer_id=sought.customer_id,
                team_id=sought.team_id,
                state=sought.state,
                reason=sought.reason,
                address=whole,
                name=q if q and not whole else None,
                before=sought.cursor,
                limit=rows + 1,
            )

        found = [dict(row) for row in await transaction(self._pool, work)]
        return Page(rows=found[:rows], next=found[rows - 1]["id"] if len(found) > rows else None)

    async def states(self, sought: Sought) -> Mapping[str, int]:
        """How many letters are in each state."""
        with store_errors():
            rows = await SQL["letter_states"].fetch(
                self._pool, campaign_id=sought.campaign_id, team_id=sought.team_id, customer_id=sought.customer_id
            )
        return {row["state"]: row["letters"] for row in rows}

    async def unsendable(self) -> Sequence[Mapping[str, Any]]:
        """Customers whose letters wait for a sender: ``id``, ``name``, ``letters``."""
        with store_errors():
            return [dict(row) for row in await SQL["letter_unsendable"].fetch(self._pool)]

    async def show(self, letter_id: int) -> Mapping[str, Any]:
        """One letter with what it said.

        Raises:
            NotFound: ``letter.not_found``.
        """
        with store_errors():
            row = await SQL["letter_show"].fetchrow(self._pool, id=letter_id)
        if row is None:
            raise _not_found()
        return dict(row)

    async def replay(self, letter_id: int, *, actor: Actor) -> None:
        """Try again what was refused or given up, under the same Message-ID.

        Raises:
            NotFound: ``letter.not_found``.
            Refused: ``letter.no_replay``: it was sent, waits, or has nobody to go to.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, letter_id)
            if await SQL["letter_replay"].fetchval(connection, id=letter_id) is None:
                raise Refused(
                    "letter.no_replay",
                    "Only a letter that was refused or given up, and has an address, can be tried again.",
                    remedy="Read the letter again.",
                )
            await note(connection, actor, "letter.replay", f"letter:{letter_id}", before={"state": row["state"]})

        await transaction(self._pool, work)

    async def answered(self, letter_id: int, *, now: datetime, actor: Actor) -> None:
        """Somebody wrote back.

        Raises:
            NotFound: ``letter.not_found``.
            Refused: ``letter.not_sent``.
        """

        async def work(connection: Connection) -> None:
            await _locked(connection, letter_id)
            if not await SQL["letter_answered"].execute(connection, id=letter_id, now=now):
                raise Refused("letter.not_sent", "This letter was not sent.", remedy="Read the letter again.")
            await note(connection, actor, "letter.answered", f"letter:{letter_id}")

        await transaction(self._pool, work)

    async def stops(
        self, *, before: int | None = None, address: str | None = None, rows: int = ROWS
    ) -> Sequence[Mapping[str, Any]]:
        """Addresses that get no letters, the newest first."""
        with store_errors():
            found = await SQL["letter_stop_list"].fetch(self._pool, before=before, address=address, limit=rows)
        return [dict(row) for row in found]

    async def stop(
        self,
        address: str,
        scope: str,
        *,
        now: datetime,
        actor: Actor,
        customer_id: int | None = None,
        campaign_id: int | None = None,
    ) -> None:
        """Forbid letters to an address.

        Raises:
            Refused: ``letter.address``, ``letter.scope``.
        """
        plain = core.address(address)
        if plain is None:
            raise _no_address("address")
        about = {"scope": scope, "customer_id": customer_id, "campaign_id": campaign_id}

        async def work(connection: Connection) -> None:
            await SQL["letter_stop_add"].execute(
                connection, address=plain, **about, why="asked", letter_id=None, user_id=actor.user_id, now=now
            )
            await note(connection, actor, "letter.stop", "letters", after=about)

        try:
            await transaction(self._pool, work)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise Refused(
                "letter.scope", "The scope names no customer or campaign.", remedy="Give its number."
            ) from error

    async def unstop(self, stop_id: int, *, actor: Actor) -> None:
        """Allow letters to an address again.

        Raises:
            NotFound: ``letter.stop_not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await SQL["letter_stop_remove"].fetchrow(connection, id=stop_id)
            if row is None:
                raise NotFound("letter.stop_not_found", "There is no such entry.")
            await note(connection, actor, "letter.unstop", "letters", before=dict(row))

        await transaction(self._pool, work)

    async def lists(self, campaign_id: int) -> tuple[Sequence[Mapping[str, Any]], int]:
        """The lists of a campaign, the newest first, and how many letters wait for the next."""
        with store_errors():
            rows = await SQL["letter_lists"].fetch(self._pool, campaign_id=campaign_id)
            waiting = await SQL["letter_list_next"].fetchval(self._pool, campaign_id=campaign_id)
        return [dict(row) for row in rows], int(waiting)

    async def fetch_list(self, campaign_id: int, list_id: int, *, now: datetime, actor: Actor) -> Sequence[Any]:
        """The letters of a list as it was cut; who fetched it is in the audit log.

        Raises:
            NotFound: ``letter.list_not_found``.
        """

        async def work(connection: Connection) -> Sequence[Any]:
            about = {"id": list_id, "campaign_id": campaign_id}
            if await SQL["letter_list_fetch"].fetchval(connection, **about, now=now) is None:
                raise NotFound("letter.list_not_found", "There is no such list.")
            await note(connection, actor, "letter.list", f"campaign:{campaign_id}", after={"list": list_id})
            return [dict(row) for row in await SQL["letter_list_rows"].fetch(connection, id=list_id)]

        return await transaction(self._pool, work)


async def _stop(connection: Connection, letter_id: int, address: str, why: str, now: datetime) -> None:
    """Nothing goes to this address any more, of anybody."""
    about = {"address": address, "scope": "global", "customer_id": None, "campaign_id": None}
    await SQL["letter_stop_add"].execute(connection, **about, why=why, letter_id=letter_id, user_id=None, now=now)


async def _locked(connection: Connection, letter_id: int) -> asyncpg.Record:
    row = await SQL["letter_lock"].fetchrow(connection, id=letter_id)
    if row is None:
        raise _not_found()
    return row


def _rule(row: asyncpg.Record) -> Rule:
    return Rule(**{name: row[name] for name in _RULE})


def _no_address(field: str) -> Refused:
    sentence = "This is no address a letter can go to."
    return Refused(
        "letter.address",
        sentence,
        remedy="Write it like name@example.com.",
        fields=[{"field": field, "message": sentence}],
    )


def _not_found() -> NotFound:
    return NotFound("letter.not_found", "There is no such letter.")
