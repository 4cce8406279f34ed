"""Every number opens the facts behind it: lists of attempts, one attempt, one contact. Numbers are masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiohttp import web

from dialer.core.model import Outcome
from dialer.store.facts import SAID, SENT, Found, Sought
from dialer.store.letter_pages import Sought as SoughtLetters
from dialer.web import pages, recordings, schemas, scope, shown
from dialer.web.access import Role
from dialer.web.supervisor import masked
from dialer.web.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.campaigns import CampaignRow
    from dialer.store.kpi import By
    from dialer.web.call import Call

_HOME = "/attempts"
#: States of a live attempt by the word a board's number has.
_NOW = {
    "dialling": frozenset({"sent", "ringing", "answered", "offer", "waiting", "bridging"}),
    "waiting": frozenset({"answered", "waiting", "bridging"}),
    "talking": frozenset({"connected"}),
}
#: The row of a breakdown that is nobody's.
NOBODYS = "-"
#: What somebody may filter by who may see no campaign.
NO_CHOICES: Mapping[str, Sequence[Mapping[str, str]]] = {"operator": (), "code": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A step of an attempt; ``after_s`` since the step before."""

    at: datetime
    word: str
    after_s: float | None


async def attempts(call: Call, ask: schemas.AttemptsQuery) -> web.Response:
    """A list of attempts; whoever is bound to a team looks at one of its campaigns at a time."""
    if (attempt_id := _uuid(ask.q)) is not None:
        return web.Response(status=303, headers={"Location": f"/attempts/{attempt_id}"})
    own = await scope.own_campaigns(call)
    campaign_id = ask.campaign
    if campaign_id is None and scope.bound(call.user):
        campaign_id = own[0].id if own else None
    nothing = campaign_id is None and scope.bound(call.user)
    found = Found(rows=[], next=None) if nothing else await call.stores.facts.find(_sought(ask, campaign_id))
    choices = NO_CHOICES if nothing else await call.stores.facts.choices(campaign_id)
    return pages.page_for(
        call,
        "attempts.html",
        _HOME,
        found=found,
        rows=[{**row, "phone": masked(str(row["phone"]))} for row in found.rows],
        now=[] if nothing else await _now(call, ask, campaign_id),
        ask=ask,
        campaign_id=campaign_id,
        campaigns=own,
        campaign=_named(own, campaign_id),
        choices=choices,
        part_name=await part_name(call, ask.by, ask.part),
        outcomes=list(Outcome),
        facts_known=[*sorted(SENT), *sorted(SAID)],
        bound=scope.bound(call.user),
        further=_address(ask, campaign_id, found.next) if found.next else None,
        again=_address(ask, campaign_id, None),
    )


async def attempt(call: Call) -> web.Response:
    """One attempt: its steps, what was said, and why it was placed at all."""
    row, minute = await call.stores.facts.attempt(call.uuid())
    return pages.page_for(
        call,
        "attempt.html",
        _HOME,
        attempt={**row, "phone": masked(str(row["phone"]))},
        steps=steps(row),
        minute=minute,
        script=await call.stores.scripts.shown(call.uuid()),
        recording=(await recordings.read(call)).recording,
        admin=Role(call.user.role) is Role.ADMIN,
        now=call.now,
    )


async def contact(call: Call) -> web.Response:
    """One contact: numbers, every attempt, promises, and why it is or is not dialled."""
    contact_id = call.id()
    team_id = call.user.team_id if scope.bound(call.user) else None
    row = await call.stores.facts.contact(contact_id, team_id=team_id)
    found = await call.stores.facts.find(Sought(contact_id=contact_id, campaign_id=row["campaign_id"]), rows=200)
    letters = await call.stores.letters.find(SoughtLetters(contact_id=contact_id))
    reasons = await call.stores.contacts.why(contact_id, now=call.now)
    phones = [{**one, "phone": masked(str(one["phone"]))} for one in row["phones"]]
    versions = await call.stores.scripts.versions(row["campaign_id"])
    return pages.page_for(
        call,
        "contact.html",
        _HOME,
        contact={**row, "phones": phones},
        rows=[{**one, "script": shown.of_row(one, versions)} for one in found.rows],
        reasons=reasons,
        recorded=await recordings.shown(call, [one["attempt_id"] for one in found.rows]),
        letters=letters.rows,
        now=call.now,
    )


def steps(row: Mapping[str, Any]) -> list[Moment]:
    """What happened to an attempt, in order."""
    told = [
        (row[name], word)
        for name, word in (
            ("sent_at", "sent"),
            ("rang_at", "rang"),
            ("answered_at", "answered"),
            ("waiting_at", "waiting"),
            ("connected_at", "connected"),
            ("ended_at", "ended"),
            ("saved_at", "saved"),
        )
        if row[name] is not None
    ]
    told.sort(key=lambda step: step[0])
    before = [None, *(at for at, _ in told[:-1])]
    return [
        Moment(at=at, word=word, after_s=(at - earlier).total_seconds() if earlier else None)
        for (at, word), earlier in zip(told, before, strict=True)
    ]


def _sought(ask: schemas.AttemptsQuery, campaign_id: int | None) -> Sought:
    return Sought(
        q=ask.q,
        campaign_id=campaign_id,
        operator_id=ask.operator,
        contact_id=ask.contact,
        phone_id=ask.phone,
        outcome=ask.outcome,
        code=ask.code,
        fact=ask.fact,
        number=ask.number,
        reason=ask.reason,
        by=ask.by,
        part="" if ask.part == NOBODYS else ask.part,
        weekday=ask.weekday,
        hour=ask.hour,
        since=ask.since,
        until=ask.until,
        oldest=ask.order == "oldest",
        cursor=ask.cursor,
    )


async def _now(call: Call, ask: schemas.AttemptsQuery, campaign_id: int | None) -> Sequence[Mapping[str, Any]]:
    """Attempts that go on, if they are asked for; the board's numbers of this moment open here."""
    if ask.now is None:
        return []
    rows = await call.stores.facts.now(campaign_id=campaign_id, operator_id=ask.operator)
    wanted = _NOW.get(ask.now)
    return [
        {**row, "phone": masked(str(row["phone"]))} for row in rows if wanted is None or str(row["state"]) in wanted
    ]


def _address(ask: schemas.AttemptsQuery, campaign_id: int | None, cursor: str | None) -> str:
    """The address of this list, from a cursor on."""
    said = ask.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    said |= {"campaign": campaign_id, "cursor": cursor}
    return pages.address("/attempts", said)


async def part_name(call: Call, by: By | None, part: str | None) -> str:
    """What people call the row of a breakdown that is shown."""
    if not by or not part or part == NOBODYS:
        return TEXTS[call.user.language]["reports.nobody"]
    return await call.stores.kpi.name_of(by, part)


def _named(campaigns: Sequence[CampaignRow], campaign_id: int | None) -> CampaignRow | None:
    return next((row for row in campaigns if row.id == campaign_id), None)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) in {32, 36} else None
    except ValueError:
        return None
