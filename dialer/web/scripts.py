"""Scripts of campaigns: the editor, its check, and the versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dialer.core import script
from dialer.web import access, pages, schemas
from dialer.web.access import Role

if TYPE_CHECKING:
    from aiohttp import web

    from dialer.store.scripts import Script
    from dialer.web.call import Call


async def read(call: Call, ask: schemas.ScriptQuery) -> schemas.ScriptViewAnswer:
    """A campaign's brief and script."""
    return _view(await call.stores.scripts.read(call.id(), ask.version))


async def write(call: Call, ask: schemas.ScriptAsk) -> schemas.ScriptViewAnswer:
    """Save a new version of a campaign's brief and script.

    Raises:
        Refused: ``script.changed``.
    """
    body = ask.body.model_dump(mode="json")
    saved = await call.stores.scripts.write(
        call.id(), brief=ask.brief, body=body, actor=call.actor, based_on=ask.based_on
    )
    return _view(saved)


async def versions(call: Call) -> schemas.ScriptVersionsAnswer:
    """All versions of a campaign's script."""
    found = await call.stores.scripts.versions(call.id())
    return schemas.ScriptVersionsAnswer(versions=[schemas.ScriptVersion.model_validate(one) for one in found])


async def check(call: Call, ask: schemas.ScriptDraft) -> schemas.ScriptCheckAnswer:
    """What is to be mended in a script, saved or not."""
    words = await call.stores.scripts.words(call.id())
    steps = [
        script.Step(id=one.id, title=one.title, text=one.text, answers=[(way.text, way.to) for way in one.answers])
        for one in ask.steps
    ]
    # Without a base there are no columns to tell a slip from a word to come.
    known = words or [word for text in _texts(ask) for word in script.words_of(text)]
    found = script.check(steps, ask.scenarios, [one.text for one in ask.objections], words=known)
    return schemas.ScriptCheckAnswer(
        findings=[schemas.ScriptFinding.model_validate(one) for one in found], words=list(words)
    )


def _texts(ask: schemas.ScriptDraft) -> list[str]:
    return [*(step.text for step in ask.steps), *(one.text for one in ask.objections)]


def _view(found: Script) -> schemas.ScriptViewAnswer:
    return schemas.ScriptViewAnswer(script=schemas.ScriptView.model_validate(found))


async def page(call: Call) -> web.Response:
    """The editor."""
    campaign = await call.stores.campaigns.get(call.id())
    found = await call.stores.scripts.read(call.id())
    return pages.page_for(
        call,
        "script.html",
        "/campaigns",
        help_of="script",
        campaign=campaign,
        script=json.loads(_view(found).script.model_dump_json()),
        versions=await call.stores.scripts.versions(call.id()),
        may=Role(call.user.role) in access.LEADS,
    )
