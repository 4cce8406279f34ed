"""Recorded offers: uploaded or read by a voice, heard in the page, put where the switch plays them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from dialer import offers
from dialer.errors import DialerError, Refused
from dialer.web import pages, schemas
from dialer.web.access import Role

if TYPE_CHECKING:
    from dialer.store.offers import Offer
    from dialer.web.call import Call, Context

log = structlog.get_logger(__name__)


async def read(call: Call) -> schemas.OffersAnswer:
    """All offers."""
    return schemas.OffersAnswer(offers=[_info(call.context, one) for one in await call.stores.offers.list()])


async def upload(call: Call, ask: schemas.OfferQuery) -> schemas.OfferMade:
    """Make an offer of a recording: WAV, FLAC, OGG, AIFF or MP3, up to three minutes.

    Raises:
        Refused: ``request.too_large``, ``offer.…``.
    """
    data = bytearray()
    async for chunk in call.request.content.iter_chunked(256 * 1024):
        data += chunk
        if len(data) > offers.UPLOAD_BYTES_MAX:
            raise Refused("request.too_large", "the recording is larger than 30 MB", remedy="Save it shorter.")
    return await _keep(call, ask.name, await offers.converted(bytes(data)))


async def speak(call: Call, ask: schemas.SpeechAsk) -> schemas.OfferMade:
    """Make an offer of a text that a voice reads.

    Raises:
        Refused: ``offer.…``.
    """
    audio = await offers.spoken(ask.text, ask.language)
    return await _keep(call, ask.name, audio, spoken=ask.text, language=ask.language)


async def _keep(call: Call, name: str, audio: bytes, *, spoken: str = "", language: str = "") -> schemas.OfferMade:
    id_, word = await call.stores.offers.add(name=name, audio=audio, spoken=spoken, language=language, actor=call.actor)
    await asyncio.shield(bring(call.context))
    return schemas.OfferMade(id=id_, word=word, seconds=round(len(audio) / offers.RATE, 1))


async def change(call: Call, ask: schemas.OfferChange) -> schemas.OffersAnswer:
    """Archive an offer, or take it back.

    Raises:
        Refused: ``offer.played``.
    """
    await call.stores.offers.archive(call.id(), archived=ask.archived, actor=call.actor)
    return await read(call)


async def audio(call: Call) -> web.Response:
    """An offer to listen to."""
    _, sound = await call.stores.offers.audio(call.id())
    return web.Response(body=await asyncio.to_thread(offers.wav, sound), content_type="audio/wav")


async def bring(context: Context) -> None:
    """Put every offer that the switch lacks into its folder; what cannot be written is in the log and on the page."""
    folder = context.settings.sounds_dir
    if folder is None:
        return
    try:
        for id_, word, size in await context.stores.offers.words():
            if not await asyncio.to_thread(offers.placed, folder, word, size):
                _, sound = await context.stores.offers.audio(id_)
                await asyncio.to_thread(offers.place, folder, word, sound)
    except (OSError, DialerError) as error:
        log.warning("offers_not_on_switch", folder=str(folder), why=str(error))


def _info(context: Context, one: Offer) -> schemas.OfferInfo:
    folder = context.settings.sounds_dir
    return schemas.OfferInfo(
        **{name: getattr(one, name) for name in schemas.OfferInfo.model_fields if hasattr(one, name)},
        seconds=round(one.bytes / offers.RATE, 1),
        on_switch=None if folder is None else offers.placed(folder, one.word, one.bytes),
    )


async def page(call: Call) -> web.Response:
    """The offers."""
    found = (await read(call)).offers
    return pages.page_for(
        call,
        "offers.html",
        "/campaigns",
        help_of="offers",
        offers=[one for one in found if not one.archived],
        archived=[one for one in found if one.archived],
        no_folder=call.context.settings.sounds_dir is None,
        admin=Role(call.user.role) is Role.ADMIN,
    )
