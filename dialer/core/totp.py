"""One-time codes by time, RFC 6238 over RFC 4226: six digits, HMAC-SHA-1, a new one every 30 s.

That is what every authenticator app understands; SHA-1 is no weakness here, HMAC needs no collision resistance.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from datetime import datetime

STEP_S = 30
DIGITS = 6
#: A code of the step before or after is good too: clocks differ, and typing takes time (RFC 6238, section 5.2).
SKEW_STEPS = 1


def step_of(now: datetime) -> int:
    """The number of the present step; ``now`` is aware."""
    return int(now.timestamp()) // STEP_S


def code(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a step (RFC 4226, section 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(secret: bytes, typed: str, now: datetime) -> int | None:
    """The step whose code this is, None if it is none of now; each comparison takes the same time."""
    present = step_of(now)
    found = None
    for step in range(present - SKEW_STEPS, present + SKEW_STEPS + 1):
        if hmac.compare_digest(code(secret, step).encode(), typed.encode()):
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """The secret as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def link(secret: bytes, *, login: str, issuer: str) -> str:
    """The ``otpauth`` address that apps read from a QR code; digits and period are what they take unasked."""
    asked = {"secret": secret_text(secret).replace(" ", ""), "issuer": issuer}
    return f"otpauth://totp/{quote(issuer)}:{quote(login, safe='@')}?{urlencode(asked, quote_via=quote)}"
