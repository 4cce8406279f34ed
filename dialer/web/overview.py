"""What the board shows beside the engine's own state; read once for all boards, every few seconds, from PostgreSQL.

The last values stay when the database does not answer; the board shows the age of each.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from dialer.core import forecast
from dialer.errors import DialerError
from dialer.store.boards import MINUTES
from dialer.store.users import Owner
from dialer.web import numbers, schemas, scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.store.boards import Hour, Left, Promises, Steering
    from dialer.store.leads import Late
    from dialer.store.national import Warned
    from dialer.store.stores import Stores
    from dialer.store.users import User
    from dialer.web.forecasts import Forecasts

log = structlog.get_logger(__name__)

EVERY_S = 5.0
#: Counting what is left reads whole bases.
LEFT_EVERY_S = 60.0
_TIMEOUT_S = 2.0
#: An older forecast says too little of now to stand on the board.
FORECAST_FOR = timedelta(hours=4)


class Overview:
    """Numbers of the present hour and of each campaign."""

    def __init__(self, stores: Stores, forecasts: Forecasts) -> None:
        self._stores = stores
        self._forecasts = forecasts
        self._read_at = self._left_at = float("-inf")
        self._left: Mapping[int, Left] = {}
        self._reading: asyncio.Task[None] | None = None
        self.present = schemas.Overview(at=None, hour=None, campaigns=[], trunks=[])
        self.warned: Sequence[Warned | Late] = ()
        self._crew: Mapping[int, int] = {}
        self._owners: Mapping[int, Owner] = {}

    def forget(self) -> None:
        """Somebody changed something: read again at the next picture."""
        self._read_at = float("-inf")

    async def refresh(self) -> None:
        """Begin to read what is due; a board never waits for the database but for its very first numbers."""
        now = asyncio.get_running_loop().time()
        if now - self._read_at >= EVERY_S and (self._reading is None or self._reading.done()):
            self._read_at = now
            self._reading = asyncio.create_task(self._read_on(now), name="web.overview")
        if self.present.at is None and self._reading is not None:
            await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _read_on(self, now: float) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                self.present = await self._read(datetime.now(UTC), now)
        except (DialerError, TimeoutError) as error:
            log.warning("board_without_numbers", reason=str(error) or "timeout")

    def campaign_of(self, user: User, campaign_id: int) -> bool:
        """Whether a campaign is open to this user; one that nobody has read yet is not open to the bound."""
        owner = self._owners.get(campaign_id, Owner(team_id=None, customer_id=None))
        return scope.own(user, owner)

    def operator_of(self, user: User, operator_id: int) -> bool:
        """The same of an operator on shift."""
        return scope.own(user, Owner(team_id=self._crew.get(operator_id), customer_id=user.customer_id))

    def _forecast(self, campaign_id: int, at: datetime) -> schemas.Forecast | None:
        """The last forecast, while it is of this shift."""
        found = self._forecasts.plain(campaign_id)
        return found if found and at - found.at < FORECAST_FOR else None

    async def _read(self, at: datetime, now: float) -> schemas.Overview:
        boards = self._stores.boards
        if now - self._left_at >= LEFT_EVERY_S:
            self._left_at = now
            self._left = await boards.left(at)
            self.warned = [*await self._stores.national.warnings(at), *await self._stores.leads.late(at)]
        self._crew = await boards.crew()
        hours, promises, steering = await boards.hours(at), await boards.promises(at), await boards.steering()
        self._owners = {id_: Owner(team_id=s.team_id, customer_id=s.customer_id) for id_, s in steering.items()}
        return schemas.Overview(
            at=at,
            hour=await numbers.present_hour(self._stores, at),
            campaigns=[
                _campaign(one, hours.get(id_), promises.get(id_), self._left.get(id_), self._forecast(id_, at))
                for id_, one in steering.items()
            ],
            trunks=[schemas.TrunkLoad.model_validate(trunk) for trunk in await boards.trunks()],
        )


def _campaign(
    steering: Steering,
    hour: Hour | None,
    promises: Promises | None,
    left: Left | None,
    foreseen: schemas.Forecast | None,
) -> schemas.CampaignOverview:
    return schemas.CampaignOverview(
        steering=schemas.Steering.model_validate(steering),
        connected=list(hour.connected) if hour else [0] * MINUTES,
        abandoned=list(hour.abandoned) if hour else [0] * MINUTES,
        callbacks_due=promises.due if promises else 0,
        callbacks_late=promises.late if promises else 0,
        callbacks_urgent=promises.urgent if promises else 0,
        left=left.left if left else None,
        ends=foreseen.base.ends if foreseen else None,
        forecast_at=foreseen.at if foreseen else None,
        hours_left=forecast.hours_left(left.left, left.closed, left.over_s) if left and not foreseen else None,
    )
