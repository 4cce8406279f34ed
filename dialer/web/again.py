"""The page about calling again: what each outcome and disposition brings back and when, and passes of a base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel.units import format_unit

from dialer.core import retry
from dialer.errors import NotFound
from dialer.web import pages, schemas, texts
from dialer.web.access import LEADS, Role

if TYPE_CHECKING:
    from aiohttp import web

    from dialer.core.model import RetryRule
    from dialer.web.call import Call

_UNITS = (("duration-day", retry.DAY_S), ("duration-hour", retry.HOUR_S), ("duration-minute", retry.MINUTE_S))


async def page(call: Call, ask: schemas.AgainQuery) -> web.Response:
    """Rules of a campaign in words with how many wait by each; of one base its passes, and whom another would call.

    Raises:
        NotFound: ``campaign.not_found``; ``base.not_found``: the campaign has no such base.
    """
    campaign = await call.stores.campaigns.get(call.id())
    bases = [base for base in await call.stores.bases.of_campaign(campaign.id) if not base.undone_at]
    base = next((one for one in bases if one.id == (ask.base or bases[0].id)), None)
    if base is None and ask.base is not None:
        raise NotFound("base.not_found", "The campaign has no such base.")
    waiting = await call.stores.retry_rules.waiting(campaign.id)
    language = call.user.language
    role = Role(call.user.role)
    return pages.page_for(
        call,
        "again.html",
        "/campaigns",
        help_of="again",
        campaign=campaign,
        names={kind.code: kind.name_ru if language == "ru" else kind.name_en for kind in campaign.dispositions},
        outcomes=[(one, words(one.rule, language)) for one in await call.stores.retry_rules.of_outcomes(campaign.id)],
        rules=[
            (one, words(one.rule, language), waiting.get(one.code, 0))
            for one in await call.stores.retry_rules.of_campaign(campaign.id)
        ],
        bases=bases,
        base=base,
        passes=await call.stores.passes.of_base(base.id) if base else [],
        candidates=await call.stores.passes.who(base.id) if base else [],
        admin=role is Role.ADMIN,
        may=role in LEADS,
    )


def words(rule: RetryRule, language: str) -> str:
    """What a rule does, as a sentence without its full stop."""
    said = texts.TEXTS[language]
    if rule.closes:
        return said["again.closes"]
    parts = [
        said["again.next_phone"] if rule.next_phone else said["again.in"].format(delay=span(rule.delay_s, language))
    ]
    if rule.growth > 1:
        parts.append(
            said["again.grows"].format(growth=texts.figure(language, rule.growth, 0 if rule.growth % 1 == 0 else 1))
        )
    if rule.times == 1:
        parts.append(said["again.once"])
    elif rule.times is not None:
        parts.append(said["again.times"].format(times=rule.times))
    return ", ".join(parts)


def span(delay_s: int, language: str) -> str:
    """Seconds in the largest unit that holds them whole, at least minutes."""
    unit, size = next((one for one in _UNITS if delay_s and not delay_s % one[1]), _UNITS[-1])
    return format_unit(delay_s / size, unit, "long", format="#,##0.#", locale=language)
