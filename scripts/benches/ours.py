"""Our side of ``bench calls``: the whole service, with a disposition for every conversation."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from dialer.core.model import CampaignState, OperatorState
from dialer.logs import configure
from dialer.service import Service, running
from dialer.settings import Settings
from scripts.benches import site

SQL = """
SELECT extract(epoch FROM connected_at - answered_at) * 1000 AS ms
FROM attempt WHERE sent_at >= $1 AND connected_at IS NOT NULL
"""
SENT = """
SELECT (SELECT count(*) FROM attempt WHERE sent_at >= $1) + (SELECT count(*) FROM attempt_live WHERE sent_at >= $1)
"""
CODES = ("lead", "thinking", "refused_decision_maker", "agreed")


async def write_up(service: Service) -> None:
    """Save a disposition for each operator in wrap-up, as the operator page would, without HTTP."""
    saved: set[UUID] = set()

    async def save(operator_id: int, attempt_id: UUID) -> None:
        code = CODES[attempt_id.int % len(CODES)]
        await service.stores.dispositions.save(
            attempt_id=attempt_id,
            operator_id=operator_id,
            key=attempt_id.hex,
            body_hash=hashlib.sha256(code.encode()).digest(),
            code=code,
            now=datetime.now(UTC),
        )
        await service.engine.disposition_saved(operator_id, attempt_id)

    async with asyncio.TaskGroup() as group:
        while True:
            for op in list(service.engine.floor.operators.values()):
                attempt_id = op.live.attempt_id
                if op.live.state is OperatorState.WRAP_UP and attempt_id and attempt_id not in saved:
                    saved.add(attempt_id)
                    group.create_task(save(op.live.operator_id, attempt_id))
            await asyncio.sleep(0.05)


async def ready(service: Service, operators: int) -> None:
    """Every operator nailed up and ready."""
    while not service.engine.board().switch_up:
        await asyncio.sleep(0.05)
    for n in range(1, operators + 1):
        await service.engine.start_shift(operator_id=n, name=f"Operator {n}", team_id=1, seat=f"seat-{n:03}")
        await service.engine.ready(n)
        await asyncio.sleep(0.01)
    while sum(op.free for op in service.engine.floor.operators.values()) < operators:
        await asyncio.sleep(0.05)


async def switch_campaign(service: Service, state: CampaignState) -> None:
    """Start or pause the one campaign."""
    (campaign,) = await service.stores.campaigns.list()
    await service.stores.campaigns.set_state(campaign.id, state, actor=site.NOBODY)
    await service.engine.campaigns_changed()


async def run(rate: float, seconds: float, operators: int) -> dict[str, float]:
    """One block."""
    rig = json.loads(os.environ["RIG"])
    settings = Settings(
        ami_port=rig["ami_port"],
        ami_events_secret=rig["events_secret"],
        ami_commands_secret=rig["commands_secret"],
        http_port=0,
        data_dir=Path(tempfile.gettempdir()),
        log_level="error",
    )
    configure(level="error", secrets=settings.secrets())
    connection = await asyncpg.connect(os.environ["DIALER_DATABASE_URL"])
    await add_operators(connection, operators)
    await connection.execute("UPDATE campaign SET state = 'paused'")
    await connection.execute("UPDATE trunk SET calls_per_s = $1", rate)
    async with running(settings) as service:
        await ready(service, operators)
        writing = asyncio.create_task(write_up(service))
        start, cpu = datetime.now(UTC), site.cpu_s()
        await switch_campaign(service, CampaignState.RUNNING)
        await asyncio.sleep(seconds)
        sent = await connection.fetchval(SENT, start)
        took = (datetime.now(UTC) - start).total_seconds()
        await switch_campaign(service, CampaignState.PAUSED)
        await asyncio.sleep(5)
        used = site.cpu_s() - cpu
        writing.cancel()
        for n in range(1, operators + 1):
            await service.engine.end_shift(n)
        await asyncio.sleep(1)
    rows = await connection.fetch(SQL, start)
    await connection.close()
    return site.figures(sent / took, [float(row["ms"]) for row in rows], used, sent)


async def add_operators(connection: asyncpg.Connection, operators: int) -> None:
    """Users for the shifts, the first time; their ids are 1 to ``operators``."""
    await connection.executemany(
        "INSERT INTO app_user (login, name, role, password_hash, team_id) VALUES ($1, $1, 'operator', '-', 1) "
        "ON CONFLICT DO NOTHING",
        [(f"operator-{n}",) for n in range(1, operators + 1)],
    )


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))))
