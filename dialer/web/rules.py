"""Routes of the rules: profiles, national lists, loosening, consent, a number's history, passes of a base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import registers
from dialer.store.consents import Given
from dialer.web import schemas, scope

if TYPE_CHECKING:
    from dialer.web.call import Call


async def profiles(call: Call) -> schemas.ProfilesAnswer:
    """Every packaged profile with the source of each figure."""
    found = await call.stores.campaigns.profiles()
    today = call.now.date()
    return schemas.ProfilesAnswer(
        profiles=[
            schemas.ProfileInfo(
                id=one.id,
                version=one.version,
                name_en=one.name_en,
                name_ru=one.name_ru,
                purposes=list(one.purposes),
                checked_on=one.checked_on,
                stale=one.stale(today),
                figures=[schemas.FigureInfo.model_validate(figure) for figure in one.figures],
            )
            for one in found
        ]
    )


async def national_lists(call: Call) -> schemas.ListsAnswer:
    """National do-not-call lists as they were imported last."""
    found = await call.stores.national.list()
    return schemas.ListsAnswer(lists=[schemas.ListInfo.model_validate(one) for one in found])


async def campaign_lists(call: Call) -> schemas.CampaignListsAnswer:
    """The national lists a campaign needs, and when each becomes too old for it."""
    rules = await call.stores.campaigns.rules(call.id())
    imported = {one.name: one.imported_at for one in await call.stores.national.list()}
    found = registers.needed(rules, imported, call.now)
    lists = [schemas.ListAge.model_validate(one) for one in found]
    return schemas.CampaignListsAnswer(campaign_id=call.id(), lists=lists)


async def loosenings(call: Call) -> schemas.LooseningsAnswer:
    """What was asked to be loosened for a campaign."""
    return await _loosenings(call, call.id())


async def ask_loosening(call: Call, ask: schemas.LooseningAsk) -> schemas.LooseningsAnswer:
    """Ask to loosen; nothing changes until another admin approves."""
    await call.stores.loosenings.ask(call.id(), ask.changes, reason=ask.reason, now=call.now, actor=call.actor)
    return await _loosenings(call, call.id())


async def approve_loosening(call: Call) -> schemas.LooseningsAnswer:
    """Put a loosening in force."""
    campaign_id = await call.stores.loosenings.approve(call.id(), now=call.now, actor=call.actor)
    await call.commands.campaigns_changed()
    return await _loosenings(call, campaign_id)


async def _loosenings(call: Call, campaign_id: int) -> schemas.LooseningsAnswer:
    found = await call.stores.loosenings.of_campaign(campaign_id)
    return schemas.LooseningsAnswer(loosenings=[schemas.LooseningInfo.model_validate(one) for one in found])


async def retry_rules(call: Call) -> schemas.RetryRulesAnswer:
    """What brings contacts back after each disposition that leaves them open."""
    return await _retry_rules(call, None)


async def change_retry_rule(call: Call, ask: schemas.RetryRuleChange) -> schemas.RetryRulesAnswer:
    """Bring contacts back later, or less often; those who wait already are planned anew."""
    figures = ask.model_dump(exclude_unset=True)
    code = figures.pop("code")
    planned = await call.stores.retry_rules.change(call.id(), code, figures, now=call.now, actor=call.actor)
    await call.commands.campaigns_changed()
    return await _retry_rules(call, planned)


async def outcome_rules(call: Call) -> schemas.OutcomeRulesAnswer:
    """What happens to a contact after each outcome."""
    found = await call.stores.retry_rules.of_outcomes(call.id())
    rules = [
        schemas.OutcomeRuleInfo(
            outcome=one.outcome,
            rule=schemas.RetryRuleView.model_validate(one.rule),
            next_phone=one.rule.next_phone,
            own=one.own,
        )
        for one in found
    ]
    return schemas.OutcomeRulesAnswer(campaign_id=call.id(), rules=rules)


async def change_outcome_rule(call: Call, ask: schemas.OutcomeRuleChange) -> schemas.OutcomeRulesAnswer:
    """Bring contacts back otherwise after an outcome, from the next attempt on."""
    figures = ask.model_dump(exclude_unset=True)
    outcome = figures.pop("outcome")
    await call.stores.retry_rules.change_outcome(call.id(), outcome, figures, actor=call.actor)
    await call.commands.campaigns_changed()
    return await outcome_rules(call)


async def _retry_rules(call: Call, planned: int | None) -> schemas.RetryRulesAnswer:
    found = await call.stores.retry_rules.of_campaign(call.id())
    waiting = await call.stores.retry_rules.waiting(call.id())
    rules = [
        schemas.RetryRuleInfo(
            code=one.code,
            name_en=one.name_en,
            name_ru=one.name_ru,
            rule=schemas.RetryRuleView.model_validate(one.rule),
            own=one.own,
            waiting=waiting.get(one.code, 0),
        )
        for one in found
    ]
    return schemas.RetryRulesAnswer(campaign_id=call.id(), rules=rules, planned_anew=planned)


async def customers(call: Call) -> schemas.CustomersAnswer:
    """For whom campaigns call."""
    found = await call.stores.customers.list()
    return schemas.CustomersAnswer(customers=[schemas.CustomerInfo.model_validate(one) for one in found])


async def change_customer(call: Call, ask: schemas.CustomerChange) -> schemas.CustomerAnswer:
    """Say where a customer is; the rules of that country hold for all its campaigns from then on."""
    found = await call.stores.customers.set_country(call.id(), ask.country, actor=call.actor)
    await call.commands.campaigns_changed()
    return schemas.CustomerAnswer(customer=schemas.CustomerInfo.model_validate(found))


async def add_consent(call: Call, ask: schemas.ConsentAsk) -> schemas.Done:
    """Keep a consent with its evidence; who is bound to a team, of customers the team calls for."""
    await scope.check_customer(call, ask.customer_id)
    values = ask.model_dump() | {"evidence_hash": bytes.fromhex(ask.evidence_hash)}
    await call.stores.consents.add(Given(**values), actor=call.actor)
    return schemas.Done()


async def withdraw_consent(call: Call, ask: schemas.WithdrawAsk) -> schemas.Done:
    """End a consent; a ringing line to the number is cut after the commit."""
    await scope.check_customer(call, ask.customer_id)
    phone_id = await call.stores.consents.withdraw(
        ask.phone, customer_id=ask.customer_id, purpose=ask.purpose, now=call.now, actor=call.actor
    )
    await call.commands.do_not_call_added([phone_id])
    return schemas.Done()


async def phone(call: Call, ask: schemas.PhoneAsk) -> schemas.DossierAnswer:
    """All that is kept of a number; reading it is in the audit log."""
    found = await call.stores.phones.dossier(ask.phone, actor=call.actor)
    return schemas.DossierAnswer.model_validate(found)


async def erase_phone(call: Call, ask: schemas.PhoneAsk) -> schemas.Done:
    """Forget whose number it is and never call it again; a ringing line is cut after the commit."""
    phone_id = await call.stores.phones.erase(ask.phone, now=call.now, actor=call.actor)
    await call.commands.do_not_call_added([phone_id])
    return schemas.Done()


async def set_priority(call: Call, ask: schemas.PriorityAsk) -> schemas.Done:
    """The order of a base among those of its campaign."""
    await call.stores.passes.set_priority(call.id(), ask.priority, actor=call.actor)
    return schemas.Done()


async def passes(call: Call) -> schemas.PassesAnswer:
    """The passes of a base with what each brought."""
    return await _passes(call)


async def candidates(call: Call) -> schemas.CandidatesAnswer:
    """Whom a pass that began now would call again, before it is begun."""
    found = await call.stores.passes.who(call.id())
    return schemas.CandidatesAnswer(candidates=[schemas.CandidatesInfo.model_validate(one) for one in found])


async def begin_pass(call: Call, ask: schemas.PassAsk) -> schemas.PassesAnswer:
    """Call a base again: the contacts of these outcomes and dispositions."""
    await call.stores.passes.begin(
        call.id(), outcomes=ask.outcomes, dispositions=ask.dispositions, now=call.now, actor=call.actor
    )
    await call.commands.campaigns_changed()
    return await _passes(call)


async def _passes(call: Call) -> schemas.PassesAnswer:
    found = await call.stores.passes.of_base(call.id())
    return schemas.PassesAnswer(passes=[schemas.PassInfo.model_validate(one) for one in found])
