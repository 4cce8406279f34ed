"""Nothing secret gets into a log, whoever writes the line (I44)."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from dialer import logs

SECRET = "ami-canary-6f1c9"
PHONE = "+74959876543"


@pytest.fixture
def lines(monkeypatch):
    """Every line written, as it would be on the screen."""
    handler_lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            handler_lines.append(self.format(record))

    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    logs.configure(level="debug", kind="json", secrets=(SECRET,))
    keep = Keep()
    keep.setFormatter(logs.formatter("json", (SECRET,)))
    root.handlers[:] = [keep]
    yield handler_lines
    root.handlers[:] = before
    structlog.reset_defaults()


CANARIES = {
    "by the value": ("login", {"text": f"sent {SECRET} to the switch"}, SECRET),
    "by the name": ("login", {"password": "pass-canary"}, "pass-canary"),
    "deep inside": ("login", {"request": {"headers": [{"Cookie": "cookie-canary"}]}}, "cookie-canary"),
    "a session token": ("seen dls_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg", {}, "AbCdEfGhIjKl"),
    "a database address": ("open", {"url": "postgresql://dialer:db-canary@localhost/dialer"}, "db-canary"),
    "a line of AMI": ("wrote Action: Login Secret: line-canary", {}, "line-canary"),
    "a hash": ("row", {"row": "$argon2id$v=19$m=19456,t=2,p=1$canary$hash"}, "canary"),
    "a phone": ("dialled", {"to": PHONE}, "9876543"),
    "a phone in a channel": (f"PJSIP/{PHONE[1:]}@trunk", {}, "959876543"),
    "a phone as a number": ("dialled", {"to": int(PHONE)}, "959876543"),
    "a phone in an object": ("dialled", {"claim": [("e164", PHONE)]}, "959876543"),
}


@pytest.mark.parametrize(("event", "values", "canary"), CANARIES.values(), ids=CANARIES)
def test_a_canary_never_sings(lines, event, values, canary):
    """Whichever way a secret comes, the line is written without it."""
    structlog.get_logger("x").info(event, **values)
    logging.getLogger("library").warning("%s %s", event, values)
    assert len(lines) == 2
    assert all(canary not in line for line in lines)


def test_a_traceback_is_scrubbed_too(lines):
    """An exception's text is as public as the rest."""
    try:
        int(f"{SECRET} {PHONE}")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    [line] = lines
    assert "ValueError" in line
    assert SECRET not in line
    assert PHONE not in line


def test_a_full_phone_is_seen_only_at_debug(lines):
    """Whoever turns debug on has decided to."""
    structlog.get_logger("x").debug("dialled", to=PHONE)
    structlog.get_logger("x").info("dialled", to=PHONE)
    assert [json.loads(line)["to"] for line in lines] == [PHONE, "+74…43"]


def test_ids_and_durations_stay_readable(lines):
    """What looks like a number is not always a phone."""
    values = {
        "attempt": "0c5e1b0a-7f0e-4bb2-9a51-123456789012",
        "took_ms": 1234567,
        "rows": 250000,
        "ok": True,
        "x": 1.5,
    }
    structlog.get_logger("x").info("done", **values)
    [line] = lines
    assert {name: json.loads(line)[name] for name in values} == values


@given(st.text(alphabet="0123456789", min_size=11, max_size=15), st.sampled_from(["", "+", " +", "sip:", "to=", "/"]))
def test_no_full_number_of_any_shape_survives(digits, before):
    """With a plus or without, after a word, a slash or nothing."""
    cleaned = logs.Scrub()(None, "info", {"event": f"{before}{digits} and on"})
    assert digits not in cleaned["event"]
