"""Own and foreign: a supervisor of a team sees that team's campaigns, a customer's user those of the customer.

A base manager works with the bases and files that user brought. Whoever has neither team nor customer sees all. What an
id in the path names follows from the path; what is foreign is not found, exactly like what does not exist. Where a
question names no campaign, these users must name one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from dialer.errors import NotFound, Refused
from dialer.web.access import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from dialer.store.bases import Base
    from dialer.store.campaigns import CampaignRow
    from dialer.store.stores import Stores
    from dialer.store.users import Owner, User
    from dialer.web.access import Route
    from dialer.web.call import Call

_ID = "{id:[0-9]{1,18}}"
_ATTEMPT = "{id:[0-9a-f-]{36}}"
#: What the id in a path names, by the beginning of the path.
KINDS = (
    (f"/api/v1/campaigns/{_ID}", "campaign"),
    (f"/api/v1/bases/files/{_ID}", "file"),
    (f"/api/v1/bases/{_ID}", "base"),
    (f"/api/v1/contacts/{_ID}", "contact"),
    (f"/api/v1/recordings/{_ATTEMPT}", "attempt"),
    (f"/api/v1/callbacks/{_ID}", "callback"),
    (f"/api/v1/leads/{_ID}", "lead"),
    (f"/api/v1/operators/{_ID}", "operator"),
    (f"/bases/files/{_ID}", "file"),
    (f"/campaigns/{_ID}", "campaign"),
    (f"/contacts/{_ID}", "contact"),
    (f"/attempts/{_ATTEMPT}", "attempt"),
    (f"/leads/{_ID}", "lead"),
    (f"/api/v1/letters/{_ID}", "letter"),
    (f"/letters/{_ID}", "letter"),
)
#: What a base manager works with only where that user brought it.
_BROUGHT = frozenset({"base", "file"})
#: Roles that may belong to a team or a customer and are then bound to its campaigns.
BOUND = frozenset({Role.SUPERVISOR, Role.CUSTOMER, Role.API})


def kind_of(route: Route) -> str | None:
    """What the id in the route's path names; None if it is nothing of a campaign."""
    return next((kind for path, kind in KINDS if route.path.startswith(path)), None)


def bound(user: User) -> bool:
    """Whether this user sees only some campaigns; a customer's user always is."""
    role = Role(user.role)
    return role is Role.CUSTOMER or (role in BOUND and (user.team_id is not None or user.customer_id is not None))


def own(user: User, owner: Owner) -> bool:
    """Whether what belongs to ``owner`` is open to this user."""
    if not bound(user):
        return True
    if Role(user.role) is Role.CUSTOMER or user.team_id is None:
        return user.customer_id is not None and owner.customer_id == user.customer_id
    return owner.team_id == user.team_id and user.customer_id in {None, owner.customer_id}


async def check(call: Call, route: Route, ask: BaseModel | None) -> None:
    """Refuse what is foreign.

    Raises:
        NotFound: ``scope.not_found``: it is another's, or there is no such thing.
        Refused: ``request.name_campaign``: this user must say which campaign.
    """
    if route.public:
        return
    if Role(call.user.role) is Role.BASE_MANAGER and (kind := kind_of(route)) in _BROUGHT:
        if not await call.stores.bases.brought(kind, call.id(), user_id=call.user.id):
            raise _not_found()
        return
    if not bound(call.user):
        return
    named = getattr(ask, "campaign", None) or getattr(ask, "campaign_id", None)
    asks_of_campaigns = ask is not None and "campaign" in type(ask).model_fields
    if isinstance(named, int):
        await _check(call, "campaign", named)
    elif asks_of_campaigns and route.answer is not None:
        raise Refused("request.name_campaign", "say which campaign", remedy="Give campaign=ID, one of your own.")
    kind = kind_of(route)
    if kind is not None:
        await _check(call, kind, call.uuid() if kind == "attempt" else call.id())


async def own_campaigns(call: Call) -> Sequence[CampaignRow]:
    """All campaigns that whoever asks may see."""
    return await campaigns_of(call.stores, call.user)


async def campaigns_of(stores: Stores, user: User) -> Sequence[CampaignRow]:
    """All campaigns that a user may see."""
    found = await stores.campaigns.list()
    if not bound(user):
        return found
    owners = await stores.users.owners()
    return [row for row in found if row.id in owners and own(user, owners[row.id])]


async def shown_bases(call: Call, bases: Sequence[Base]) -> Sequence[Base]:
    """Those of these bases that whoever asks works with."""
    mine = await own_bases(call)
    return bases if mine is None else [base for base in bases if base.id in mine]


async def check_forbids(call: Call, word: str, customer_id: int | None) -> None:
    """Refuse to forbid numbers for campaigns that whoever asks does not steer; own campaigns were looked at before.

    Raises:
        Refused: ``do_not_call.not_yours``.
    """
    user = call.user
    own_customer = word == "customer" and user.team_id is None and user.customer_id == customer_id
    if bound(user) and word != "campaign" and not own_customer:
        raise Refused(
            "do_not_call.not_yours",
            "You may forbid a number for your own campaigns only.",
            remedy="Ask an admin, or a supervisor of all teams, to forbid it for all.",
            fields=[{"field": "scope", "message": "You may forbid a number for your own campaigns only."}],
        )


async def check_customer(call: Call, customer_id: int) -> None:
    """Refuse what is about a customer for whom no campaign of whoever asks calls.

    Raises:
        NotFound: ``scope.not_found``.
    """
    if not bound(call.user):
        return
    owners = await call.stores.users.owners()
    if not any(owner.customer_id == customer_id and own(call.user, owner) for owner in owners.values()):
        raise _not_found()


async def own_bases(call: Call) -> frozenset[int] | None:
    """Bases that alone the user works with and reads numbers of: a base manager those that user loaded; None is any."""
    if Role(call.user.role) is not Role.BASE_MANAGER:
        return None
    return await call.stores.bases.of_loader(call.user.id)


async def _check(call: Call, kind: str, object_id: int | UUID) -> None:
    if isinstance(object_id, UUID):
        owner = await call.stores.facts.owner(object_id)
    else:
        owner = await call.stores.users.owner(kind, object_id)
    if owner is None or not own(call.user, owner):
        raise _not_found()


def _not_found() -> NotFound:
    return NotFound("scope.not_found", "there is nothing of that number that you may see")
