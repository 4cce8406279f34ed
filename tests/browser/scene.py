"""A call centre in the middle of its day: real pages over a real PostgreSQL, and a floor that a test sets as it likes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from aiohttp.test_utils import TestServer

from dialer import passwords
from dialer.core.letters import Rule
from dialer.core.money import Kind, Said
from dialer.core.subscriptions import When
from dialer.engine.ports import CampaignView, Explanation
from dialer.store import subscriptions
from dialer.store.letters import Sender
from dialer.store.migrate import migrate
from dialer.store.pools import Pools
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from dialer.store.subscriptions import Wanted
from dialer.store.users import Actor
from dialer.web.app import create_app
from tests.store.places import Place
from tests.web import fakes

SYSTEM = Actor()
#: A conversation that is looked at.
ATTEMPT = "11111111-2222-4333-8444-555555555555"
STATES = (
    *(("talking", 48), ("talking", 130), ("talking", 431), ("ringing", 4), ("ready", 3), ("ready", 71)),
    *(("wrap_up", 9), ("wrap_up", 55), ("paused", 640), ("talking", 12), ("ready", 22), ("talking", 77)),
)
NAMES = ("Анна Ковалёва", "Пётр Иванов", "Maria Lind", "Олег Смирнов", "Айгуль Сафина", "John Carter", "Елена Петрова")
SENTENCE = {
    "en": "Dialling 7 lines for 3 free operators; 31 % answer; next one free in about 12 s; capped by abandonment.",
    "ru": "Набираем 7 линий на 3 свободных операторов; отвечают 31 %; следующий освободится через 12 с; предел — потерянные.",
}


BRIEF = "Розничные сети до 50 магазинов; решает директор по закупкам.\nЛид: просит счёт или встречу."
SCRIPT = {
    "steps": [
        {"id": "hello", "title": "Знакомство", "text": "{name}, добрый день! Вы отвечаете за закупки?",
            "answers": [{"text": "да", "to": "offer"}, {"text": "нет, другой", "to": None}]},
        {"id": "offer", "title": "Предложение", "text": "Мы привозим за день. Прислать прайс?",
            "answers": [{"text": "присылайте", "to": None}, {"text": "дорого", "to": "hello"}]},
    ],
    "scenarios": {"any": "hello"},
    "objections": [{"title": "Уже есть поставщик", "text": "Мы не вместо, а вторым: на случай срыва."}],
}  # fmt: skip


class Scene:
    """What every page needs to have something to show."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.live = fakes.FakeLive()
        self.commands = fakes.FakeCommands(self.live)
        self.folder = TemporaryDirectory(prefix="dialer-scene-")
        own = fakes.settings(data_dir=Path(self.folder.name))
        app = create_app(stores=place.stores, commands=self.commands, live=self.live, settings=own)
        self.server = TestServer(app)
        self.sessions: dict[tuple[str, str], str] = {}

    @classmethod
    async def make(cls, url: str, opened: Pools) -> Scene:
        migrate(url)
        place = await Place.make(opened, url, Stores.of(opened), PgStore(opened.engine, url))
        place.now = datetime.now(UTC)
        scene = cls(place)
        await scene._people()
        await scene._campaigns()
        await scene._numbers()
        await scene._promises()
        await scene._script()
        await scene._looks()
        await scene._returns()
        await scene._leads()
        await scene._webhooks()
        await scene._reports()
        await scene._money()
        await scene._letters()
        await scene.server.start_server()
        return scene

    async def close(self) -> None:
        await self.server.close()
        self.folder.cleanup()
        await self.place.store.close()

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def _people(self) -> None:
        hashed = await passwords.hash_password(fakes.PASSWORD)
        for role in ("admin", "supervisor", "base_manager", "auditor", "operator", "customer", "api"):
            await self.place.stores.users.add(
                login=role,
                name=role.replace("_", " ").title(),
                role=role,
                password_hash=hashed,
                team="one" if role == "operator" else None,
                customer="acme" if role == "customer" else None,
                language="en",
                actor=SYSTEM,
            )
        for number in range(60):
            name = f"{NAMES[number % len(NAMES)]} {number}"
            await self.place.stores.users.add(
                login=f"op{number:03}",
                name=name,
                role="operator",
                password_hash=hashed,
                team="one",
                language="ru",
                actor=SYSTEM,
            )

    async def _campaigns(self) -> None:
        place = self.place
        second = await place.add_campaign("Осенний опрос клиентов", mode="predictive", customer="Ромашка", team="two")
        await place.stores.campaigns.change(place.campaign.id, {"name": "Spring sale"}, actor=SYSTEM)
        await place.add_contacts(*(f"+7903555{number:04}" for number in range(400)))
        for number in range(120):
            await place.stores.do_not_call.add(
                phone=f"+7916000{number:04}", scope="global", reason="asked by phone", actor=SYSTEM
            )
        now = datetime.now(UTC)
        for campaign, state in ((place.campaign, "running"), (second, "paused")):
            self.live.campaigns.append(view(campaign, state, now))
        self.live.alerts = (f"{now:%H:%M:%S} bridge_failed seat-007",)
        for number, (state, age_s) in enumerate(STATES):
            since = now - timedelta(seconds=age_s)
            self.live.operators[1000 + number] = fakes.operator(
                1000 + number,
                name=NAMES[number % len(NAMES)],
                seat=f"seat-{number:03}",
                state=state,
                since=since,
                until=since + timedelta(seconds=30) if state == "wrap_up" else None,
                reason="lunch" if state == "paused" else None,
                campaign_id=place.campaign.id,
                attempt_id=uuid4() if state == "talking" else None,
            )

    async def _numbers(self) -> None:
        """An hour of calls, as the facts have it."""
        campaign, now = self.place.campaign, datetime.now(UTC)
        row = await self.place.pools.web.fetchrow("SELECT id, base_id, phone_id FROM contact ORDER BY id LIMIT 1")
        await self.place.pools.web.execute("UPDATE contact SET name = $1 WHERE id = $2", "Мария Семёнова", row["id"])
        for minute in range(58):
            for turn in range(2 + (minute * 7) % 5):
                at = now - timedelta(minutes=minute, seconds=turn)
                abandoned = minute % 17 == 3 and turn == 0
                await self.place.pools.web.execute(
                    INSERT, uuid4(), row["id"], campaign.id, row["base_id"], row["phone_id"], at - timedelta(seconds=50), at,
                    None if abandoned else at - timedelta(seconds=40), "abandoned" if abandoned else "connected", abandoned,
                )  # fmt: skip

    async def _promises(self) -> None:
        """A conversation with its disposition and its decision, and promises of every kind."""
        place, now = self.place, datetime.now(UTC)
        row = await place.pools.web.fetchrow(
            "SELECT id, base_id, phone_id, campaign_id FROM contact ORDER BY id LIMIT 1"
        )
        operator = (await place.stores.users.by_login("op003")).user.id
        at, abandoned = now - timedelta(minutes=3), False
        await place.pools.web.execute(
            INSERT, ATTEMPT, row["id"], row["campaign_id"], row["base_id"], row["phone_id"], at - timedelta(seconds=50), at,
            at - timedelta(seconds=40), "connected", abandoned,
        )  # fmt: skip
        await place.pools.web.execute(
            """INSERT INTO disposition (attempt_id, key, body_hash, campaign_id, contact_id, operator_id, code, result, closes,
                   decision_maker, note, reason)
               VALUES ($1, 'scene', '\\x00', $2, $3, $4, 'refused_with_reason', false, true, true,
                   'Пользуются другой программой, довольны; позвонить после праздников.', 'competitor')""",
            ATTEMPT, row["campaign_id"], row["id"], operator,
        )  # fmt: skip
        await place.pools.web.execute(
            """INSERT INTO pacing_minute (campaign_id, minute, decided_at, calls, target, reason, sentence, inputs, decisions, placed,
                   reasons)
               VALUES ($1, date_trunc('minute', $2::timestamptz), $2, 4, 7, 'budget', $3, '{}', 9, 4, '{}')""",
            row["campaign_id"], at - timedelta(seconds=50), SENTENCE,
        )  # fmt: skip
        kinds = [
            ("pending", 50),
            ("pending", -0.5),
            ("pending", -14),
            ("pending", 300),
            ("kept", -200),
            ("broken", -900),
        ]
        contacts = await place.pools.web.fetch(
            "SELECT id, phone_id FROM contact ORDER BY id OFFSET 10 LIMIT $1", len(kinds)
        )
        for number, ((state, minutes), contact) in enumerate(zip(kinds, contacts, strict=True)):
            await place.pools.web.execute("UPDATE contact SET name = $1 WHERE id = $2", NAMES[number], contact["id"])
            await place.pools.web.execute(
                """INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at, operator_id, note, state, closed_at, moves,
                       kept_by_attempt)
                   VALUES ($1, $2, $3, $4, $4, $5, $6, $7, CASE WHEN $7 <> 'pending' THEN $4::timestamptz END, $8, $9)""",
                contact["id"], row["campaign_id"], contact["phone_id"], now + timedelta(minutes=minutes),
                operator if number % 2 else None, "Спросить Ольгу Викторовну, после обеда", state, number % 2,
                ATTEMPT if state == "kept" else None,
            )  # fmt: skip
        await place.pools.web.execute(
            """INSERT INTO callback_change (callback_id, at, what, reason, due_before, operator_before)
               SELECT id, now(), 'handed_over', 'owner_paused', due_at, $1 FROM callback WHERE due_at < now() AND state = 'pending'""",
            operator,
        )

    async def _script(self) -> None:
        """The script that the conversation which is looked at showed."""
        await self.place.stores.scripts.write(
            self.place.campaign.id, brief=BRIEF, body=SCRIPT, actor=SYSTEM, now=datetime.now(UTC) - timedelta(days=2)
        )

    async def _looks(self) -> None:
        """Contacts that two operators looked at before a call."""
        pool, now = self.place.pools.web, datetime.now(UTC)
        contacts = await pool.fetch("SELECT id, campaign_id FROM contact ORDER BY id OFFSET 40 LIMIT 24")
        operators = [(await self.place.stores.users.by_login(login)).user.id for login in ("op001", "op002")]
        ends = (("called", ""), ("skipped", "talked_lately"), ("called", ""), ("skipped", "bad_data"), ("expired", ""))
        for number, contact in enumerate(contacts):
            how, reason = ends[number % len(ends)]
            at = now - timedelta(minutes=3 * number)
            await pool.execute(
                """INSERT INTO preview_end (preview_id, operator_id, campaign_id, contact_id, offered_at, ended_at, how, reason)
                   VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7)""",
                operators[number % 3 == 0], contact["campaign_id"], contact["id"], at - timedelta(seconds=9 + number), at,
                how, reason,
            )  # fmt: skip

    async def _returns(self) -> None:
        """People who called the shown number back today: four missed, three served."""
        pool, now = self.place.pools.web, datetime.now(UTC)
        operator = (await self.place.stores.users.by_login("op001")).user.id
        contacts = await pool.fetch("SELECT id, campaign_id, phone_id FROM contact ORDER BY id OFFSET 70 LIMIT 7")
        for number, contact in enumerate(contacts):
            served, at = number % 2 == 1, now - timedelta(minutes=1 + number)
            await pool.execute(
                """INSERT INTO return_call (id, switch, epoch, trunk, campaign_id, contact_id, phone_id, caller_number, came_at, ended_at,
                       connected_at, operator_id, outcome)
                   VALUES (gen_random_uuid(), 'main', 1, 'world', $1, $2, $3, '+74951230000', $4, $5, $6, $7, $8)""",
                contact["campaign_id"], contact["id"], contact["phone_id"], at, at + timedelta(seconds=20 + number),
                at + timedelta(seconds=4) if served else None, operator if served else None,
                "connected" if served else "missed",
            )  # fmt: skip

    async def _leads(self) -> None:
        """Leads in every state, one of them late, one a duplicate."""
        pool, now = self.place.pools.web, datetime.now(UTC)
        contacts = await pool.fetch("SELECT id, phone_id, campaign_id FROM contact ORDER BY id OFFSET 20 LIMIT 6")
        states = (("new", 20), ("new", -3), ("in_work", 9), ("accepted", -40), ("rejected", -40), ("client", -70))
        for number, (contact, (state, due_h)) in enumerate(zip(contacts, states, strict=True)):
            attempt, at = uuid4(), now - timedelta(days=3)
            await pool.execute(
                """INSERT INTO disposition (attempt_id, key, body_hash, campaign_id, contact_id, code, result, closes, decision_maker,
                       saved_at)
                   VALUES ($1, $1::uuid::text, '\\x00', $2, $3, 'lead', true, true, true, $4)""",
                attempt, contact["campaign_id"], contact["id"], at,
            )  # fmt: skip
            await pool.execute(
                LEAD, attempt, contact["id"], contact["campaign_id"], self.place.campaign.customer_id, contact["phone_id"],
                at, NAMES[number], "ООО «Северный ветер»", state, now + timedelta(hours=due_h),
            )  # fmt: skip
        await pool.execute("UPDATE lead SET duplicate_of = (SELECT min(id) FROM lead) WHERE state = 'in_work'")
        await pool.execute(
            """INSERT INTO lead_change (lead_id, at, what, before, after)
               SELECT id, made_at, 'made', NULL, 'new' FROM lead
               UNION ALL SELECT id, contacted_at, 'moved', 'new', state FROM lead WHERE state IN ('in_work', 'rejected')"""
        )

    async def _letters(self) -> None:
        """Letters in every state, a rule and a sender."""
        texts, campaign = self.place.stores.letter_texts, self.place.campaign
        manager = "Ольга Викторовна Северцева, +7 495 000-00-00, olga@acme.example"
        await texts.set_rule(campaign.id, Rule(mode="send", terms_days=14, manager=manager), actor=SYSTEM)
        sender = Sender(name="ООО «Северный ветер»", address="office@acme.example")
        await texts.set_sender(campaign.id, sender, actor=SYSTEM)
        states = (("sent", None), ("waiting", "deferred"), ("refused", "unanswered"), ("bounced", "bounced"))
        rows = await self.place.pools.web.fetch(
            "SELECT attempt_id, contact_id FROM disposition WHERE code = 'lead' LIMIT 4"
        )
        for row, (state, reason) in zip(rows, states, strict=True):
            await self.place.pools.web.execute(LETTER, row["attempt_id"], row["contact_id"], campaign.id, campaign.customer_id, state, reason)  # fmt: skip
        await self.place.stores.letters.stop("gone@example.com", "global", now=datetime.now(UTC), actor=SYSTEM)

    async def _money(self) -> None:
        """A mixed tariff, costs with a history, and a closed day."""
        money, now, campaign = self.place.stores.money, datetime.now(UTC), self.place.campaign.id
        admin = (await self.place.stores.users.by_login("admin")).user
        today = (await money.rule(campaign, now)).today
        step = {"first_s": 60, "step_s": 60}
        for kind, amount, back, more in (
            *((Kind.TARIFF_MINUTE, "12.50", 2, step), (Kind.TARIFF_LEAD, "1500", 2, {})),
            *((Kind.COST_PAID_HOUR, "420", 2, {}), (Kind.COST_TRUNK_MINUTE, "0.85", 2, step)),
            *((Kind.COST_TRUNK_MINUTE, "0.79", 0, {"first_s": 30, "step_s": 6}), (Kind.COST_MONTH, "120000", 2, {})),
            *(
                (Kind.COST_LETTER, "0.4", 2, {}),
                (Kind.COST_PAID_HOUR, "450", 0, {}),
                (Kind.COST_PAID_HOUR, "455", 0, {}),
            ),
        ):
            said = Said(kind=kind, since=today - timedelta(days=back), amount=Decimal(amount), **more)
            await money.set(campaign, said, now=now, actor=Actor(user_id=admin.id))
        await money.close(campaign, now=now, actor=Actor(user_id=admin.id))

    async def _reports(self) -> None:
        """Reports by mail: one that is sent, one that stopped, with what became of their letters."""
        pool, now = self.place.pools.web, datetime.now(UTC)
        admin = (await self.place.stores.users.by_login("admin")).user
        actor = Actor(user_id=admin.id)
        reports = self.place.stores.subscriptions
        await reports.set_own_address("admin@example.com", actor=actor)
        wanted = Wanted(
            name="Итоги дня для «Северного ветра»",
            campaign_id=self.place.campaign.id,
            zone=self.place.campaign.zone,
            period="yesterday",
            breakdown="operator",
            language="ru",
            form="xlsx",
            when=When(weekdays=frozenset({1, 2, 3, 4, 5}), hour=9),
            addresses=["admin@example.com", "ekaterina.konstantinopolskaya@example.com"],
        )
        since = now - timedelta(days=4)
        await reports.add(wanted, admin=True, now=since, actor=actor)
        monthly = replace(
            wanted, name="Месяц", campaign_id=None, period="month", form="csv", when=When(month_day=1, hour=7)
        )
        stopped = await reports.add(monthly, admin=True, now=now, actor=actor)
        await subscriptions.stop(pool, stopped, "rights", now=now)
        while await subscriptions.fall_due(pool, now=now):
            pass
        await pool.execute(
            "UPDATE report_letter SET state = 'sent', sent_at = now(), closed_at = now() WHERE id % 2 = 1"
        )
        await pool.execute(
            """UPDATE report_letter SET reason = 'server_away', detail = 'SMTPConnectError: refused', tries = 2,
                   next_at = now() + interval '5 minutes' WHERE state = 'waiting'"""
        )

    async def _webhooks(self) -> None:
        """A receiver that was told something, and something in vain."""
        pool = self.place.pools.web
        hook = await self.place.stores.webhooks.add(
            name="CRM «Ромашка»",
            url="https://crm.example.com/hooks/dialer?account=1234567890",
            kinds=["lead.made", "disposition.saved"],
            seed=bytes(16),
            customer_id=self.place.campaign.customer_id,
            campaign_id=None,
            actor=SYSTEM,
        )
        told = (
            (0, "delivered", 1, 200, None),
            (16, "given_up", 16, None, "no answer within 5 s"),
            (3, "pending", 3, 503, None),
        )
        for hours, state, tries, status, error in told:
            await pool.execute(
                """INSERT INTO delivery (webhook_id, event_id, kind, campaign_id, at, body, state, tries, next_at, status, error,
                       closed_at)
                   VALUES ($1, gen_random_uuid(), 'lead.made', $2, $3, '{}', $4::text, $5, now() + interval '1 hour', $6, $7,
                       CASE WHEN $4 <> 'pending' THEN now() END)""",
                hook, self.place.campaign.id, datetime.now(UTC) - timedelta(hours=hours), state, tries, status, error,
            )  # fmt: skip


LETTER = """INSERT INTO letter (attempt_id, contact_id, campaign_id, customer_id, word, language, address, made_at, state, reason, detail,
    subject, body, tries, next_at, closed_at, sent_at, template_version)
VALUES ($1, $2, $3, $4, 'lead', 'ru', 'ekaterina.konstantinopolskaya@example.com', now(), $5::text, $6,
    CASE WHEN $6 = 'deferred' THEN '450 4.2.1 try again later' ELSE '' END, 'ООО «Северный ветер»: о чём мы договорились',
    E'Здравствуйте, Екатерина!\n\nСпасибо за разговор.\nМы договорились: две установки.', 1, now() + interval '5 minutes',
    CASE WHEN $5 <> 'waiting' THEN now() END, CASE WHEN $5 IN ('sent', 'bounced') THEN now() END, 1)"""
LEAD = """INSERT INTO lead (attempt_id, contact_id, campaign_id, customer_id, phone_id, made_at, person, company, state, due_at,
    contacted_at, decided_at, reason, client_at, revenue, currency, address, agreed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text, $10, CASE WHEN $9 <> 'new' THEN now() END,
    CASE WHEN $9 IN ('accepted', 'rejected', 'client') THEN now() END, CASE WHEN $9 = 'rejected' THEN 'Уволился из компании' END,
    CASE WHEN $9 = 'client' THEN now() END, CASE WHEN $9 = 'client' THEN 1250300.5 END, 'RUB', 'office@example.com',
    'Две установки до конца квартала, счёт выслать в понедельник; договор на год, скидка 5 %.')"""
INSERT = """INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile, profile_version,
    sent_at, rang_at, answered_at, connected_at, ended_at, outcome, ended_by, counts, legal_answered, legal_abandoned, operator_id)
VALUES ($1, $2, $3, $4, $5, 'main', 1, 1, 'world', 1, $6, $6, $7::timestamptz - interval '41 seconds', $8, $7, $9, 'callee', true, true, $10,
    CASE WHEN $9 = 'connected' THEN (SELECT id FROM app_user WHERE login = 'op00' || extract(minute FROM $7::timestamptz)::integer % 4) END)"""


def view(campaign, state: str, now: datetime) -> CampaignView:
    told = Explanation(
        at=now - timedelta(seconds=40), until=now, reason="budget", sentence=SENTENCE, calls=4, decisions=9
    )
    seen = CampaignView(
        campaign_id=campaign.id,
        name="Spring sale" if state == "running" else campaign.name,
        mode=campaign.mode,
        state=state,
        lines=7 if state == "running" else 0,
        ringing=5 if state == "running" else 0,
        waiting=1 if state == "running" else 0,
        talking=5 if state == "running" else 0,
        ready=3,
        reason="budget",
        sentence=SENTENCE
        if state == "running"
        else {"en": "Paused by the supervisor.", "ru": "На паузе по решению супервизора."},
        answered=667,
        abandoned=14,
        cap_permille=30,
        window_starts_at=now - timedelta(days=12),
        trunk="world",
        changes=(told, replace(told, at=now - timedelta(minutes=3))),
    )
    return (
        seen
        if state == "running"
        else replace(seen, answered=120, abandoned=1, trunk_off_since=now - timedelta(minutes=6))
    )
