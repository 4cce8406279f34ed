"""To whom a letter may go and when; what comes back after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import letters, mail_reports
from dialer.core.letters import Rule, Standing

UID = UUID("11111111-2222-4333-8444-555555555555")
DSN = f"""From: MAILER-DAEMON@mx.example.net
To: office@acme.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

It failed.

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ivan@example.com
Action: ACTION
Status: STATUS
Diagnostic-Code: smtp; 550 5.1.1 no such user

--x
Content-Type: HEADERS

Message-ID: <letter.{UID}@acme.example>
Subject: hello

--x--
"""


def dsn(action="failed", status="5.1.1", headers="text/rfc822-headers") -> bytes:
    text = DSN.replace("ACTION", action).replace("STATUS", status).replace("HEADERS", headers)
    return text.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("ivan@example.com", "ivan@example.com"),
        ("  Ivan.Petrov+sales@Example.COM ", "Ivan.Petrov+sales@example.com"),
        ("info@почта.рф", "info@xn--80a1acny.xn--p1ai"),
        ("a@b.co.uk.", "a@b.co.uk"),
    ],
)
def test_an_address_is_taken_as_people_write_it_and_its_domain_said_in_ascii(said, plain):
    assert letters.address(said) == plain


@pytest.mark.parametrize(
    "said",
    [
        *("", "ivan", "ivan@", "@example.com", "ivan@localhost", "ivan@127.0.0.1", "ivan@[127.0.0.1]", "ivan at mail"),
        *("a b@example.com", '"a b"@example.com', "a@b@example.com", "<ivan@example.com>", "ivan@exa mple.com"),
        *("ivan@example.com\r\nRCPT TO:<x@example.com>", "ivan@example.com,eve@example.com", "ivan..p@example.com"),
        *("ivan@example.com>\r\nDATA", "иван@example.com", "ivan@-example.com", "a" * 65 + "@example.com"),
        *("ivan@" + "a" * 64 + ".com", "ivan@" + "a.b" * 90 + ".com", "\x00@example.com"),
    ],
)
def test_what_is_no_single_mailbox_is_no_address(said):
    assert letters.address(said) is None


@given(st.text(max_size=300) | st.from_regex(r"[ -~\s]{0,40}@[ -~\s]{0,40}", fullmatch=True))
def test_whatever_is_taken_for_an_address_is_one_word_of_ascii_that_ends_no_command(said):
    plain = letters.address(said)
    if plain is not None:
        assert plain.isascii()
        assert not set(plain) & set(' \t\r\n\0<>,;:"()[]\\')
        assert plain.count("@") == 1
        assert letters.address(plain) == plain


def test_the_address_and_the_language_are_those_the_base_tells():
    assert letters.told({"E-Mail": " a@b.example ", "city": "Perm"}) == "a@b.example"
    assert letters.told({"Электронная почта": "x@y.example"}) == "x@y.example"
    assert letters.told({"city": "Perm"}) == ""
    assert letters.language({"Язык": "английский"}, Rule()) == "en"
    assert letters.language({"lang": "de"}, Rule(language="ru")) == "ru"


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (Standing(), None),
        (Standing(unanswered=2), None),
        (Standing(unanswered=3), "unanswered"),
        (Standing(stopped="unsubscribed", unanswered=9), "unsubscribed"),
        (Standing(erased=True, stopped="bounced"), "erased"),
    ],
)
def test_a_letter_is_refused_with_the_reason_that_weighs_most(standing, why):
    assert letters.refusal(standing, Rule(unanswered_max=3)) == why


@given(st.integers(0, 500), st.integers(0, 5000), st.integers(1, 300), st.integers(1, 3000))
def test_no_more_leave_than_either_limit_allows(hour, more, per_hour, per_day):
    room = letters.room(hour, hour + more, Rule(per_hour=per_hour, per_day=per_day))
    assert room >= 0
    assert room == 0 or (hour + room <= per_hour and hour + more + room <= per_day)


@given(st.integers(0, 2_000_000_000).map(lambda second: datetime(2001, 1, 1, tzinfo=UTC) + timedelta(seconds=second)))
def test_lists_are_cut_on_the_even_hours(now):
    cut = letters.cut_at(now)
    assert cut <= now < cut + timedelta(hours=2)
    assert (cut.hour % 2, cut.minute, cut.second, cut.microsecond) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("code", "text", "dead"),
    [
        (550, "5.1.1 no such user", True),
        (550, "no such user here", True),
        (553, "5.1.3 bad syntax", True),
        (550, "5.2.1 mailbox disabled", True),
        (550, "5.7.1 you are on a list", False),
        (554, "5.7.1 spam", False),
        (552, "5.2.2 mailbox full", False),
        (450, "4.2.1 greylisted", False),
    ],
)
def test_only_what_says_that_nobody_is_there_is_a_bounce(code, text, dead):
    assert letters.bounces(code, text) is dead


def test_a_report_of_a_failure_names_the_letter_and_what_the_server_said():
    for headers in ("text/rfc822-headers", "message/rfc822"):
        found = mail_reports.read(dsn(headers=headers))
        assert (found.kind, found.message_id) == ("bounced", UID)
        assert "5.1.1" in found.detail
        assert "no such user" in found.detail


def test_a_delay_and_a_report_of_somebody_elses_mail_change_nothing():
    assert mail_reports.read(dsn(action="delayed", status="4.4.7")) is None
    assert mail_reports.read(dsn().replace(b"<letter.", b"<other.")) is None


def test_an_answer_is_known_by_what_it_answers_and_a_machine_answers_nothing():
    answer = f"From: ivan@example.com\nIn-Reply-To: <letter.{UID}@acme.example>\nSubject: Re\n\nYes!\n"
    assert mail_reports.read(answer.encode()) == mail_reports.Report(kind="answered", message_id=UID)
    assert mail_reports.read(f"Auto-Submitted: auto-replied\n{answer}".encode()) is None
    assert mail_reports.read(answer.replace("In-Reply-To", "References").encode()).kind == "answered"
    assert mail_reports.read(b"From: x\n\nhello") is None


@given(
    st.binary(max_size=2000)
    | st.binary(max_size=300).map(lambda some: dsn() + some)
    | st.integers(0, 900).map(lambda n: dsn()[:n])
)
def test_no_mail_breaks_the_reader(raw):
    found = mail_reports.read(raw)
    assert found is None or found.message_id == UID
