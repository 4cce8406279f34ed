"""The admin pages: searched, sorted and paged by PostgreSQL, rendered whole. What they change goes to the API."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from aiohttp import web

from dialer.core import offer_keys
from dialer.core import rules as own_rules
from dialer.core.model import BudgetMode, Mode
from dialer.core.recording import LEFT, Ways
from dialer.errors import DialerError
from dialer.store.office import View
from dialer.web import access, audit_words, doctor, pages, plans, schemas, scope, scopes
from dialer.web import rules as rule_routes
from dialer.web.access import Role
from dialer.web.supervisor import masked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.store.campaigns import CampaignRow
    from dialer.web.call import Call

#: Settings whose values are, or hold, secrets.
_SECRET = re.compile("secret|key|database_url")
PURPOSES = ("marketing", "survey", "service", "debt")


def _view(ask: schemas.TableQuery) -> View:
    return View(q=ask.q, sort=ask.sort, down=ask.down, page=ask.page)


def _page(call: Call, template: str, home: str, **values: Any) -> web.Response:
    admin = Role(call.user.role) is Role.ADMIN
    return pages.page_for(call, template, home, admin=admin, **values)


async def campaigns(call: Call, ask: schemas.CampaignsQuery) -> web.Response:
    """All campaigns the user may see."""
    of = {"team_id": call.user.team_id, "customer_id": call.user.customer_id} if scope.bound(call.user) else {}
    table = await call.stores.office.campaigns(_view(ask), state=ask.state, **of)
    return _page(call, "campaigns.html", "/campaigns", table=table, state=ask.state)


async def new_campaign(call: Call) -> web.Response:
    """What a campaign cannot be without; the rest is set on its own page."""
    return _page(
        call,
        "campaign_new.html",
        "/campaigns",
        offers=await _offers(call),
        choices=await call.stores.office.choices(),
        profiles=await call.stores.campaigns.profiles(),
        modes=list(Mode),
        purposes=PURPOSES,
        usual=plans.USUAL,
    )


async def _offers(call: Call, present: str | None = None) -> Sequence[tuple[str, str]]:
    """Word and name of the offers to choose from; the present one also where it came with the switch."""
    found = [(one.word, one.name) for one in await call.stores.offers.list() if not one.archived or one.word == present]
    return found if present is None or present in dict(found) else [(present, present), *found]


async def campaign(call: Call) -> web.Response:
    """A campaign's settings, each explained, and what they mean for its bases."""
    row = await call.stores.campaigns.get(call.id())
    return _page(
        call,
        "campaign.html",
        "/campaigns",
        campaign=row,
        offers=await _offers(call, row.offer),
        keys=row.keys or offer_keys.DEFAULT,
        choices=await call.stores.office.choices(),
        profiles=await call.stores.campaigns.profiles(),
        modes=list(Mode),
        purposes=PURPOSES,
        budget_modes=list(BudgetMode),
        history=await call.stores.office.audit(View(q=f"campaign:{row.id}")),
        bases=await call.stores.bases.of_campaign(row.id),
        **await _recorded(call, row),
        **await _loosened(call, row.id),
    )


async def _recorded(call: Call, row: CampaignRow) -> dict[str, Any]:
    """How this campaign may record, from the loosest to the strictest, and how long it may keep recordings."""
    rules = await call.stores.campaigns.rules(row.id)
    left = [way.value for way in Ways if way in LEFT[rules.recording] or way == row.recording]
    return {"recordings_left": left, "recording_days_max": rules.recording_days}


async def _loosened(call: Call, campaign_id: int) -> dict[str, Any]:
    """What was asked to be loosened, by whom, and what may be asked for: whole figures with what holds now."""
    now = await call.stores.campaigns.rules(campaign_id)
    admins = (await call.stores.office.users(View(), role=Role.ADMIN)).rows
    figures = sorted(own_rules.SMALLER | own_rules.GREATER)
    return {
        "loosenings": await call.stores.loosenings.of_campaign(campaign_id),
        "admins": {one["id"]: one["name"] for one in admins},
        "alone": sum(not one["disabled"] for one in admins) == 1,
        "loosenable": [(name, getattr(now, name)) for name in figures],
    }


async def people(call: Call, ask: schemas.PeopleQuery) -> web.Response:
    """Users and their teams."""
    table = await call.stores.office.users(_view(ask), role=ask.role)
    choices = await call.stores.office.choices()
    return _page(call, "people.html", "/people", table=table, role=ask.role, roles=list(Role), choices=choices)


async def do_not_call(call: Call, ask: schemas.ScopeQuery) -> web.Response:
    """Numbers that are never called; only admins read them whole."""
    table = await call.stores.office.do_not_call(_view(ask), scope=ask.scope)
    if Role(call.user.role) is not Role.ADMIN:
        table = replace(table, rows=[{**row, "phone": masked(str(row["phone"]))} for row in table.rows])
    may = Role(call.user.role) in access.LEADS
    all_may = may and not scope.bound(call.user)
    return _page(
        call,
        "do_not_call.html",
        "/do-not-call",
        table=table,
        scope=ask.scope,
        may=may,
        all_may=all_may,
        campaigns=await scope.own_campaigns(call) if may else [],
        customers=await call.stores.customers.list() if all_may else [],
        files=await call.stores.office.do_not_call_files(),
    )


async def trunks(call: Call) -> web.Response:
    """Lines to carriers, and the numbers that callees see."""
    loads = {trunk.name: trunk.lines for trunk in await call.stores.boards.trunks()}
    off = {view.trunk: view.trunk_off_since for view in call.context.live.board().campaigns if view.trunk_off_since}
    return _page(call, "trunks.html", "/trunks", trunks=await call.stores.office.trunks(), loads=loads, off=off)


async def rules(call: Call) -> web.Response:
    """Packaged compliance profiles, read-only, with the source of each figure."""
    answer = await rule_routes.profiles(call)
    return _page(call, "rules.html", "/rules", profiles=answer.profiles)


async def audit(call: Call, ask: schemas.TableQuery) -> web.Response:
    """Who did what, the newest first."""
    table = await call.stores.office.audit(_view(ask))
    words = await audit_words.words(call, table.rows)
    return _page(call, "audit.html", "/audit", table=table, words=words)


async def system(call: Call) -> web.Response:
    """What is well and what is not, and the settings the service was started with."""
    findings = (await doctor.serve(call)).findings
    settings = call.context.settings.model_dump(mode="json")
    shown = {name: value for name, value in settings.items() if not _SECRET.search(name)}
    try:
        lists = await call.stores.national.list()
    except DialerError:
        lists = []
    return _page(
        call,
        "system.html",
        "/system",
        findings=findings,
        settings=shown,
        lists=lists,
        factor_roles=get_args(schemas.FactorRole),
        factor_required=await _factor_required(call),
    )


async def _factor_required(call: Call) -> Sequence[str]:
    """Empty while the database does not answer: this page must open then, too."""
    try:
        return await call.stores.second_factors.required()
    except DialerError:
        return []


async def programs(call: Call) -> web.Response:
    """Tokens of programs."""
    people = await call.stores.office.users(View(), role=Role.API)
    return _page(
        call,
        "programs.html",
        "/programs",
        tokens=await call.stores.tokens.list(),
        logins=[row["login"] for row in people.rows],
        scopes=list(scopes.OPENED),
        now=call.now,
    )


async def me(call: Call) -> web.Response:
    """The user's own sessions and second factor."""
    session = call.own_session
    found = await call.stores.users.open_sessions(session.user.id, session.token_hash)
    factored = Role(session.user.role) in access.FACTORED
    factor = await call.stores.second_factors.read(session.user.id) if factored else None
    return _page(
        call,
        "me.html",
        "/me",
        sessions=found,
        factored=factored,
        factor=factor if factor and factor.confirmed_at else None,
        must_enrol=session.must_enrol,
    )


async def setup(call: Call) -> web.Response:
    """The very first page of a new installation; afterwards it leads to the login."""
    if call.context.setup.token is None:
        return pages.to_login(call.request)
    return pages.page("setup.html", pages.language_of(call.request), user=None, help_of="setup")
