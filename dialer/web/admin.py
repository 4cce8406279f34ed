"""What admins set up: people, tokens of programs, trunks, copies of campaigns; and everybody's own sessions."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from dialer import passwords
from dialer.errors import NotFound, Refused
from dialer.store.users import Actor
from dialer.web import auth, schemas, second_factor
from dialer.web.access import Role

if TYPE_CHECKING:
    from aiohttp.web import StreamResponse

    from dialer.web.call import Call, Context

# Sessions of one's own ---------------------------------------------------


async def sessions(call: Call) -> schemas.SessionsAnswer:
    """Where the user is logged in."""
    session = call.own_session
    found = await call.stores.users.open_sessions(session.user.id, session.token_hash)
    return schemas.SessionsAnswer(sessions=[schemas.SessionInfo.model_validate(one) for one in found])


async def revoke_session(call: Call) -> schemas.Done:
    """End one of the user's own sessions; its pages close at once.

    Raises:
        NotFound: ``session.not_found``.
    """
    ended = await call.stores.users.revoke_session(call.id(), user_id=call.user.id, actor=call.actor)
    await asyncio.shield(call.context.sockets.close(ended))
    return schemas.Done()


async def change_password(call: Call, ask: schemas.PasswordChange) -> StreamResponse:
    """Change one's own password: all sessions end, and this browser gets a new one.

    Raises:
        Refused: ``second_factor.password``, ``login.too_many``.
    """
    await second_factor.check_password(call, ask.old, "old")
    changes = {"password_hash": await passwords.hash_password(ask.new)}
    user, ended = await call.stores.users.change(call.user.id, changes, actor=call.actor)
    await asyncio.shield(call.context.sockets.close(*ended))
    return await auth.enter(call, user)


# People ------------------------------------------------------------------


async def change_user(call: Call, ask: schemas.UserChange) -> schemas.UserAnswer:
    """Change a user; whoever may do something else from now on is logged out at once.

    Raises:
        NotFound: ``user.not_found``.
        Refused: ``user.yourself``, ``user.no_team``, ``user.no_customer``.
    """
    changes = ask.model_dump(exclude_none=True, exclude={"password"})
    if call.id() == call.user.id and changes.keys() & {"disabled", "role"}:
        raise Refused("user.yourself", "you cannot lock yourself out", remedy="Ask another admin.")
    if ask.password:
        changes["password_hash"] = await passwords.hash_password(ask.password)
    user, ended = await call.stores.users.change(call.id(), changes, actor=call.actor)
    await asyncio.shield(call.context.sockets.close(*ended))
    return schemas.UserAnswer(user=schemas.UserInfo.model_validate(user))


# The first admin ---------------------------------------------------------


async def offer_setup(context: Context) -> None:
    """At the very first start: make a one-time token, by which the first admin is made in the browser."""
    if await context.stores.users.nobody():
        context.setup.token = secrets.token_urlsafe(18)


async def setup(call: Call, ask: schemas.SetupAsk) -> StreamResponse:
    """Make the first admin, once, and log in.

    Raises:
        Refused: ``login.setup``: the token is wrong, or there is a user already.
    """
    token = call.context.setup.token
    async with call.context.setup.turn:
        right = token is not None and secrets.compare_digest(token.encode(), ask.token.encode())
        if not right or not await call.stores.users.nobody():
            await asyncio.sleep(1)  # one guess a second, for all guessers together
            raise Refused(
                "login.setup", "this token is not the one that was printed", remedy="Restart the service for a new one."
            )
        user = await call.stores.users.add(
            login=ask.login,
            name=ask.name,
            role=Role.ADMIN,
            password_hash=await passwords.hash_password(ask.password),
            team=None,
            language=ask.language,
            actor=Actor(ip=call.ip),
        )
        call.context.setup.token = None
    return await auth.enter(call, user)


# Tokens of programs ------------------------------------------------------


async def tokens(call: Call) -> schemas.TokensAnswer:
    """All tokens."""
    found = await call.stores.tokens.list()
    return schemas.TokensAnswer(tokens=[schemas.TokenInfo.model_validate(one) for one in found])


async def add_token(call: Call, ask: schemas.TokenAsk) -> schemas.TokenMade:
    """A token for a program; its secret is shown this once.

    Raises:
        NotFound: ``user.not_found``: there is no user of role api with this login.
    """
    found = await call.stores.users.by_login(ask.login)
    if found is None or found.user.role != Role.API:
        raise NotFound("user.not_found", "there is no user of role api with this login", remedy="Add one first.")
    secret = auth.TOKEN_OF_PROGRAM + secrets.token_urlsafe(32)
    token = await call.stores.tokens.add(
        auth.hash_token(secret),
        user=found.user,
        name=ask.name,
        scopes=sorted(set(ask.scopes)),
        addresses=ask.addresses,
        expires_at=call.now + timedelta(days=ask.days),
        actor=call.actor,
    )
    return schemas.TokenMade(token=schemas.TokenInfo.model_validate(token), secret=secret)


async def revoke_token(call: Call) -> schemas.Done:
    """It is of no use from now on.

    Raises:
        NotFound: ``token.not_found``.
    """
    await call.stores.tokens.revoke(call.id(), actor=call.actor)
    return schemas.Done()


# Trunks and campaigns ----------------------------------------------------


async def set_trunk(call: Call, ask: schemas.TrunkAsk) -> schemas.Done:
    """Set up a line to a carrier, or change its limits; in effect at once."""
    await call.stores.campaigns.set_trunk(
        ask.name, kind=ask.kind, max_channels=ask.max_channels, calls_per_s=ask.calls_per_s, actor=call.actor
    )
    await call.commands.campaigns_changed()
    return schemas.Done()


async def copy_campaign(call: Call, ask: schemas.CopyAsk) -> schemas.CampaignAnswer:
    """A draft with the same settings and dispositions, without bases.

    Raises:
        Refused: ``campaign.exists``.
    """
    row = await call.stores.campaigns.copy(call.id(), ask.name, actor=call.actor)
    return schemas.CampaignAnswer(campaign=schemas.CampaignInfo.model_validate(row))
