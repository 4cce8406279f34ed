"""What an operator can say, and what must be said with it."""

from __future__ import annotations

import pytest

from dialer.core import dispositions
from dialer.core.dispositions import DEFAULT, check

KINDS = {kind.code: kind for kind in DEFAULT}
CALLBACK = {"due_at": "2026-11-24T10:00Z"}


@pytest.mark.parametrize(
    ("code", "form", "wrong"),
    [
        ("callback", {}, ["disposition.needs_time"]),
        ("callback", {"callback": CALLBACK}, []),
        ("email_cold", {"address": " "}, ["disposition.needs_address"]),
        ("email_cold", {"address": "post@example.com"}, []),
        ("refused_with_reason", {"reason": None}, ["disposition.needs_reason"]),
        ("refused_with_reason", {"reason": "weather"}, ["disposition.unknown_reason"]),
        ("refused_with_reason", {"reason": "price"}, []),
        ("lead", {"callback": CALLBACK}, ["disposition.takes_no_time"]),
        ("lead", {"address": "post@example.com", "note": "call Anna"}, []),
    ],
)
def test_a_form_is_refused_with_what_is_missing(code, form, wrong):
    assert check(KINDS[code], form) == wrong


def test_the_default_list_is_the_product_s():
    """Closed, results and decision makers as in the table of product.md."""
    assert [k.code for k in DEFAULT if k.result] == ["lead", "agreed"]
    assert {k.code for k in DEFAULT if not k.closes} == {
        "callback",
        "email_decision_maker",
        "email_cold",
        "refused_gatekeeper",
        "machine",
    }
    assert {k.code for k in DEFAULT if k.decision_maker} == {
        "lead",
        "agreed",
        "thinking",
        "email_decision_maker",
        "refused_with_reason",
        "refused_decision_maker",
    }
    assert [k.code for k in DEFAULT if k.dnc_scope] == ["refused_unheard"]
    assert [k.code for k in DEFAULT if k.verdict not in {"fresh", None}] == ["stale", "off_target"]


def test_whatever_is_needed_can_be_given():
    assert {need for kind in DEFAULT for need in kind.needs} <= set(dispositions._GIVEN_IN)
    assert all(kind.reasons for kind in DEFAULT if "reason" in kind.needs)
