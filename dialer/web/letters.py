"""Letters: the list, one of them, lists to fetch, addresses that get none; and the page that a letter leads to."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from aiohttp import web

from dialer.core import letters as core
from dialer.errors import NotFound, Refused
from dialer.outbox.letters import letter_of
from dialer.outbox.returned import take_in
from dialer.outbox.smtp import server_of
from dialer.passwords import LETTER_KEY, key_in
from dialer.store import letters as outbox
from dialer.store.letter_pages import Sought
from dialer.web import exports, pages, schemas, scope
from dialer.web.access import LEADS, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.web.call import Call

STATES = ("waiting", "sent", "listed", "refused", "bounced", "given_up")
#: Words of ours why a letter was refused, given up, or is tried again.
REASONS = (
    *("no_address", "bad_address", "unsubscribed", "bounced", "asked", "unanswered", "erased"),
    *("missing", "template", "unknown", "too_long", "refused_by_server", "deferred", "server", "server_away"),
)
#: The link that ends letters works for whoever has it: only the letter itself shows it.
_LINK = re.compile(r"(?<=/unsubscribe/)[A-Za-z0-9_-]{32}")
_COLUMNS = ("id", "message_id", "address", "name", "language", "subject", "body", "made_at")


async def find(call: Call, ask: schemas.LettersQuery) -> schemas.LettersAnswer:
    """Letters that the user may see; addresses are masked."""
    found = await call.stores.letters.find(_sought(call, ask))
    rows = [schemas.LetterRow.model_validate(_masked(row)) for row in found.rows]
    return schemas.LettersAnswer(letters=rows, next=found.next)


async def page(call: Call, ask: schemas.LettersQuery) -> web.Response:
    """The list, and for an admin the addresses that get none."""
    letters, sought = call.stores.letters, _sought(call, ask)
    found = await letters.find(sought)
    own = await scope.own_campaigns(call)
    chosen = next((row for row in own if row.id == ask.campaign_id), None)
    lists, waiting = await letters.lists(chosen.id) if chosen else ([], 0)
    listing = chosen is not None and (await call.stores.letter_texts.rule(chosen.id)).mode == "list"
    admin = Role(call.user.role) is Role.ADMIN
    return pages.page_for(
        call,
        "letters.html",
        "/letters",
        rows=[_masked(row) for row in found.rows],
        counts=await letters.states(sought),
        states=STATES,
        reasons=REASONS,
        ask=ask,
        campaigns=own,
        campaign=chosen,
        lists=lists,
        waiting_for_list=waiting if listing else 0,
        stops=await letters.stops() if admin else [],
        unsendable=await letters.unsendable() if admin else [],
        server=server_of(call.context.settings) is not None,
        admin=admin,
        addresses={state: _address(ask.model_copy(update={"state": state})) for state in (None, *STATES)},
        further=_address(ask, found.next) if found.next else None,
    )


async def one(call: Call) -> web.Response:
    """One letter with what it said, but for the link that ends letters."""
    found = await call.stores.letters.show(call.id())
    letter = {**found, **{part: _LINK.sub("…", found[part] or "") for part in ("subject", "body")}}
    may = Role(call.user.role) in LEADS
    shown = letter if may else _masked(letter)
    return pages.page_for(call, "letter.html", "/letters", help_of="letters", letter=shown, may=may)


async def replay(call: Call) -> schemas.Done:
    """Try again what was refused or given up.

    Raises:
        Refused: ``letter.no_replay``.
    """
    await call.stores.letters.replay(call.id(), actor=call.actor)
    return schemas.Done()


async def answered(call: Call) -> schemas.Done:
    """Somebody wrote back.

    Raises:
        Refused: ``letter.not_sent``.
    """
    await call.stores.letters.answered(call.id(), now=call.now, actor=call.actor)
    return schemas.Done()


async def report(call: Call) -> schemas.LetterReportAnswer:
    """A mail of the mailbox where bounces and answers come."""
    found = await take_in(call.stores.letters.pool, await call.request.read(), now=call.now)
    told = {"letter": found[1], "kind": found[0].kind, "of": found[0].of} if found else {}
    return schemas.LetterReportAnswer.model_validate(told)


async def lists(call: Call, ask: schemas.LetterListsQuery) -> schemas.LetterListsAnswer:
    """Lists of a campaign whose letters are fetched."""
    found, waiting = await call.stores.letters.lists(ask.campaign_id)
    return schemas.LetterListsAnswer(
        lists=[schemas.LetterListView.model_validate(row) for row in found], waiting=waiting
    )


async def fetch_list(call: Call, ask: schemas.LetterListQuery) -> web.Response:
    """A list as a file, as often as it is asked for; nothing in it is a formula, whatever people wrote."""
    rows = await call.stores.letters.fetch_list(ask.campaign_id, ask.list, now=call.now, actor=call.actor)
    told = [
        [f"{row[name]:%Y-%m-%d %H:%M}" if name == "made_at" else str(row[name]) for name in _COLUMNS] for row in rows
    ]
    body, media = exports.write_rows("letters", [list(_COLUMNS), *told], ask.format)
    name = f'attachment; filename="letters-{ask.campaign_id}-{ask.list}.{ask.format}"'
    return web.Response(body=body, content_type=media, headers={"Content-Disposition": name})


async def stops(call: Call, ask: schemas.LetterStopsQuery) -> schemas.LetterStopsAnswer:
    """Addresses that get no letters."""
    rows = await call.stores.letters.stops(before=ask.cursor)
    return schemas.LetterStopsAnswer(stops=[schemas.LetterStopView.model_validate(row) for row in rows])


async def stop(call: Call, ask: schemas.LetterStopAsk) -> schemas.Done:
    """No more letters to an address.

    Raises:
        Refused: ``letter.address``, ``letter.scope``.
    """
    await call.stores.letters.stop(
        ask.address,
        ask.scope,
        now=call.now,
        actor=call.actor,
        customer_id=ask.customer,
        campaign_id=ask.campaign_id,
    )
    return schemas.Done()


async def unstop(call: Call) -> schemas.Done:
    """Letters may go there again."""
    await call.stores.letters.unstop(call.id(), actor=call.actor)
    return schemas.Done()


async def ask_unsubscribe(call: Call) -> web.Response:
    """Where a letter leads: whether it was the last one. Looking changes nothing; mail programs look at every link."""
    letter = await _by_token(call)
    return _unsubscribe_page(letter, done=letter["unsubscribed_at"] is not None)


async def unsubscribe(call: Call) -> web.Response:
    """It was the last one: from the page, or by the mail program's own button (RFC 8058)."""
    letter = await _by_token(call)
    await outbox.unsubscribe(call.stores.letters.pool, letter["id"], now=call.now)
    return _unsubscribe_page(letter, done=True)


def _unsubscribe_page(letter: Mapping[str, Any], *, done: bool) -> web.Response:
    address = core.masked(letter["address"])
    language = letter["language"]
    return pages.page("unsubscribe.html", language, user=None, help_of="unsubscribe", done=done, address=address)


async def _by_token(call: Call) -> Mapping[str, Any]:
    """The letter whose link this is.

    Raises:
        NotFound: ``letter.not_found``: nobody of ours made it, or its person was erased.
    """
    key = await asyncio.to_thread(key_in, call.context.settings.data_dir, LETTER_KEY)
    letter_id = letter_of(key, call.request.match_info["token"])
    if letter_id is None:
        raise NotFound("letter.not_found", "There is no such letter.")
    letter = await call.stores.letters.show(letter_id)
    if not letter["address"]:
        raise NotFound("letter.not_found", "There is no such letter.")
    return letter


def _sought(call: Call, ask: schemas.LettersQuery) -> Sought:
    bound = scope.bound(call.user)
    return Sought(
        q=ask.q,
        state=ask.state,
        reason=ask.reason,
        campaign_id=ask.campaign_id,
        cursor=ask.cursor,
        team_id=call.user.team_id if bound else None,
        customer_id=call.user.customer_id if bound else None,
    )


def _masked(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "address": core.masked(row["address"])}


def _address(ask: schemas.LettersQuery, cursor: int | None = None) -> str:
    said = ask.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"cursor": cursor}
    return pages.address("/letters", said)


def no_server() -> Refused:
    """Nothing takes letters."""
    return Refused(
        "letter.no_server", "No mail server is set up for this service.", remedy="Set DIALER_SMTP_HOST and start again."
    )
