"""What a campaign's letters say, in whose name they go, and what holds for them; every version is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dialer.core import letters as core
from dialer.core.letters import Rule
from dialer.errors import NotFound
from dialer.store.letters import SQL, Sender, mailbox
from dialer.store.pools import store_errors, transaction
from dialer.store.users import note

if TYPE_CHECKING:
    import asyncpg

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

_RULE = tuple(field.name for field in fields(Rule))


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What a letter says; ``version`` 0 is the text nobody has changed."""

    word: str
    language: str
    version: int
    subject: str
    body: str
    saved_at: datetime | None = None
    saved_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """The customer of a campaign and in whose name its letters go; ``sender`` None: nobody has said."""

    customer_id: int
    customer: str
    sender: Sender | None


class LetterTexts:
    """Reads and changes them; every change is in the audit log."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def rule(self, campaign_id: int) -> Rule:
        """What holds for the letters of a campaign.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            return _rule(await SQL["letter_rule"].fetchrow(self._pool, campaign_id=campaign_id))

    async def set_rule(self, campaign_id: int, rule: Rule, *, actor: Actor) -> None:
        """Change it, also for what waits.

        Raises:
            NotFound: ``campaign.not_found``.
        """

        async def work(connection: Connection) -> None:
            before = asdict(_rule(await SQL["letter_rule"].fetchrow(connection, campaign_id=campaign_id)))
            after = asdict(rule)
            await SQL["letter_rule_set"].execute(connection, campaign_id=campaign_id, **after)
            changed = [name for name in _RULE if before[name] != after[name]]
            await note(
                connection,
                actor,
                "letter.rule",
                f"campaign:{campaign_id}",
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )

        await transaction(self._pool, work)

    async def writer(self, campaign_id: int) -> Writer:
        """In whose name a campaign writes.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            row = await SQL["letter_sender"].fetchrow(self._pool, campaign_id=campaign_id)
        if row is None:
            raise _no_campaign()
        sender = Sender(name=row["name"], address=row["address"], reply_to=row["reply_to"]) if row["name"] else None
        return Writer(customer_id=row["customer_id"], customer=row["customer"], sender=sender)

    async def set_sender(self, campaign_id: int, sender: Sender, *, actor: Actor) -> None:
        """Say in whose name the customer of a campaign writes, in all its campaigns.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``letter.address``.
        """
        address = mailbox(sender.address, "address")
        reply_to = mailbox(sender.reply_to, "reply_to") if sender.reply_to else None

        async def work(connection: Connection) -> None:
            row = await SQL["letter_sender"].fetchrow(connection, campaign_id=campaign_id)
            if row is None:
                raise _no_campaign()
            after = {"name": sender.name, "address": address, "reply_to": reply_to}
            await SQL["letter_sender_set"].execute(connection, customer_id=row["customer_id"], **after)
            before = {name: row[name] for name in after}
            await note(connection, actor, "letter.sender", f"customer:{row['customer_id']}", before=before, after=after)

        await transaction(self._pool, work)

    async def templates(self, campaign_id: int, words: Sequence[str]) -> Sequence[Template]:
        """The present text of each of these letters in each language."""
        with store_errors():
            rows = await SQL["letter_templates"].fetch(self._pool, campaign_id=campaign_id)
        saved = {(row["word"], row["language"]): Template(**row) for row in rows}
        found = []
        for word in words:
            for language in core.LANGUAGES:
                subject, body = core.text_of(word, language)
                unchanged = Template(word=word, language=language, version=0, subject=subject, body=body)
                found.append(saved.get((word, language), unchanged))
        return found

    async def versions(self, campaign_id: int, word: str, language: str) -> Sequence[Mapping[str, Any]]:
        """All versions of a letter, the newest first."""
        with store_errors():
            rows = await SQL["letter_versions"].fetch(self._pool, campaign_id=campaign_id, word=word, language=language)
        return [dict(row) for row in rows]

    async def save(
        self, campaign_id: int, word: str, language: str, *, subject: str, body: str, now: datetime, actor: Actor
    ) -> int:
        """Save the next version of a letter; its number. What waits says it; what has left stays as it was.

        Raises:
            NotFound: ``campaign.not_found``.
        """

        async def work(connection: Connection) -> int:
            if await SQL["letter_template_turn"].fetchval(connection, campaign_id=campaign_id) is None:
                raise _no_campaign()
            version: int = await SQL["letter_template_add"].fetchval(
                connection,
                campaign_id=campaign_id,
                word=word,
                language=language,
                subject=subject,
                body=body,
                now=now,
                user_id=actor.user_id,
            )
            after = {"letter": word, "language": language, "version": version}
            await note(connection, actor, "letter.template", f"campaign:{campaign_id}", after=after)
            return version

        return await transaction(self._pool, work)

    async def tried(self, campaign_id: int, *, now: datetime, actor: Actor) -> int:
        """Keep that somebody sends a letter to look at it; how many it is within an hour."""

        async def work(connection: Connection) -> int:
            await note(connection, actor, "letter.test", f"campaign:{campaign_id}")
            return int(await SQL["letter_tests"].fetchval(connection, user_id=actor.user_id, now=now))

        return await transaction(self._pool, work)

    async def samples(self, campaign_id: int) -> Sequence[Mapping[str, Any]]:
        """Contacts of a campaign to look at a letter with, those who were spoken to last first."""
        with store_errors():
            return [dict(row) for row in await SQL["letter_samples"].fetch(self._pool, campaign_id=campaign_id)]

    async def about(self, campaign_id: int) -> Mapping[str, Any]:
        """What a letter says beside the contact: ``customer``, ``campaign``, ``zone``.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            row = await SQL["letter_told_customer"].fetchrow(self._pool, campaign_id=campaign_id)
        if row is None:
            raise _no_campaign()
        return dict(row)


def _rule(row: asyncpg.Record | None) -> Rule:
    if row is None:
        raise _no_campaign()
    return Rule(**row) if row["mode"] else Rule()


def _no_campaign() -> NotFound:
    return NotFound("campaign.not_found", "There is no such campaign.")
