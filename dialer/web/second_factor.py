"""The second factor: a code by time after the password, for those who steer; recovery codes for a lost phone.

The secret of a user is no column of the database: it is an HMAC of a random seed, which is, under a key in
``data_dir/second-factor.key``, made at the first need. A copy of the database alone shows no code. Recovery codes are
80 random bits, kept as SHA-256.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

from dialer import passwords
from dialer.core import qr, totp
from dialer.errors import Refused
from dialer.store.users import Actor
from dialer.web import schemas, throttle

if TYPE_CHECKING:
    from pathlib import Path

    from dialer.store.second_factors import Factor
    from dialer.store.users import User
    from dialer.web.call import Call

RECOVERY_CODES = 10
_KEY = "second-factor.key"
_SECRET_BYTES = 20  # as long as the MAC of SHA-1, RFC 4226 section 4


def key_in(folder: Path) -> bytes:
    """The key that secrets follow from; made when there is none."""
    return passwords.key_in(folder, _KEY)


async def secret_of(call: Call, user_id: int, seed: bytes) -> bytes:
    """The secret in the user's app."""
    key = await asyncio.to_thread(key_in, call.context.settings.data_dir)
    return hmac.digest(key, b"totp %d " % user_id + seed, "sha256")[:_SECRET_BYTES]


# At login ----------------------------------------------------------------


async def check_login(call: Call, user: User, typed: str | None) -> None:
    """After the right password: the code of now, or a recovery code; nothing where the user has no second factor.

    Raises:
        Refused: ``login.code_needed``, ``login.wrong_code``, ``login.used_code``.
    """
    factor = await call.stores.second_factors.read(user.id)
    if factor is None or factor.confirmed_at is None:
        return
    if not typed:
        raise Refused("login.code_needed", "a code is needed too", remedy="Type the six digits your app shows.")
    try:
        await _take(call, user, factor, typed)
    except Refused as error:
        await throttle.note_wrong(call, user.login)
        code = "login.used_code" if error.code == "second_factor.used" else "login.wrong_code"
        raise Refused(code, error.message, remedy=error.remedy) from None


async def _take(call: Call, user: User, factor: Factor, typed: str) -> None:
    """Use the code up.

    Raises:
        Refused: ``second_factor.wrong``, ``second_factor.used``.
    """
    plain = re.sub(r"[\s-]", "", typed).lower()
    step = totp.matching_step(await secret_of(call, user.id, factor.seed), plain, call.now)
    if step is not None:
        await call.stores.second_factors.use(user.id, step)
    elif not await call.stores.second_factors.recover(user.id, _hash(plain), actor=Actor(user_id=user.id, ip=call.ip)):
        raise _wrong()


def _wrong() -> Refused:
    return Refused("second_factor.wrong", "this is not the code of now", remedy="Look at the clock of your phone.")


def needed() -> Refused:
    """This role needs a second factor, and this user has none."""
    remedy = "Set it up on your own page, /me."
    return Refused("access.second_factor", "your role needs a second factor", remedy=remedy)


# On one's own page -------------------------------------------------------


async def begin(call: Call, ask: schemas.PasswordAsk) -> schemas.SecondFactorBegun:
    """A new secret for one's app, shown this once; asked for at no login before a code of it was shown.

    Raises:
        Refused: ``second_factor.password``, ``second_factor.exists``, ``login.too_many``.
    """
    await check_password(call, ask.password, "password")
    seed = secrets.token_bytes(16)
    await call.stores.second_factors.begin(call.user.id, seed)
    secret = await secret_of(call, call.user.id, seed)
    address = totp.link(secret, login=call.user.login, issuer="Dialer")
    modules = await asyncio.to_thread(qr.matrix, address)
    return schemas.SecondFactorBegun(
        secret=totp.secret_text(secret), link=address, picture=qr.path(modules), side=len(modules)
    )


async def check_password(call: Call, typed: str, field: str) -> None:
    """Who is logged in shows the password again, before something that whoever sits there by chance must not do.

    Raises:
        Refused: ``second_factor.password``, ``login.too_many``.
    """
    async with throttle.turn(call, call.user.login):
        found = await call.stores.users.by_login(call.user.login)
        if await passwords.matches(found.password_hash if found else None, typed):
            return
        await throttle.note_wrong(call, call.user.login)
    sentence = "this is not your password"
    raise Refused(
        "second_factor.password", sentence, remedy="Type it again.", fields=[{"field": field, "message": sentence}]
    )


async def confirm(call: Call, ask: schemas.CodeAsk) -> schemas.RecoveryCodes:
    """The first code shows that the app has the secret: from now on it is asked for, and other sessions end.

    Raises:
        Refused: ``second_factor.none``, ``second_factor.wrong``, ``second_factor.used``, ``login.too_many``.
    """
    async with throttle.turn(call, call.user.login):
        factor = await _factor(call, confirmed=False)
        secret = await secret_of(call, call.user.id, factor.seed)
        step = totp.matching_step(secret, re.sub(r"\s", "", ask.code), call.now)
        if step is None:
            await throttle.note_wrong(call, call.user.login)
            raise _wrong()
        codes = _fresh_codes()
        ended = await call.stores.second_factors.confirm(
            call.user.id, step, [_hash(code) for code in codes], session=call.own_session.token_hash, actor=call.actor
        )
    await asyncio.shield(call.context.sockets.close(*ended))
    return _shown(codes)


async def new_codes(call: Call, ask: schemas.CodeAsk) -> schemas.RecoveryCodes:
    """Ten new recovery codes; the old ones are worth nothing.

    Raises:
        Refused: As ``confirm``.
    """
    await _checked(call, ask.code)
    codes = _fresh_codes()
    await call.stores.second_factors.new_codes(call.user.id, [_hash(code) for code in codes], actor=call.actor)
    return _shown(codes)


async def remove(call: Call, ask: schemas.CodeAsk) -> schemas.Done:
    """Log in with the password alone again.

    Raises:
        Refused: As ``confirm``.
    """
    await _checked(call, ask.code)
    await call.stores.second_factors.remove(call.user.id, actor=call.actor)
    return schemas.Done()


async def revoke_others(call: Call) -> schemas.Done:
    """End all sessions of one's own but this; their pages close at once."""
    session = call.own_session
    ended = await call.stores.second_factors.close_others(session.user.id, session.token_hash, actor=call.actor)
    await asyncio.shield(call.context.sockets.close(*ended))
    return schemas.Done()


# Of admins ---------------------------------------------------------------


async def reset(call: Call) -> schemas.Done:
    """Take somebody's second factor away, whose phone is lost; the sessions of that user end.

    Raises:
        NotFound: ``second_factor.none``.
    """
    ended = await call.stores.second_factors.remove(call.id(), actor=call.actor, ends_sessions=True)
    await asyncio.shield(call.context.sockets.close(*ended))
    return schemas.Done()


async def required(call: Call) -> schemas.SecondFactorRoles:
    """Roles that must have one."""
    return schemas.SecondFactorRoles.model_validate({"roles": await call.stores.second_factors.required()})


async def require(call: Call, ask: schemas.SecondFactorRolesAsk) -> schemas.SecondFactorRoles:
    """Roles that must have one: who of them has none can do nothing but set it up, from the next request on."""
    roles = await call.stores.second_factors.require(ask.roles, actor=call.actor)
    return schemas.SecondFactorRoles.model_validate({"roles": roles})


async def _factor(call: Call, *, confirmed: bool) -> Factor:
    factor = await call.stores.second_factors.read(call.user.id)
    if factor is None or (factor.confirmed_at is not None) != confirmed:
        raise Refused("second_factor.none", "there is none to do this with", remedy="Reload the page.")
    return factor


async def _checked(call: Call, typed: str) -> None:
    async with throttle.turn(call, call.user.login):
        factor = await _factor(call, confirmed=True)
        try:
            await _take(call, call.user, factor, typed)
        except Refused:
            await throttle.note_wrong(call, call.user.login)
            raise


def _fresh_codes() -> list[str]:
    return [base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _shown(codes: list[str]) -> schemas.RecoveryCodes:
    return schemas.RecoveryCodes(codes=["-".join(re.findall("....", code)) for code in codes])
