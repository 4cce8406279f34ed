"""Users, their sessions, their tries to log in, and who did what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    import asyncpg

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor

SQL = queries("user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, for the audit log; ``user_id`` None is the service itself or its command line."""

    user_id: int | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, without secrets."""

    id: int
    login: str
    name: str
    role: str
    team_id: int | None
    customer_id: int | None
    language: str
    disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A user and the argon2id hash of the password."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that has not ended, or a program's token that still stands.

    Attributes:
        scopes: What a program's token may do; None is a person's session.
        must_enrol: The user's role needs a second factor and the user has none: nothing else can be done until then.
    """

    token_hash: bytes
    user: User
    scopes: frozenset[str] | None = None
    must_enrol: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session as its user sees it."""

    id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ip: str
    agent: str
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose an object is."""

    team_id: int | None
    customer_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Wrong tries to log in within the window.

    Attributes:
        own: Of this account from this address.
        of_login: Of this account from anywhere.
        of_ip: From this address, of any account.
        known: Whether this account has logged in from this address in the last 30 days.
    """

    own: int
    of_login: int
    of_ip: int
    known: bool


async def note(
    connection: Executor,
    actor: Actor,
    action: str,
    what: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write an audit row; in the same transaction as the change it tells of."""
    await SQL["audit_add"].execute(
        connection, user_id=actor.user_id, action=action, object=what, before=before, after=after, ip=actor.ip
    )


class Users:
    """Users and sessions in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def by_login(self, login: str) -> Found | None:
        """The user of this login, with the password hash."""
        with store_errors():
            row = await SQL["user_by_login"].fetchrow(self._pool, login=login)
        return Found(user=_user(row), password_hash=row["password_hash"]) if row else None

    async def list(self) -> Sequence[User]:
        """All users."""
        with store_errors():
            return [_user(row) for row in await SQL["user_list"].fetch(self._pool)]

    async def add(
        self,
        *,
        login: str,
        name: str,
        role: str,
        password_hash: str,
        team: str | None,
        language: str,
        actor: Actor,
        customer: str | None = None,
    ) -> User:
        """Add a user; a team that does not exist yet is made, a customer must exist.

        Raises:
            Refused: ``user.exists``, ``user.no_team``, ``user.no_customer``.
        """

        async def work(connection: Connection) -> User:
            row = await SQL["user_add"].fetchrow(
                connection,
                login=login,
                name=name,
                role=role,
                password_hash=password_hash,
                team=team,
                customer=customer,
                language=language,
            )
            if row is None:
                raise Refused("user.exists", f"there is a user {login} already", remedy="Choose another login.")
            user = _user(row)
            _check_belongs(user, customer)
            await note(connection, actor, "user.add", f"user:{user.id}", after={"login": login, "role": role})
            return user

        return await transaction(self._pool, work)

    async def get(self, user_id: int) -> User:
        """One user.

        Raises:
            NotFound: ``user.not_found``.
        """
        with store_errors():
            row = await SQL["user_read"].fetchrow(self._pool, user_id=user_id)
        if row is None:
            raise NotFound("user.not_found", "there is no such user")
        return _user(row)

    async def nobody(self) -> bool:
        """Whether there is no user at all: the very first start."""
        with store_errors():
            return not await SQL["user_any"].fetchval(self._pool)

    async def change(self, user_id: int, changes: Mapping[str, Any], *, actor: Actor) -> tuple[User, Sequence[bytes]]:
        """Change a user; also returns the token hashes of the sessions this ended.

        Args:
            user_id: Whose.
            changes: Any of ``name``, ``role``, ``team``, ``customer`` (empty: none), ``password_hash``, ``disabled``;
                what is absent stays. A change of role, password, team or customer ends the user's sessions.
            actor: For the audit log, which never holds the password.

        Raises:
            NotFound: ``user.not_found``.
            Refused: ``user.no_team``, ``user.no_customer``.
        """

        async def work(connection: Connection) -> tuple[User, Sequence[bytes]]:
            before = await SQL["user_read"].fetchrow(connection, user_id=user_id)
            if before is None:
                raise NotFound("user.not_found", "there is no such user")
            given = {name: changes.get(name) for name in _CHANGEABLE}
            row = await SQL["user_change"].fetchrow(connection, user_id=user_id, **given)
            assert row is not None  # noqa: S101 - it was read just now, and users are never deleted
            user = _user(row)
            if changes.keys() & {"role", "team", "customer"}:
                _check_belongs(user, changes.get("customer"))
            ends = user.disabled or _ENDS_SESSIONS & changes.keys()
            ended = await SQL["session_close_of_user"].fetch(connection, user_id=user_id) if ends else []
            after = {name: value for name, value in changes.items() if name != "password_hash"}
            after |= {"password": "changed"} if changes.get("password_hash") else {}
            old = {name: before[name] for name in after if name in before}
            await note(connection, actor, "user.change", f"user:{user_id}", before=old, after=after)
            return user, [ended_row["token_hash"] for ended_row in ended]

        return await transaction(self._pool, work)

    async def set_language(self, user_id: int, language: str) -> User:
        """Keep the language of the user's screens."""
        with store_errors():
            row = await SQL["user_set_language"].fetchrow(self._pool, user_id=user_id, language=language)
        if row is None:
            raise NotFound("user.not_found", "there is no such user")
        return _user(row)

    async def tries(self, *, login: str, ip: str, window: timedelta) -> Tries:
        """Count the wrong tries that a new one is judged by."""
        with store_errors():
            row = await SQL["login_try_count"].fetchrow(self._pool, login=login, ip=ip, window=window)
        assert row is not None  # noqa: S101 - an aggregate has a row
        return Tries(own=row["own"], of_login=row["of_login"], of_ip=row["of_ip"], known=row["known"])

    async def note_wrong_try(self, *, login: str, ip: str) -> None:
        """Write down a wrong password."""
        with store_errors():
            await SQL["login_try_note"].execute(self._pool, login=login, ip=ip)

    async def open_session(self, token_hash: bytes, *, user: User, lasts: timedelta, ip: str, agent: str = "") -> None:
        """Open a session after the right password; the account's wrong ones from this address are forgotten."""

        async def work(connection: Connection) -> None:
            await SQL["session_open"].execute(
                connection, token_hash=token_hash, user_id=user.id, lasts=lasts, ip=ip, agent=agent
            )
            await SQL["session_sweep"].execute(connection)
            await SQL["login_try_forget"].execute(connection, login=user.login, ip=ip)
            await note(connection, Actor(user_id=user.id, ip=ip), "login", f"login:{user.login}")

        await transaction(self._pool, work)

    async def session(self, token_hash: bytes, *, idle_for: Callable[[str], timedelta]) -> Session | None:
        """The session, None when it has ended; ``idle_for`` says by role how long one may do nothing."""
        with store_errors():
            row = await SQL["session_read"].fetchrow(self._pool, token_hash=token_hash)
            if row is None or row["idle"] > idle_for(row["role"]):
                return None
            await SQL["session_seen"].execute(self._pool, token_hash=token_hash)
        return Session(token_hash=token_hash, user=_user(row), must_enrol=row["must_enrol"])

    async def is_open(self, token_hash: bytes, *, idle_for: Callable[[str], timedelta]) -> bool:
        """Whether the session still stands; asking does not keep it alive."""
        with store_errors():
            row = await SQL["session_read"].fetchrow(self._pool, token_hash=token_hash)
        return row is not None and row["idle"] <= idle_for(row["role"]) and not row["must_enrol"]

    async def open_sessions(self, user_id: int, token_hash: bytes) -> Sequence[OpenSession]:
        """Open sessions of a user; ``token_hash`` is the one that asks."""
        with store_errors():
            rows = await SQL["session_list"].fetch(self._pool, user_id=user_id, token_hash=token_hash)
        return [OpenSession(**row) for row in rows]

    async def revoke_session(self, session_id: int, *, user_id: int, actor: Actor) -> bytes:
        """End one of a user's own sessions; returns its token hash.

        Raises:
            NotFound: ``session.not_found``; also when it is another's.
        """

        async def work(connection: Connection) -> bytes:
            token_hash: bytes | None = await SQL["session_revoke"].fetchval(connection, id=session_id, user_id=user_id)
            if token_hash is None:
                raise NotFound("session.not_found", "there is no such session of yours")
            await note(connection, actor, "session.revoke", f"user:{user_id}")
            return token_hash

        return await transaction(self._pool, work)

    async def owner(self, kind: str, object_id: int) -> Owner | None:
        """Whose a campaign, base, contact, callback, lead, letter … (``kind``) is; None if there is none."""
        with store_errors():
            row = await SQL["scope_of"].fetchrow(self._pool, kind=kind, id=object_id)
        return Owner(**row) if row else None

    async def owners(self) -> Mapping[int, Owner]:
        """Whose each campaign is."""
        with store_errors():
            rows = await SQL["campaign_owners"].fetch(self._pool)
        return {row["id"]: Owner(team_id=row["team_id"], customer_id=row["customer_id"]) for row in rows}

    async def close_session(self, token_hash: bytes) -> None:
        """A logout."""
        with store_errors():
            await SQL["session_close"].execute(self._pool, token_hash=token_hash)


_CHANGEABLE = ("name", "role", "team", "customer", "password_hash", "disabled")
_ENDS_SESSIONS = {"role", "password_hash", "team", "customer"}


def _check_belongs(user: User, customer: str | None) -> None:
    """An operator has a team, a customer's user a customer that exists."""
    if user.role == "operator" and user.team_id is None:
        raise Refused("user.no_team", "an operator needs a team", remedy="Give team.")
    if (user.role == "customer" or customer) and user.customer_id is None:
        raise Refused("user.no_customer", "there is no such customer", remedy="Name one of a campaign.")


def _user(row: asyncpg.Record) -> User:
    return User(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        role=row["role"],
        team_id=row["team_id"],
        customer_id=row["customer_id"],
        language=row["language"],
        disabled=row["disabled"],
    )
