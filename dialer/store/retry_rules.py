"""Retry rules of dispositions and outcomes: an admin changes them, those of dispositions also for who waits already.

Looser ones need a second admin, but in a draft, which has called nobody yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dialer.core import retry, rules
from dialer.core.model import CampaignState, Outcome, RetryRule
from dialer.errors import NotFound, Refused
from dialer.store import campaigns
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.core.model import Campaign, DispositionKind
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("retry_rule")

#: What a rule of a disposition says; which phone is tried next is for outcomes to say.
FIGURES = frozenset({"delay_s", "growth", "times", "closes"})
DELAY_S_MAX, GROWTH_MAX, TIMES_MAX = 366 * 86_400, 10, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule:
    """What brings a contact back after a disposition.

    Attributes:
        rule: Its own, else that of a conversation.
        own: Whether it has one of its own.
    """

    code: str
    name_en: str
    name_ru: str
    rule: RetryRule
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRule:
    """What happens to a contact after an outcome; ``own``: the campaign says so, it is not the usual rule."""

    outcome: Outcome
    rule: RetryRule
    own: bool


class RetryRules:
    """Reads and changes them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_campaign(self, campaign_id: int) -> Sequence[KindRule]:
        """Of the dispositions that leave a contact open, in their order.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            found = await campaigns.read(self._pool, campaign_id=campaign_id)
        if not found:
            raise NotFound("campaign.not_found", "There is no such campaign.")
        return [_shown(kind, found[0]) for kind in found[0].dispositions.values() if not (kind.closes or kind.archived)]

    async def of_outcomes(self, campaign_id: int) -> Sequence[OutcomeRule]:
        """Of all outcomes, in their order.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            campaign = await _campaign(self._pool, campaign_id)
        return [
            OutcomeRule(outcome=one, rule=retry.outcome_rule(campaign, one), own=one in campaign.retry)
            for one in retry.DEFAULT
        ]

    async def change_outcome(
        self, campaign_id: int, outcome: Outcome, figures: Mapping[str, Any], *, actor: Actor
    ) -> None:
        """Bring contacts back otherwise after this outcome, from the next attempt on; the profile holds as ever.

        Args:
            campaign_id: Whose rule.
            outcome: After which.
            figures: Some of ``FIGURES``; what is absent stays.
            actor: For the audit log.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``retry_rule.figure``; ``retry_rule.phone``: after this outcome it is the number that ends.
        """

        async def work(connection: Connection) -> None:
            await SQL["retry_rule_campaign"].execute(connection, campaign_id=campaign_id)
            before = retry.outcome_rule(await _campaign(connection, campaign_id), outcome)
            if before.next_phone:
                sentence = "After this outcome the next number of the contact is called."
                raise Refused("retry_rule.phone", sentence, remedy="Choose another outcome.")
            rule = campaigns.rule_to_json(changed(before, figures))
            await SQL["retry_rule_outcome"].execute(connection, campaign_id=campaign_id, outcome=outcome, rule=rule)
            noted = [{"outcome": outcome, "retry": one} for one in (campaigns.rule_to_json(before), rule)]
            what = f"campaign:{campaign_id}"
            await note(connection, actor, "campaign.retry_rule", what, before=noted[0], after=noted[1])

        await transaction(self._pool, work)

    async def waiting(self, campaign_id: int) -> Mapping[str, int]:
        """How many contacts wait by each disposition's rule: whom a change plans anew."""
        with store_errors():
            rows = await SQL["retry_rule_waiting"].fetch(self._pool, campaign_id=campaign_id)
        return {row["code"]: row["contacts"] for row in rows}

    async def change(
        self, campaign_id: int, code: str, figures: Mapping[str, Any], *, now: datetime, actor: Actor
    ) -> int:
        """Bring contacts back later, or less often, after this disposition; those who wait by it are planned anew.

        Args:
            campaign_id: Whose disposition.
            code: The disposition.
            figures: Some of ``FIGURES``; what is absent stays.
            now: Present time, aware.
            actor: For the audit log.

        Returns:
            How many contacts were planned anew.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``disposition.unknown``, ``disposition.closes``, ``retry_rule.figure``; ``campaign.loosens``.
        """

        async def work(connection: Connection) -> int:
            return await change(connection, campaign_id, code, figures, now=now, actor=actor)

        return await transaction(self._pool, work)


async def change(
    connection: Connection, campaign_id: int, code: str, figures: Mapping[str, Any], *, now: datetime, actor: Actor
) -> int:
    """``RetryRules.change``, in a transaction."""
    campaign = await _locked(connection, campaign_id, code)
    before = retry.rule_of(_open(campaign, code), campaign)
    after = changed(before, figures)
    refuse_looser(campaign, before, after)
    return await _set(connection, campaign, code, after, now=now, actor=actor)


def refuse_looser(campaign: Campaign, before: RetryRule, after: RetryRule) -> None:
    """A draft has called nobody yet; any other campaign asks a second admin.

    Raises:
        Refused: ``campaign.loosens``.
    """
    looser = retry.looser(before, after)
    if looser and campaign.state is not CampaignState.DRAFT:
        raise Refused(
            "campaign.loosens",
            f"That would bring contacts back sooner, or more often: {', '.join(looser)}.",
            remedy="Ask for a loosening, which a second admin must approve.",
        )


async def check(connection: Connection, campaign_id: int, wanted: object) -> None:
    """Whether rules that are asked for could be set at all.

    Raises:
        NotFound, Refused: As ``RetryRules.change``, but for ``campaign.loosens``.
    """
    campaign = await _campaign(connection, campaign_id)
    if not isinstance(wanted, dict) or not all(isinstance(figures, dict) for figures in wanted.values()):
        raise Refused("retry_rule.figure", "Rules are given by disposition.", remedy="Give figures by its code.")
    for code, figures in wanted.items():
        changed(retry.rule_of(_open(campaign, code), campaign), figures)


async def loosen(
    connection: Connection, campaign_id: int, wanted: Mapping[str, Mapping[str, Any]], *, now: datetime, actor: Actor
) -> None:
    """Put rules in force that two admins agreed to, in the transaction in which the second one does."""
    for code, figures in sorted(wanted.items()):
        campaign = await _locked(connection, campaign_id, code)
        after = changed(retry.rule_of(_open(campaign, code), campaign), figures)
        await _set(connection, campaign, code, after, now=now, actor=actor)


def changed(before: RetryRule, figures: Mapping[str, Any]) -> RetryRule:
    """The rule with other figures.

    Raises:
        Refused: ``retry_rule.figure``.
    """
    values = {name: getattr(before, name) for name in FIGURES} | dict(figures)
    right = (
        _between(values["delay_s"], 0, DELAY_S_MAX, int)
        and (_between(values["growth"], 1, GROWTH_MAX, int) or _between(values["growth"], 1, GROWTH_MAX, float))
        and (values["times"] is None or _between(values["times"], 1, TIMES_MAX, int))
        and type(values["closes"]) is bool
    )
    if not right or set(values) != FIGURES:
        raise Refused(
            "retry_rule.figure",
            f"A rule waits 0 to {DELAY_S_MAX} s, grows by 1 to {GROWTH_MAX}, and holds 1 to {TIMES_MAX} times.",
            remedy=f"Give some of {', '.join(sorted(FIGURES))}.",
        )
    return RetryRule(**values)


def _between(value: Any, low: int, high: int, kind: type[float]) -> bool:
    """Whether it is such a number; true and false are none."""
    return type(value) is kind and low <= value <= high


async def _locked(connection: Connection, campaign_id: int, code: str) -> Campaign:
    await SQL["retry_rule_lock"].execute(connection, campaign_id=campaign_id, code=code)
    return await _campaign(connection, campaign_id)


async def _campaign(connection: Connection | Pool, campaign_id: int) -> Campaign:
    found = await campaigns.read(connection, campaign_id=campaign_id)
    if not found:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    return found[0]


def _open(campaign: Campaign, code: str) -> DispositionKind:
    kind = campaign.dispositions.get(code)
    if kind is None:
        raise Refused("disposition.unknown", f"The campaign has no disposition {code!r}.", remedy="See its list.")
    if kind.closes:
        sentence = f"{kind.name_en}: whoever this is said of is not called again."
        raise Refused("disposition.closes", sentence, remedy="Choose a disposition that leaves the contact open.")
    return kind


async def _set(
    connection: Connection, campaign: Campaign, code: str, after: RetryRule, *, now: datetime, actor: Actor
) -> int:
    kind = campaign.dispositions[code]
    where = {"campaign_id": campaign.id, "code": code}
    rule = campaigns.rule_to_json(after)
    await SQL["retry_rule_set"].execute(connection, rule=rule, **where)
    most = await SQL["retry_rule_times"].fetchval(connection, **where)
    waits = [None if retry.closed_by(after, times) else _waits(kind, campaign, after, times) for times in _to(most)]
    contacts = await SQL["retry_rule_replan"].execute(connection, waits=waits, now=now, **where)
    before = {"code": code, "retry": campaigns.rule_to_json(kind.retry) if kind.retry else None}
    noted = {"code": code, "retry": rule, "contacts": contacts}
    await note(connection, actor, "campaign.retry_rule", f"campaign:{campaign.id}", before=before, after=noted)
    return contacts


def _to(most: int) -> range:
    return range(1, most + 1)


def _waits(kind: DispositionKind, campaign: Campaign, rule: RetryRule, times: int) -> timedelta:
    rests = rules.rests(campaign.profile)
    return max([retry.delay(rule, times), *(rests.get(word, timedelta()) for word in kind.classes)])


def _shown(kind: DispositionKind, campaign: Campaign) -> KindRule:
    rule = retry.rule_of(kind, campaign)
    return KindRule(code=kind.code, name_en=kind.name_en, name_ru=kind.name_ru, rule=rule, own=kind.retry is not None)
