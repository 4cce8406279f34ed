"""Letters: written with their disposition or not at all, sent at least once under one id, to nobody who wants none."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.deliveries import Policy
from dialer.core.letters import Rule
from dialer.core.mail_reports import Report
from dialer.core.model import Outcome
from dialer.errors import Refused
from dialer.outbox import smtp
from dialer.outbox.letters import Postman, letter_of, token
from dialer.outbox.smtp import send_one
from dialer.store import letters
from dialer.store.letter_pages import Sought
from dialer.store.letters import Sender
from tests.outbox.mailserver import certificate, mail_server
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres

KEY = bytes(32)
QUICK = Policy(first_s=0.02, most_s=0.1, tries=4)
RULE = Rule(mode="send", language="en", terms_days=14, manager="Bob, +1 202 555 0199")
SENDER = Sender(name="Acme «Ромашка»", address="office@acme.example", reply_to="sales@acme.example")


@pytest.fixture
async def mail():
    async with mail_server() as server:
        yield server


@pytest.fixture
async def ann(place) -> int:
    await place.stores.letter_texts.set_rule(place.campaign.id, RULE, actor=SYSTEM)
    await place.stores.letter_texts.set_sender(place.campaign.id, SENDER, actor=SYSTEM)
    return await place.add_operator("ann")


@pytest.fixture
def written(place, ann):
    """A conversation after which a letter goes to this address; its row."""
    numbers = iter(range(100, 999))

    async def write(address="ivan@example.com", *, code="email_cold", campaign=None, **values):
        about = {"campaign": campaign} if campaign else {}
        await place.add_contacts(f"+12025550{next(numbers)}", **about)
        place.now += timedelta(minutes=1)  # lanes are remembered for a while
        [attempt] = await place.dial(**about)
        attempt = await place.talk(attempt, ann)
        await place.save(attempt.id, ann, code, key=str(attempt.id), address=address, **values)
        await place.end(attempt, Outcome.CONNECTED, **about)
        return await place.pools.web.fetchrow("SELECT * FROM letter WHERE attempt_id = $1", attempt.id)

    return write


def postman(place, server, **values):
    told = server.server(**values.pop("tls", {})) if server else None
    return Postman(place.pools.web, KEY, origin="https://dialer.example", server=told, policy=QUICK, **values)


async def settle(place, man):
    """Until nothing waits."""
    async with asyncio.timeout(20):
        while await place.pools.web.fetchval("SELECT EXISTS (SELECT FROM letter WHERE state = 'waiting')"):
            await man.step()
            await asyncio.sleep(0.01)


async def state(place, row):
    return await place.pools.web.fetchrow("SELECT * FROM letter WHERE id = $1", row["id"])


async def test_what_was_agreed_reaches_the_person_in_the_customers_name(place, mail, written):
    row = await written(note="two units, 5 % off")
    await settle(place, postman(place, mail))
    [(recipients, _)], [told] = mail.got, mail.mails
    assert recipients == ["ivan@example.com"]
    assert str(told["From"]) == "Acme «Ромашка» <office@acme.example>"
    assert (told["Reply-To"], told["To"]) == ("sales@acme.example", "ivan@example.com")
    assert told["Subject"] == "acme: the proposal you asked for"
    assert told["Message-ID"] == f"<letter.{row['message_id']}@acme.example>"
    assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = told.get_content()
    for part in ("Hello contact 2,", "two units, 5 % off", "Bob, +1 202 555 0199", token(KEY, row["id"])):
        assert part in text
    kept = await state(place, row)
    assert (kept["state"], kept["tries"], kept["template_version"], kept["reason"]) == ("sent", 1, 0, None)
    assert (kept["subject"], kept["body"].splitlines()) == (told["Subject"], text.splitlines())


async def test_a_campaign_that_writes_no_letters_writes_none(place, written):
    await place.stores.letter_texts.set_rule(place.campaign.id, Rule(), actor=SYSTEM)
    assert await written() is None


async def test_a_disposition_that_is_rolled_back_leaves_no_letter(place, ann):
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    await place.pools.web.execute("ALTER TABLE letter ADD CONSTRAINT never CHECK (word <> 'lead') NOT VALID")
    with pytest.raises(asyncpg.CheckViolationError):
        await place.save(attempt.id, ann, "lead", address="ivan@example.com")
    assert (await place.count("disposition"), await place.count("lead"), await place.count("letter")) == (0, 0, 0)


async def test_saving_twice_writes_one_letter(place, ann):
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    await asyncio.gather(*(place.save(attempt.id, ann, "email_cold", address="ivan@example.com") for _ in range(5)))
    assert await place.count("letter") == 1


async def test_what_is_no_address_is_refused_while_the_operator_can_still_ask(place, ann):
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    for wrong in ("ivan at example", "ivan@example.com\r\nRCPT TO:<eve@example.com>", "a@b, c@d.example"):
        with pytest.raises(Refused) as error:
            await place.save(attempt.id, ann, "email_cold", address=wrong)
        assert error.value.code == "disposition.unknown_address"
    assert await place.count("letter") == 0


async def test_the_address_may_be_the_bases_and_a_lead_without_one_says_so(place, mail, written):
    lost = await written(None, code="lead")
    assert (lost["state"], lost["reason"]) == ("refused", "no_address")
    await place.pools.web.execute('UPDATE contact SET attributes = \'{"E-mail": "eve@example.com", "language": "ru"}\'')
    await place.pools.web.execute("ALTER TABLE contact ALTER attributes SET DEFAULT '{}'")
    contact_id = lost["contact_id"]
    told = letters.Made(attempt_id=lost["attempt_id"], contact_id=contact_id, campaign_id=place.campaign.id,
                        customer_id=place.campaign.customer_id, word="lead", address="", now=place.now)  # fmt: skip
    async with place.pools.web.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE letter SET attempt_id = (SELECT attempt_id FROM disposition LIMIT 1)")
        await connection.execute("ALTER TABLE letter DROP CONSTRAINT letter_attempt_id_key")
        assert await letters.make(connection, told)
    row = await place.pools.web.fetchrow("SELECT * FROM letter ORDER BY id DESC LIMIT 1")
    assert (row["address"], row["language"], row["state"]) == ("eve@example.com", "ru", "waiting")


async def test_a_server_that_is_away_or_busy_is_tried_again_under_the_same_id(place, mail, written):
    row = await written()
    away = mail.server(port=1)
    man = Postman(place.pools.web, KEY, origin="https://d.example", server=away, policy=QUICK)
    assert await man.step() == (0, True)
    kept = await state(place, row)
    assert (kept["state"], kept["reason"], kept["tries"]) == ("waiting", "server_away", 1)
    mail.after = ["451 4.3.0 later", "452 4.2.2 still later"]
    await settle(place, postman(place, mail))
    [told] = mail.mails
    assert told["Message-ID"] == f"<letter.{row['message_id']}@acme.example>"
    assert (await state(place, row))["tries"] == 4


async def test_a_letter_that_nobody_takes_is_given_up_with_the_reason_and_sent_again_by_hand(place, mail, written):
    mail.to["ivan@example.com"] = ["450 4.2.1 greylisted"]
    row = await written()
    await settle(place, postman(place, mail))
    kept = await state(place, row)
    assert (kept["state"], kept["reason"], kept["tries"]) == ("given_up", "deferred", QUICK.tries)
    assert "greylisted" in kept["detail"]
    mail.to.clear()
    await place.stores.letters.replay(row["id"], actor=SYSTEM)
    await settle(place, postman(place, mail))
    assert (await state(place, row))["state"] == "sent"
    assert len(mail.got) == 1
    with pytest.raises(Refused):
        await place.stores.letters.replay(row["id"], actor=SYSTEM)


async def test_an_address_where_nobody_is_gets_no_more_letters_of_anybody(place, mail, written):
    mail.to["gone@example.com"] = ["550 5.1.1 no such user"]
    first = await written("gone@example.com")
    good = await written("ivan@example.com")
    await settle(place, postman(place, mail))
    kept = await state(place, first)
    assert (kept["state"], kept["bounced_at"] is not None) == ("bounced", True)
    assert (await state(place, good))["state"] == "sent"  # one session, one broken address
    again = await written("Gone@Example.com")
    await settle(place, postman(place, mail))
    kept = await state(place, again)
    assert (kept["state"], kept["reason"]) == ("refused", "bounced")


async def test_a_refusal_of_the_text_says_nothing_of_the_address(place, mail, written):
    mail.after = ["554 5.7.1 looks like spam"]
    row = await written()
    await settle(place, postman(place, mail))
    kept = await state(place, row)
    assert (kept["state"], kept["reason"]) == ("given_up", "refused_by_server")
    assert await place.count("letter_stop") == 0


async def test_a_connection_cut_in_the_text_or_after_it_sends_again_what_may_have_arrived(place, mail, written):
    mail.cut, mail.cut_late = 1, 1
    rows = [await written(f"n{number}@example.com") for number in range(3)]
    await settle(place, postman(place, mail))
    assert [(await state(place, row))["state"] for row in rows] == ["sent"] * 3
    ids = [told["Message-ID"] for told in mail.mails]
    assert len(set(ids)) == 3
    assert len(ids) == 4  # the one whose answer was lost came twice, under its id
    assert len({told.get_content() for told in mail.mails}) == 3


async def test_a_slow_server_is_left_and_tried_again(place, mail, written, monkeypatch):
    monkeypatch.setattr(smtp, "ANSWER_S", 0.3)
    mail.delay_s = 5.0
    row = await written()
    man = postman(place, mail)
    await man.step()
    kept = await state(place, row)
    assert (kept["state"], kept["reason"]) == ("waiting", "server")
    mail.delay_s = 0.0
    await settle(place, man)


async def test_what_a_dead_process_was_sending_is_sent_by_the_next_one(place, mail, written, monkeypatch):
    row = await written()
    with monkeypatch.context() as dying:

        async def die(*_args, **_values):
            raise asyncio.CancelledError

        dying.setattr("dialer.store.letters.told", die)
        with pytest.raises(asyncio.CancelledError):
            await postman(place, mail, held_s=0.2).step()
    await settle(place, postman(place, mail))
    assert [told["Message-ID"] for told in mail.mails] == [f"<letter.{row['message_id']}@acme.example>"] * 2


async def test_two_processes_send_each_letter_once_while_both_live(place, mail, written):
    rows = [await written(f"n{number}@example.com") for number in range(12)]
    await asyncio.gather(settle(place, postman(place, mail)), settle(place, postman(place, mail)))
    assert len(mail.got) == len({told["Message-ID"] for told in mail.mails}) == len(rows)


async def test_no_more_leave_in_an_hour_than_the_campaign_allows(place, mail, written):
    await place.stores.letter_texts.set_rule(
        place.campaign.id, Rule(mode="send", language="en", per_hour=2, per_day=3), actor=SYSTEM
    )
    for number in range(5):
        await written(f"n{number}@example.com")
    man = postman(place, mail)
    for _ in range(3):
        await man.step()
    assert len(mail.got) == 2
    await place.pools.web.execute("UPDATE letter SET tried_at = tried_at - interval '61 minutes'")
    await man.step()
    await man.step()
    assert len(mail.got) == 3  # the day's limit
    await place.pools.web.execute("UPDATE letter SET tried_at = tried_at - interval '24 hours'")
    await settle(place, man)
    assert len(mail.got) == 5


async def test_after_so_many_without_an_answer_nothing_goes_until_somebody_answers(place, mail, written):
    man = postman(place, mail)
    for _ in range(3):
        await written()
    await settle(place, man)
    late = await written("IVAN@example.com")
    await settle(place, man)
    kept = await state(place, late)
    assert (kept["state"], kept["reason"], len(mail.got)) == ("refused", "unanswered", 3)
    last = await place.pools.web.fetchrow("SELECT * FROM letter WHERE state = 'sent' ORDER BY id DESC LIMIT 1")
    report = Report(kind="answered", message_id=last["message_id"])
    assert await letters.report(place.pools.web, report, now=datetime.now(UTC)) == last["id"]
    await written()
    await settle(place, man)
    assert len(mail.got) == 4


async def test_letters_that_are_due_together_count_for_each_other(place, mail, written):
    rows = [await written() for _ in range(5)]
    await settle(place, postman(place, mail))
    ends = [(await state(place, row))["reason"] for row in rows]
    assert (ends, len(mail.got)) == ([None] * 3 + ["unanswered"] * 2, 3)


async def test_whoever_wants_no_more_letters_while_others_are_sent_gets_none(place, mail, written, monkeypatch):
    first, second = await written("anna@example.com"), await written("ivan@example.com")
    hand_over = smtp.hand_over

    async def meanwhile(client, leaving):
        await hand_over(client, leaving)
        await letters.unsubscribe(place.pools.web, second["id"], now=datetime.now(UTC))

    monkeypatch.setattr(smtp, "hand_over", meanwhile)
    await settle(place, postman(place, mail))
    assert ((await state(place, first))["state"], (await state(place, second))["reason"]) == ("sent", "unsubscribed")
    assert len(mail.got) == 1


async def test_a_bounce_that_is_reported_later_stops_letters_too(place, mail, written):
    row = await written()
    man = postman(place, mail)
    await settle(place, man)
    said = Report(kind="bounced", message_id=row["message_id"], detail="5.1.1 gone")
    for _ in range(2):
        assert await letters.report(place.pools.web, said, now=datetime.now(UTC)) == row["id"]
    assert (await state(place, row))["state"] == "bounced"
    again = await written()
    await settle(place, man)
    assert (await state(place, again))["reason"] == "bounced"
    strange = Report(kind="bounced", message_id=row["attempt_id"])
    assert await letters.report(place.pools.web, strange, now=datetime.now(UTC)) is None


async def test_whoever_wants_no_more_letters_gets_none_of_the_customer_and_still_of_another(place, mail, written):
    row = await written()
    man = postman(place, mail)
    await settle(place, man)
    assert await letters.unsubscribe(place.pools.web, row["id"], now=datetime.now(UTC))
    assert await letters.unsubscribe(place.pools.web, row["id"], now=datetime.now(UTC))
    again = await written("Ivan@example.com")
    rival = await place.add_campaign("rival", customer="rival")
    await place.stores.letter_texts.set_rule(rival.id, RULE, actor=SYSTEM)
    await place.stores.letter_texts.set_sender(rival.id, SENDER, actor=SYSTEM)
    other = await written(campaign=rival)
    await settle(place, man)
    assert ((await state(place, again))["reason"], (await state(place, other))["state"]) == ("unsubscribed", "sent")
    [stop] = await place.stores.letters.stops()
    assert (stop["scope"], stop["customer"], stop["why"]) == ("customer", "acme", "unsubscribed")
    await place.stores.letters.unstop(stop["id"], actor=SYSTEM)
    await written()
    await settle(place, man)
    assert len(mail.got) == 3


async def test_a_link_is_of_one_letter_and_nobody_can_make_another():
    told = token(KEY, 77)
    assert letter_of(KEY, told) == 77
    assert letter_of(bytes([1]) * 32, told) is None
    for wrong in ("", "x", "ж", told[:-4] + "AAAA", "B" + told[1:]):
        assert letter_of(KEY, wrong) is None


async def test_a_text_with_a_field_nobody_knows_is_refused_by_name_and_goes_when_it_is_mended(place, mail, written):
    save = place.stores.letter_texts.save
    about = {"word": "proposal", "language": "en", "now": place.now, "actor": SYSTEM}
    await save(place.campaign.id, subject="To {{ name }}", body="of {{ contact.street }}", **about)
    row = await written()
    man = postman(place, mail)
    await settle(place, man)
    kept = await state(place, row)
    assert (kept["state"], kept["reason"], kept["detail"]) == ("refused", "missing", "contact.street")
    await save(place.campaign.id, subject="To {{ name }}", body="of {{ contact.city }}", **about)
    await place.stores.letters.replay(row["id"], actor=SYSTEM)
    await settle(place, man)
    kept = await state(place, row)
    assert (kept["state"], kept["template_version"]) == ("sent", 2)
    assert kept["body"].startswith("of Vladivostok")
    await save(place.campaign.id, subject="Other", body="other", **about)
    assert (await state(place, row))["body"].startswith("of Vladivostok")  # what was sent stays


async def test_letters_that_are_fetched_are_cut_every_two_hours_and_sent_to_nobody(place, mail, written):
    await place.stores.letter_texts.set_rule(place.campaign.id, Rule(mode="list", language="en"), actor=SYSTEM)
    rows = [await written(f"n{number}@example.com", note="=cmd()") for number in range(3)]
    await letters.unsubscribe(place.pools.web, rows[2]["id"], now=place.now)
    await place.pools.web.execute("UPDATE letter SET made_at = now()")
    man = postman(place, mail)
    await man.step()
    assert await place.count("letter_list") == 0
    await place.pools.web.execute("UPDATE letter SET made_at = made_at - interval '2 hours'")
    for _ in range(2):
        await man.step()
    [told], waiting = await place.stores.letters.lists(place.campaign.id)
    assert (told["letters"], told["fetched_at"], waiting, mail.got) == (2, None, 0, [])
    fetched = await place.stores.letters.fetch_list(place.campaign.id, told["id"], now=place.now, actor=SYSTEM)
    assert [one["address"] for one in fetched] == ["n0@example.com", "n1@example.com"]
    assert all("=cmd()" in one["body"] for one in fetched)
    assert (await state(place, rows[2]))["reason"] == "unsubscribed"


async def test_letters_wait_until_it_is_said_in_whose_name_they_go(place, mail, written):
    await place.pools.web.execute("DELETE FROM letter_sender")
    row = await written()
    man = postman(place, mail)
    await man.step()
    assert (await state(place, row))["state"] == "waiting"
    assert [one["name"] for one in await place.stores.letters.unsendable()] == ["acme"]
    await place.stores.letter_texts.set_sender(place.campaign.id, SENDER, actor=SYSTEM)
    await settle(place, man)


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_a_password_is_said_over_tls_alone_to_a_server_that_is_who_it_says(place, written, tmp_path, tls):
    ca_file, context = certificate(tmp_path)
    async with mail_server(context=context, from_the_first_byte=tls == "tls", secret="s3cret") as mail:
        row = await written()
        known = {"tls": tls, "user": "acme", "secret": "s3cret"}
        man = Postman(place.pools.web, KEY, origin="https://d.example", server=mail.server(**known), policy=QUICK)
        assert await man.step() == (0, True)  # nobody knows who signed its certificate
        assert mail.logins == []
        await settle(place, postman(place, mail, tls={**known, "ca_file": ca_file}))
        assert (mail.logins, len(mail.got)) == (["acme"], 1)
        wrong = mail.server(**known | {"secret": "wrong"}, ca_file=ca_file)
        said = await send_one(
            wrong,
            smtp.mail_of(
                SENDER, "me@example.com", letters.Composed(subject="s", body="b", version=0), uid="<a@b>", at=place.now
            ),
        )
        assert said is not None
        assert said.startswith("535 ")
        assert "s3cret" not in said
    rows = await place.pools.web.fetch("SELECT l::text FROM letter l UNION ALL SELECT a::text FROM audit a")
    assert not any("s3cret" in one[0] for one in rows)
    assert (await state(place, row))["state"] == "sent"


async def test_an_erased_person_is_in_no_letter_and_the_address_gets_none(place, mail, written):
    sent = await written(note="Ada Byron")
    man = postman(place, mail)
    await settle(place, man)
    waiting = await written("eve@example.com", note="Ada Byron")
    await letters.unsubscribe(place.pools.web, sent["id"], now=place.now)
    from dialer.store.phones import SQL

    async with place.pools.web.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL dialer.suppression_key = '" + "ab" * 32 + "'")
        for row in (sent, waiting):
            phone_id = await connection.fetchval("SELECT phone_id FROM contact WHERE id = $1", row["contact_id"])
            await SQL["phone_erase_addresses"].execute(connection, phone_id=phone_id, at=place.now)
            await SQL["phone_erase_contacts"].fetchval(connection, phone_id=phone_id, at=place.now)
    await man.step()
    text = await place.pools.web.fetchval("SELECT string_agg(l::text, ' ') FROM (TABLE letter) l")
    assert "Ada" not in text
    assert "example.com" not in text
    assert await place.count("letter_stop") == 0
    assert ((await state(place, sent))["state"], (await state(place, waiting))["reason"]) == ("sent", "erased")
    assert len(mail.got) == 1
    await place.pools.web.execute("UPDATE letter SET address = 'ivan@example.com', state = 'waiting', closed_at = NULL")
    async with place.pools.web.acquire() as connection:
        await connection.execute("SET dialer.suppression_key = '" + "ab" * 32 + "'")
        [due] = await letters.SQL["letter_due"].fetch(connection, ids=[waiting["id"]])
        assert due["stopped"] == "asked"
        await connection.execute("RESET dialer.suppression_key")


async def test_letters_are_found_by_address_name_state_and_reason_page_by_page(place, mail, written):
    for number in range(5):
        await written(f"n{number}@example.com")
    await settle(place, postman(place, mail))
    await written(None, code="lead")
    find = place.stores.letters.find
    assert len((await find(Sought())).rows) == 6
    first = await find(Sought(state="sent"), rows=3)
    second = await find(Sought(state="sent", cursor=first.next), rows=3)
    assert (len(first.rows), len(second.rows), second.next) == (3, 2, None)
    assert [row["address"] for row in (await find(Sought(q="N3@example.com"))).rows] == ["n3@example.com"]
    assert len((await find(Sought(reason="no_address"))).rows) == 1
    assert len((await find(Sought(q="proposal"))).rows) == 5
    assert await place.stores.letters.states(Sought()) == {"sent": 5, "refused": 1}
    contact = first.rows[0]["contact_id"]
    assert len((await find(Sought(contact_id=contact))).rows) == 1


HOSTS = st.from_regex(r"([a-z0-9]{1,20}\.){1,8}[a-z]{2,10}", fullmatch=True)


@given(st.text(max_size=120), st.text(max_size=120), st.text(max_size=400), HOSTS)
def test_whatever_people_write_a_letter_has_its_own_headers_and_no_others(name, subject, body, host):
    """Read back: the name, the subject and the link are what was said, and nobody has put in a header or a receiver."""
    sender = Sender(name=name or "x", address=f"office@{host}", reply_to=None)
    said = letters.Composed(subject=subject, body=body, version=0)
    link = f"https://{host}/unsubscribe/{token(KEY, 7)}"
    at = datetime(2026, 3, 10, 9, tzinfo=UTC)
    try:
        mail = smtp.mail_of(sender, f"ivan@{host}", said, uid=f"<letter.1@{host}>", at=at, link=link)
    except ValueError:
        return
    mail.raw.decode("ascii")
    read = message_from_bytes(mail.raw, policy=policy.default)
    known = {"from", "to", "date", "subject", "message-id", "list-unsubscribe", "list-unsubscribe-post"}
    assert {key.lower() for key in read} - known == {"content-type", "content-transfer-encoding", "mime-version"}
    assert len(read.keys()) == len(set(read.keys()))
    assert (mail.to, read["To"]) == (f"ivan@{host}",) * 2
    assert " ".join(str(read["Subject"]).split()) == " ".join(subject.split())
    assert read["List-Unsubscribe"] == f"<{link}>"
    if body.isprintable():
        assert read.get_content().strip() == body.strip()
