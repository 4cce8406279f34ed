"""Somebody who calls the shown number back: which campaign called there last, and the live attempt of the caller."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import phonenumbers

from dialer.core.model import AttemptState, LiveAttempt
from dialer.core.numbers import E164
from dialer.engine.ports import ReturnResult
from dialer.errors import LeaseLost
from dialer.store import lease
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialer.engine.ports import ReturnAsk
    from dialer.store.queries import Connection

SQL = queries("return_call")

#: Whoever was called longer ago is nobody we know.
LOOKS_BACK = timedelta(days=30)


async def take(connection: Connection, ask: ReturnAsk, clock: datetime | None) -> ReturnResult:
    """As ``engine.ports.Store.take_return``, inside the caller's transaction.

    Args:
        connection: In a transaction.
        ask: Who calls.
        clock: Time of the lease; None for PostgreSQL's clock.

    Raises:
        LeaseLost: The lease of this epoch ran out, or another engine has taken over.
    """
    held = ask.lease
    if await lease.SQL["lease_fence"].fetchval(connection, switch=held.switch, epoch=held.epoch, clock=clock) is None:
        raise LeaseLost("lease.lost", f"Epoch {held.epoch} on {held.switch} is over.")
    shown = await SQL["return_numbers"].fetch(connection, trunk=ask.trunk, switch=held.switch)
    countries = sorted({country for row in shown if (country := _country(row["caller_number"]))})
    row = await SQL["return_last"].fetchrow(
        connection,
        numbers=readings(ask.number, countries),
        dialled=[reading.removeprefix("+") for reading in readings(ask.dialled, countries)],
        trunk=ask.trunk,
        switch=held.switch,
        campaigns=list(ask.campaign_ids),
        since=ask.now - LOOKS_BACK,
    )
    known = {name: row[name] if row else None for name in ("campaign_id", "base_id", "contact_id", "phone_id")}
    call = {"id": ask.id, "switch": held.switch, "epoch": held.epoch, "now": ask.now, **known}
    call["caller_number"] = row["caller_number"] if row else ""
    if row is None or not row["open"]:
        why = "closed" if row else "unknown"
        await SQL["return_refused"].execute(connection, **call, trunk=ask.trunk, why=why)
        return ReturnResult(why=why)
    who = {"contact_id": row["contact_id"], "phone_id": row["phone_id"]}
    await SQL["return_lock"].execute(connection, **who)
    facts = await SQL["return_facts"].fetchrow(connection, **who)
    assert facts is not None  # noqa: S101 - the contact is locked
    if facts["live_phone_id"] is not None:
        missed = ask.last and not facts["talks"]
        if missed:
            await SQL["return_missed"].execute(connection, **call, trunk=ask.trunk)
            await SQL["return_owed"].execute(connection, ids=[ask.id])
        return ReturnResult(ringing_phone_id=facts["live_phone_id"], calls_back=missed and not facts["forbidden"])
    more = {name: facts[name] for name in ("counted", "callback_id")}
    profile = {name: row[name] for name in ("profile", "profile_version")}
    await SQL["return_take"].execute(connection, **call, **more, **profile)
    return ReturnResult(attempt=_live(ask, known, more, row["e164"]), calls_back=not facts["forbidden"])


def _live(ask: ReturnAsk, known: dict[str, Any], more: dict[str, Any], e164: str) -> LiveAttempt:
    known = {name: value for name, value in known.items() if name != "base_id"}
    return LiveAttempt(
        id=ask.id,
        e164=e164,
        number=0,
        state=AttemptState.WAITING,
        sent_at=ask.now,
        waiting_at=ask.now,
        asked=True,
        came_in=True,
        **known,
        **more,
    )


def readings(told: str, countries: Iterable[str]) -> list[str]:
    """What a number may be in E.164: as it stands, with a plus or without, or as one of these countries writes it.

    Args:
        told: Digits, perhaps with a plus; what the far side says, whatever it is.
        countries: Two letters each.
    """
    told = "".join(one for one in told if one in "+0123456789")[:20]
    digits = told.replace("+", "")
    found = [f"+{digits}"]
    for country in countries:
        try:
            number = phonenumbers.parse(told, country)
        except phonenumbers.NumberParseException:
            continue
        found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return [one for one in dict.fromkeys(found) if E164.fullmatch(one)]


def _country(e164: str) -> str | None:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(f"+{e164.removeprefix('+')}"))
    except phonenumbers.NumberParseException:
        return None
