"""Routes of do-not-call files: rehearse, take, list, take back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dialer.errors import Refused
from dialer.intake import do_not_call as intake
from dialer.store.do_not_call import Scope
from dialer.web import schemas
from dialer.web import scope as scopes

if TYPE_CHECKING:
    from dialer.web.call import Call

#: Larger files are for the command line: reading one must not hold up the pages.
ROWS_MAX = 20_000
BYTES_MAX = 4 * 1024 * 1024


async def take_file(call: Call, ask: schemas.DoNotCallFileQuery) -> schemas.DoNotCallFileTaken:
    """Forbid every number of a file at once, or only say what would become of each row.

    Raises:
        Refused: ``request.too_large``, ``do_not_call.…`` as the store decides.
    """
    await scopes.check_forbids(call, ask.scope, ask.customer_id)
    data = await _body(call)
    rows = await intake.read(data, ask.region)
    if len(rows) > ROWS_MAX:
        raise _too_large()
    scope = Scope(word=ask.scope, customer_id=ask.customer_id, campaign_id=ask.campaign_id)
    files = call.stores.do_not_call_files
    if ask.rehearse:
        taken = await files.rehearse(rows, scope)
    else:
        file_hash = hashlib.sha256(data).digest()
        taken = await files.take(rows, scope, name=ask.name, file_hash=file_hash, now=call.now, actor=call.actor)
        await call.commands.do_not_call_added(list(taken.live))
    return schemas.DoNotCallFileTaken(
        file=schemas.DoNotCallFileInfo.model_validate(taken.file) if taken.file else None,
        verdicts=list(taken.verdicts.items()),
        repeated=taken.repeated,
    )


async def list_files(call: Call) -> schemas.DoNotCallFilesAnswer:
    """Files that were taken, the last first."""
    found = await call.stores.do_not_call_files.list()
    return schemas.DoNotCallFilesAnswer(files=[schemas.DoNotCallFileInfo.model_validate(one) for one in found])


async def undo_file(call: Call) -> schemas.DoNotCallFileAnswer:
    """Take a file back; what people or other files named too stays."""
    found = await call.stores.do_not_call_files.undo(call.id(), now=call.now, actor=call.actor)
    return schemas.DoNotCallFileAnswer(file=schemas.DoNotCallFileInfo.model_validate(found))


async def _body(call: Call) -> bytes:
    data = bytearray()
    async for chunk in call.request.content.iter_chunked(256 * 1024):
        data += chunk
        if len(data) > BYTES_MAX:
            raise _too_large()
    return bytes(data)


def _too_large() -> Refused:
    return Refused(
        "request.too_large",
        f"the file has more than {ROWS_MAX} rows or {BYTES_MAX // 1024**2} MB",
        remedy="Split it, or use dialer do-not-call import.",
    )
