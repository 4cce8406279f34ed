"""The supervisor's and admin's routes: campaigns, bases, do-not-call, callbacks, attempts, numbers, users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialer import intake, passwords
from dialer.errors import Refused
from dialer.web import access, live, numbers, schemas, scope
from dialer.web.access import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.store.contacts import Held
    from dialer.web.call import Call


# Campaigns ---------------------------------------------------------------


async def campaigns(call: Call) -> schemas.CampaignsAnswer:
    """All campaigns that the user may see."""
    found = await scope.own_campaigns(call)
    return schemas.CampaignsAnswer(campaigns=[schemas.CampaignInfo.model_validate(row) for row in found])


async def campaign(call: Call) -> schemas.CampaignAnswer:
    """One campaign with its dispositions."""
    return _campaign(await call.stores.campaigns.get(call.id()))


def _campaign(row: object) -> schemas.CampaignAnswer:
    return schemas.CampaignAnswer(campaign=schemas.CampaignInfo.model_validate(row))


async def create_campaign(call: Call, ask: schemas.CampaignAsk) -> schemas.CampaignAnswer:
    """A new campaign, as a draft."""
    row = await call.stores.campaigns.create(_values(ask), actor=call.actor)
    return _campaign(row)


async def change_campaign(call: Call, ask: schemas.CampaignChange) -> schemas.CampaignAnswer:
    """Change a campaign; the engine reads it again at once."""
    row = await call.stores.campaigns.change(call.id(), _values(ask), actor=call.actor)
    await call.commands.campaigns_changed()
    return _campaign(row)


def _values(ask: schemas.CampaignChange) -> dict[str, object]:
    return ask.model_dump(mode="json", exclude_unset=True)


async def set_campaign_state(call: Call, ask: schemas.StateAsk) -> schemas.CampaignAnswer:
    """Start, pause or stop dialing; conversations go on."""
    row = await call.stores.campaigns.set_state(call.id(), ask.state, actor=call.actor)
    await call.commands.campaigns_changed()
    call.context.hub.overview.forget()
    return _campaign(row)


async def campaign_why(call: Call) -> schemas.CampaignWhy:
    """Contacts by the first reason that holds them back."""
    held = await call.stores.contacts.why_counts(call.id(), now=call.now)
    return schemas.CampaignWhy(campaign_id=call.id(), **_held(held))


async def base_why(call: Call) -> schemas.BaseWhy:
    """The same for one base."""
    held = await call.stores.contacts.why_counts(base_id=call.id(), now=call.now)
    return schemas.BaseWhy(base_id=call.id(), **_held(held))


def _held(held: Mapping[str, Held]) -> dict[str, Any]:
    return {
        "total": sum(one.contacts for one in held.values()),
        "counts": {reason: one.contacts for reason, one in held.items()},
        "next_change_at": {reason: one.until for reason, one in held.items()},
    }


async def contact_why(call: Call) -> schemas.ContactWhy:
    """Why this contact is not being dialled."""
    reasons = await call.stores.contacts.why(call.id(), now=call.now)
    return schemas.ContactWhy(
        contact_id=call.id(), reasons=[schemas.WhyReason.model_validate(reason) for reason in reasons]
    )


# Bases -------------------------------------------------------------------


async def bases(call: Call) -> schemas.BasesAnswer:
    """Bases of a campaign; a base manager's own."""
    found = await scope.shown_bases(call, await call.stores.bases.of_campaign(call.id()))
    return schemas.BasesAnswer(bases=[schemas.BaseInfo.model_validate(row) for row in found])


async def load_base(call: Call, ask: schemas.BaseQuery) -> schemas.BaseAnswer:
    """Load a base from the streamed body.

    Raises:
        Refused: ``request.media``, ``request.too_large``, ``base.…`` as the intake decides.
    """
    if call.request.content_type not in {"text/csv", "application/octet-stream"}:
        raise Refused("request.media", "the body is not CSV", remedy="Send Content-Type: text/csv.")
    loaded = await intake.load(
        call.stores,
        campaign_id=call.id(),
        name=ask.name,
        source=f"upload by {call.user.login}",
        data=await _upload(call),
        actor=call.actor,
    )
    await call.commands.campaigns_changed()
    return schemas.BaseAnswer.model_validate(loaded)


async def _upload(call: Call) -> bytes:
    data = bytearray()
    async for chunk in call.request.content.iter_chunked(256 * 1024):
        data += chunk
        if len(data) > access.UPLOAD_BYTES_MAX:
            raise Refused(
                "request.too_large", "the file is larger than 64 MB", remedy="Split it, or use dialer load-base."
            )
    return bytes(data)


# Do-not-call and callbacks -----------------------------------------------


async def do_not_calls(call: Call) -> schemas.DoNotCallsAnswer:
    """Entries, newest first; only admins read numbers whole."""
    found = [schemas.DoNotCallInfo.model_validate(row) for row in await call.stores.do_not_call.list()]
    if Role(call.user.role) is not Role.ADMIN:
        found = [row.model_copy(update={"phone": masked(row.phone)}) for row in found]
    return schemas.DoNotCallsAnswer(entries=found)


async def add_do_not_call(call: Call, ask: schemas.DoNotCallAsk) -> schemas.DoNotCallAnswer:
    """Never call this number again; a ringing line to it is cut after the commit."""
    if (ask.scope == "campaign") != (ask.campaign_id is not None) or (ask.scope == "customer") != (
        ask.customer_id is not None
    ):
        raise Refused(
            "request.scope", "scope and id do not fit", remedy="Give campaign_id with scope campaign, customer_id ..."
        )
    await scope.check_forbids(call, ask.scope, ask.customer_id)
    entry = await call.stores.do_not_call.add(
        phone=ask.phone,
        scope=ask.scope,
        campaign_id=ask.campaign_id,
        customer_id=ask.customer_id,
        reason=ask.reason,
        actor=call.actor,
    )
    await call.commands.do_not_call_added([entry.phone_id])
    return schemas.DoNotCallAnswer(entry=schemas.DoNotCallInfo.model_validate(entry))


async def remove_do_not_call(call: Call) -> schemas.Done:
    """Take an entry off the list; the audit log keeps who did."""
    await call.stores.do_not_call.remove(call.id(), actor=call.actor)
    return schemas.Done()


async def callbacks(call: Call, ask: schemas.CallbackQuery) -> schemas.CallbacksAnswer:
    """Promises, the next one first."""
    found = await call.stores.callbacks.list(campaign_id=ask.campaign, state=ask.state, limit=ask.limit, now=call.now)
    return schemas.CallbacksAnswer(callbacks=[schemas.CallbackInfo.model_validate(row) for row in found])


async def cancel_callback(call: Call, ask: schemas.CancelAsk) -> schemas.CallbackAnswer:
    """Cancel a promise; it keeps the name of who did, and why."""
    row = await call.stores.callbacks.cancel(call.id(), reason=ask.reason, actor=call.actor, now=call.now)
    await call.commands.campaigns_changed()
    return schemas.CallbackAnswer(callback=schemas.CallbackInfo.model_validate(row))


async def move_callback(call: Call, ask: schemas.MoveAsk) -> schemas.CallbackAnswer:
    """Move a promise to another time, which the rules must allow."""
    row = await call.stores.callbacks.move(
        call.id(), due_at=ask.due_at, reason=ask.reason, actor=call.actor, now=call.now
    )
    await call.commands.campaigns_changed()
    return schemas.CallbackAnswer(callback=schemas.CallbackInfo.model_validate(row))


async def hand_over_callback(call: Call, ask: schemas.HandOverAsk) -> schemas.CallbackAnswer:
    """Give a promise to another operator of the team, or to anybody of it."""
    row = await call.stores.callbacks.hand_over(
        call.id(), operator_id=ask.operator_id, reason=ask.reason, actor=call.actor, now=call.now
    )
    await call.commands.campaigns_changed()
    return schemas.CallbackAnswer(callback=schemas.CallbackInfo.model_validate(row))


# Numbers -----------------------------------------------------------------


async def attempts(call: Call, ask: schemas.AttemptQuery) -> schemas.AttemptsAnswer:
    """A page of finished attempts, newest first; numbers are masked."""
    page = await call.stores.attempts.list(
        campaign_id=ask.campaign,
        since=ask.since,
        until=ask.until,
        outcome=ask.outcome,
        operator_id=ask.operator,
        cursor=ask.cursor,
        limit=ask.limit,
    )
    rows = [schemas.AttemptInfo.model_validate(row) for row in page.rows]
    return schemas.AttemptsAnswer(
        attempts=[row.model_copy(update={"phone": masked(row.phone)}) for row in rows], next=page.next
    )


def masked(phone: str) -> str:
    """``+15555550123`` -> ``+1555…23``: enough to tell numbers apart, not to call one."""
    return f"{phone[:5]}…{phone[-2:]}"


async def kpi_definitions(_call: Call) -> schemas.KpiDefinitions:
    """One definition per number."""
    return numbers.definitions()


async def kpi(call: Call, ask: schemas.KpiQuery) -> schemas.KpiAnswer:
    """Numbers of a period."""
    return await numbers.period(call, ask)


async def board(call: Call) -> schemas.BoardAnswer:
    """The live board, now."""
    overview = call.context.hub.overview
    await overview.refresh()
    return live.board_answer(call.context.live, overview, call.user)


# Users -------------------------------------------------------------------


async def users(call: Call) -> schemas.UsersAnswer:
    """All users."""
    return schemas.UsersAnswer(users=_infos(await call.stores.users.list()))


def _infos(found: Sequence[object]) -> list[schemas.UserInfo]:
    return [schemas.UserInfo.model_validate(user) for user in found]


async def add_user(call: Call, ask: schemas.UserAsk) -> schemas.UserAnswer:
    """A new user.

    Raises:
        Refused: ``user.exists``, ``user.no_team``.
    """
    if ask.role == "operator" and ask.team is None:
        raise Refused("user.no_team", "an operator needs a team", remedy="Give team.")
    user = await call.stores.users.add(
        login=ask.login,
        name=ask.name,
        role=ask.role,
        password_hash=await passwords.hash_password(ask.password),
        team=ask.team,
        customer=ask.customer,
        language=ask.language,
        actor=call.actor,
    )
    return schemas.UserAnswer(user=schemas.UserInfo.model_validate(user))
