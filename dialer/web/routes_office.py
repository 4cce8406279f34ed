"""Ways in to the admin pages and to what they do; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import admin, floor, office, plans, schemas, second_factor
from dialer.web.access import (
    ADMIN,
    BASES,
    EVERYONE,
    FACTORED,
    LEADS,
    OPERATOR,
    OVERSEERS,
    PEOPLE,
    PUBLIC,
    READERS,
    Route,
)

_ID = "{id:[0-9]{1,18}}"
_V1 = "/api/v1"
_HTML = "text/html"

_PAGES = (
    Route(method="GET", path="/campaigns", handler=office.campaigns, roles=READERS, summary="Campaigns page",
          ask=schemas.CampaignsQuery, media=_HTML),
    Route(method="GET", path="/campaigns/new", handler=office.new_campaign, roles=ADMIN, media=_HTML,
          summary="Form of a new campaign"),
    Route(method="GET", path=f"/campaigns/{_ID}", handler=office.campaign, roles=READERS, media=_HTML,
          summary="A campaign's settings, each explained"),
    Route(method="GET", path="/people", handler=office.people, roles=ADMIN, ask=schemas.PeopleQuery, media=_HTML,
          summary="Users and teams page"),
    Route(method="GET", path="/do-not-call", handler=office.do_not_call, roles=READERS, ask=schemas.ScopeQuery,
          media=_HTML, summary="Do-not-call page"),
    Route(method="GET", path="/trunks", handler=office.trunks, roles=OVERSEERS, media=_HTML, summary="Trunks page"),
    Route(method="GET", path="/rules", handler=office.rules, roles=READERS | BASES, media=_HTML,
          summary="Compliance profiles with the source of each figure"),
    Route(method="GET", path="/audit", handler=office.audit, roles=OVERSEERS, ask=schemas.TableQuery, media=_HTML,
          summary="Who did what"),
    Route(method="GET", path="/system", handler=office.system, roles=OVERSEERS, media=_HTML,
          summary="What is well and what is not, and the settings"),
    Route(method="GET", path="/programs", handler=office.programs, roles=ADMIN, media=_HTML,
          summary="Tokens of programs page"),
    Route(method="GET", path="/me", handler=office.me, roles=EVERYONE, media=_HTML,
          enrols=True, summary="Own sessions and second factor page"),
    Route(method="GET", path="/setup", handler=office.setup, roles=PUBLIC, media=_HTML,
          summary="Page of the first start: make the first admin"),
)  # fmt: skip

_FLOOR = (
    Route(method="POST", path=f"{_V1}/operators/{_ID}/pause", handler=floor.pause, roles=LEADS,
          summary="No more calls for this operator, after the present one", answer=schemas.OperatorAnswer),
    Route(method="POST", path=f"{_V1}/operators/{_ID}/stop", handler=floor.stop, roles=LEADS,
          summary="End this operator's shift, after the present call", answer=schemas.OperatorAnswer),
    Route(method="POST", path=f"{_V1}/operators/{_ID}/message", handler=floor.say, roles=LEADS,
          summary="Show a message on this operator's page", ask=schemas.MessageAsk, answer=schemas.Done),
    Route(method="GET", path=f"{_V1}/operators/{_ID}/messages", handler=floor.said, roles=LEADS,
          summary="What was said to this operator, and when it was seen", answer=schemas.SaidAnswer),
    Route(method="POST", path=f"{_V1}/operators/{_ID}/campaign", handler=floor.move, roles=LEADS,
          summary="Let this operator call for another campaign, after the present conversation",
          ask=schemas.CampaignOfOperator, answer=schemas.OperatorAnswer),
    Route(method="POST", path=f"{_V1}/operator/heard", handler=floor.heard, roles=OPERATOR,
          summary="Close the messages supervisors sent", answer=schemas.Done),
)  # fmt: skip

_FACTOR = f"{_V1}/me/second-factor"
_SECOND_FACTOR = (
    Route(method="POST", path=_FACTOR, handler=second_factor.begin, roles=FACTORED, enrols=True,
          summary="A secret for one's authenticator app, shown this once", ask=schemas.PasswordAsk,
          answer=schemas.SecondFactorBegun, status=201),
    Route(method="POST", path=f"{_FACTOR}/confirm", handler=second_factor.confirm, roles=FACTORED, enrols=True,
          summary="Show a first code: from now on one is asked for at login", ask=schemas.CodeAsk,
          answer=schemas.RecoveryCodes),
    Route(method="POST", path=f"{_FACTOR}/codes", handler=second_factor.new_codes, roles=FACTORED,
          summary="New recovery codes instead of the old ones", ask=schemas.CodeAsk, answer=schemas.RecoveryCodes),
    Route(method="POST", path=f"{_FACTOR}/remove", handler=second_factor.remove, roles=FACTORED,
          summary="Log in with the password alone again", ask=schemas.CodeAsk, answer=schemas.Done),
    Route(method="DELETE", path=f"{_V1}/users/{_ID}/second-factor", handler=second_factor.reset, roles=ADMIN,
          summary="Take somebody's second factor away, whose phone is lost", answer=schemas.Done),
    Route(method="GET", path=f"{_V1}/settings/second-factor", handler=second_factor.required, roles=OVERSEERS,
          summary="Roles that must have a second factor", answer=schemas.SecondFactorRoles),
    Route(method="PUT", path=f"{_V1}/settings/second-factor", handler=second_factor.require, roles=ADMIN,
          summary="Say which roles must have a second factor", ask=schemas.SecondFactorRolesAsk,
          answer=schemas.SecondFactorRoles),
)  # fmt: skip

_ADMIN = (
    Route(method="GET", path=f"{_V1}/me/sessions", handler=admin.sessions, roles=EVERYONE,
          enrols=True, summary="Where the user is logged in", answer=schemas.SessionsAnswer),
    Route(method="DELETE", path=f"{_V1}/me/sessions/{_ID}", handler=admin.revoke_session, roles=EVERYONE,
          summary="End one of the user's own sessions", answer=schemas.Done),
    Route(method="POST", path=f"{_V1}/me/password", handler=admin.change_password, roles=PEOPLE,
          summary="Change one's own password; all other sessions end", ask=schemas.PasswordChange,
          answer=schemas.MeAnswer),
    Route(method="DELETE", path=f"{_V1}/me/sessions", handler=second_factor.revoke_others, roles=EVERYONE,
          enrols=True, summary="End all of the user's own sessions but this", answer=schemas.Done),
    Route(method="POST", path=f"{_V1}/setup", handler=admin.setup, roles=PUBLIC,
          summary="Make the first admin with the one-time token of the first start", ask=schemas.SetupAsk,
          answer=schemas.MeAnswer),
    Route(method="PATCH", path=f"{_V1}/users/{_ID}", handler=admin.change_user, roles=ADMIN,
          summary="Change a user; what is absent stays", ask=schemas.UserChange, answer=schemas.UserAnswer),
    Route(method="GET", path=f"{_V1}/tokens", handler=admin.tokens, roles=ADMIN, summary="Tokens of programs",
          answer=schemas.TokensAnswer),
    Route(method="POST", path=f"{_V1}/tokens", handler=admin.add_token, roles=ADMIN,
          summary="A token for a program; its secret is shown this once", ask=schemas.TokenAsk,
          answer=schemas.TokenMade, status=201),
    Route(method="DELETE", path=f"{_V1}/tokens/{_ID}", handler=admin.revoke_token, roles=ADMIN,
          summary="Make a token useless", answer=schemas.Done),
    Route(method="PUT", path=f"{_V1}/trunks", handler=admin.set_trunk, roles=ADMIN,
          summary="Set up a trunk, or change its limits", ask=schemas.TrunkAsk, answer=schemas.Done),
    Route(method="POST", path=f"{_V1}/campaigns/{_ID}/copy", handler=admin.copy_campaign, roles=ADMIN,
          summary="A draft with the same settings and dispositions", ask=schemas.CopyAsk,
          answer=schemas.CampaignAnswer, status=201),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}/plan", handler=plans.of_campaign, roles=READERS,
          summary="What settings mean for a campaign's bases: attempts, hours, days", ask=schemas.PlanQuery,
          answer=schemas.PlanAnswer),
    Route(method="GET", path=f"{_V1}/campaigns/plan", handler=plans.of_new, roles=ADMIN, ask=schemas.NewPlanQuery,
          summary="What settings would mean for a campaign that is not made yet", answer=schemas.PlanAnswer),
)  # fmt: skip

OFFICE: tuple[Route, ...] = (*_PAGES, *_FLOOR, *_SECOND_FACTOR, *_ADMIN)
