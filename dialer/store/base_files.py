"""Files on their way to be bases, and templates for reading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.users import Actor

SQL = queries("base_file")

#: Whoever works on a file tells its progress more often than this, or is dead.
SILENT_S = 30.0
KEEP_DAYS = 7
_BUSY = frozenset({"looking", "rehearsing", "loading"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFile:
    """A file that came.

    Attributes:
        state: ``new``, ``looking``, ``ready``, ``rehearsing``, ``rehearsed``, ``loading``, ``loaded`` or ``failed``.
        found: ``plan``, ``sheets`` and ``sample``, once it was looked at.
        report: Of the last rehearsal or load.
        progress: ``what`` is done now, ``done`` ``of`` how much, ``since`` (seconds), ``left_s``.
        error: Why it failed: ``code``, ``message``, ``remedy``.
        base_id: The base it became.
        silent: Nothing was told for long: whoever worked on it is dead.
    """

    id: int
    campaign_id: int
    campaign: str
    name: str
    file_hash: bytes
    bytes: int
    state: str
    found: Mapping[str, Any]
    report: Mapping[str, Any]
    progress: Mapping[str, Any]
    error: Mapping[str, str] | None
    base_id: int | None
    created_at: datetime
    updated_at: datetime
    silent: bool

    @property
    def busy(self) -> bool:
        """Whether somebody works on it."""
        return self.state in _BUSY and not self.silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """How files of a supplier are read: ``columns`` by name, and the choices of ``dialer.intake.plan``."""

    name: str
    template: Mapping[str, Any]
    saved_at: datetime


class BaseFiles:
    """Files and templates in PostgreSQL; the bytes of a file lie elsewhere."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, *, campaign_id: int, name: str, file_hash: bytes, size: int, actor: Actor) -> BaseFile:
        """A file that came.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        try:
            with store_errors():
                file_id = await SQL["file_add"].fetchval(
                    self._pool,
                    campaign_id=campaign_id,
                    name=name,
                    file_hash=file_hash,
                    bytes=size,
                    created_by=actor.user_id,
                )
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound("campaign.not_found", "There is no such campaign.") from error
        return await self.get(file_id)

    async def get(self, file_id: int) -> BaseFile:
        """One file.

        Raises:
            NotFound: ``base.no_file``.
        """
        with store_errors():
            row = await SQL["file_get"].fetchrow(self._pool, file_id=file_id, silent_s=SILENT_S)
        if row is None:
            raise NotFound("base.no_file", "There is no such file.", remedy="Upload it again.")
        return BaseFile(**row)

    async def of_campaign(self, campaign_id: int, *, user_id: int | None = None) -> Sequence[BaseFile]:
        """The last files of a campaign, newest first; with ``user_id`` those that user uploaded."""
        with store_errors():
            rows = await SQL["file_list"].fetch(self._pool, campaign_id=campaign_id, user_id=user_id, silent_s=SILENT_S)
        return [BaseFile(**row) for row in rows]

    async def begin(self, file_id: int, state: str) -> None:
        """From now on somebody works on it.

        Raises:
            Refused: ``base.busy``: somebody does already, or it is loaded.
        """
        with store_errors():
            begun = await SQL["file_begin"].execute(self._pool, file_id=file_id, state=state, silent_s=SILENT_S)
        if not begun:
            found = await self.get(file_id)
            sentence = "The file is loaded already." if found.state == "loaded" else "The file is being worked on."
            raise Refused("base.busy", sentence, remedy="Look at its progress.")

    async def told(self, file_id: int, progress: Mapping[str, Any]) -> None:
        """How far it is."""
        with store_errors():
            await SQL["file_progress"].execute(self._pool, file_id=file_id, progress=progress)

    async def end(
        self,
        file_id: int,
        state: str,
        *,
        found: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] | None = None,
        error: Mapping[str, str] | None = None,
        base_id: int | None = None,
    ) -> None:
        """What came of it."""
        with store_errors():
            await SQL["file_end"].execute(
                self._pool, file_id=file_id, state=state, found=found, report=report, error=error, base_id=base_id
            )

    async def remove(self, file_id: int) -> bool:
        """Forget a file nobody works on."""
        with store_errors():
            return bool(await SQL["file_remove"].execute(self._pool, file_id=file_id))

    async def old(self) -> Sequence[int]:
        """Forget files nobody needs any more; their ids."""
        with store_errors():
            return [row["id"] for row in await SQL["file_old"].fetch(self._pool, days=KEEP_DAYS)]

    async def templates(self) -> Sequence[Template]:
        """All templates by name."""
        with store_errors():
            return [Template(**row) for row in await SQL["template_list"].fetch(self._pool)]

    async def template(self, name: str) -> Mapping[str, Any]:
        """One template.

        Raises:
            NotFound: ``base.no_template``.
        """
        for found in await self.templates():
            if found.name == name:
                return found.template
        raise NotFound("base.no_template", f"There is no template {name!r}.", remedy="Save one, or map the columns.")

    async def save_template(self, name: str, template: Mapping[str, Any], *, actor: Actor) -> None:
        """Save a template; the same name again replaces it."""
        with store_errors():
            await SQL["template_save"].execute(self._pool, name=name, template=template, saved_by=actor.user_id)

    async def remove_template(self, name: str) -> None:
        """Forget a template.

        Raises:
            NotFound: ``base.no_template``.
        """
        with store_errors():
            if not await SQL["template_remove"].execute(self._pool, name=name):
                raise NotFound("base.no_template", f"There is no template {name!r}.")
