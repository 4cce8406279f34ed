"""Load a base: read the file, then store what was accepted."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.intake.rows import Rejected
from dialer.intake.verdicts import read
from dialer.store.bases import Base

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.store.stores import Stores
    from dialer.store.users import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What became of a file.

    Attributes:
        base: The base it became.
        rejected: Rows that are not in it, each with its line and reason.
        repeated: This campaign had the very same file already; nothing was loaded now.
    """

    base: Base
    rejected: Sequence[Rejected]
    repeated: bool


async def load(
    stores: Stores,
    *,
    campaign_id: int,
    name: str,
    source: str,
    data: bytes,
    actor: Actor,
    region: str | None = None,
) -> Loaded:
    """Load a CSV file into a campaign: every row that is not named as rejected, in one transaction.

    Args:
        stores: Where to.
        campaign_id: Whose base it becomes.
        name: What it is called.
        source: Where it comes from; kept with the base.
        data: The file; see ``dialer.intake.rows`` for its columns.
        actor: For the audit log.
        region: Country (``RU``) of numbers without ``+``.

    Raises:
        Refused: ``base.…``: the file as a whole cannot be read.
        NotFound: ``campaign.not_found``.
        StoreDown: Whether it is loaded is not known; the same again is right.
    """
    rows, rejected = await asyncio.to_thread(read, data, region=region)
    base, repeated = await stores.bases.load(
        campaign_id=campaign_id,
        name=name,
        source=source,
        file_hash=hashlib.sha256(data).digest(),
        rows=rows,
        rejected=len(rejected),
        actor=actor,
    )
    return Loaded(base=base, rejected=rejected, repeated=repeated)
