"""Letters: written in the transaction of their disposition, taken and told of by the outbox.

``letter_pages`` shows them to people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from dialer.core import letters as core
from dialer.core.letters import Rule, Standing
from dialer.core.mail_reports import LETTER
from dialer.errors import Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries

if TYPE_CHECKING:
    from dialer.core.mail_reports import Report
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("letter")
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
    if said.of != LETTER:
        return None

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


async def _stop(connection: Connection, letter_id: int, address: str, why: str, now: datetime) -> None:
    """Nothing goes to this address any more, of anybody."""
    about = {"address": address, "scope": "global", "customer_id": None, "campaign_id": None}
    await SQL["letter_stop_add"].execute(connection, **about, why=why, letter_id=letter_id, user_id=None, now=now)


def _rule(row: asyncpg.Record) -> Rule:
    return Rule(**{name: row[name] for name in _RULE})


def mailbox(said: str, field: str) -> str:
    """An address as a person wrote it into this field, as ``core.letters.address`` has it.

    Raises:
        Refused: ``letter.address``.
    """
    plain = core.address(said)
    if plain is not None:
        return plain
    sentence = "This is no address a letter can go to."
    raise Refused(
        "letter.address",
        sentence,
        remedy="Write it like name@example.com.",
        fields=[{"field": field, "message": sentence}],
    )
