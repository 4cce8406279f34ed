"""Recordings, to whom they are open: operators hear their own and customers theirs where the campaign lets them.

Whoever wants to hear one asks for an address; that is written down. The address is signed, is good for that user alone
and for a quarter of an hour, and takes ranges, so that a browser can seek.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from aiohttp import web

from dialer import passwords, sealing, tapes
from dialer.errors import NotFound, Refused
from dialer.web import schemas
from dialer.web.access import Role

if TYPE_CHECKING:
    from dialer.store.recordings import RecordingRow
    from dialer.web.call import Call

log = structlog.get_logger(__name__)

LINK_LASTS = timedelta(minutes=15)
_PAYLOAD = struct.Struct(">16sQI")
_MAC_BYTES = 16


async def read(call: Call) -> schemas.RecordingAnswer:
    """What became of it."""
    row = await call.stores.recordings.of(call.uuid())
    mine = row is not None and may_hear(call, row.operator_id, row.recording_operator, row.recording_customer)
    found = schemas.RecordingInfo.model_validate(row) if mine else None
    return schemas.RecordingAnswer(recording=found)


async def link(call: Call) -> schemas.RecordingLink:
    """An address to listen at; who asked, and for what, is in the audit log.

    Raises:
        NotFound: ``recording.not_found``.
    """
    row = await _stored(call, call.uuid())
    await call.stores.recordings.heard(row.attempt_id, actor=call.actor)
    expires_at = (call.now + LINK_LASTS).replace(microsecond=0)
    token = signed(await _key(call), row.attempt_id, call.user.id, expires_at)
    return schemas.RecordingLink(url=f"/recordings/{token}", expires_at=expires_at)


async def sound(call: Call) -> web.StreamResponse:
    """The sound, or the range of it that is asked for.

    Raises:
        NotFound: ``recording.not_found``.
        Refused: ``recording.link``, ``recording.range``, ``recording.broken``.
    """
    key = await _key(call)
    row = await _stored(call, attempt_of(key, call.request.match_info["link"], call.user.id, call.now))
    size, seed = row.bytes or 0, row.seed or b""
    try:
        asked = call.request.http_range
        start, stop, _ = asked.indices(size)
    except ValueError:
        start = stop = size
    if start >= stop:
        raise Refused("recording.range", "There is no such part of it.", remedy="Ask for another range.", bytes=size)
    pieces = tapes.sound(call.context.settings.recordings, row.attempt_id, key=key, seed=seed, size=size, start=start)
    try:
        first = await asyncio.to_thread(next, pieces)
    except (sealing.Broken, OSError) as error:
        log.exception("recording.broken", attempt_id=str(row.attempt_id))
        raise Refused("recording.broken", "It cannot be opened.", remedy="See the log of the service.") from error
    part = asked.start is not None or asked.stop is not None
    answer = web.StreamResponse(status=206 if part else 200)
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["Cache-Control"] = "no-store"
    if part:
        answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    answer.content_type = "audio/wav"
    answer.content_length = stop - start
    await answer.prepare(call.request)
    left = stop - start
    piece: bytes | None = first
    while piece is not None and left > 0:
        await answer.write(piece[:left])
        left -= len(piece)
        piece = await asyncio.to_thread(next, pieces, None) if left > 0 else None
    await answer.write_eof()
    return answer


async def hold(call: Call, ask: schemas.HoldAsk) -> schemas.RecordingAnswer:
    """Keep it whatever its age and whoever asks; or no longer.

    Raises:
        NotFound: ``recording.not_found``.
    """
    await call.stores.recordings.hold(call.uuid(), ask.reason, actor=call.actor)
    return await read(call)


async def delete(call: Call) -> schemas.RecordingAnswer:
    """Delete it; that it was there stays known.

    Raises:
        NotFound: ``recording.not_found``.
        Refused: ``recording.held``.
    """
    await call.stores.recordings.delete(call.uuid(), at=call.now, actor=call.actor)
    return await read(call)


async def wish(call: Call, ask: schemas.TapeAsk) -> schemas.OperatorAnswer:
    """Pause the recording of the own conversation, or keep what is said from now on.

    Raises:
        Refused: ``recording.none``, ``recording.not_switched``.
    """
    commands = call.commands
    what = commands.pause_recording if ask.wish == "pause" else commands.resume_recording
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(await what(call.user.id)))


async def shown(call: Call, attempts: list[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
    """By attempt, the recordings that a page may speak of to this user."""
    found = await call.stores.recordings.shown(attempts)
    return {
        attempt_id: row
        for attempt_id, row in found.items()
        if may_hear(call, row["operator_id"], row["recording_operator"], row["recording_customer"])
    }


def may_hear(call: Call, operator_id: int | None, operators: bool, customers: bool) -> bool:
    """Whether this user may hear a conversation of an own campaign."""
    match Role(call.user.role):
        case Role.OPERATOR:
            return operators and operator_id == call.user.id
        case Role.CUSTOMER:
            return customers
        case Role.SUPERVISOR | Role.ADMIN | Role.AUDITOR:
            return True
        case _:
            return False


def signed(key: bytes, attempt_id: UUID, user_id: int, expires_at: datetime) -> str:
    """The end of an address at which this user hears that recording until then."""
    payload = _PAYLOAD.pack(attempt_id.bytes, user_id, int(expires_at.timestamp()))
    return base64.urlsafe_b64encode(payload + _mac(key, payload)).decode().rstrip("=")


def attempt_of(key: bytes, token: str, user_id: int, now: datetime) -> UUID:
    """Which recording an address is of.

    Raises:
        Refused: ``recording.link``: it is not ours, another's, or too old.
    """
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        payload, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        attempt, whose, until = _PAYLOAD.unpack(payload)
    except (ValueError, struct.error):
        raise _no_link() from None
    fresh = datetime.fromtimestamp(until, UTC) > now
    if not hmac.compare_digest(mac, _mac(key, payload)) or whose != user_id or not fresh:
        raise _no_link()
    return UUID(bytes=attempt)


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, b"recording link " + payload, "sha256")[:_MAC_BYTES]


def _no_link() -> Refused:
    return Refused("recording.link", "This address is not good any more.", remedy="Open the page again and listen.")


async def _stored(call: Call, attempt_id: UUID) -> RecordingRow:
    row = await call.stores.recordings.of(attempt_id)
    open_to = row is not None and may_hear(call, row.operator_id, row.recording_operator, row.recording_customer)
    if row is None or row.state != "stored" or not open_to:
        raise NotFound("recording.not_found", "There is no such recording.")
    return row


async def _key(call: Call) -> bytes:
    return await asyncio.to_thread(passwords.key_in, call.context.settings.data_dir, passwords.RECORDING_KEY)
