"""Bases in and back: a file is uploaded, looked at, rehearsed and loaded; a load is undone, or its rest withdrawn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from dialer.intake import words
from dialer.intake.columns import REGIONS, TARGETS
from dialer.intake.desk import planned
from dialer.intake.plan import POLICIES
from dialer.intake.text import DELIMITERS, ENCODINGS
from dialer.web import pages, schemas, scope
from dialer.web.access import LEADS, Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dialer.store.base_files import BaseFile
    from dialer.web.call import Call

_CHUNK_BYTES = 256 * 1024
#: How long an upload waits for the first look, so that most files are ready in one answer.
_LOOK_S = 5.0


async def upload(call: Call, ask: schemas.FileQuery) -> schemas.BaseFileAnswer:
    """Take a file of any kind, streamed; it is looked at."""

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in call.request.content.iter_chunked(_CHUNK_BYTES):
            yield chunk

    file = await call.context.desk.receive(chunks(), campaign_id=ask.campaign, name=ask.name, actor=call.actor)
    return _answer(await _looked(call, file))


async def _looked(call: Call, file: BaseFile) -> BaseFile:
    for _ in range(int(_LOOK_S / 0.1)):
        if file.state != "looking":
            break
        await asyncio.sleep(0.1)
        file = await call.stores.base_files.get(file.id)
    return file


def _answer(file: BaseFile) -> schemas.BaseFileAnswer:
    return schemas.BaseFileAnswer(file=schemas.BaseFileInfo.model_validate(file))


async def show(call: Call) -> schemas.BaseFileAnswer:
    """One file: what it seems to be, how far it is, what came of it."""
    return _answer(await call.stores.base_files.get(call.id()))


async def look(call: Call, ask: schemas.PlanAsk) -> schemas.BaseFileAnswer:
    """Look again, with another encoding, delimiter, sheet or line of headings."""
    return _answer(await _looked(call, await call.context.desk.look(call.id(), await _chosen(call, ask))))


async def rehearse(call: Call, ask: schemas.PlanAsk) -> schemas.BaseFileAnswer:
    """Give every row its verdict; nothing is loaded."""
    return _answer(await call.context.desk.rehearse(call.id(), await _chosen(call, ask)))


async def load(call: Call, ask: schemas.PlanAsk) -> schemas.BaseFileAnswer:
    """Load every row that is not rejected, in one transaction."""
    return _answer(await call.context.desk.load(call.id(), await _chosen(call, ask), actor=call.actor))


async def _chosen(call: Call, ask: schemas.PlanAsk) -> dict[str, Any]:
    chosen = ask.model_dump(exclude_unset=True)
    name = chosen.pop("template", None)
    if name is None:
        return chosen
    template = await call.stores.base_files.template(name)
    plan = planned(await call.stores.base_files.get(call.id()), {})
    return {**plan.with_template(template).values(), **chosen}


async def rejected(call: Call) -> web.FileResponse:
    """The rejected rows with their reasons, to be mended and loaded again; opens safely in a spreadsheet."""
    path = await call.context.desk.mended(call.id(), call.user.language)
    named = {"Content-Disposition": f'attachment; filename="rejected-{call.id()}.csv"'}
    return web.FileResponse(path, headers={**named, "Content-Type": "text/csv; charset=utf-8"})


async def remove(call: Call) -> schemas.Done:
    """Forget a file."""
    await call.context.desk.remove(call.id())
    return schemas.Done()


async def undo(call: Call) -> schemas.TakenBack:
    """Take a whole load back, while nobody of it was called."""
    base = await call.stores.bases.undo(call.id(), actor=call.actor)
    await call.commands.campaigns_changed()
    return schemas.TakenBack(base=schemas.BaseInfo.model_validate(base))


async def withdraw(call: Call) -> schemas.TakenBack:
    """Take back the contacts nobody called yet; the others stay with all that is known of them."""
    base = await call.stores.bases.withdraw(call.id(), actor=call.actor)
    await call.commands.campaigns_changed()
    return schemas.TakenBack(base=schemas.BaseInfo.model_validate(base))


async def templates(call: Call) -> schemas.TemplatesAnswer:
    """Saved ways to read files."""
    found = await call.stores.base_files.templates()
    return schemas.TemplatesAnswer(templates=[schemas.TemplateInfo.model_validate(row) for row in found])


async def save_template(call: Call, ask: schemas.TemplateAsk) -> schemas.Done:
    """Save how a file is read; the same name again replaces it."""
    plan = planned(await call.stores.base_files.get(ask.file), {"targets": ask.targets} if ask.targets else {})
    await call.stores.base_files.save_template(ask.name, plan.template(), actor=call.actor)
    return schemas.Done()


# Pages -----------------------------------------------------------------------


async def list_page(call: Call) -> web.Response:
    """Bases of a campaign, and the way in for another one."""
    campaigns = await scope.own_campaigns(call)
    asked = call.request.query.get("campaign", "")
    chosen = next((c for c in campaigns if str(c.id) == asked), campaigns[0] if campaigns else None)
    bases = await scope.shown_bases(call, await call.stores.bases.of_campaign(chosen.id)) if chosen else []
    files = await call.stores.base_files.of_campaign(chosen.id, user_id=_whose(call)) if chosen else []
    return pages.page_for(
        call,
        "bases.html",
        "/bases",
        campaigns=campaigns,
        chosen=chosen,
        bases=list(reversed(bases)),
        steers=Role(call.user.role) in LEADS,
        files=[file for file in files if file.state != "loaded"],
    )


def _whose(call: Call) -> int | None:
    """Whose files alone are shown; None is everybody's."""
    return call.user.id if Role(call.user.role) is Role.BASE_MANAGER else None


async def file_page(call: Call) -> web.Response:
    """The wizard: the step a file is at."""
    file = await call.stores.base_files.get(call.id())
    base = await call.stores.bases.get(file.base_id) if file.base_id else None
    language = call.user.language
    back = file.state == "rehearsed" and call.request.query.get("step") == "columns"
    return pages.page_for(
        call,
        "base_file.html",
        "/bases",
        file=file,
        base=base,
        step=2 if back else _step(file),
        plan=file.found.get("plan"),
        templates=await call.stores.base_files.templates(),
        encodings=ENCODINGS,
        delimiters=DELIMITERS,
        regions=REGIONS,
        targets=TARGETS,
        policies=POLICIES,
        reasons=words.reasons(language),
        notes=words.notes(language),
    )


def _step(file: BaseFile) -> int:
    """1 file, 2 columns, 3 rehearsal, 4 load."""
    if file.state == "failed":
        return 2 if file.found else 1
    steps = {"new": 1, "looking": 1, "ready": 2, "rehearsing": 3, "rehearsed": 3}
    return steps.get(file.state, 4)
