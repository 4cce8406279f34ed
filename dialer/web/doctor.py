"""``dialer doctor`` of the running service: each thing that calls need, how it is, and what to do about it."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dialer import passwords, priority, tapes
from dialer.core.registers import Age
from dialer.errors import DialerError
from dialer.outbox import smtp
from dialer.web import health, schemas
from dialer.web.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialer.settings import Settings
    from dialer.store.checkups import Checkup
    from dialer.store.national import Warned
    from dialer.web.call import Call

#: Less free room than this fills up in a day of calls and bases.
_FREE_BYTES_MIN = 2 * 1024**3
#: Two machines' clocks may differ by so much before hours and holidays are wrong at their edges.
_CLOCK_MAX = timedelta(seconds=2)
_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: What it is about; names its texts.
        word: ``well``, ``warn`` (it can wait) or ``ill``.
        variant: Which of several texts tells it; the word by default.
        values: What is filled into them.
    """

    what: str
    word: str
    variant: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def told(self, language: str) -> schemas.DoctorFinding:
        """In words."""
        texts = TEXTS[language]
        remedy = "" if self.word == "well" else texts[f"doctor.{self.what}.do"]
        return schemas.DoctorFinding(
            code=self.what,
            word=self.word,
            what=texts[f"doctor.{self.what}"],
            text=texts[f"doctor.{self.what}.{self.variant or self.word}"].format(**self.values),
            remedy=remedy.format(**self.values),
        )


async def serve(call: Call) -> schemas.DoctorAnswer:
    """Everything that was looked at, in the user's language; what is ill comes first."""
    found = await examine(call)
    told = [one.told(call.user.language) for one in found]
    return schemas.DoctorAnswer(well=not any(one.word == "ill" for one in told), findings=told)


async def examine(call: Call) -> list[Finding]:
    """Look at database, switch, machine, rules and access."""
    report = await health.examine(call)
    checkup, warned = await _of_database(call)
    settings = call.context.settings
    found = [*_database(call, checkup), *_switch(report, settings)]
    free = await asyncio.to_thread(_free_bytes, settings)
    gb = round(free / 1024**3, 1)
    found += [
        Finding(what="lag", word="ill" if "loop_lag" in report.problems else "well", values={"ms": report.loop_lag_ms}),
        Finding(what="priority", word="well" if priority.is_real_time() else "warn"),
        Finding(what="disk", word="well" if free >= _FREE_BYTES_MIN else "warn", values={"gb": gb}),
        _set("https", settings.public_url if settings.https else None),
        _set("seats", settings.seats_file),
        _set("sounds", settings.sounds_dir),
        await asyncio.to_thread(_recordings, settings),
        Finding(what="suppression", word="well" if settings.suppression_key.get_secret_value() else "warn"),
    ]
    found.append(await _mail(settings))
    found += _rules(call, checkup, warned)
    return sorted(found, key=lambda one: ("ill", "warn", "well").index(one.word))


async def _of_database(call: Call) -> tuple[Checkup | None, Sequence[Warned]]:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await call.stores.checkups.look(), await call.stores.national.warnings(call.now)
    except (DialerError, TimeoutError):
        return None, ()


def _database(call: Call, checkup: Checkup | None) -> Iterator[Finding]:
    if checkup is None:
        yield Finding(what="database", word="ill")
        return
    values = {"version": checkup.version.split(" ")[0], "mb": round(checkup.bytes / 1024**2)}
    yield Finding(what="database", word="well", values=values)
    apart = abs(checkup.now - call.now)
    word = "well" if apart <= _CLOCK_MAX else "ill"
    yield Finding(what="clock", word=word, values={"seconds": round(apart.total_seconds(), 1)})


def _switch(report: schemas.Health, settings: Settings) -> Iterator[Finding]:
    where = {"address": f"{settings.ami_host}:{settings.ami_port}", "why": report.why or "–"}
    yield Finding(what="switch", word="well" if report.switch else "ill", values=where)
    yield Finding(what="dialing", word="well" if report.dialing else "ill", values=where)


def _rules(call: Call, checkup: Checkup | None, warned: Sequence[Warned]) -> Iterator[Finding]:
    if checkup is None:
        return
    factors = {"count": checkup.without_factor}
    yield Finding(what="factor", word="warn" if checkup.without_factor else "well", values=factors)
    yield Finding(what="admins", word="well" if checkup.admins > 1 else "warn", values={"count": checkup.admins})
    for one in warned:
        register = one.register
        at = f"{register.too_old_at:%Y-%m-%d}" if register.too_old_at else ""
        yield Finding(
            what="register",
            word="warn" if register.age is Age.SOON else "ill",
            variant=register.age.value,
            values={"name": register.name, "campaign": one.campaign, "at": at},
        )
    for profile in checkup.profiles:
        stale = profile.stale(call.now.date())
        values = {"id": profile.id, "at": f"{profile.checked_on:%Y-%m-%d}"}
        yield Finding(what="profile", word="warn" if stale else "well", values=values)


async def _mail(settings: Settings) -> Finding:
    """Whether the mail server takes us; not everybody needs one."""
    server = smtp.server_of(settings)
    if server is None:
        return Finding(what="mail", word="well", variant="none")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            why = await smtp.reach(server)
    except TimeoutError:
        why = f"{_TIMEOUT_S:g} s"
    values = {"address": f"{server.host}:{server.port}", "why": why or ""}
    return Finding(what="mail", word="warn" if why else "well", values=values)


def _set(what: str, value: object) -> Finding:
    """A setting that is better given."""
    return Finding(what=what, word="well" if value else "warn", values={"value": str(value)})


def _recordings(settings: Settings) -> Finding:
    """Whether recordings can be kept: folders, free room, and the key that seals them."""
    word = tapes.trouble(settings.recordings_spool, settings.recordings, settings.recordings_free_mb * 1_000_000)
    if word is None and not passwords.has_key(settings.data_dir, passwords.RECORDING_KEY):
        word = "recordings_key"
    variant = word.removeprefix("recordings_") if word else ""
    values = {"spool": str(settings.recordings_spool or ""), "volume": str(settings.recordings)}
    values["key"] = str(settings.data_dir / passwords.RECORDING_KEY)
    sort = "well" if word is None else "warn" if settings.recordings_spool is None else "ill"
    return Finding(what="recordings", word=sort, variant=variant, values=values)


def _free_bytes(settings: Settings) -> int:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
