"""Which channels an Asterisk of ours holds, asked at its control socket: AMI's two users belong to the service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialer.world.instance import Instance

ANSWER_S_MAX = 5.0

#: What ``core show channels concise`` puts between its fields, and how many fields there are.
SEPARATOR, FIELDS = "!", 14


async def channels(instance: Instance) -> set[str]:
    """Unique ids of all channels.

    Raises:
        OSError: it does not run.
        TimeoutError: it does not answer.
    """
    reader, writer = await asyncio.open_unix_connection(str(instance.home / "run" / "asterisk.ctl"))
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            await reader.readuntil(b"\n")  # host/pid/version
            writer.write(b"core show channels concise\0core show uptime\0")
            await writer.drain()
            text = await _until_answered(reader)
    finally:
        writer.close()
    lines = (line.split(SEPARATOR) for line in text.replace("\0", "").splitlines())
    return {fields[-1].strip() for fields in lines if len(fields) == FIELDS}


async def _until_answered(reader: asyncio.StreamReader) -> str:
    """What the console says until it has answered the second question."""
    said = b""
    while b"System uptime" not in said:
        said += await reader.read(1 << 16)
    return said.decode(errors="replace")
