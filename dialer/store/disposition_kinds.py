"""The list of dispositions of a campaign, as an admin edits it. A code is for ever, so statistics survive a rename."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from dialer.core import dispositions as rules
from dialer.core import letters, retry
from dialer.core.model import CampaignState, DispositionKind
from dialer.errors import NotFound, Refused
from dialer.store import baskets, campaigns, retry_rules
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.core.model import Campaign
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor
    from dialer.store.users import Actor

SQL = queries("disposition_kind")

#: More than this nobody finds on a page.
ACTIVE_MAX = 30
#: What ``change`` takes beside ``key``, ``archived`` and the figures of the retry rule.
FLAGS = frozenset(
    {"name_ru", "name_en", "result", "closes", "decision_maker", "verdict", "refusal", "needs", "reasons", "dnc_scope"}
    | {"colour", "makes_lead", "letter", "basket"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A disposition of the list; how often it was chosen, and when last."""

    kind: DispositionKind
    times: int
    last_at: datetime | None


class DispositionKinds:
    """Reads and changes lists; every change is in the audit log."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self, campaign_id: int) -> Sequence[Listed]:
        """The whole list in its order, archived ones included.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            campaign = await _campaign(self._pool, campaign_id)
            used = {
                row["code"]: row
                for row in await SQL["disposition_kind_used"].fetch(self._pool, campaign_id=campaign_id)
            }
        return [
            Listed(
                kind=kind,
                times=used[kind.code]["times"] if kind.code in used else 0,
                last_at=used[kind.code]["last_at"] if kind.code in used else None,
            )
            for kind in campaign.dispositions.values()
        ]

    async def history(self, campaign_id: int) -> Sequence[Mapping[str, Any]]:
        """Who changed the list, the newest first."""
        with store_errors():
            return [
                dict(row) for row in await SQL["disposition_kind_history"].fetch(self._pool, campaign_id=campaign_id)
            ]

    async def add(self, campaign_id: int, values: Mapping[str, Any], *, actor: Actor) -> str:
        """Add a disposition at the end of the list, on the first free key; its code.

        Args:
            campaign_id: Whose.
            values: ``name_ru`` and ``name_en``, and any other of ``FLAGS`` and of the retry rule (``retry``).
            actor: For the audit log.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``disposition_kind.…``.
        """

        async def work(connection: Connection) -> str:
            campaign = await _locked(connection, campaign_id)
            known = campaign.dispositions
            free = next((key for key in rules.KEYS if key not in _keys(campaign)), None)
            code = _code(values["name_en"], known)
            kind = DispositionKind(code=code, key=free, **_flags(values), retry=values.get("retry"))
            _check(kind, campaign)
            await _check_basket(connection, campaign_id, kind)
            await campaigns.add_kind(connection, campaign_id, len(known) + 1, kind)
            await _reorder(connection, campaign_id, [*known, code])
            after = {"code": code, **_shown(values)}
            await note(connection, actor, "disposition_kind.add", f"campaign:{campaign_id}", after=after)
            return code

        return await transaction(self._pool, work)

    async def change(
        self, campaign_id: int, code: str, changes: Mapping[str, Any], *, now: datetime, actor: Actor
    ) -> None:
        """Change a disposition; what is absent stays. A key that another one has changes places with it.

        Args:
            campaign_id: Whose.
            code: Which; it stays.
            changes: Any of ``FLAGS``; ``key``, ``archived``; ``retry`` (figures of the rule, or None).
            now: Present time, aware.
            actor: For the audit log.

        Raises:
            NotFound: ``campaign.not_found``, ``disposition_kind.not_found``.
            Refused: ``disposition_kind.…``; as ``retry_rules`` for the rule.
        """

        async def work(connection: Connection) -> None:
            campaign = await _locked(connection, campaign_id)
            before = _found(campaign, code)
            after = replace(before, **_flags(changes), archived=changes.get("archived", before.archived))
            after = replace(after, retry=None) if after.closes or changes.get("retry", ()) is None else after
            await _check_meaning(connection, campaign, before, after)
            _check(after, campaign)
            await _check_basket(connection, campaign_id, after)
            if before.retry and not (after.retry or after.closes):
                retry_rules.refuse_looser(campaign, before.retry, retry.rule_of(after, campaign))
            await SQL["disposition_kind_change"].execute(connection, campaign_id=campaign_id, **_row(after))
            if changes.get("retry"):
                await retry_rules.change(connection, campaign_id, code, changes["retry"], now=now, actor=actor)
            key = None if after.archived else changes.get("key", before.key)
            if key != before.key:
                await _take_key(connection, campaign, before, key)
            old, new = _difference(before, replace(after, key=key))
            if new:
                what = f"campaign:{campaign_id}"
                await note(
                    connection,
                    actor,
                    "disposition_kind.change",
                    what,
                    before={"code": code, **old},
                    after={"code": code, **new},
                )

        await transaction(self._pool, work)

    async def order(self, campaign_id: int, codes: Sequence[str], *, actor: Actor) -> None:
        """Put the list in this order; those not named follow.

        Raises:
            NotFound: ``campaign.not_found``, ``disposition_kind.not_found``.
        """

        async def work(connection: Connection) -> None:
            campaign = await _locked(connection, campaign_id)
            for code in codes:
                _found(campaign, code)
            before = [kind.code for kind in campaign.dispositions.values() if not kind.archived]
            after = list(dict.fromkeys([*codes, *before]))
            archived = [code for code in campaign.dispositions if code not in after]
            await _reorder(connection, campaign_id, [*after, *archived])
            old, new = {"order": ", ".join(before)}, {"order": ", ".join(after)}
            if old != new:
                await note(
                    connection, actor, "disposition_kind.order", f"campaign:{campaign_id}", before=old, after=new
                )

        await transaction(self._pool, work)


async def _campaign(connection: Executor, campaign_id: int) -> Campaign:
    found = await campaigns.read(connection, campaign_id=campaign_id)
    if not found:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    return found[0]


async def _locked(connection: Connection, campaign_id: int) -> Campaign:
    await SQL["disposition_kind_turn"].execute(connection, campaign_id=campaign_id)
    return await _campaign(connection, campaign_id)


def _found(campaign: Campaign, code: str) -> DispositionKind:
    kind = campaign.dispositions.get(code)
    if kind is None:
        raise NotFound("disposition_kind.not_found", "The campaign has no such disposition.")
    return kind


def _keys(campaign: Campaign) -> dict[str, str]:
    """Key -> code."""
    return {kind.key: kind.code for kind in campaign.dispositions.values() if kind.key and not kind.archived}


def _code(name: str, known: Mapping[str, DispositionKind]) -> str:
    """A code from the English name, made different from those there are."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:34] or "disposition"
    return next(code for code in (plain, *(f"{plain}_{n}" for n in range(2, 1000))) if code not in known)


def _flags(values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in values.items() if name in FLAGS}
    for name, made in (("needs", frozenset), ("reasons", tuple)):
        if name in found:
            found[name] = made(found[name])
    return found


def _row(kind: DispositionKind) -> dict[str, Any]:
    values = {field.name: getattr(kind, field.name) for field in fields(kind) if field.name != "key"}
    return values | {
        "needs": sorted(kind.needs),
        "reasons": list(kind.reasons),
        "retry": campaigns.rule_to_json(kind.retry) if kind.retry else None,
    }


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the log keeps them."""
    plain = {name: value for name, value in values.items() if name != "retry"}
    return {
        name: sorted(v) if isinstance(v, frozenset) else list(v) if isinstance(v, tuple) else v
        for name, v in plain.items()
    }


def _difference(before: DispositionKind, after: DispositionKind) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [field.name for field in fields(before) if getattr(before, field.name) != getattr(after, field.name)]
    both = [{name: getattr(kind, name) for name in names} for kind in (before, after)]
    return _shown(both[0]), _shown(both[1])


def _check(kind: DispositionKind, campaign: Campaign) -> None:
    """Refuse what cannot be meant, and what would confuse operators."""
    if wrong := rules.contradiction(kind):
        code, field, sentence = wrong
        raise Refused(code, sentence, remedy="Change one of the two.", fields=[{"field": field, "message": sentence}])
    if kind.letter not in {None, kind.code, *letters.WORDS}:
        sentence = "There is no such letter: it is its own, or one of the campaign's."
        raise Refused(
            "disposition_kind.letter",
            sentence,
            remedy=f"Choose one of: {', '.join(letters.WORDS)}, {kind.code}.",
            fields=[{"field": "letter", "message": sentence}],
        )
    others = [one for one in campaign.dispositions.values() if one.code != kind.code and not one.archived]
    if kind.archived:
        if not others:
            raise Refused("disposition_kind.last", "It is the only one left.", remedy="Add another one first.")
        if kind.code in campaign.keys.values():
            raise Refused(
                "disposition_kind.on_key", "A key of the offer means it.", remedy="Give that key another meaning first."
            )
        return
    for field in ("name_en", "name_ru"):
        if getattr(kind, field).strip().lower() in {getattr(one, field).strip().lower() for one in others}:
            sentence = "Another one has this name."
            raise Refused(
                "disposition_kind.name",
                sentence,
                remedy="Choose another.",
                fields=[{"field": field, "message": sentence}],
            )
    if len(others) >= ACTIVE_MAX:
        raise Refused("disposition_kind.too_many", f"A list has at most {ACTIVE_MAX}.", remedy="Archive some.")


async def _check_basket(connection: Connection, campaign_id: int, kind: DispositionKind) -> None:
    """Refuse a basket that the campaign does not have, and one for no leads."""
    if kind.basket is None:
        return
    there = {one.code for one in await baskets.read(connection, campaign_id) if not one.archived}
    if kind.basket in there and kind.makes_lead:
        return
    sentence = "The campaign has no such basket." if kind.makes_lead else "A basket is for leads, and it makes none."
    fields = [{"field": "basket", "message": sentence}]
    raise Refused("disposition_kind.basket", sentence, remedy="Choose one of its list.", fields=fields)


async def _check_meaning(
    connection: Connection, campaign: Campaign, before: DispositionKind, after: DispositionKind
) -> None:
    """What was said of people stays true: one that was used may not protect them less."""
    flag = rules.softened(before, after)
    if flag is None or campaign.state is CampaignState.DRAFT:
        return
    used = await SQL["disposition_kind_used"].fetch(connection, campaign_id=campaign.id)
    if before.code in {row["code"] for row in used}:
        sentence = "It was said of people already, who would be called again, or sooner."
        raise Refused(
            "disposition_kind.softens",
            sentence,
            remedy="Archive it and add another one.",
            fields=[{"field": flag, "message": sentence}],
        )


async def _take_key(connection: Connection, campaign: Campaign, kind: DispositionKind, key: str | None) -> None:
    given = {kind.code: key}
    other = _keys(campaign).get(key or "")
    if other and other != kind.code:
        given[other] = kind.key
    where = {"campaign_id": campaign.id, "codes": list(given)}
    await SQL["disposition_kind_no_key"].execute(connection, **where)
    await SQL["disposition_kind_key"].execute(connection, **where, keys=list(given.values()))


async def _reorder(connection: Connection, campaign_id: int, codes: Sequence[str]) -> None:
    await SQL["disposition_kind_order"].execute(connection, campaign_id=campaign_id, codes=list(codes))
