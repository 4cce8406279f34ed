"""An operator's own day: pauses, hours, conversations, promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from dialer.core import callbacks as promises
from dialer.core import hours
from dialer.core.model import CallbackState
from dialer.errors import NotFound, Refused
from dialer.store import campaigns
from dialer.store.dispositions import check_promise, counted_until
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("shift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A reason to pause; ``allowed_s`` None is as long as it takes."""

    code: str
    name_ru: str
    name_en: str
    allowed_s: int | None
    used_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCallback:
    """A promise this operator keeps; ``state`` is ``pending``, ``due`` or ``late``."""

    id: int
    campaign_id: int
    campaign: str
    contact: str
    phone: str
    zones: Sequence[str]
    due_at: datetime
    next_at: datetime
    note: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What an operator did since a moment, and what is promised.

    Attributes:
        state_s: Seconds in each state.
        extensions: How often a wrap-up was made longer.
    """

    pauses: Sequence[Pause]
    state_s: Mapping[str, float]
    talks: int
    saved: int
    results: int
    decision_makers: int
    extensions: int
    callbacks: Sequence[OwnCallback]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Whether a callback may be promised.

    Attributes:
        refused: Code, English and Russian sentence; None if it may be.
        next_at: The next time at which the callee may be called; None if there is none in sight.
        same_hour: How many other promises of the campaign are due in that hour.
    """

    refused: tuple[str, str, str] | None
    next_at: datetime | None
    same_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Where an operator works now, and the language to say it in."""

    team_id: int
    campaign: str
    language: str


class Shifts:
    """Reads operators' days."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def day(self, operator_id: int, *, since: datetime, now: datetime) -> Day:
        """The operator's day since then."""

        async def work(connection: Connection) -> Day:
            asked = {"operator_id": operator_id, "since": since}
            pauses = await SQL["shift_pauses"].fetch(connection, **asked, now=now)
            times = await SQL["shift_times"].fetch(connection, **asked, now=now)
            [done] = await SQL["shift_work"].fetch(connection, **asked)
            mine = await SQL["shift_callbacks"].fetch(connection, operator_id=operator_id)
            return Day(
                pauses=[Pause(**row) for row in pauses],
                state_s={row["state"]: row["seconds"] for row in times},
                **done,
                callbacks=[
                    OwnCallback(**row, state=promises.shown(CallbackState.PENDING, row["next_at"], now)) for row in mine
                ],
            )

        return await transaction(self._pool, work)

    async def move(self, operator_id: int, campaign_id: int, *, actor: Actor) -> Moved | None:
        """Let an operator work in the team of a campaign from now on; None if that is so already.

        A shift that is open goes on in the old team: whoever calls ends it.
        """

        async def work(connection: Connection) -> Moved | None:
            row = await SQL["shift_move"].fetchrow(connection, operator_id=operator_id, campaign_id=campaign_id)
            if row is None:
                return None
            after = {"campaign": campaign_id, "team": row["team_id"]}
            await note(connection, actor, "operator.move", f"user:{operator_id}", after=after)
            return Moved(**row)

        return await transaction(self._pool, work)

    async def note_extension(self, operator_id: int, attempt_id: UUID) -> None:
        """A wrap-up was made longer."""
        with store_errors():
            await SQL["shift_extended"].execute(self._pool, operator_id=operator_id, attempt_id=attempt_id)

    async def promise(self, operator_id: int, attempt_id: UUID, *, due_at: datetime, now: datetime) -> Promise:
        """Whether a callback may be promised for then, by the rules that will judge it when it is saved.

        Raises:
            NotFound: ``attempt.not_found``: no conversation of this operator.
        """

        async def work(connection: Connection) -> Promise:
            row = await SQL["shift_promise"].fetchrow(
                connection, operator_id=operator_id, attempt_id=attempt_id, due_at=due_at
            )
            if row is None:
                raise NotFound("attempt.not_found", "There is no such conversation of yours.")
            [campaign] = await campaigns.read(connection, campaign_id=row["campaign_id"])
            campaign = campaigns.for_callee(campaign, row["countries"])
            counted = await counted_until(connection, row["phone_id"], campaign, now)
            soonest = max(now + timedelta(seconds=campaign.profile.min_gap_s), counted)
            refused = None
            try:
                check_promise(due_at, now, row["zones"], campaign, soonest)
            except Refused as refusal:
                refused = (refusal.code, refusal.message, str(refusal.data.get("ru", refusal.message)))
            next_at = hours.next_open(max(due_at, soonest), row["zones"], campaign.profile, campaign.ring_timeout_s)
            return Promise(refused=refused, next_at=next_at, same_hour=row["same_hour"])

        return await transaction(self._pool, work)
