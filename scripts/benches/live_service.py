"""The service of ``bench live`` in a process of its own; it measures how late its own event loop runs.

Settings come from the environment. Each line on standard input is answered with what was measured since the last one,
in one line of JSON; it ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from dialer.core.model import CampaignState
from dialer.logs import configure
from dialer.service import Service, running
from dialer.settings import Settings
from scripts.benches import site

#: How often the loop is asked to be on time.
BEAT_S = 0.005


async def beat(lags_ms: list[float]) -> None:
    """Write down how late each beat comes."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + BEAT_S
        await asyncio.sleep(BEAT_S)
        lags_ms.append((loop.time() - due) * 1000)


def measured(lags_ms: list[float], cpu_s: float) -> dict[str, float]:
    """The figures since the last mark."""
    cuts = statistics.quantiles(lags_ms, n=1000)
    return {"lag_p50_ms": cuts[499], "lag_p99_ms": cuts[989], "lag_max_ms": max(lags_ms), "cpu_s": cpu_s}


async def set_dialing(service: Service, state: CampaignState) -> None:
    """Start or pause the one campaign."""
    (campaign,) = await service.stores.campaigns.list()
    await service.stores.campaigns.set_state(campaign.id, state, actor=site.NOBODY)
    await service.engine.campaigns_changed()


async def main() -> None:
    """Serve until standard input closes."""
    switch = json.loads(os.environ["SWITCH"])
    settings = Settings(
        ami_port=switch["port"],
        ami_events_secret=switch["events"],
        ami_commands_secret=switch["commands"],
        http_port=0,
        data_dir=Path(tempfile.gettempdir()),
        log_level="error",
    )
    configure(level="error", secrets=settings.secrets())
    lags_ms: list[float] = []
    async with running(settings) as service:
        while not service.engine.board().switch_up:
            await asyncio.sleep(0.05)
        print(json.dumps({"url": service.url}), flush=True)
        beating = asyncio.create_task(beat(lags_ms))
        cpu = site.cpu_s()
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if word in {"running", "paused"}:
                await set_dialing(service, CampaignState(word))
            print(json.dumps(measured(lags_ms, site.cpu_s() - cpu)), flush=True)
            lags_ms.clear()
            cpu = site.cpu_s()
        beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
