"""Pages that move: a full picture at every connect, then one at every change, for those who may see it."""

from __future__ import annotations

import asyncio
import json
import time
from types import SimpleNamespace
from weakref import WeakKeyDictionary

import pytest
from aiohttp import ClientError, WSMsgType, WSServerHandshakeError, web

from dialer.engine.ports import CampaignView
from dialer.web import errors as web_errors
from dialer.web import live as web_live
from dialer.web.call import CONTEXT
from dialer.web.feed import Feed, seen
from tests.web import fakes
from tests.web.boards import merge
from tests.web.conftest import CSRF

BOARD, OPERATOR = "/api/v1/live", "/api/v1/operator/live"
PAGES = WeakKeyDictionary()


async def picture(socket, until=lambda _: True, timeout_s=3):
    """The next picture for which ``until`` holds; of a board, what the page shows after the message."""
    async with asyncio.timeout(timeout_s):
        while True:
            found = await socket.receive_json()
            if "whole" in found:
                found = dict(merge(PAGES.setdefault(socket, {}), found))
            if until(found):
                return found


async def test_the_board_comes_whole_at_connect_and_again_at_a_change(world):
    """No page needs history: the first message is everything."""
    await world.live.put(fakes.operator(50, state="ready"))
    async with (await world.login("supervisor")).ws_connect(BOARD) as socket:
        assert (await picture(socket))["totals"]["ready"] == 1
        await world.live.put(fakes.operator(50, state="talking"))
        after = await picture(socket, lambda board: board["totals"]["talking"])
        assert after["operators"][0]["state"] == "talking"


async def test_after_the_first_message_only_what_changed_is_sent(world):
    """Two hundred operators are told once; then one that talks, and one that left."""
    for number in range(200):
        world.live.operators[number] = fakes.operator(number, state="ready")
    async with (await world.login("supervisor")).ws_connect(BOARD) as socket:
        whole = await socket.receive_json()
        assert (whole["whole"], len(whole["operators"])) == (True, 200)
        await asyncio.sleep(2 * web_live.BOARD_GAP_S)
        world.live.operators.pop(7)
        await world.live.put(fakes.operator(50, state="talking"))
        change = await socket.receive_json()
        assert not change["whole"]
        assert [row["operator_id"] for row in change["operators"]] == [50]
        assert change["operators_gone"] == [7]
        assert not {"switch", "campaigns", "overview", "alerts"} & set(change)
        page = merge(merge({}, whole), change)
        assert page["totals"] == {**whole["totals"], "ready": 198, "talking": 1}
        board = await (await (await world.login("admin")).get("/api/v1/board")).json()
        assert sorted(page["operators"], key=lambda row: row["operator_id"]) == sorted(
            board["operators"], key=lambda row: row["operator_id"]
        )


async def test_a_page_that_missed_a_change_gets_the_whole_board(world):
    feed = Feed()
    for turn in range(3):
        world.live.operators[1] = fakes.operator(1, state="ready", extended=turn)
        feed.show(seen(world.live.board(), world.app[CONTEXT].hub.overview))
    assert [json.loads(feed.after(version))["whole"] for version in (0, 1, 2)] == [True, True, False]


async def test_the_six_big_numbers_are_counted_from_what_is_shown(world):
    """They agree with the operators and campaigns under them."""
    for number, state in enumerate(["talking", "talking", "ready", "wrap_up", "paused"]):
        world.live.operators[number] = fakes.operator(number, state=state)
    view = {"name": "c", "mode": "predictive", "state": "running", "ringing": 3, "talking": 2, "ready": 1}
    view |= {"reason": "budget", "sentence": {"en": "e", "ru": "р"}, "cap_permille": 30, "window_starts_at": None}
    world.live.campaigns = [
        CampaignView(campaign_id=1, lines=4, waiting=1, answered=100, abandoned=2, **view),
        CampaignView(campaign_id=2, lines=3, waiting=0, answered=50, abandoned=1, carried_answered=40, **view),
    ]
    body = await (await (await world.login("supervisor")).get("/api/v1/board")).json()
    expected = {"talking": 2, "ready": 1, "wrap_up": 1, "dialling": 7, "waiting": 1, "answered": 150, "abandoned": 3}
    assert body["totals"] == expected
    assert body["campaigns"][1]["carried_answered"] == 40


async def test_many_changes_in_a_moment_are_few_pushes_and_the_last_one_is_right(world):
    """At most about five a second, whatever the engine does; nothing is queued."""
    async with (await world.login("supervisor")).ws_connect(BOARD) as socket:
        await picture(socket)
        began, pushes = time.monotonic(), 0
        for count in range(200):
            world.live.alerts = (f"change {count}",)
            await world.live.tell()
            await asyncio.sleep(0.002)
        while (await picture(socket))["alerts"] != ["change 199"]:
            pushes += 1
        took = time.monotonic() - began
        assert pushes <= took / web_live.BOARD_GAP_S + 2


async def test_a_quiet_board_still_beats(world, monkeypatch):
    """Without any change a picture comes every two seconds, so that its age means something."""
    monkeypatch.setattr(web_live, "HEARTBEAT_S", 0.05)
    async with (await world.login("supervisor")).ws_connect(BOARD) as socket:
        first = await picture(socket)
        second = await picture(socket)
        assert (second["version"], second["at"] > first["at"]) == (first["version"], True)


async def test_an_operators_page_is_told_at_once(world):
    """The card is on its way within 100 ms of the engine's change; other operators' changes are not told."""
    me, card = world.id_of("operator"), fakes.card()
    world.stores.contacts.cards[card.attempt_id] = (me, card)
    async with (await world.login("operator")).ws_connect(OPERATOR) as socket:
        assert (await picture(socket))["operator"] is None
        await world.live.put(fakes.operator(77, state="talking"))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await world.live.put(fakes.operator(me, state="talking", attempt_id=card.attempt_id))
        now = await picture(socket)
        assert time.monotonic() - began < 0.1
        assert now["card"]["name"] == "Ada"


async def test_a_page_is_told_nothing_of_its_operator_before_the_engine_knows_who_is_at_work(world):
    """A service that has just started would say "no shift" to somebody in the middle of a wrap-up."""
    me = world.id_of("operator")
    world.live.took_over = False
    client = await world.login("operator")
    async with client.ws_connect(OPERATOR) as socket:
        first = asyncio.create_task(picture(socket))
        refused = await client.get("/api/v1/operator")
        assert (refused.status, (await refused.json())["error"]["code"]) == (503, "operator.not_yet")
        assert not first.done()
        world.live.took_over = True
        await world.live.put(fakes.operator(me, state="wrap_up"))
        assert (await first)["operator"]["state"] == "wrap_up"


async def test_a_card_that_is_written_down_a_moment_later_comes_by_itself(world):
    """The engine is ahead of the database; an operator is not left talking to nobody."""
    me, card = world.id_of("operator"), fakes.card()
    async with (await world.login("operator")).ws_connect(OPERATOR) as socket:
        await picture(socket)
        await world.live.put(fakes.operator(me, state="talking", attempt_id=card.attempt_id))
        assert (await picture(socket))["card_unknown"]
        world.stores.contacts.cards[card.attempt_id] = (me, card)
        now = await picture(socket, lambda now: now["card"])
        assert (now["card"]["name"], now["card_unknown"]) == ("Ada", False)


async def test_a_page_of_another_site_gets_no_socket(world):
    """The cookie alone opens nothing: the handshake's Origin must be ours."""
    client = await world.login("supervisor")
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect(BOARD, origin="https://evil.example")
    assert refused.value.status == 403


@pytest.mark.parametrize(("who", "path", "status"), [("operator", BOARD, 403), ("supervisor", OPERATOR, 403)])
async def test_a_socket_has_roles_like_any_route(world, who, path, status):
    """An operator does not see the board; a supervisor has no operator's page."""
    with pytest.raises(WSServerHandshakeError) as refused:
        await (await world.login(who)).ws_connect(path)
    assert refused.value.status == status


async def closed(socket) -> bool:
    async with asyncio.timeout(3):
        while (await socket.receive()).type not in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING}:
            pass
    return True


async def test_logout_closes_the_open_pages(world):
    """Nobody goes on watching after the logout."""
    client = await world.login("supervisor")
    async with client.ws_connect(BOARD) as socket:
        await picture(socket)
        await client.post("/api/v1/logout", headers=CSRF)
        assert await closed(socket)


async def test_disabling_a_user_closes_the_open_pages(world):
    """At once, not at the next click."""
    admin = await world.login("admin")
    async with (await world.login("operator")).ws_connect(OPERATOR) as socket:
        await picture(socket)
        who = world.id_of("operator")
        answer = await admin.patch(f"/api/v1/users/{who}", json={"disabled": True}, headers=CSRF)
        assert answer.status == 200
        assert await closed(socket)


async def test_a_session_that_ended_elsewhere_closes_its_pages(world, monkeypatch):
    """E.g. disabled from the command line: the page asks again every few seconds."""
    monkeypatch.setattr(web_live, "_CHECK_SESSION_EVERY_S", 0.05)
    async with (await world.login("supervisor")).ws_connect(BOARD) as socket:
        await picture(socket)
        world.stores.users.sessions.clear()
        assert await closed(socket)


async def test_a_page_that_floods_or_sends_too_much_is_closed(world):
    """64 KB a message and 20 messages a second; pages have nothing to say."""
    client = await world.login("supervisor")
    async with client.ws_connect(BOARD) as socket:
        await socket.send_str("x" * (web_live.MESSAGE_BYTES_MAX + 1))
        assert await closed(socket)
    async with client.ws_connect(BOARD) as socket:
        for _ in range(web_live.MESSAGES_PER_S_MAX + 5):
            await socket.send_str("x")
        assert await closed(socket)


async def test_a_page_that_is_gone_before_its_socket_opens_is_no_defect(world, monkeypatch):
    """When a network breaks, hundreds are; the log must not fill with tracebacks then."""

    async def gone(self, request):
        raise ConnectionResetError("Connection lost")

    defects = []
    monkeypatch.setattr(web_errors, "unexpected", lambda error, request: defects.append(error))
    client = await world.login("supervisor")
    monkeypatch.setattr(web.WebSocketResponse, "prepare", gone)
    with pytest.raises((ClientError, WSServerHandshakeError)):
        await client.ws_connect(BOARD)
    assert defects == []
    assert world.app[CONTEXT].hub.watching == 0


async def test_a_page_that_closes_leaves_nothing_behind(world):
    """No watcher, no socket and no signal stays in memory."""
    hub = world.app[CONTEXT].hub
    async with (await world.login("operator")).ws_connect(OPERATOR) as socket:
        await picture(socket)
        assert hub.watching == 1
    async with asyncio.timeout(3):
        while hub.watching:  # noqa: ASYNC110 - the hub has no reason to tell
            await asyncio.sleep(0.01)


async def test_a_defect_in_one_picture_does_not_freeze_the_board(world):
    """It is logged, and pushing goes on."""
    async with (await world.login("supervisor")).ws_connect(BOARD) as socket:
        await picture(socket)
        board, world.live.board = world.live.board, lambda: 1 / 0
        await world.live.tell()
        await asyncio.sleep(0.3)
        world.live.board = board
        world.live.alerts = ("well again",)
        await world.live.tell()
        assert (await picture(socket, lambda found: found["alerts"], timeout_s=5))["alerts"] == ["well again"]


async def test_the_board_warns_of_registers_that_campaigns_need(world):
    warned = "register_soon us-dnc · spring · 2026-12-01 09:00 UTC"
    world.stores.national.warned = [SimpleNamespace(campaign_id=1, alert=warned)]
    world.live.alerts = ("09:15:02 trunk_off carrier",)
    admin = await world.login("admin")
    async with admin.ws_connect("/api/v1/live") as socket:
        for _ in range(20):
            await world.live.tell()
            board = await picture(socket, timeout_s=20)
            if warned in board["alerts"]:
                break
    assert board["alerts"] == ["09:15:02 trunk_off carrier", warned]
