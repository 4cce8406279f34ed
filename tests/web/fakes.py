"""An engine and a store in memory, just enough to drive the web room by its ports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid4

from dialer.engine import listens
from dialer.engine.ports import Board, CampaignView, ListeningView, OperatorView, TrialCall
from dialer.errors import NotFound, Refused, StoreDown
from dialer.settings import Settings
from dialer.store.messages import Message
from dialer.store.users import Found, Session, Tries, User

PASSWORD = "correct horse battery"


class FakeLive:
    """A floor whose picture a test changes by hand."""

    def __init__(self):
        self.operators: dict[int, OperatorView] = {}
        self.campaigns: list[CampaignView] = []
        self.test_calls: dict[UUID, TrialCall] = {}
        self.listened: dict[int, ListeningView] = {}
        self.shown = True
        self.alerts: tuple[str, ...] = ()
        self.switch_up = True
        self.took_over = True
        self.stopped = "switch_down"
        self.version = 1
        self._condition = asyncio.Condition()

    def board(self):
        return Board(
            at=datetime.now(UTC),
            version=self.version,
            switch="main",
            switch_up=self.switch_up,
            dialing=self.switch_up,
            stopped_because=None if self.switch_up else self.stopped,
            operators=tuple(self.operators.values()),
            campaigns=tuple(self.campaigns),
            alerts=self.alerts,
            counters={"attempts": 0},
            listenings=tuple(one for one in self.listened.values() if one.ended_at is None),
        )

    def explanations(self, campaign_id):
        return []

    def operator(self, operator_id):
        return self.operators.get(operator_id)

    def test_call(self, uid):
        return self.test_calls.get(uid)

    def hearable(self, operator_id):
        view = self.operators.get(operator_id)
        return (view.attempt_id, uuid4(), view.campaign_id, self.shown) if view and view.attempt_id else None

    def listening(self, user_id):
        return self.listened.get(user_id)

    async def changed(self, version):
        async with self._condition:
            await self._condition.wait_for(lambda: self.version > version)
            return self.version

    async def put(self, view: OperatorView):
        self.operators[view.operator_id] = view
        await self.tell()

    async def tell(self):
        async with self._condition:
            self.version += 1
            self._condition.notify_all()


class FakeCommands:
    """Does what it is asked to the fake floor and remembers that it was asked."""

    def __init__(self, live: FakeLive):
        self.live = live
        self.asked: list[tuple] = []

    async def start_shift(self, *, operator_id, name, team_id, seat):
        self.asked.append(("start_shift", operator_id, seat))
        if any(view.seat == seat for view in self.live.operators.values()):
            raise Refused("operator.seat_taken", f"seat {seat} is taken", remedy="Choose another seat.")
        return await self._set(operator_id, name=name, seat=seat, state="ringing")

    async def ready(self, operator_id):
        return await self._set(operator_id, state="ready", dials=False)

    async def pause(self, operator_id, reason):
        return await self._set(operator_id, state="paused", reason=reason, dials=reason == "dial")

    async def hang_up(self, operator_id):
        return await self._set(operator_id, state="wrap_up")

    async def more_time(self, operator_id):
        return await self._set(operator_id, state="wrap_up", extended=1)

    async def call_phone(self, operator_id):
        self.asked.append(("call_phone", operator_id))
        return await self._set(operator_id, state="ringing")

    async def call_preview(self, operator_id):
        return await self._set(operator_id, state="preview", calls=True, until=None)

    async def dial(self, operator_id, **what):
        self.asked.append(("dial", operator_id, what))
        return await self._set(operator_id, state="preview", calls=True, until=None)

    async def skip_preview(self, operator_id, reason):
        self.asked.append(("skip_preview", operator_id, reason))
        return await self._set(operator_id, state="ready", until=None)

    async def end_shift(self, operator_id):
        self.asked.append(("end_shift", operator_id))
        self.live.operators.pop(operator_id, None)
        await self.live.tell()

    async def disposition_saved(self, operator_id, attempt_id):
        self.asked.append(("disposition_saved", operator_id, attempt_id))

    async def do_not_call_added(self, phone_ids):
        self.asked.append(("do_not_call_added", tuple(phone_ids)))

    async def begin_test_call(self, *, trunk, number, caller_number):
        self.asked.append(("begin_test_call", trunk.name, number, caller_number))
        call = TrialCall(id=uuid4(), trunk=trunk.name, state="sent", began_at=datetime.now(UTC))
        self.live.test_calls[call.id] = call
        return call

    async def campaigns_changed(self):
        self.asked.append(("campaigns_changed",))

    async def begin_listening(self, wanted):
        self.asked.append(("begin_listening", wanted.operator_id, wanted.asked, wanted.seat))
        op = self.live.operators[wanted.operator_id]
        if op.state != "talking":
            raise Refused("listening.not_talking", "no talk")
        return await self._hear(listens.view(wanted))

    async def change_listening(self, user_id, mode):
        self.asked.append(("change_listening", user_id, mode))
        if user_id not in self.live.listened:
            raise Refused("listening.none", "nothing is heard")
        return await self._hear(replace(self.live.listened[user_id], asked=mode, mode=mode))

    async def pause_recording(self, operator_id):
        self.asked.append(("pause_recording", operator_id))
        return await self._set(operator_id, state="talking")

    async def resume_recording(self, operator_id):
        self.asked.append(("resume_recording", operator_id))
        return await self._set(operator_id, state="talking")

    async def stop_listening(self, user_id, how):
        self.asked.append(("stop_listening", user_id, how))
        present = self.live.listened.get(user_id)
        ended = {"ended_at": datetime.now(UTC), "how": how}
        return await self._hear(replace(present, **ended)) if present else None

    async def _hear(self, view):
        self.live.listened[view.user_id] = view
        await self.live.tell()
        return view

    def outcome_counts(self):
        return {}

    async def _set(self, operator_id, **changes):
        self.asked.append((changes["state"], operator_id))
        before = self.live.operators.get(operator_id) or operator(operator_id)
        view = replace(before, since=datetime.now(UTC), **changes)
        await self.live.put(view)
        return view


def operator(operator_id, **values) -> OperatorView:
    given = {"name": f"Operator {operator_id}", "seat": f"seat{operator_id}", "state": "paused", "reason": None}
    given |= {"since": datetime.now(UTC), "until": None, "campaign_id": None, "attempt_id": None} | values
    return OperatorView(operator_id=operator_id, **given)


@dataclass
class FakeUsers:
    """Users and sessions with the signatures of dialer.store.users.Users."""

    hashes: dict[str, str] = field(default_factory=dict)
    found: dict[str, User] = field(default_factory=dict)
    sessions: dict[bytes, int] = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    known: set[tuple[str, str]] = field(default_factory=set)
    down: bool = False

    def put(self, login, role, password_hash, *, team_id=-1, customer_id=None, language="en"):
        user = User(
            id=len(self.found) + 1,
            login=login,
            name=login.title(),
            role=role,
            team_id=team_id if team_id != -1 else 1 if role == "operator" else None,
            customer_id=customer_id,
            language=language,
            disabled=False,
        )
        self.found[login] = user
        self.hashes[login] = password_hash
        return user

    def _by_id(self, user_id):
        return next((user for user in self.found.values() if user.id == user_id), None)

    async def by_login(self, login):
        user = self.found.get(login)
        return Found(user=user, password_hash=self.hashes[login]) if user else None

    async def list(self):
        return list(self.found.values())

    async def nobody(self):
        return not self.found

    async def owner(self, kind, object_id):
        return None

    async def add(self, *, login, name, role, password_hash, team, language, actor, customer=None):
        if login in self.found:
            raise Refused("user.exists", "taken")
        return self.put(login, role, password_hash, language=language)

    async def set_language(self, user_id, language):
        user = self._by_id(user_id)
        self.found[user.login] = replace(user, language=language)
        return self.found[user.login]

    async def tries(self, *, login, ip, window):
        return Tries(
            own=self.wrong.count((login, ip)),
            of_login=sum(1 for one, _ in self.wrong if one == login),
            of_ip=sum(1 for _, one in self.wrong if one == ip),
            known=(login, ip) in self.known,
        )

    async def note_wrong_try(self, *, login, ip):
        self.wrong.append((login, ip))

    async def open_session(self, token_hash, *, user, lasts, ip, agent=""):
        self.sessions[token_hash] = user.id
        self.wrong = [one for one in self.wrong if one != (user.login, ip)]
        self.known.add((user.login, ip))

    async def session(self, token_hash, *, idle_for):
        if self.down:
            raise StoreDown("store.down", "PostgreSQL does not answer")
        user = self._by_id(self.sessions.get(token_hash))
        return Session(token_hash=token_hash, user=user) if user and not user.disabled else None

    async def open_sessions(self, user_id, token_hash):
        return []

    async def revoke_session(self, session_id, *, user_id, actor):
        raise NotFound("session.not_found", "there is no such session")

    async def change(self, user_id, changes, *, actor):
        user = self._by_id(user_id)
        if user is None:
            raise NotFound("user.not_found", "there is no such user")
        known = {name: value for name, value in changes.items() if hasattr(user, name)}
        self.found[user.login] = replace(user, **known)
        ended = [token for token, owner in self.sessions.items() if owner == user_id]
        for token in ended:
            del self.sessions[token]
        return self.found[user.login], ended

    async def is_open(self, token_hash, *, idle_for):
        return token_hash in self.sessions

    async def close_session(self, token_hash):
        self.sessions.pop(token_hash, None)


class Nothing:
    """A noun in which nothing is found; a route that gets so far was let through."""

    def __getattr__(self, name):
        async def find_nothing(*_args, **_kwargs):
            raise NotFound("nothing.here", "there is nothing")

        return find_nothing


class FakeCards:
    """Cards by attempt and operator."""

    def __init__(self):
        self.cards: dict[UUID, tuple[int, SimpleNamespace]] = {}
        self.down = False

    async def card(self, attempt_id, *, operator_id):
        if self.down:
            raise StoreDown("store.down", "PostgreSQL does not answer")
        owner, found = self.cards.get(attempt_id, (None, None))
        if owner != operator_id:
            raise NotFound("attempt.not_found", "there is no such attempt")
        return found

    def __getattr__(self, name):
        return getattr(Nothing(), name)


class FakeKpi:
    def __init__(self):
        self.rows = []

    async def table(self, **_period):
        return self.rows


class FakeSeats:
    """Seats as they come; each desk phone's secret is shown once."""

    def __init__(self):
        self.given: dict[int, str] = {}
        self.shown: dict[int, str] = {}

    async def give(self, user_id, *, switch, pool):
        return self.given.setdefault(user_id, next(name for name in pool if name not in self.given.values()))

    async def show(self, user_id, *, mark, actor):
        before, self.shown[user_id] = self.shown.get(user_id), mark
        return before != mark


class FakeBoards:
    """Nothing but what a test puts there."""

    def __init__(self):
        self.steered = {}
        self.loads = []

    async def steering(self):
        return self.steered

    async def trunks(self):
        return self.loads

    async def crew(self):
        return {}

    async def hours(self, now):
        return {}

    promises = left = hours


class FakeAudit:
    def __init__(self):
        self.notes = []

    async def note(self, actor, action, what, *, after=None):
        self.notes.append((actor.user_id, action, what))


class FakeListenings:
    """What was written down before a phone was called."""

    def __init__(self):
        self.begun, self.refusals = [], []

    async def begin(self, listening, *, switch, actor):
        self.begun.append((actor.user_id, listening.operator_id, listening.asked, listening.shown))

    async def refused(self, listening):
        self.refusals.append(listening.operator_id)


class FakeMessages:
    """What was said, by operator."""

    def __init__(self):
        self.said: dict[int, list[Message]] = {}

    async def say(self, operator_id, text, *, actor, now):
        self.said.setdefault(operator_id, []).append(Message(id=len(self.said), at=now, by="Boss", text=text))

    async def unheard(self, operator_id, *, now):
        return [one for one in self.said.get(operator_id, []) if one.heard_at is None]

    async def hear(self, operator_id, newest, *, now):
        self.said[operator_id] = [replace(one, heard_at=now) for one in self.said[operator_id]]

    async def list(self, operator_id, *, now):
        return self.said.get(operator_id, [])


class FakeTokens:
    async def read(self, token_hash, *, ip):
        return None

    def __getattr__(self, name):
        return getattr(Nothing(), name)


class FakeSecondFactors:
    """Nobody has one, nobody needs one."""

    async def read(self, user_id):
        return None

    async def required(self):
        return []

    def __getattr__(self, name):
        return getattr(Nothing(), name)


class FakeNational:
    """Registers of which a test says what there is to warn of."""

    def __init__(self):
        self.warned = []

    async def warnings(self, now):
        return self.warned

    def __getattr__(self, name):
        return getattr(Nothing(), name)


class FakeLeads:
    """None is late."""

    async def late(self, now):
        return []

    def __getattr__(self, name):
        return getattr(Nothing(), name)


class FakeStores:
    """The bag of nouns; those a test does not need find nothing."""

    def __init__(self):
        self.users = FakeUsers()
        self.contacts = FakeCards()
        self.kpi, self.money = FakeKpi(), Nothing()
        self.boards, self.audit, self.tokens, self.office = FakeBoards(), FakeAudit(), FakeTokens(), Nothing()
        self.customers = self.retry_rules = Nothing()
        self.national = FakeNational()
        self.messages = FakeMessages()
        self.listenings = FakeListenings()
        self.consents = self.phones = self.passes = self.loosenings = self.recordings = Nothing()
        self.campaigns = self.baskets = self.segments = self.bases = self.base_files = self.do_not_call = (
            self.do_not_call_files
        ) = Nothing()
        self.callbacks = self.attempts = self.dispositions = self.disposition_kinds = Nothing()
        self.offers = self.trunks = self.checkups = Nothing()
        self.facts = Nothing()
        self.seats = FakeSeats()
        self.second_factors = FakeSecondFactors()
        self.leads, self.webhooks = FakeLeads(), Nothing()
        self.letters = self.letter_texts = self.subscriptions = Nothing()
        self.shifts = self.scripts = self.by_hand = Nothing()
        self.database_up = True

    async def lease(self, switch):
        if not self.database_up:
            raise StoreDown("store.down", "PostgreSQL does not answer")
        return {"epoch": 1, "holder": {"host": "canary"}, "expires_at": "2026-01-01T00:00:00Z"}


def card(attempt_id=None, **values) -> SimpleNamespace:
    given = {
        "attempt_id": attempt_id or uuid4(),
        "campaign_id": 1,
        "campaign": "Spring",
        "contact_id": 7,
        "name": "Ada",
        "phone": "+15555550100",
        "attributes": {},
        "zones": ["Europe/London"],
        "number": 1,
        "came_in": False,
        "promised": False,
        "brief": "",
        "script": {},
        "history": [],
        "draft": None,
        "saved": None,
        "dispositions": [],
    }
    return SimpleNamespace(**(given | values))


def settings(**values) -> Settings:
    return Settings(http_port=0, **values)
