"""One call after another on the bare heart of the simulator, told with the switch's own clock.

The stories every switch must tell are in ``conformance``; here is what only a simulator has: its people, its world
record, its crashes, and the sharp edges it must keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ami.actions import Bridge, Hangup, Originate, Redirect, SetVariable
from ami.events import (
    BridgeEntered,
    BridgeLeft,
    ChannelCreated,
    ChannelRinging,
    ChannelUp,
    ContactChanged,
    DialBegin,
    DialEnd,
    Event,
    HungUp,
    Originated,
    Said,
)
from ami.simulator.people import Kind, Person, Phone, TableWorld
from ami.simulator.record import Talk
from ami.simulator.switch import Dialplan, SimSwitch

if TYPE_CHECKING:
    from collections.abc import Callable

CALLEE, SECOND, OPERATOR, OTHER = "att-1", "att-2", "opr-1", "opr-2"
#: Ringing at 1, answering at 3, hanging up after 10 seconds of talk.
PERSON = Person(setup_s=1.0, ring_s=2.0, talk_s=10.0)


class Play:
    """A switch, and everything it said, a word an event: ``+`` is a bridge entered, ``-`` a bridge left."""

    def __init__(self, *people: Person, phones: dict[str, Phone] | None = None) -> None:
        table = {str(100 + i): person for i, person in enumerate(people)}
        self.heard: list[tuple[float, str, str]] = []
        self.events: list[Event] = []
        self.switch = SimSwitch(TableWorld(table, phones or {}), self._hear)

    def call(self, at: float, number: int = 100, channel_id: str = CALLEE, **more: object) -> None:
        action = Originate(
            channel_id=channel_id,
            endpoint="trunk",
            number=str(number),
            context=str(more.pop("context", "answered")),
            ring_timeout_ms=int(float(str(more.pop("ring_s", 25))) * 1000),
            **more,  # type: ignore[arg-type]  # variables only
        )
        assert self.switch.do(action, at) is None

    def phone(self, at: float, channel_id: str = OPERATOR, seat: str = "seat1") -> None:
        action = Originate(
            channel_id=channel_id, endpoint=seat, number=None, context="operator", ring_timeout_ms=20_000
        )
        assert self.switch.do(action, at) is None

    def bridge(self, at: float, operator: str = OPERATOR, callee: str = CALLEE) -> str | None:
        return self.switch.do(Bridge(channel_id_1=operator, channel_id_2=callee), at)

    def of(self, channel_id: str) -> list[tuple[float, str]]:
        """What was heard of a channel, with the time."""
        return [(at, what) for at, who, what in self.heard if who == channel_id]

    def story(self, until: float = 1000.0) -> list[tuple[float, str]]:
        """The whole life of the first callee."""
        self.switch.advance(until)
        return self.of(CALLEE)

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self.heard.append((round(event.at, 3), getattr(event, "channel_id", ""), _WORDS[type(event)](event)))


_WORDS: dict[type[Event], Callable[..., str]] = {
    ChannelCreated: lambda _: "created",
    DialBegin: lambda _: "dialling",
    ChannelRinging: lambda _: "rings",
    ChannelUp: lambda _: "up",
    DialEnd: lambda e: e.status,
    Originated: lambda e: f"{'success' if e.success else 'failure'} {e.reason}",
    BridgeEntered: lambda e: "+waits" if e.holding else "+talks",
    BridgeLeft: lambda e: "-waits" if e.holding else "-talks",
    HungUp: lambda e: f"gone {e.cause}" + (f"/{e.sip_code}" if e.sip_code else ""),
    Said: lambda e: " ".join((e.name, *e.fields.values())),
    ContactChanged: lambda e: e.status,
}

BEFORE_ANSWER = [(0, "created"), (0, "dialling"), (1, "rings")]
ANSWER = [(3, "success 4"), (3, "up"), (3, "ANSWER"), (3, "Answered")]


class TestNobodyAnswers:
    @pytest.mark.parametrize(
        ("kind", "status", "cause"),
        [
            (Kind.BUSY, "BUSY", "17/486"),
            (Kind.INVALID, "NOANSWER", "1/404"),
            (Kind.REJECTED, "NOANSWER", "21/403"),
            (Kind.CONGESTION, "CONGESTION", "34/503"),
            (Kind.OUT_OF_ORDER, "NOANSWER", "27/502"),
            (Kind.UNAVAILABLE, "NOANSWER", "19/480"),
        ],
    )
    def test_each_refusal_ends_with_the_cause_that_was_measured(self, kind: Kind, status: str, cause: str) -> None:
        play = Play(Person(kind=kind, setup_s=1.0, ring_s=0.0))
        play.call(0)
        assert play.story() == [*BEFORE_ANSWER[:2], (1, status), (1, "failure 0"), (1, f"gone {cause}")]

    def test_whoever_looks_at_the_display_first_rings_and_then_rejects(self) -> None:
        play = Play(Person(kind=Kind.REJECTED, setup_s=1.0, ring_s=4.0))
        play.call(0)
        assert play.story() == [*BEFORE_ANSWER, (5, "NOANSWER"), (5, "failure 0"), (5, "gone 21/403")]

    def test_our_timeout_ends_without_a_dial_end(self) -> None:
        play = Play(Person(kind=Kind.NO_ANSWER, setup_s=1.0))
        play.call(0, ring_s=20)
        assert play.story() == [*BEFORE_ANSWER, (20, "failure 3"), (20, "gone 19/480")]

    def test_a_person_slower_than_our_timeout_is_a_no_answer(self) -> None:
        play = Play(Person(setup_s=1.0, ring_s=20.0))
        play.call(0, ring_s=20)
        assert play.story()[-1] == (20, "gone 19/480")

    def test_early_media_never_rings(self) -> None:
        play = Play(Person(kind=Kind.EARLY_MEDIA, setup_s=1.0))
        play.call(0, ring_s=20)
        assert play.story() == [*BEFORE_ANSWER[:2], (20, "failure 3"), (20, "gone 19/480")]

    def test_the_line_we_cut_never_answers_afterwards(self) -> None:
        play = Play(PERSON)
        play.call(0)
        play.switch.do(Hangup(channel_id=CALLEE), 2.5)
        assert play.story() == [*BEFORE_ANSWER, (2.5, "NOANSWER"), (2.5, "failure 0"), (2.5, "gone 16")]
        assert play.switch.calls[0].ended_by == "service"


class TestSomebodyAnswers:
    def test_who_meets_nobody_hears_the_message_2_seconds_after_the_answer(self) -> None:
        play = Play(PERSON)
        play.call(0)
        assert play.story() == [
            *BEFORE_ANSWER,
            *ANSWER,
            (3, "+waits"),
            (5, "-waits"),
            (5, "Message"),
            (13, "gone 16"),
        ]
        [call] = play.switch.calls
        assert (call.answered_at, call.heard_at, call.heard, call.ended_by) == (3, 5, "message", "plan")

    def test_an_operator_talks_until_the_callee_hangs_up_and_waits_again(self) -> None:
        play = Play(PERSON)
        play.phone(0)
        play.call(0)
        assert play.bridge(3.5) is None
        assert play.story()[-5:] == [
            (3, "+waits"),
            (3.5, "-waits"),
            (3.5, "+talks"),
            (13.5, "-talks"),
            (13.5, "gone 16"),
        ]
        assert play.of(OPERATOR)[-4:] == [(3.5, "-waits"), (3.5, "+talks"), (13.5, "-talks"), (13.5, "+waits")]
        [call] = play.switch.calls
        assert call.talks == [Talk(OPERATOR, 3.5, 13.5)]
        assert (call.heard, call.heard_at, call.ended_by) == ("operator", 3.5, "callee")

    def test_the_operators_lost_phone_leaves_the_callee_to_the_message(self) -> None:
        play = Play(PERSON)
        play.phone(0)
        play.call(0)
        play.bridge(3.5)
        play.switch.lose_phone("seat1", 6.0)
        assert play.story()[-3:] == [(6, "-talks"), (6, "Message"), (14, "gone 16")]
        assert play.of(OPERATOR)[-2:] == [(6, "-talks"), (6, "gone 44")]
        assert (6, "", "Removed") in play.heard

    def test_a_lost_phone_cannot_be_called_until_it_is_back(self) -> None:
        play = Play()
        play.switch.lose_phone("seat1", 0.0)
        play.phone(1.0)
        assert play.of(OPERATOR) == [(1, "failure 0")]
        play.switch.return_phone("seat1", 2.0)
        play.phone(3.0, OTHER)
        play.switch.advance(4.0)
        assert play.of(OTHER)[-1] == (3.1, "+waits")

    def test_impatience_ends_the_wait_before_the_message(self) -> None:
        play = Play(Person(setup_s=1.0, ring_s=2.0, patience_s=0.7))
        play.call(0)
        assert play.story()[-2:] == [(3.7, "-waits"), (3.7, "gone 16")]
        assert play.switch.calls[0].heard is None

    def test_answers_and_hangs_up_is_up_for_an_instant(self) -> None:
        play = Play(Person(kind=Kind.ANSWERS_AND_HANGS_UP, setup_s=1.0, ring_s=2.0))
        play.call(0)
        assert play.story() == [*BEFORE_ANSWER, *ANSWER, (3, "+waits"), (3, "-waits"), (3, "gone 16")]

    def test_no_conversation_outlives_the_absolute_timeout(self) -> None:
        play = Play(Person(setup_s=1.0, ring_s=2.0, talk_s=1e6))
        play.phone(0)
        play.call(0)
        play.bridge(4.0)
        assert play.story(until=50_000)[-1] == (3 + Dialplan().absolute_s, "gone 16")
        assert play.of(OPERATOR)[-1] == (43200.1, "gone 16")

    def test_the_second_call_to_a_number_may_meet_another_mood(self) -> None:
        play = Play()
        play.switch.world = TableWorld({"100": (Person(kind=Kind.BUSY, ring_s=0.0), PERSON)})
        play.call(0)
        play.call(10, channel_id=SECOND)
        play.switch.advance(1000)
        assert [c.cause for c in play.switch.calls] == [17, 16]


KEYS = {"DIALER_SAID_KEYS": "34", "DIALER_CALLBACK_KEYS": "2"}


class TestTheOffer:
    @staticmethod
    def _pressing(*keys: tuple[float, str], message_keys: tuple[tuple[float, str], ...] = ()) -> Play:
        play = Play(Person(setup_s=1.0, ring_s=2.0, keys=keys, message_keys=message_keys, talk_s=10.0))
        play.call(0, context="offer", variables={"DIALER_KEY_WAIT_S": "5", **KEYS})
        return play

    def _after_start(self, play: Play) -> list[tuple[float, str]]:
        story = play.story()
        return story[story.index((3, "OfferStarted")) + 1 :]

    def test_without_a_key_it_ends_by_itself(self) -> None:
        play = self._pressing()
        assert self._after_start(play) == [(18, "OfferEnded"), (18, "gone 16")]
        assert play.switch.calls[0].heard == "offer"

    def test_1_waits_as_long_as_the_campaign_says_and_then_hears_the_message(self) -> None:
        assert self._after_start(self._pressing((2.0, "1"))) == [
            (5, "Key 1"),
            (5, "Waiting"),
            (5, "+waits"),
            (10, "-waits"),
            (10, "Message"),
            (18, "gone 16"),
        ]

    def test_1_then_2_in_the_message_is_a_callback(self) -> None:
        assert self._after_start(self._pressing((2.0, "1"), message_keys=((1.0, "2"),)))[-3:] == [
            (10, "Message"),
            (11, "Key 2"),
            (12.5, "gone 16"),
        ]

    def test_2_is_a_callback(self) -> None:
        assert self._after_start(self._pressing((2.0, "2"))) == [(5, "Key 2"), (6.5, "gone 16")]

    def test_an_answer_ends_it(self) -> None:
        assert self._after_start(self._pressing((2.0, "4"))) == [(5, "Key 4"), (6.5, "gone 16")]

    def test_1_then_an_answer_of_the_offer_in_the_message_means_nothing(self) -> None:
        assert self._after_start(self._pressing((2.0, "1"), message_keys=((1.0, "4"),)))[-2:] == [
            (10, "Message"),
            (11, "gone 16"),
        ]

    def test_9_is_kept_in_astdb_before_it_is_told(self) -> None:
        play = self._pressing((2.0, "9"))
        play.switch.advance(5.0)
        assert play.switch.database == {"optout": {"1": "5"}}
        assert self._after_start(play) == [(5, "Key 9"), (5, "OptOut"), (6.5, "gone 16")]

    def test_star_begins_it_again(self) -> None:
        assert self._after_start(self._pressing((10.0, "*"))) == [(13, "Key *"), (28, "OfferEnded"), (28, "gone 16")]

    def test_it_is_played_at_most_five_times(self) -> None:
        play = self._pressing(*((float(i), "*") for i in range(1, 9)))
        assert self._after_start(play)[-2:] == [(8, "OfferEnded"), (8, "gone 16")]

    def test_a_key_that_means_nothing_begins_it_again_and_is_not_told(self) -> None:
        assert self._after_start(self._pressing((10.0, "5"))) == [(28, "OfferEnded"), (28, "gone 16")]

    def test_keys_in_a_conversation_mean_nothing(self) -> None:
        play = self._pressing((2.0, "1"), (4.0, "9"))
        play.phone(0)
        play.switch.advance(5.5)
        play.bridge(5.5)
        assert [what for _, what in self._after_start(play)] == [
            "Key 1",
            "Waiting",
            "+waits",
            "-waits",
            "+talks",
            "-talks",
            "gone 16",
        ]
        assert not play.switch.database


class TestSharpEdges:
    def test_a_channel_id_in_use_fails_under_the_id_of_the_living_call(self) -> None:
        play = Play(PERSON)
        play.call(0)
        play.call(1.5)
        assert play.story() == [*BEFORE_ANSWER, (1.5, "failure 0"), *ANSWER, *play.of(CALLEE)[8:]]
        assert len(play.switch.calls) == 1

    def test_a_ringing_line_that_is_bridged_never_answers(self) -> None:
        play = Play(PERSON)
        play.phone(0)
        play.call(0)
        play.switch.advance(2.0)
        assert play.bridge(2.0) is None
        assert play.story() == [*BEFORE_ANSWER, (2, "failure 0"), (2, "+talks")]

    def test_an_operator_taken_away_leaves_the_first_callee_to_the_message(self) -> None:
        play = Play(PERSON, PERSON)
        play.phone(0)
        play.call(0)
        play.call(0, 101, SECOND)
        play.bridge(3.5)
        play.bridge(4.0, OPERATOR, SECOND)
        assert play.story()[-3:] == [(4, "-talks"), (4, "Message"), (12, "gone 16")]
        assert [c.talks for c in play.switch.calls] == [[Talk(OPERATOR, 3.5, 4.0)], [Talk(OPERATOR, 4.0, 14.0)]]

    def test_out_of_the_message_there_is_no_way_back_to_it(self) -> None:
        play = Play(PERSON)
        play.phone(0)
        play.call(0)
        play.bridge(6.0)
        play.switch.lose_phone("seat1", 8.0)
        assert play.story()[-4:] == [(5, "Message"), (6, "+talks"), (8, "-talks"), (8, "gone 16")]

    def test_what_is_not_there_is_refused_in_asterisks_words(self) -> None:
        play = Play(PERSON)
        assert play.bridge(0.0) == "Channel1 does not exist: opr-1"
        play.phone(0.0)
        assert play.bridge(1.0) == "Channel2 does not exist: att-1"
        assert play.bridge(1.0, OPERATOR, OPERATOR) == "Unable to add Channel2 to bridge: PJSIP/seat1-00000001"
        assert play.switch.do(Hangup(channel_id=CALLEE), 1.0) == "No such channel"
        assert play.switch.do(SetVariable(channel_id=CALLEE, name="A", value="b"), 1.0) == "No such channel"

    def test_the_beginning_of_an_id_finds_a_channel_that_begins_so(self) -> None:
        play = Play(PERSON)
        play.call(0, channel_id="att-12")
        assert play.switch.do(Hangup(channel_id="att-1"), 1.0) is None
        assert play.of("att-12")[-1][1] == "gone 16"


class TestACrash:
    def test_everything_is_gone_unsaid_but_astdb_stays(self) -> None:
        play = Play(Person(setup_s=1.0, ring_s=2.0, keys=((1.0, "9"),)))
        play.phone(0)
        play.call(0, context="offer")
        play.switch.advance(4.2)
        said = len(play.heard)
        play.switch.crash(4.5)
        play.switch.start(7.9)
        play.switch.advance(100.0)
        assert len(play.heard) == said
        assert play.switch.snapshot().channels == ()
        assert play.switch.started_at == 7.0
        assert play.switch.database == {"optout": {"1": "4"}}
        [call] = play.switch.calls
        assert (call.ended_at, call.ended_by, call.cause) == (4.5, "crash", None)


@pytest.mark.parametrize(
    ("mode", "callee_hears", "operator_hears"),
    [
        ("listen", {OPERATOR}, {CALLEE}),
        ("whisper", {OPERATOR}, {CALLEE, "spy-1"}),
        ("join", {OPERATOR, "spy-1"}, {CALLEE, "spy-1"}),
    ],
)
def test_who_hears_a_supervisor_is_the_mode(mode: str, callee_hears: set[str], operator_hears: set[str]) -> None:
    """Nobody, the operator, both; the supervisor hears both in any mode."""
    play = Play(PERSON)
    play.phone(0.0)
    play.call(1.0)
    play.bridge(5.0)
    asked = Originate(
        channel_id="spy-1",
        endpoint="seat2",
        number=None,
        context="listen",
        ring_timeout_ms=20_000,
        variables={"DIALER_SPY_ON": OPERATOR},
    )
    assert play.switch.do(asked, 6.0) is None
    assert play.switch.do(Redirect(channel_id="spy-1", context=mode), 7.0) is None
    assert play.switch.heard_by(CALLEE) == callee_hears
    assert play.switch.heard_by(OPERATOR) == operator_hears
    assert play.switch.heard_by("spy-1") == {CALLEE, OPERATOR}
