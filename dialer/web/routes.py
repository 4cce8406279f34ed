"""The table of all ways in: path, who may, what is asked and answered. App, access, OpenAPI and tests read this one."""

from __future__ import annotations

from dialer.web import auth, bases, health, live, openapi, operator, pacing, pages, phone, rules, schemas, supervisor
from dialer.web.access import ADMIN, BASES, EVERYONE, LEADS, OPERATOR, PUBLIC, READERS, Route

_ID = "{id:[0-9]{1,18}}"
_ATTEMPT = "{id:[0-9a-f-]{36}}"
_V1 = "/api/v1"
_HTML = "text/html"

_SESSIONS = (
    Route(method="POST", path=f"{_V1}/login", handler=auth.login, roles=PUBLIC, summary="Open a session",
          ask=schemas.LoginAsk, answer=schemas.MeAnswer),
    Route(method="POST", path=f"{_V1}/logout", handler=auth.logout, roles=PUBLIC,
          summary="End the session and its pages", answer=schemas.Done),
    Route(method="GET", path=f"{_V1}/me", handler=auth.me, roles=EVERYONE, summary="The user of this session",
          answer=schemas.MeAnswer),
    Route(method="POST", path=f"{_V1}/me/language", handler=auth.set_language, roles=EVERYONE,
          summary="Choose the language of the screens", ask=schemas.LanguageAsk, answer=schemas.MeAnswer),
)  # fmt: skip

_OPERATOR = (
    Route(method="GET", path=f"{_V1}/operator", handler=operator.now, roles=OPERATOR, summary="Own state and card",
          answer=schemas.OperatorNow),
    Route(method="GET", path=f"{_V1}/operator/live", handler=live.operator_socket, roles=OPERATOR,
          summary="Own state and card, pushed at every change", answer=schemas.OperatorNow, socket=True),
    Route(method="POST", path=f"{_V1}/operator/start", handler=operator.start, roles=OPERATOR,
          summary="Open a shift on a seat; its phone is called", ask=schemas.StartAsk, answer=schemas.OperatorAnswer),
    Route(method="POST", path=f"{_V1}/operator/phone", handler=phone.browser, roles=OPERATOR,
          summary="The seat's SIP account for the phone in the browser", answer=schemas.PhoneAnswer),
    Route(method="POST", path=f"{_V1}/operator/desk-phone", handler=phone.desk, roles=OPERATOR,
          summary="The seat's SIP account for a desk phone; its secret is shown once", answer=schemas.DeskPhoneAnswer),
    Route(method="GET", path="/sip", handler=phone.sip, roles=OPERATOR, ask=schemas.SipQuery, socket=True,
          summary="SIP of the phone in the browser, relayed to Asterisk"),
    Route(method="POST", path=f"{_V1}/operator/ready", handler=operator.ready, roles=OPERATOR, summary="Take calls",
          answer=schemas.OperatorAnswer),
    Route(method="POST", path=f"{_V1}/operator/pause", handler=operator.pause, roles=OPERATOR,
          summary="No more calls, after the present one", ask=schemas.PauseAsk, answer=schemas.OperatorAnswer),
    Route(method="POST", path=f"{_V1}/operator/hangup", handler=operator.hang_up, roles=OPERATOR,
          summary="End the present conversation", answer=schemas.OperatorAnswer),
    Route(method="POST", path=f"{_V1}/operator/stop", handler=operator.stop, roles=OPERATOR, summary="Close the shift",
          answer=schemas.OperatorAnswer),
    Route(method="POST", path=f"{_V1}/attempts/{_ATTEMPT}/disposition", handler=operator.save_disposition,
          roles=OPERATOR, summary="Save how the conversation ended; answered after the commit. Header Idempotency-Key",
          ask=schemas.DispositionAsk, answer=schemas.DispositionAnswer),
    Route(method="PUT", path=f"{_V1}/attempts/{_ATTEMPT}/draft", handler=operator.save_draft, roles=OPERATOR,
          summary="Keep what was typed so far", ask=schemas.DraftAsk, answer=schemas.Done),
)  # fmt: skip

_CAMPAIGNS = (
    Route(method="GET", path=f"{_V1}/campaigns", handler=supervisor.campaigns, roles=READERS | BASES,
          summary="All campaigns", answer=schemas.CampaignsAnswer),
    Route(method="POST", path=f"{_V1}/campaigns", handler=supervisor.create_campaign, roles=ADMIN,
          summary="A new campaign, as a draft", ask=schemas.CampaignAsk, answer=schemas.CampaignAnswer, status=201),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}", handler=supervisor.campaign, roles=READERS | BASES,
          summary="One campaign", answer=schemas.CampaignAnswer),
    Route(method="PATCH", path=f"{_V1}/campaigns/{_ID}", handler=supervisor.change_campaign, roles=ADMIN,
          summary="Change a campaign; what is absent stays", ask=schemas.CampaignChange, answer=schemas.CampaignAnswer),
    Route(method="POST", path=f"{_V1}/campaigns/{_ID}/state", handler=supervisor.set_campaign_state, roles=LEADS,
          summary="Start, pause or stop dialing", ask=schemas.StateAsk, answer=schemas.CampaignAnswer),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}/pacing", handler=pacing.explain, roles=READERS,
          summary="Why it dials as it does: the last hour's decisions, the day's minutes, honest exceptions",
          ask=schemas.PacingQuery, answer=schemas.PacingAnswer),
    Route(method="PATCH", path=f"{_V1}/campaigns/{_ID}/pacing", handler=pacing.change, roles=LEADS,
          summary="Turn target, caution or lines per operator while it runs; never above the campaign's cap",
          ask=schemas.PacingChange, answer=schemas.CampaignAnswer),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}/why", handler=supervisor.campaign_why, roles=READERS,
          summary="Why contacts are not being dialled; the counts add up", answer=schemas.CampaignWhy),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}/bases", handler=supervisor.bases, roles=READERS | BASES,
          summary="Bases of a campaign", answer=schemas.BasesAnswer),
    Route(method="POST", path=f"{_V1}/campaigns/{_ID}/bases", handler=supervisor.load_base, roles=BASES,
          summary="Load a base: all good rows in one transaction, each bad row with its reason", ask=schemas.BaseQuery,
          answer=schemas.BaseAnswer, upload="text/csv", status=201),
    Route(method="GET", path=f"{_V1}/bases/{_ID}/why", handler=supervisor.base_why, roles=READERS | BASES,
          summary="Why contacts of a base are not being dialled; the counts add up", answer=schemas.BaseWhy),
    Route(method="GET", path=f"{_V1}/contacts/{_ID}/why", handler=supervisor.contact_why, roles=READERS,
          summary="Why this contact is not being dialled", answer=schemas.ContactWhy),
)  # fmt: skip

_FILE = f"{_V1}/bases/files/{_ID}"
_BASES = (
    Route(method="POST", path=f"{_V1}/bases/files", handler=bases.upload, roles=BASES,
          summary="Upload a file of contacts: CSV, XLSX or ODS; it is looked at, nothing is loaded",
          ask=schemas.FileQuery, answer=schemas.BaseFileAnswer, upload="application/octet-stream", status=201),
    Route(method="GET", path=_FILE, handler=bases.show, roles=BASES,
          summary="A file on its way: what it seems to be, how far it is, what came of it",
          answer=schemas.BaseFileAnswer),
    Route(method="DELETE", path=_FILE, handler=bases.remove, roles=BASES, summary="Forget a file",
          answer=schemas.Done),
    Route(method="POST", path=f"{_FILE}/look", handler=bases.look, roles=BASES,
          summary="Look again, with another encoding, delimiter, sheet or line of headings", ask=schemas.PlanAsk,
          answer=schemas.BaseFileAnswer),
    Route(method="POST", path=f"{_FILE}/rehearse", handler=bases.rehearse, roles=BASES,
          summary="Give every row its verdict; nothing is loaded", ask=schemas.PlanAsk,
          answer=schemas.BaseFileAnswer, status=202),
    Route(method="POST", path=f"{_FILE}/load", handler=bases.load, roles=BASES,
          summary="Load every row that is not rejected, in one transaction", ask=schemas.PlanAsk,
          answer=schemas.BaseFileAnswer, status=202),
    Route(method="GET", path=f"{_FILE}/rejected", handler=bases.rejected, roles=BASES,
          summary="Rejected rows with reasons, to mend and load again", media="text/csv"),
    Route(method="POST", path=f"{_V1}/bases/{_ID}/undo", handler=bases.undo, roles=BASES,
          summary="Take a whole load back, while nobody of it was called", answer=schemas.TakenBack),
    Route(method="POST", path=f"{_V1}/bases/{_ID}/withdraw", handler=bases.withdraw, roles=BASES,
          summary="Take back the contacts nobody called yet", answer=schemas.TakenBack),
    Route(method="GET", path=f"{_V1}/bases/templates", handler=bases.templates, roles=BASES,
          summary="Saved ways to read files", answer=schemas.TemplatesAnswer),
    Route(method="POST", path=f"{_V1}/bases/templates", handler=bases.save_template, roles=BASES,
          summary="Save how a file is read", ask=schemas.TemplateAsk, answer=schemas.Done),
)  # fmt: skip

_RULES = (
    Route(method="GET", path=f"{_V1}/profiles", handler=rules.profiles, roles=READERS | BASES,
          summary="Packaged compliance profiles, the source of each figure beside it", answer=schemas.ProfilesAnswer),
    Route(method="GET", path=f"{_V1}/national-lists", handler=rules.national_lists, roles=READERS | BASES,
          summary="National do-not-call lists as they were imported last", answer=schemas.ListsAnswer),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}/national-lists", handler=rules.campaign_lists, roles=READERS,
          summary="The national lists a campaign needs, and when it pauses for their age",
          answer=schemas.CampaignListsAnswer),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}/loosenings", handler=rules.loosenings, roles=READERS,
          summary="What was asked to be loosened, and what was approved", answer=schemas.LooseningsAnswer),
    Route(method="POST", path=f"{_V1}/campaigns/{_ID}/loosenings", handler=rules.ask_loosening, roles=ADMIN,
          summary="Ask to loosen rules of the profile; another admin approves", ask=schemas.LooseningAsk,
          answer=schemas.LooseningsAnswer, status=201),
    Route(method="POST", path=f"{_V1}/loosenings/{_ID}/approve", handler=rules.approve_loosening, roles=ADMIN,
          summary="Approve what another admin asked for", answer=schemas.LooseningsAnswer),
    Route(method="POST", path=f"{_V1}/consents", handler=rules.add_consent, roles=BASES,
          summary="Keep a consent with its evidence", ask=schemas.ConsentAsk, answer=schemas.Done, status=201),
    Route(method="POST", path=f"{_V1}/consents/withdraw", handler=rules.withdraw_consent, roles=LEADS,
          summary="End a consent; effective at once", ask=schemas.WithdrawAsk, answer=schemas.Done),
    Route(method="POST", path=f"{_V1}/phones/read", handler=rules.phone, roles=ADMIN,
          summary="All that is kept of a number, across bases; audited", ask=schemas.PhoneAsk,
          answer=schemas.DossierAnswer),
    Route(method="POST", path=f"{_V1}/phones/erase", handler=rules.erase_phone, roles=ADMIN,
          summary="Forget whose number it is; it is never called again", ask=schemas.PhoneAsk, answer=schemas.Done),
    Route(method="POST", path=f"{_V1}/bases/{_ID}/priority", handler=rules.set_priority, roles=LEADS,
          summary="Order of a base among those of its campaign, 9 first", ask=schemas.PriorityAsk,
          answer=schemas.Done),
    Route(method="GET", path=f"{_V1}/bases/{_ID}/passes", handler=rules.passes, roles=READERS | BASES,
          summary="The passes of a base with what each brought", answer=schemas.PassesAnswer),
    Route(method="POST", path=f"{_V1}/bases/{_ID}/passes", handler=rules.begin_pass, roles=LEADS,
          summary="Call a base again: choose outcomes and dispositions that go again", ask=schemas.PassAsk,
          answer=schemas.PassesAnswer, status=201),
)  # fmt: skip

_PROMISES = (
    Route(method="GET", path=f"{_V1}/do-not-call", handler=supervisor.do_not_calls, roles=READERS,
          summary="Do-not-call entries, newest first", answer=schemas.DoNotCallsAnswer),
    Route(method="POST", path=f"{_V1}/do-not-call", handler=supervisor.add_do_not_call, roles=LEADS,
          summary="Never call this number again; effective at once", ask=schemas.DoNotCallAsk,
          answer=schemas.DoNotCallAnswer, status=201),
    Route(method="DELETE", path=f"{_V1}/do-not-call/{_ID}", handler=supervisor.remove_do_not_call, roles=ADMIN,
          summary="Take an entry off the list", answer=schemas.Done),
    Route(method="GET", path=f"{_V1}/callbacks", handler=supervisor.callbacks, roles=READERS,
          summary="Promises to call back, the next one first", ask=schemas.CallbackQuery,
          answer=schemas.CallbacksAnswer),
    Route(method="POST", path=f"{_V1}/callbacks/{_ID}/cancel", handler=supervisor.cancel_callback, roles=LEADS,
          summary="Cancel a promise, by name", answer=schemas.CallbackAnswer),
    Route(method="POST", path=f"{_V1}/callbacks/{_ID}/move", handler=supervisor.move_callback, roles=LEADS,
          summary="Move a promise to another time", ask=schemas.MoveAsk, answer=schemas.CallbackAnswer),
)  # fmt: skip

_NUMBERS = (
    Route(method="GET", path=f"{_V1}/attempts", handler=supervisor.attempts, roles=READERS, summary="Finished attempts",
          ask=schemas.AttemptQuery, answer=schemas.AttemptsAnswer),
    Route(method="GET", path=f"{_V1}/kpi/definitions", handler=supervisor.kpi_definitions, roles=EVERYONE,
          summary="One definition per number", answer=schemas.KpiDefinitions),
    Route(method="GET", path=f"{_V1}/kpi", handler=supervisor.kpi, roles=READERS, summary="Numbers of a period",
          ask=schemas.KpiQuery, answer=schemas.KpiAnswer),
    Route(method="GET", path=f"{_V1}/board", handler=supervisor.board, roles=LEADS, summary="The live board, now",
          answer=schemas.BoardAnswer),
    Route(method="GET", path=f"{_V1}/live", handler=live.board_socket, roles=LEADS,
          summary="The live board, pushed at every change", answer=schemas.BoardAnswer, socket=True),
)  # fmt: skip

_USERS = (
    Route(method="GET", path=f"{_V1}/users", handler=supervisor.users, roles=ADMIN, summary="All users",
          answer=schemas.UsersAnswer),
    Route(method="POST", path=f"{_V1}/users", handler=supervisor.add_user, roles=ADMIN, summary="A new user",
          ask=schemas.UserAsk, answer=schemas.UserAnswer, status=201),
    Route(method="PATCH", path=f"{_V1}/users/{_ID}", handler=supervisor.change_user, roles=ADMIN,
          summary="Let a user in or not", ask=schemas.UserChange, answer=schemas.UserAnswer),
)  # fmt: skip

_OTHERS = (
    Route(method="GET", path="/health", handler=health.health, roles=PUBLIC,
          summary="Whether calls can be made and saved", answer=schemas.Health),
    Route(method="GET", path=f"{_V1}/openapi.json", handler=openapi.serve, roles=PUBLIC, summary="This description"),
    Route(method="GET", path="/", handler=pages.front, roles=PUBLIC, summary="Login page", media=_HTML),
    Route(method="GET", path="/board", handler=pages.board, roles=LEADS, summary="Live board page", media=_HTML),
    Route(method="GET", path="/bases", handler=bases.list_page, roles=BASES, summary="Bases page", media=_HTML),
    Route(method="GET", path=f"/bases/files/{_ID}", handler=bases.file_page, roles=BASES,
          summary="A file on its way to be a base: the wizard", media=_HTML),
    Route(method="GET", path="/operator", handler=pages.operator, roles=OPERATOR, summary="Operator's page",
          media=_HTML),
)  # fmt: skip

ROUTES: tuple[Route, ...] = (
    *_SESSIONS,
    *_OPERATOR,
    *_CAMPAIGNS,
    *_BASES,
    *_RULES,
    *_PROMISES,
    *_NUMBERS,
    *_USERS,
    *_OTHERS,
)
