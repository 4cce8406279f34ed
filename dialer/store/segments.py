"""Segments: people who refused in one campaign, as a base of another campaign of the same customer.

The new contacts have the same numbers, so do-not-call entries, limits and rests hold for them as ever, and each is
linked to the contact it was made of, whose history operators see. Who must not be called is left out, and counted.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from dialer.core.model import CampaignState
from dialer.errors import NotFound, Refused
from dialer.store import bases, campaigns, contacts
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from dialer.core.model import Campaign
    from dialer.store.bases import Base
    from dialer.store.contacts import Held
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("segment")
BASES = queries("base")
#: What becomes of a contact of the segment.
LOADED = "loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Contacts of a campaign of whom a refusal was said last.

    Attributes:
        code: By this disposition; None is any.
        reason: With this reason; None is any, and none.
        since: Said from then on.
        until: Said before then.
    """

    campaign_id: int
    code: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a segment gives.

    Attributes:
        found: Contacts of the segment; all that follows adds up to it.
        verdicts: How many are ``loaded``, and how many are left out: ``do_not_call`` (every number), ``in_campaign``
            (a number is there already), ``open`` (their own campaign still calls them), ``repeated``, ``dead``,
            ``erased``.
        held: Those loaded by what the gate says of them now, as if the campaign ran.
    """

    found: int
    verdicts: Mapping[str, int]
    held: Mapping[str, Held]

    @property
    def loaded(self) -> int:
        """How many become contacts of the other campaign."""
        return self.verdicts.get(LOADED, 0)


class _Undone(Exception):
    """Takes a rehearsal back."""


class Segments:
    """Counts segments and makes bases of them.

    Args:
        pool: For reading.
        intake: For making bases, which takes longer.
    """

    def __init__(self, pool: Pool, intake: Pool) -> None:
        self._pool = pool
        self._intake = intake

    async def counts(self, campaign_id: int) -> Sequence[Mapping[str, Any]]:
        """Refusals of a campaign: ``code``, ``name_ru``, ``name_en``, ``reason``, ``contacts``."""
        with store_errors():
            return [dict(row) for row in await SQL["segment_counts"].fetch(self._pool, campaign_id=campaign_id)]

    async def rehearse(self, segment: Segment, target_id: int, *, now: datetime, actor: Actor) -> Counted:
        """What ``make`` would do, and what the gate would say of each; nothing is left of it.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``segment.same_campaign``, ``segment.other_customer``.
        """
        counted: Counted | None = None

        async def work(connection: Connection) -> None:
            nonlocal counted
            base_id, target, verdicts = await _make(connection, segment, target_id, "rehearsal", actor)
            running = replace(target, state=CampaignState.RUNNING)
            held = await contacts.counts(connection, running, now, base_id)
            counted = Counted(found=verdicts.total(), verdicts=dict(verdicts), held=held)
            raise _Undone

        try:
            await transaction(self._intake, work)
        except _Undone:
            assert counted is not None  # noqa: S101 - set before it is raised
            return counted
        raise AssertionError(segment)

    async def make(
        self, segment: Segment, target_id: int, name: str, *, actor: Actor
    ) -> tuple[Base, Mapping[str, int]]:
        """Make a base of the other campaign; it may be undone while nobody of it was called.

        Returns:
            The base, and what became of the contacts of the segment, as in ``Counted.verdicts``.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``segment.same_campaign``, ``segment.other_customer``, ``segment.empty``.
        """

        async def work(connection: Connection) -> tuple[Base, Mapping[str, int]]:
            base_id, _, verdicts = await _make(connection, segment, target_id, name, actor)
            if not verdicts[LOADED]:
                raise Refused("segment.empty", "Nobody of the segment may be loaded.", remedy="Choose another one.")
            said = {key: value for key, value in asdict(segment).items() if value is not None}
            told = {key: value if isinstance(value, int | str) else value.isoformat() for key, value in said.items()}
            after = {**told, "target": target_id, **verdicts}
            await note(connection, actor, "base.segment", f"base:{base_id}", after=after)
            return await bases.get(connection, base_id), dict(verdicts)

        return await transaction(self._intake, work)


async def _make(
    connection: Connection, segment: Segment, target_id: int, name: str, actor: Actor
) -> tuple[int, Campaign, Counter[str]]:
    """The base, its campaign, and what became of the segment's contacts."""
    source, target = await _campaign(connection, segment.campaign_id), await _campaign(connection, target_id)
    if source.id == target.id:
        raise _wrong("segment.same_campaign", "A segment is called by another campaign.")
    if source.customer_id != target.customer_id:
        raise _wrong("segment.other_customer", "People of one customer are not called for another one.")
    await BASES["base_turn"].execute(connection, customer_id=target.customer_id)
    values = {key: getattr(segment, key) for key in ("code", "reason", "since", "until")}
    rows = await SQL["segment_found"].fetch(
        connection, campaign_id=source.id, target_id=target.id, customer_id=target.customer_id, **values
    )
    verdicts, chosen = _chosen(rows)
    base_id = await _add(connection, segment, target_id, name, actor)
    await _load(connection, chosen, base_id, target.id)
    await bases.forget_erased(connection, base_id)
    left_out = verdicts.total() - verdicts[LOADED]
    counts = {"rows_loaded": verdicts[LOADED], "rows_updated": 0, "rows_rejected": left_out}
    await BASES["base_counts"].execute(connection, base_id=base_id, **counts)
    return base_id, target, verdicts


def _chosen(rows: Sequence[asyncpg.Record]) -> tuple[Counter[str], Sequence[asyncpg.Record]]:
    """What becomes of each, and who is loaded: of several with a number in common the one who refused last."""
    verdicts: Counter[str] = Counter()
    chosen, taken = [], set[int]()
    for row in rows:
        repeated = row["verdict"] == LOADED and not taken.isdisjoint(row["phones"])
        verdicts["repeated" if repeated else row["verdict"]] += 1
        if row["verdict"] == LOADED and not repeated:
            chosen.append(row)
            taken.update(row["phones"])
    return verdicts, sorted(chosen, key=lambda row: int(row["id"]))


async def _add(connection: Connection, segment: Segment, target_id: int, name: str, actor: Actor) -> int:
    """The base; the same segment again is a second copy, of those who refused meanwhile."""
    said = json.dumps(asdict(segment), default=str, sort_keys=True)
    of_segment = {"campaign_id": target_id, "file_hash": hashlib.sha256(f"segment {said}".encode()).digest()}
    there = await BASES["base_of_file"].fetchrow(connection, **of_segment)
    copy = there["copy"] + 1 if there else 0
    by = {"name": name, "source": "segment", "copy": copy, "loaded_by": actor.user_id}
    return int(await BASES["base_add"].fetchval(connection, **of_segment, **by))


async def _load(connection: Connection, rows: Sequence[asyncpg.Record], base_id: int, campaign_id: int) -> None:
    lanes: dict[tuple[Any, ...], int] = {}
    of_base = {"base_id": base_id, "campaign_id": campaign_id}
    for row in rows:
        key = (tuple(row["zones"]), tuple(row["countries"]), row["priority"])
        if key not in lanes:
            where = {name: row[name] for name in ("zones", "countries", "priority")}
            lanes[key] = await SQL["segment_lane"].fetchval(connection, **of_base, **where)
    chosen = [lanes[tuple(row["zones"]), tuple(row["countries"]), row["priority"]] for row in rows]
    ids = [row["id"] for row in rows]
    await SQL["segment_contacts"].execute(connection, **of_base, contacts=ids, lanes=chosen)
    await SQL["segment_numbers"].execute(connection, base_id=base_id)


async def _campaign(connection: Connection, campaign_id: int) -> Campaign:
    found = await campaigns.read(connection, campaign_id=campaign_id)
    if not found:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    return found[0]


def _wrong(code: str, sentence: str) -> Refused:
    fields = [{"field": "target", "message": sentence}]
    return Refused(code, sentence, remedy="Choose another campaign.", fields=fields)
