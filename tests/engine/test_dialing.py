"""The pacing loop on simulated time: what it places, how it is turned while it runs, and why it did what it did."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from itertools import count, pairwise
from uuid import UUID

import pytest

from dialer.core import budget as law
from dialer.core import events as ev
from dialer.core import replay
from dialer.core.floor import Floor
from dialer.core.model import BudgetMode, CampaignState, Claim, Mode, OperatorState
from dialer.engine.campaigns import Dialing
from dialer.engine.ports import ClaimResult, Due, Lease
from dialer.errors import StoreDown
from tests.core.floors import CAMPAIGN, NOON, budget, session_id

PREDICTIVE = replace(CAMPAIGN, mode=Mode.PREDICTIVE, trunk=replace(CAMPAIGN.trunk, calls_per_s=5.0))


class LoopClock:
    """Both clocks are the loop's."""

    def __init__(self, loop):
        self.loop = loop

    def now(self):
        return NOON + timedelta(seconds=self.loop.time() - self.loop.began_s)

    def boot_s(self):
        return self.loop.time()


class QuickLoop(asyncio.SelectorEventLoop):
    """Time jumps to the next timer."""

    def __init__(self):
        super().__init__()
        self.began_s = self.now_s = 1000.0

    def time(self):
        return self.now_s

    def _run_once(self):
        coming = [timer._when for timer in self._scheduled if not timer._cancelled]
        if not self._ready and coming:
            self.now_s = max(self.now_s, min(coming))
        super()._run_once()


class Office:
    """A store that always has somebody to call, and a switch on which ``fate`` says what becomes of each call."""

    def __init__(self, loop, *campaigns, fate):
        self.clock = LoopClock(loop)
        self.loop = loop
        self.fate = fate
        self.floor = Floor()
        self.numbers = count(1)
        self.dialled: list[tuple[float, int]] = []
        self.alarms: list[str] = []
        self.kept: list = []
        self.learned_states: dict = {}
        self.down = False
        self.claim_takes_s = 0.0
        self.nobody_until_s = 0.0
        self.promised = 0
        self.promised_at = None
        self.promised_to = None
        self.promises = []
        self.asked: list[tuple[float, bool]] = []
        self.dialing = Dialing(
            floor=self.floor,
            store=self,
            clock=self.clock,
            new_id=lambda: UUID(int=next(self.numbers)),
            may_dial=lambda: None,
            held_back=lambda _: None,
            ack_s=lambda: 0.0,
            dial=self.dial,
            do=self.do,
            alarm=lambda word, _about: self.alarms.append(word),
        )
        self.dialing.lease = Lease(switch="main", epoch=1, expires_in_s=10.0)
        for campaign in campaigns:
            self.floor.cover.set_budget(replace(budget(campaign.id), cap_permille=law.cap_of(campaign)))
            self.has_seen(campaign.id)
        self.turn(*campaigns)

    def has_seen(self, campaign_id):
        """Four hundred calls of before, a quarter of them answered."""
        learner, now_s = self.dialing.pace(campaign_id).seen.learner, self.clock.now().timestamp()
        for n in range(400):
            learner.rang(2.0)
            if n % 4:
                learner.not_answered(now_s, rang=True)
            else:
                learner.answered(now_s, 8.0)
                learner.talked(60.0)
                learner.wrapped_up(10.0)

    def turn(self, *campaigns):
        self.do(ev.CampaignsRead(campaigns))
        self.dialing.wake()

    def do(self, event):
        for effect in self.floor.step(event, self.clock.now()):
            ended = getattr(effect, "ended", None)
            if ended is not None:
                self.dialing.ended(ended)
        self.dialing.kick()

    def work(self, operators):
        for n in range(1, operators + 1):
            self.do(ev.ShiftStarted(n, session_id(n), f"Operator {n}", 1, f"seat-{n:03}"))
            self.do(ev.LegWaiting(session_id(n), self.clock.now()))
            self.do(ev.ReadyAsked(n))

    def dial(self, claim, campaign):
        self.dialled.append((self.loop.time(), campaign.id))
        self.loop.call_later(0.5, self.fate, self, claim.attempt_id)

    def busy(self, attempt_id):
        self.do(ev.CallEnded(attempt_id, self.clock.now(), 17, 486, "busy"))

    def fails(self, attempt_id):
        self.do(ev.CallEnded(attempt_id, self.clock.now(), 34, 503, "congestion"))

    async def claim(self, ask):
        await asyncio.sleep(self.claim_takes_s)
        now_s = self.loop.time()
        self.asked.append((now_s, ask.callbacks_only))
        if now_s < self.nobody_until_s or (ask.callbacks_only and self.promises):
            due_at = ask.now + timedelta(seconds=self.nobody_until_s - now_s)
            mine = self.floor.cover.budgets[ask.campaign.id]
            return ClaimResult(claims=[], boot_s=now_s, budget=mine, next_due_at=due_at)
        claims = [
            Claim(
                attempt_id=attempt_id,
                campaign_id=ask.campaign.id,
                contact_id=attempt_id.int,
                phone_id=attempt_id.int,
                e164="+12025550101",
                number=1,
                counted=0,
                sent_at=ask.now,
            )
            for attempt_id in ask.ids
        ]
        return ClaimResult(claims=claims, boot_s=self.loop.time(), budget=self.floor.cover.budgets[ask.campaign.id])

    async def callbacks_due(self, campaign_ids, _until):
        due = [Due(self.promised_at or NOON, self.promised_to)] * self.promised + self.promises
        return dict.fromkeys(campaign_ids, due)

    async def learned(self, _campaign_id):
        return {}

    async def pacing_learned(self, kind, of_id):
        return self.learned_states.get((kind, of_id))

    async def keep_pacing(self, minutes, learned, _now):
        if self.down:
            raise StoreDown("store.down", "no answer")
        self.kept += minutes
        self.learned_states |= learned


@pytest.fixture
def live():
    """Run a story on simulated time, beside the pacing loop."""

    def run(story, *campaigns, fate=Office.busy, operators=3):
        loop = QuickLoop()

        async def day():
            office = Office(loop, *(campaigns or (PREDICTIVE,)), fate=fate)
            office.work(operators)
            loops = (office.dialing.run, office.dialing.write, office.dialing.keep)
            tasks = [asyncio.create_task(work()) for work in loops]
            try:
                await story(office)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            return office

        try:
            return loop.run_until_complete(day())
        finally:
            loop.close()

    return run


def since(office, at_s):
    return [at for at, _ in office.dialled if at >= at_s]


# Nobody to call ----------------------------------------------------------------


@pytest.mark.parametrize("promised", [0, 2])
def test_a_campaign_whose_contacts_are_not_due_rests_until_they_are(promised, live):
    """Also if promises come due: the database said when, and asking more often finds nobody."""

    async def story(office):
        office.promised, office.nobody_until_s = promised, office.loop.time() + 100
        await asyncio.sleep(130)

    office = live(story)
    in_vain = [at for at, _ in office.asked if at < office.nobody_until_s]
    assert len(in_vain) <= 2
    assert 0 <= office.dialled[0][0] - office.nobody_until_s < 0.2


def test_a_base_that_is_loaded_ends_the_rest(live):
    async def story(office):
        office.nobody_until_s = office.loop.time() + 1000
        await asyncio.sleep(30)
        office.nobody_until_s = 0.0
        await asyncio.sleep(10)
        assert office.dialled == []
        office.loaded_at = office.loop.time()
        office.turn(replace(PREDICTIVE, base_rows=1000))
        await asyncio.sleep(1)

    office = live(story)
    assert office.dialled[0][0] - office.loaded_at < 0.2


def test_a_claim_that_found_fewer_than_wanted_is_not_repeated_until_somebody_is_due(live):
    async def story(office):
        claim = office.claim

        async def claim_of_the_last(ask):
            found = await claim(ask)
            return replace(found, claims=found.claims[:1], next_due_at=ask.now + timedelta(seconds=20))

        office.claim = claim_of_the_last
        await asyncio.sleep(15)
        assert len(office.asked) == 1
        await asyncio.sleep(10)

    office = live(story, fate=lambda *_: None)
    assert 19 < office.asked[1][0] - office.asked[0][0] < 21


def test_an_operator_who_is_back_from_one_promise_is_kept_for_the_next(live):
    """The claim that took the first found nobody further, since it took the operator as well."""

    async def story(office):
        claim, office.promises, office.begun, office.after = office.claim, [Due(NOON, 1)], False, []

        async def claim_of_one(ask):
            found = await claim(replace(ask, callbacks_only=False))
            if not office.begun:
                return replace(found, claims=[], next_due_at=ask.now + timedelta(hours=1))
            office.after.append(ask.callbacks_only)
            kept = [replace(found.claims[0], callback_id=1, for_operator=1)]
            return replace(found, claims=kept, next_due_at=ask.now + timedelta(hours=1))

        office.claim = claim_of_one
        await asyncio.sleep(15)
        office.begun = True
        await office.dialing._claim(PREDICTIVE, 2)
        await asyncio.sleep(5)

    office = live(story, operators=1)
    assert len(office.after) > 1
    assert all(office.after[1:])


@pytest.mark.parametrize("mode", [Mode.PREDICTIVE, Mode.PREVIEW])
def test_who_comes_due_while_a_claim_is_on_its_way_is_not_forgotten_by_its_answer(mode, live):
    """A base is loaded after the database looked and before its answer is here, which says that nobody is left."""

    async def story(office):
        claim = office.claim

        async def slow_claim(ask):
            found = await claim(ask)
            if len(office.asked) == 1:
                office.turn(replace(PREDICTIVE, mode=mode, base_rows=1000))
                await asyncio.sleep(0.2)
                return replace(found, claims=[])
            return found

        office.claim = slow_claim
        await asyncio.sleep(10)

    office = live(story, replace(PREDICTIVE, mode=mode), operators=1)
    assert office.asked[1][0] - office.asked[0][0] < 6


def test_a_promise_nobody_could_keep_is_asked_for_when_another_operator_is_free(live):
    async def story(office):
        office.promised, office.nobody_until_s = 1, office.loop.time() + 1000
        await asyncio.sleep(30)
        asked = len(office.asked)
        office.do(ev.PauseAsked(3, "lunch"))
        await asyncio.sleep(0.2)
        assert len(office.asked) == asked + 1
        await asyncio.sleep(30)
        assert len(office.asked) == asked + 1

    live(story)


def test_a_promise_is_asked_for_at_its_time_though_nothing_else_happens(live):
    """Nobody else is due for long: not a look later, and an operator is kept free from half a minute before."""

    async def story(office):
        office.nobody_until_s = office.loop.time() + 1000
        await asyncio.sleep(15)
        office.promised, office.promised_at = 1, office.clock.now() + timedelta(seconds=43.3)
        office.promised_s = office.loop.time() + 43.3
        await asyncio.sleep(13)
        assert office.dialing.pace(1).due == 0
        await asyncio.sleep(1.4)
        assert office.dialing.pace(1).due == 1
        await asyncio.sleep(30)

    office = live(story)
    after = [at for at, _ in office.asked if at >= office.promised_s]
    assert after
    assert after[0] - office.promised_s < 0.1


def test_no_operator_is_kept_free_for_a_promise_nobody_may_keep(live):
    """Its owner is not at work, or the gate has just said no and it is not tried again soon."""

    async def story(office):
        office.nobody_until_s = office.loop.time() + 1000
        office.promised, office.promised_to = 1, 99
        await asyncio.sleep(11)
        assert office.dialing.pace(1).due == 0
        office.promised_to = None
        await asyncio.sleep(21)
        assert office.dialing.pace(1).due == 0

    live(story)


@pytest.mark.parametrize("mode", [Mode.PROGRESSIVE, Mode.PREDICTIVE])
def test_late_promises_whom_nobody_may_call_now_leave_the_operators_to_others(mode, live):
    """Their hours are over until tomorrow, other people's are not, and everybody is ready: nothing else happens."""

    async def story(office):
        claim = office.claim

        async def claim_of_the_others(ask):
            found = await claim(ask)
            return replace(found, claims=[], next_due_at=ask.now + timedelta(hours=9)) if ask.callbacks_only else found

        office.claim, office.promises = claim_of_the_others, [Due(NOON, None)] * 5
        await asyncio.sleep(10)

    office = live(story, replace(PREDICTIVE, mode=mode))
    assert len(office.dialled) >= 3


@pytest.mark.parametrize("owners", [[None] * 12, range(1, 13)])
def test_no_line_counts_on_operators_whom_promises_need_when_they_become_free(owners, live):
    """Also who still talks or writes is spoken for: by promises for anybody, or by each operator's own."""

    async def story(office):
        await asyncio.sleep(240)
        view = office.dialing._view(PREDICTIVE, office.clock.now())[0]
        assert view.talking_s
        assert view.reserved == 0
        at = office.clock.now() + timedelta(seconds=35)
        office.promises = [Due(at, owner) for owner in owners]
        await asyncio.sleep(11)
        office.views = []
        for _ in range(40):
            await asyncio.sleep(0.5)
            office.dialing.reserve.keep([PREDICTIVE])
            view = office.dialing._view(PREDICTIVE, office.clock.now())[0]
            office.views.append((view.ready + len(view.talking_s) + len(view.wrap_up_s), view.reserved))

    office = live(story, fate=_somebody(), operators=12)
    assert all(at_work <= reserved for at_work, reserved in office.views)


def test_while_promises_come_due_a_line_that_may_find_nobody_weighs_more(live):
    """Who answers then gets an operator whom a promise needs: from half a minute before it until it is late."""

    async def story(office):
        def allowed():
            decision = office.dialing._decide_anew(PREDICTIVE, office.clock.now())
            return decision.theta, decision.of[1].theta

        await asyncio.sleep(240)
        theta, learned = allowed()
        assert theta == learned
        office.promises = [Due(office.clock.now() + timedelta(seconds=41), None)]
        await asyncio.sleep(12)
        theta, learned = allowed()
        assert theta < learned / 2
        await asyncio.sleep(110)
        theta, learned = allowed()
        assert theta == learned

    live(story, fate=_somebody(), operators=12)


# The trunk --------------------------------------------------------------------


def test_campaigns_of_one_trunk_share_its_calls_per_second(live):
    """Five a second, whoever dials; with enough operators nothing else limits."""

    async def story(_office):
        await asyncio.sleep(30)

    office = live(story, PREDICTIVE, replace(PREDICTIVE, id=2), operators=30)
    times = [at for at, _ in office.dialled]
    assert {campaign for _, campaign in office.dialled} == {1, 2}
    assert all(sum(first <= at < first + 1 - 1e-6 for at in times) <= 5 for first in times)
    assert len(times) > 0.8 * 5 * 30


def test_a_slow_database_costs_no_starts(live):
    """The next calls are claimed while the last ones are being written."""

    async def story(office):
        office.claim_takes_s = 0.05
        await asyncio.sleep(30)

    fast = replace(PREDICTIVE, trunk=replace(PREDICTIVE.trunk, calls_per_s=20.0, max_channels=500), max_lines=500)
    office = live(story, fast, operators=60)
    assert len(office.dialled) > 0.97 * 20 * 30


def test_campaigns_of_one_trunk_share_its_channels(live):
    async def story(office):
        for _ in range(200):
            await asyncio.sleep(0.1)
            assert len(office.floor.attempts) <= 4

    narrow = replace(PREDICTIVE, trunk=replace(PREDICTIVE.trunk, max_channels=4, calls_per_s=50.0))
    office = live(story, narrow, replace(narrow, id=2), operators=20)
    assert len(office.dialled) > 40


def test_a_trunk_that_fails_is_tried_every_thirty_seconds_and_comes_back_by_itself(live):
    async def story(office):
        await asyncio.sleep(60)
        office.off_at = office.loop.time()
        assert office.dialing.trunk_off_since(PREDICTIVE) is not None
        assert office.alarms == ["trunk_off"]
        await asyncio.sleep(300)
        office.fate = Office.busy
        office.back_at = office.loop.time()
        await asyncio.sleep(60)

    office = live(story, fate=Office.fails)
    tries = [at for at in since(office, office.off_at) if at < office.back_at]
    assert 9 <= len(tries) <= 11
    assert all(later - earlier >= 30 - 1e-6 for earlier, later in pairwise(tries))
    assert office.alarms == ["trunk_off", "trunk_on"]
    assert len(since(office, office.back_at)) > 20
    assert office.dialing.pace(1).why.recent()[-1].sentence["en"]


def test_the_board_says_that_the_trunk_is_off(live):
    async def story(office):
        await asyncio.sleep(60)
        assert office.dialing.paces[1].decision.reason == "trunk_off"
        assert "trunk fails" in office.dialing.paces[1].decision.sentence["en"]

    live(story, fate=Office.fails)


# Live control -----------------------------------------------------------------


def test_a_pause_takes_effect_within_a_second(live):
    async def story(office):
        await asyncio.sleep(20)
        office.turn(replace(PREDICTIVE, state=CampaignState.PAUSED))
        office.turned_at = office.loop.time()
        await asyncio.sleep(20)

    office = live(story)
    assert len(since(office, office.turned_at - 10)) > 5
    assert since(office, office.turned_at + 1) == []


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"max_lines_per_operator": 1.0}, {"forecast", "abandon_budget", "starts_limit"}, {"lines_per_operator"}),
        ({"target_permille": 0}, {"forecast", "starts_limit"}, {"abandon_budget", "forecast"}),
        ({"mode": Mode.PROGRESSIVE}, {"forecast", "starts_limit"}, {"free_operators"}),
    ],
)
def test_what_is_turned_takes_effect_within_a_second(change, before, after, live):
    """A lower target, fewer lines per operator, another mode; the next decision is already another one."""

    async def story(office):
        await asyncio.sleep(120)
        assert office.dialing.paces[1].decision.reason in before
        office.turn(replace(PREDICTIVE, **change))
        await asyncio.sleep(1)
        now = office.dialing.paces[1].decision
        assert now.reason in after
        assert now.of[2].budget.cap_permille == law.cap_of(replace(PREDICTIVE, **change))

    live(story, fate=_rings_out)


def _rings_out(office, attempt_id):
    office.do(ev.Rang(attempt_id, office.clock.now()))
    office.loop.call_later(20, lambda: office.do(ev.CallEnded(attempt_id, office.clock.now(), 19, 480, "no_answer")))


def test_caution_reaches_the_decision(live):
    async def story(office):
        await asyncio.sleep(30)
        calm = office.dialing.paces[1].decision.of[2].caution
        office.turn(replace(PREDICTIVE, caution=3.0))
        await asyncio.sleep(1)
        assert (calm, office.dialing.paces[1].decision.of[2].caution) == (1.0, 3.0)

    live(story)


def test_in_a_cold_window_the_mode_probable_allows_more_lines_than_operators(live):
    """Strict counts each line as answered; probable as many as likely are."""

    def lines(mode):
        async def story(office):
            office.floor.cover.set_budget(replace(budget(), answered=0, abandoned=0))
            await asyncio.sleep(60)
            office.most = max(decision.target for decision in office.decisions)

        campaign = replace(PREDICTIVE, budget_mode=mode, max_lines_per_operator=20.0)

        def fate(office, attempt_id):
            office.decisions = [*getattr(office, "decisions", []), office.dialing.paces[1].decision]
            _rings_out(office, attempt_id)

        return live(story, campaign, fate=fate, operators=30).most

    assert lines(BudgetMode.PROBABLE) > lines(BudgetMode.STRICT)


# Why --------------------------------------------------------------------------


def test_a_stored_day_is_decided_again_with_the_same_decisions(live):
    """Each minute's last decision, from what the database holds of it."""

    async def story(_office):
        await asyncio.sleep(1800)

    office = live(story, PREDICTIVE, replace(PREDICTIVE, id=2, mode=Mode.PROGRESSIVE), fate=_somebody())
    stored = [json.loads(json.dumps({**m.inputs, "was": [m.calls, m.reason, m.target]})) for m in office.kept]
    assert len(stored) > 50
    assert len({was["was"][1] for was in stored}) > 1
    for minute in stored:
        assert replay.same(minute, *minute["was"])
        assert not replay.same(minute, minute["was"][0] + 1, *minute["was"][1:])


def _somebody():
    """Every third call is answered, talked with for a while, and written up."""
    turn = count()

    def fate(office, attempt_id):
        if next(turn) % 3:
            _rings_out(office, attempt_id)
            return
        at = office.clock.now()
        office.do(ev.Rang(attempt_id, at))
        office.do(ev.Answered(attempt_id, at))
        office.do(ev.CalleeWaits(attempt_id, at))
        attempt = office.floor.attempts[attempt_id]
        if attempt.operator_id is not None:
            bridge = f"bridge-{attempt_id}"
            office.do(ev.OperatorJoined(session_id(attempt.operator_id), bridge, at))
            office.do(ev.CalleeJoined(attempt_id, bridge, at))
        talk_s = 10 + attempt_id.int % 50
        office.loop.call_later(talk_s, lambda: office.do(ev.CallEnded(attempt_id, office.clock.now(), 16, None, "x")))
        office.loop.call_later(talk_s + 8, lambda: _save(office, attempt.operator_id, attempt_id))

    return fate


def _save(office, operator_id, attempt_id):
    op = office.floor.operators.get(operator_id)
    if op is not None and op.live.state is OperatorState.WRAP_UP:
        office.do(ev.DispositionSaved(operator_id, attempt_id))


def test_with_nobody_at_work_time_alone_asks_for_nothing(live):
    async def story(office):
        looks, look = [], office.dialing._look
        office.dialing._look = lambda campaign: looks.append(office.loop.time()) or look(campaign)
        await asyncio.sleep(100)
        assert 5 <= len(looks) <= 20
        office.work(1)
        office.dialing.kick()
        await asyncio.sleep(1)
        assert office.dialled

    live(story, operators=0)


def test_what_was_learned_is_there_after_a_restart(live):
    async def story(_office):
        await asyncio.sleep(600)

    before = live(story, fate=_somebody())
    learner = before.dialing.pace(1).seen.learner

    async def begin(office):
        office.learned_states = json.loads(json.dumps(dict(_named(before.learned_states))))
        office.learned_states = {(k.split("/")[0], int(k.split("/")[1])): v for k, v in office.learned_states.items()}
        await office.dialing.remember(PREDICTIVE)
        again = office.dialing.pace(1).seen.learner
        assert again.answer.value == pytest.approx(learner.answer.value, rel=0.2)
        assert again.talk.n == pytest.approx(learner.talk.n, rel=0.2)
        assert again.seen > 20

    live(begin)


def _named(states):
    return {f"{kind}/{of_id}": state for (kind, of_id), state in states.items()}


def test_minutes_the_database_did_not_take_are_kept_until_it_does(live):
    async def story(office):
        office.down = True
        await asyncio.sleep(200)
        assert office.kept == []
        office.down = False
        await asyncio.sleep(120)

    office = live(story)
    minutes = [m.minute for m in office.kept]
    assert minutes == sorted(set(minutes))
    assert len(minutes) >= 4


def test_each_decision_of_the_last_hour_is_told_and_older_ones_are_not(live):
    async def story(_office):
        await asyncio.sleep(2 * 3600)

    office = live(story, fate=_somebody())
    told = office.dialing.pace(1).why.recent()
    now = office.clock.now()
    assert told[0].until >= now - timedelta(seconds=30)
    assert timedelta(minutes=55) < now - told[-1].until <= timedelta(hours=1, seconds=30)
    assert all(entry.sentence["ru"] and entry.sentence["en"] for entry in told[:50])
    assert all(a.at >= b.until for a, b in pairwise(told))


def test_the_board_lists_the_last_changes_of_the_rule_that_limits(live):
    async def story(_office):
        await asyncio.sleep(900)

    office = live(story, fate=_somebody())
    changes = office.dialing.pace(1).why.changes(office.clock.now())
    assert 1 <= len(changes) <= 5
    assert all(a.reason != b.reason and a.at > b.at for a, b in pairwise(changes))
