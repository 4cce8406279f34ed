"""Who is there: passwords, sessions, guessing, and requests another site makes a browser send."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from argon2 import extract_parameters

from dialer import passwords
from dialer.web import auth, throttle
from tests.web import fakes
from tests.web.conftest import CSRF, error_of, running

LOGIN = "/api/v1/login"


async def try_login(client, login="operator", password=fakes.PASSWORD, headers=CSRF, ip=None):
    return await client.post(LOGIN, json={"login": login, "password": password}, headers=headers)


async def test_a_login_opens_a_session_whose_token_the_database_does_not_know(world):
    """The cookie is HttpOnly and SameSite=Strict; stored is only the SHA-256 of a 256-bit token."""
    answer = await try_login(world.visitor())
    cookie = answer.cookies["dialer_session"]
    assert answer.status == 200
    assert (await answer.json())["user"]["login"] == "operator"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert not cookie["secure"]  # this one is reached over http
    assert len(cookie.value) >= 43
    assert list(world.stores.users.sessions) == [hashlib.sha256(cookie.value.encode()).digest()]


async def test_over_https_the_cookie_is_bound_to_the_host(password_hash):
    """With an https address the cookie is Secure and named __Host-, and browsers are told to stay on https."""
    async with running(password_hash, public_url="https://dialer.example") as world:
        answer = await try_login(world.visitor())
        assert answer.cookies["__Host-dialer_session"]["secure"]
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


async def test_a_new_login_makes_a_new_token_and_ends_the_old_one(world):
    """A session that existed before the login is worth nothing after it."""
    client = world.visitor()
    first = (await try_login(client)).cookies["dialer_session"].value
    second = (await try_login(client)).cookies["dialer_session"].value
    assert first != second
    assert list(world.stores.users.sessions) == [auth.hash_token(second)]


@pytest.mark.parametrize(("login", "password"), [("operator", "wrong"), ("nobody", fakes.PASSWORD), ("operator", "x")])
async def test_a_wrong_login_and_a_wrong_password_look_the_same(world, login, password):
    """Nobody learns from the answer which accounts exist."""
    answer = await try_login(world.visitor(), login, password)
    assert answer.status == 401
    assert error_of(await answer.json()).code == "login.wrong"


async def test_a_disabled_user_does_not_get_in(world):
    """Disabled is as good as a wrong password."""
    await world.stores.users.change(world.id_of("operator"), {"disabled": True}, actor=None)
    assert (await try_login(world.visitor())).status == 401


async def test_five_tries_and_then_even_the_right_password_waits(world):
    """The sixth try within the window is refused with the time to wait."""
    client = world.visitor()
    for _ in range(throttle.TRIES_MAX):
        assert (await try_login(client, password="guess")).status == 401
    answer = await try_login(client)
    assert answer.status == 429
    assert error_of(await answer.json()).code == "login.too_many"
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_floor_that_shares_an_address_is_not_locked_by_one_bad_typist(world):
    """Who has logged in from this address before still gets in after others' five wrong tries from it."""
    await world.login("second")
    for guess in range(throttle.TRIES_MAX + 3):
        await try_login(world.visitor(), f"made-up-{guess}", "guess")
    assert (await try_login(world.visitor(), "second")).status == 200
    assert (await try_login(world.visitor(), "supervisor")).status == 429  # never seen from here


async def test_a_floor_that_begins_its_shift_at_once_is_let_in(world, password_hash):
    """Thirty right passwords from one new address in the same moment are no attack."""
    names = [f"person{number}" for number in range(30)]
    for name in names:
        world.stores.users.put(name, "operator", password_hash)
    answers = await asyncio.gather(*(try_login(world.visitor(), name) for name in names))
    assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("login", ["operator", None], ids=["one account", "many accounts"])
async def test_guesses_sent_at_once_are_counted_like_guesses_in_a_row(world, login):
    """Forty parallel guesses try five passwords, not forty."""
    guesses = (try_login(world.visitor(), login or f"guess{number}", "guess") for number in range(40))
    statuses = [answer.status for answer in await asyncio.gather(*guesses)]
    assert (statuses.count(401), statuses.count(429)) == (throttle.TRIES_MAX, 40 - throttle.TRIES_MAX)


async def test_strangers_cannot_lock_an_account_at_its_own_address(world):
    """Wrong tries from elsewhere do not count against the address the account has used before."""
    await world.login("operator")
    world.stores.users.wrong += [("operator", "203.0.113.9")] * 50
    assert (await try_login(world.visitor())).status == 200


async def test_logout_ends_the_session_on_the_server(world):
    """A copied cookie is worth nothing after the logout."""
    client = await world.login("operator")
    answer = await client.post("/api/v1/logout", headers=CSRF)
    assert answer.status == 200
    assert '"cookies"' in answer.headers["Clear-Site-Data"]
    assert not world.stores.users.sessions
    assert (await client.get("/api/v1/me")).status == 401


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "access.no_header"),
        ({"X-Dialer": "0"}, "access.no_header"),
        ({**CSRF, "Origin": "https://evil.example"}, "access.other_origin"),
        ({**CSRF, "Origin": "null"}, "access.other_origin"),
        ({**CSRF, "Sec-Fetch-Site": "cross-site"}, "access.other_origin"),
    ],
)
async def test_another_site_cannot_act_in_a_users_name(world, headers, code):
    """Without our header, or with another origin, nothing is changed, cookie or not."""
    client = await world.login("operator")
    answer = await client.post("/api/v1/operator/ready", headers=headers)
    assert answer.status == 403
    assert error_of(await answer.json()).code == code
    assert world.commands.asked == []


async def test_our_own_pages_may(world):
    """The page's own origin passes."""
    client = await world.login("operator")
    origin = str(world.server.make_url("/")).rstrip("/")
    assert (await client.post("/api/v1/operator/ready", headers={**CSRF, "Origin": origin})).status == 200


async def test_behind_a_proxy_only_the_public_address_is_our_origin(password_hash):
    """With public_url set, the Host header of a request proves nothing."""
    async with running(password_hash, public_url="http://dialer.example") as world:
        client = await world.login("operator")
        own = str(world.server.make_url("/")).rstrip("/")
        refused = await client.post("/api/v1/operator/ready", headers={**CSRF, "Origin": own})
        passed = await client.post("/api/v1/operator/ready", headers={**CSRF, "Origin": "http://dialer.example"})
        assert (refused.status, passed.status) == (403, 200)


async def test_passwords_are_hashed_with_argon2id_at_least_as_hard_as_promised():
    """19 MiB and two passes are the floor; the same password never has the same hash."""
    first, second = await passwords.hash_password("a"), await passwords.hash_password("a")
    parameters = extract_parameters(first)
    assert first.startswith("$argon2id$")
    assert first != second
    assert (parameters.memory_cost, parameters.time_cost) >= (19 * 1024, 2)
    assert await passwords.matches(first, "a")
    assert not await passwords.matches(first, "b")
    assert not await passwords.matches(None, "a")
    assert not await passwords.matches("not a hash", "a")


def test_a_random_password_is_long_enough_and_never_the_same():
    """120 bits."""
    made = {passwords.random_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) >= passwords.LENGTH_MIN for password in made)


async def test_without_the_database_a_page_is_refused_honestly(world):
    """503 and a stable code, not a login page: the session may well be good."""
    client = await world.login("operator")
    world.stores.users.down = True
    answer = await client.get("/api/v1/me")
    assert answer.status == 503
    assert error_of(await answer.json()).code == "store.down"
