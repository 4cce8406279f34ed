"""What a handler gets: who asks, from where, and the parts of the service it may use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING
from uuid import UUID

from aiohttp import web

from dialer.errors import NotFound, Refused
from dialer.store.users import Actor

if TYPE_CHECKING:
    from dialer.engine.ports import Commands, Live
    from dialer.intake.desk import Desk
    from dialer.seats import Pool
    from dialer.settings import Settings
    from dialer.store.stores import Stores
    from dialer.store.users import Session, User
    from dialer.web.forecasts import Forecasts
    from dialer.web.health import Pulse
    from dialer.web.listening import Watch
    from dialer.web.live import Hub, Sockets
    from dialer.web.manual import Turnstile
    from dialer.web.phone import Lines


@dataclass(slots=True)
class Setup:
    """The one-time token of the first start; None when there is no need of it any more."""

    token: str | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The parts of the service that the web may use; one per application."""

    stores: Stores
    commands: Commands
    live: Live
    settings: Settings
    hub: Hub
    sockets: Sockets
    pulse: Pulse
    desk: Desk
    setup: Setup = field(default_factory=Setup)
    forecasts: Forecasts
    pool: Pool
    lines: Lines
    watch: Watch
    dial_looks: Turnstile
    dial_calls: Turnstile


CONTEXT: web.AppKey[Context] = web.AppKey("context")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, authenticated and allowed."""

    request: web.Request
    context: Context
    session: Session | None

    @property
    def stores(self) -> Stores:
        """PostgreSQL, by noun."""
        return self.context.stores

    @property
    def commands(self) -> Commands:
        """What may be asked of the engine."""
        return self.context.commands

    @property
    def user(self) -> User:
        """Who asks.

        Raises:
            Refused: ``login.needed`` on a public route without a session.
        """
        if self.session is None:
            raise login_needed()
        return self.session.user

    @property
    def own_session(self) -> Session:
        """The session that asks.

        Raises:
            Refused: ``login.needed``.
        """
        if self.session is None:
            raise login_needed()
        return self.session

    @property
    def user_scopes(self) -> frozenset[str] | None:
        """What a program's token may do; None for a person."""
        return self.session.scopes if self.session else None

    @property
    def actor(self) -> Actor:
        """Who the audit log names for what this request changes."""
        return Actor(user_id=self.session.user.id if self.session else None, ip=self.ip)

    @property
    def ip(self) -> str:
        """The address it comes from; a proxy is believed only on this host and only when ``public_url`` names it."""
        return address_of(self.request, self.context.settings)

    @property
    def now(self) -> datetime:
        """Time of day, aware UTC."""
        return datetime.now(UTC)

    def id(self, name: str = "id") -> int:
        """A number in the path."""
        return int(self.request.match_info[name])

    def uuid(self, name: str = "id") -> UUID:
        """An attempt's id in the path.

        Raises:
            NotFound: it is no UUID.
        """
        try:
            return UUID(self.request.match_info[name])
        except ValueError:
            raise NotFound("attempt.not_found", "there is no such attempt") from None


def login_needed() -> Refused:
    """Nobody is logged in, or no longer."""
    return Refused("login.needed", "you are not logged in", remedy="Log in and repeat the request.")


def address_of(request: web.Request, settings: Settings) -> str:
    """The address a request comes from."""
    remote = request.remote or ""
    if settings.public_url and remote and ip_address(remote).is_loopback:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        try:
            return str(ip_address(forwarded))
        except ValueError:
            return remote
    return remote
