"""Campaigns as the engine and the pages read them, and how they are made and changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
import structlog

from dialer import profiles
from dialer.core import budget as law
from dialer.core import hours, offer_keys
from dialer.core import rules as own_rules
from dialer.core.dispositions import DEFAULT, keyed
from dialer.core.gate import call_type
from dialer.core.model import (
    BudgetMode,
    Campaign,
    CampaignState,
    DispositionKind,
    Mode,
    OperatorState,
    Outcome,
    Profile,
    RetryRule,
    Trunk,
)
from dialer.core.recording import LEFT, Ways
from dialer.errors import DialerError, NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor
    from dialer.store.users import Actor

SQL = queries("campaign")
BASKETS = queries("basket")
Result = TypeVar("Result")
_log = structlog.get_logger(__name__)
_RULE = tuple(field.name for field in fields(RetryRule))
_SAME = (
    *("id", "name", "team_id", "customer_id", "zone", "caller_number", "ring_timeout_s", "wrap_up_s", "attempts_max"),
    *(
        "cap_permille",
        "target_permille",
        "caution",
        "max_lines_per_operator",
        "max_lines",
        "key_wait_s",
        "return_wait_s",
        "weight",
    ),
    *("offer", "operator_free", "preview_s", "preview_calls", "listening_shown", "manual", "keys", "base_rows"),
    *("recording", "recording_stops"),
)


async def read(
    connection: Executor, *, switch: str | None = None, campaign_id: int | None = None
) -> Sequence[Campaign]:
    """Campaigns with trunk, profile and dispositions; those of a switch without its drafts.

    A campaign whose profile this version does not know is left out and said in the log: it cannot be dialled by rule.
    """
    rows = await SQL["campaign_list"].fetch(connection, switch=switch, campaign_id=campaign_id)
    kinds: defaultdict[int, dict[str, DispositionKind]] = defaultdict(dict)
    for row in await SQL["campaign_kinds"].fetch(connection, campaigns=[row["id"] for row in rows]):
        kinds[row["campaign_id"]][row["code"]] = _kind(row)
    found = []
    for row in rows:
        try:
            found.append(_campaign(row, kinds[row["id"]]))
        except DialerError as error:
            _log.error("campaign.left_out", campaign_id=row["id"], code=error.code, why=error.message)
    return found


async def kinds(connection: Executor, campaign_id: int) -> Sequence[DispositionKind]:
    """A campaign's dispositions in their fixed order."""
    return [_kind(row) for row in await SQL["campaign_kinds"].fetch(connection, campaigns=[campaign_id])]


def _campaign(row: asyncpg.Record, kinds: Mapping[str, DispositionKind]) -> Campaign:
    trunk = Trunk(
        id=row["trunk_id"],
        name=row["trunk_name"],
        kind=row["trunk_kind"],
        max_channels=row["max_channels"],
        calls_per_s=row["calls_per_s"],
        causes=row["causes"],
    )
    return Campaign(
        **{name: row[name] for name in _SAME},
        mode=Mode(row["mode"]),
        budget_mode=BudgetMode(row["budget_mode"]),
        state=CampaignState(row["state"]),
        after_wrap_up=OperatorState(row["after_wrap_up"]),
        trunk=trunk,
        profile=_rules(row),
        retry={Outcome(outcome): rule_from_json(rule) for outcome, rule in row["retry"].items()},
        dispositions=kinds,
    )


def _rules(row: asyncpg.Record) -> Profile:
    """The profile for the campaign's purpose, with what two admins loosened, and what tightens it again.

    That is the law of the customer's country, and the campaign's override.
    """
    profile = profiles.load(row["profile"], row["purpose"])
    if row["loosened"]:
        profile = own_rules.loosened(profile, profiles.read_override(row["loosened"]))
    if row["customer_country"]:
        profile = own_rules.strictest(profile, _laws([row["customer_country"]], profile.purpose))
    return own_rules.tightened(profile, profiles.read_override(row["override"])) if row["override"] else profile


def for_callee(campaign: Campaign, countries: Sequence[str]) -> Campaign:
    """The campaign as it calls people whose numbers are of these countries: under the strictest of all rules."""
    laws = _laws(countries, campaign.profile.purpose)
    profile = own_rules.strictest(campaign.profile, laws) if laws else campaign.profile
    return campaign if profile is campaign.profile else replace(campaign, profile=profile)


def _laws(countries: Sequence[str], purpose: str) -> list[Profile]:
    found = (profiles.of_country(country, purpose) for country in countries)
    return [law for law in found if law is not None]


def _kind(row: asyncpg.Record) -> DispositionKind:
    values = {name: row[name] for name in row.keys() if name != "campaign_id"}  # noqa: SIM118  # a Record iterates values
    values |= {
        "needs": frozenset(row["needs"]),
        "reasons": tuple(row["reasons"]),
        "retry": rule_from_json(row["retry"]) if row["retry"] is not None else None,
    }
    return DispositionKind(**values)


def rule_from_json(rule: Mapping[str, Any]) -> RetryRule:
    """A retry rule from its jsonb."""
    return RetryRule(**rule)


def rule_to_json(rule: RetryRule) -> dict[str, Any]:
    """A retry rule for its jsonb."""
    return {name: getattr(rule, name) for name in _RULE}


def refused_by_profile(campaign: Campaign) -> str | None:
    """Which rule of its profile forbids this campaign to dial at all, in the gate's words; None if none does."""
    if call_type(campaign) not in campaign.profile.call_types:
        return "call_type_forbidden"
    return None if campaign.trunk.kind in campaign.profile.trunk_kinds else "profile_not_for_trunk"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """A campaign as pages show it: the rules, and names instead of ids."""

    id: int
    name: str
    customer: str
    team: str
    trunk: str
    mode: str
    state: str
    zone: str
    profile: str
    purpose: str
    override: Mapping[str, Any]
    loosened: Mapping[str, Any]
    caller_number: str
    ring_timeout_s: int
    wrap_up_s: int
    after_wrap_up: str
    attempts_max: int
    cap_permille: int
    target_permille: int | None
    budget_mode: str
    caution: float
    max_lines_per_operator: float
    max_lines: int
    key_wait_s: int
    return_wait_s: int
    weight: float
    offer: str | None
    operator_free: bool
    preview_s: int
    preview_calls: bool
    listening_shown: bool
    recording: str
    recording_days: int
    recording_stops: bool
    recording_operator: bool
    recording_customer: bool
    manual: bool
    retry: Mapping[str, Any]
    keys: Mapping[str, str]
    dispositions: Sequence[DispositionKind]


_ROW = tuple(
    field.name for field in fields(CampaignRow) if field.name not in {"customer", "team", "trunk", "dispositions"}
)
#: What ``change`` takes.
CHANGEABLE = frozenset(_ROW) - {"id", "state", "loosened"}


class Campaigns:
    """Campaigns, for people. Every change is in the audit log, in the same transaction."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self) -> Sequence[CampaignRow]:
        """All campaigns."""
        with store_errors():
            return await _rows(self._pool, None)

    async def get(self, campaign_id: int) -> CampaignRow:
        """One campaign.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            return await _row(self._pool, campaign_id)

    @staticmethod
    async def profiles() -> Sequence[profiles.Packaged]:
        """The packaged compliance profiles a campaign may choose from."""
        return [profiles.packaged(name) for name in profiles.names()]

    async def rules(self, campaign_id: int) -> Profile:
        """The rules a campaign is dialled under now: its profile for its purpose, loosened and tightened.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            found = await read(self._pool, campaign_id=campaign_id)
        if not found:
            raise NotFound("campaign.not_found", "There is no such campaign.")
        return found[0].profile

    async def set_trunk(
        self, name: str, *, actor: Actor, kind: str = "carrier", max_channels: int = 100, calls_per_s: float = 20.0
    ) -> int:
        """Set up a trunk, or change its limits; its id."""
        values = {"name": name, "kind": kind, "max_channels": max_channels, "calls_per_s": calls_per_s}

        async def work(connection: Connection) -> int:
            trunk_id: int = await SQL["campaign_trunk_set"].fetchval(connection, **values)
            await note(connection, actor, "trunk.set", f"trunk:{trunk_id}", after=values)
            return trunk_id

        return await _refusing(self._pool, work)

    async def create(
        self,
        values: Mapping[str, Any],
        *,
        actor: Actor,
        dispositions: Sequence[DispositionKind] = DEFAULT,
        carried: tuple[int, int] = (0, 0),
        now: datetime | None = None,
        baskets_of: int | None = None,
    ) -> CampaignRow:
        """A new campaign, as a draft.

        Args:
            values: ``name``, ``mode``, ``customer``, ``team`` (both made when they are new), ``trunk`` (its name), and
                any of ``CHANGEABLE``.
            actor: For the audit log.
            dispositions: Its list, in the order of its keys.
            carried: Answered and abandoned calls of the present legal window that were not dialled here.
            now: Time of day, by default this machine's.
            baskets_of: The campaign whose baskets of leads it has too.

        Raises:
            Refused: ``campaign.exists``, ``campaign.trunk``, ``campaign.value``, ``campaign.profile``,
                ``campaign.zone``, ``campaign.key``, ``campaign.opt_out_key`` and others of an offer's keys.
        """

        async def work(connection: Connection) -> CampaignRow:
            campaign_id = await _add(connection, values)
            if baskets_of is not None:
                await BASKETS["basket_copy"].execute(connection, campaign_id=campaign_id, like_id=baskets_of)
            for place, kind in enumerate(keyed(dispositions)):
                await add_kind(connection, campaign_id, place, kind)
            changes = {name: value for name, value in values.items() if name in CHANGEABLE}
            await SQL["campaign_change"].execute(connection, campaign_id=campaign_id, changes=changes)
            campaign = await _checked(connection, campaign_id)
            await _give_keys(connection, campaign)
            starts_at, ends_at = law.window(campaign.profile.legal_window, now or datetime.now(UTC), campaign.zone)
            await SQL["campaign_budget_add"].execute(
                connection,
                campaign_id=campaign_id,
                starts_at=starts_at,
                ends_at=ends_at,
                answered=carried[0],
                abandoned=carried[1],
                cap_permille=law.cap_of(campaign),
            )
            after = {**values, "carried": list(carried)}
            await note(connection, actor, "campaign.create", f"campaign:{campaign_id}", after=after)
            return await _row(connection, campaign_id)

        return await _refusing(self._pool, work)

    async def copy(self, campaign_id: int, name: str, *, actor: Actor) -> CampaignRow:
        """A draft with the settings, dispositions and baskets of another; without its bases and what was loosened.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``campaign.exists``.
        """
        row = await self.get(campaign_id)
        values = {field: getattr(row, field) for field in (*CHANGEABLE, "customer", "team", "trunk")}
        kinds = [kind for kind in row.dispositions if not kind.archived]
        return await self.create({**values, "name": name}, actor=actor, dispositions=kinds, baskets_of=campaign_id)

    async def change(self, campaign_id: int, changes: Mapping[str, Any], *, actor: Actor) -> CampaignRow:
        """Change some of ``CHANGEABLE``; what is absent stays.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: As ``create``, and as ``set_state`` while it runs.
        """

        async def work(connection: Connection) -> CampaignRow:
            before = await _row(connection, campaign_id)
            allowed = {name: value for name, value in changes.items() if name in CHANGEABLE}
            await SQL["campaign_change"].execute(connection, campaign_id=campaign_id, changes=allowed)
            campaign = await _checked(connection, campaign_id)
            await _give_keys(connection, campaign)
            if campaign.state is CampaignState.RUNNING:
                _may_run(campaign)
            old = {name: getattr(before, name) for name in allowed}
            await note(connection, actor, "campaign.change", f"campaign:{campaign_id}", before=old, after=allowed)
            return await _row(connection, campaign_id)

        return await _refusing(self._pool, work)

    async def set_state(self, campaign_id: int, state: CampaignState, *, actor: Actor) -> CampaignRow:
        """Start, pause or stop it.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``campaign.call_type_forbidden``, ``campaign.profile_not_for_trunk``, ``campaign.opt_out_key``: by
                its profile.
        """

        async def work(connection: Connection) -> CampaignRow:
            before = await _row(connection, campaign_id)
            if state is CampaignState.RUNNING:
                campaign = await _checked(connection, campaign_id)
                await _give_keys(connection, campaign)
                _may_run(campaign)
            await SQL["campaign_state"].execute(connection, campaign_id=campaign_id, state=state)
            old, new = {"state": before.state}, {"state": state}
            await note(connection, actor, "campaign.state", f"campaign:{campaign_id}", before=old, after=new)
            return await _row(connection, campaign_id)

        return await _refusing(self._pool, work)


async def _refusing(pool: Pool, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    """A transaction in which a value that the database refuses is a refusal with a sentence."""
    try:
        return await transaction(pool, work)
    except asyncpg.UniqueViolationError as error:
        raise Refused("campaign.exists", "There is a campaign of this name.", remedy="Choose another.") from error
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        what = error.constraint_name or str(error)
        raise Refused("campaign.value", f"A value is out of its bounds: {what}.", remedy="Correct it.") from error


async def _rows(connection: Executor, campaign_id: int | None) -> Sequence[CampaignRow]:
    names = {row["id"]: row for row in await SQL["campaign_names"].fetch(connection, campaign_id=campaign_id)}
    rows = await SQL["campaign_list"].fetch(connection, switch=None, campaign_id=campaign_id)
    kinds: defaultdict[int, list[DispositionKind]] = defaultdict(list)
    for row in await SQL["campaign_kinds"].fetch(connection, campaigns=list(names)):
        kinds[row["campaign_id"]].append(_kind(row))
    return [
        CampaignRow(
            **{name: row[name] for name in _ROW},
            **{name: names[row["id"]][name] for name in ("customer", "team", "trunk")},
            dispositions=kinds[row["id"]],
        )
        for row in rows
    ]


async def _row(connection: Executor, campaign_id: int) -> CampaignRow:
    found = await _rows(connection, campaign_id)
    if not found:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    return found[0]


async def _add(connection: Connection, values: Mapping[str, Any]) -> int:
    trunk_id = await SQL["campaign_trunk"].fetchval(connection, name=values["trunk"])
    if trunk_id is None:
        raise Refused("campaign.trunk", f"There is no trunk {values['trunk']!r}.", remedy="Set it up first.")
    campaign_id: int | None = await SQL["campaign_add"].fetchval(
        connection,
        name=values["name"],
        mode=values["mode"],
        offer=values.get("offer"),
        customer_id=await SQL["campaign_customer"].fetchval(connection, name=values["customer"]),
        team_id=await SQL["campaign_team"].fetchval(connection, name=values["team"]),
        trunk_id=trunk_id,
    )
    if campaign_id is None:
        raise Refused("campaign.exists", f"There is a campaign {values['name']!r}.", remedy="Choose another name.")
    return campaign_id


async def add_kind(connection: Connection, campaign_id: int, place: int, kind: DispositionKind) -> None:
    """One disposition of a campaign's list."""
    values = {field.name: getattr(kind, field.name) for field in fields(kind) if field.name != "archived"}
    values |= {"needs": sorted(kind.needs), "retry": rule_to_json(kind.retry) if kind.retry else None}
    await SQL["campaign_kind_add"].execute(connection, campaign_id=campaign_id, place=place, **values)


async def _give_keys(connection: Connection, campaign: Campaign) -> None:
    """Give an offer the usual keys where it has none.

    Raises:
        Refused: ``campaign.opt_out_key``, ``campaign.key_never``, ``campaign.key_said``, ``campaign.key_unheard``,
            ``campaign.key_fixed``.
    """
    if campaign.mode is not Mode.IVR:
        return
    if refusal := offer_keys.refusal(campaign):
        code, key, sentence = refusal
        field = {"field": f"keys.{key}", "message": sentence}
        raise Refused(f"campaign.{code}", sentence, remedy="Give that key another meaning.", fields=[field])
    if not campaign.keys:
        keys = dict(offer_keys.of(campaign))
        await SQL["campaign_change"].execute(connection, campaign_id=campaign.id, changes={"keys": keys})


async def _checked(connection: Connection, campaign_id: int) -> Campaign:
    """The campaign as the engine would read it; refuses what no constraint of the database can see."""
    row = await _row(connection, campaign_id)
    try:
        profile = profiles.load(row.profile, row.purpose)
        loosening = own_rules.loosens(
            own_rules.loosened(profile, profiles.read_override(row.loosened)), profiles.read_override(row.override)
        )
    except DialerError as error:
        raise Refused("campaign.profile", error.message, remedy=error.remedy) from error
    if loosening:
        raise Refused(
            "campaign.loosens",
            f"The override would loosen the profile: {', '.join(loosening)}.",
            remedy="Only tighten here; ask for a loosening, which a second admin must approve.",
        )
    if not hours.known(row.zone):
        raise Refused("campaign.zone", f"There is no time zone {row.zone!r}.", remedy="Write it like Europe/Moscow.")
    meanings = {"operator", "repeat", *(kind.code for kind in row.dispositions if not kind.archived)}
    strange = sorted(set(row.keys.values()) - meanings)
    if strange:
        raise Refused(
            "campaign.key", f"Keys mean {strange}, which are no dispositions.", remedy="Name one of the list."
        )
    [campaign] = await read(connection, campaign_id=campaign_id)
    most = min(campaign.cap_permille, campaign.profile.cap_permille)
    if campaign.target_permille is not None and campaign.target_permille > most:
        raise Refused(
            "campaign.target",
            f"The target of {campaign.target_permille / 10:g} % is above the cap of {most / 10:g} %.",
            remedy="Aim at the cap or below it.",
        )
    _may_record(campaign, row.recording_days)
    return campaign


def _may_record(campaign: Campaign, days: int) -> None:
    """Refuse to record otherwise, or to keep longer, than the profile lets."""
    profile = campaign.profile
    if campaign.recording not in LEFT[profile.recording]:
        left = sorted(LEFT[profile.recording])
        raise Refused(
            "campaign.recording",
            f"The profile {profile.id} allows of recording only: {', '.join(left)}.",
            remedy="Tell or ask people first, do not record, or choose another profile.",
            fields=[{"field": "recording", "message": f"only: {', '.join(left)}"}],
        )
    if campaign.recording != Ways.OFF and days > profile.recording_days:
        raise Refused(
            "campaign.recording_days",
            f"The profile {profile.id} lets recordings be kept {profile.recording_days} days at most.",
            remedy="Keep them for fewer days.",
            fields=[{"field": "recording_days", "message": f"at most {profile.recording_days}"}],
        )


def _may_run(campaign: Campaign) -> None:
    refusal = refused_by_profile(campaign)
    if refusal:
        raise Refused(
            f"campaign.{refusal}",
            f"The profile {campaign.profile.id} does not allow {campaign.mode} calls on a {campaign.trunk.kind} trunk.",
            remedy="Choose another profile, mode or trunk.",
        )
