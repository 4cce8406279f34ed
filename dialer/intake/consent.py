"""Consent out of a row: when it was given, what proves it, for what, until when; nothing of it is guessed.

A day alone is its first moment in UTC. A date is read where its order is certain: 2026-03-01, or 01.03.2026. What
proves it is kept as it stands, and by its hash: the SHA-256 that stands there, else that of what stands there.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Columns of a file, in the order of ``read``.
TARGETS = ("consent_given", "consent_evidence", "consent_purpose", "consent_expires")
PURPOSES = {word: word for word in ("marketing", "survey", "service", "debt")}
PURPOSES |= {"реклама": "marketing", "маркетинг": "marketing", "опрос": "survey", "сервис": "service", "долги": "debt"}
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?: (\d{1,2}):(\d{2})(?::\d{2})?)?")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def read(cells: Sequence[str]) -> str | None:
    """What the database is told, as JSON; None if the row says nothing of consent.

    Args:
        cells: In the order of ``TARGETS``, without blanks around; empty where there is no such column.

    Raises:
        ValueError: It says something, but not when or by what proof, or what cannot be read.
    """
    if not any(cells):
        return None
    given, evidence, purpose, expires = cells
    given_at = _moment(given)
    expires_at = _moment(expires) if expires else None
    if not evidence or (expires_at is not None and expires_at <= given_at):
        raise ValueError(evidence)
    digest = evidence.lower() if _SHA256.fullmatch(evidence) else hashlib.sha256(evidence.encode()).hexdigest()
    return json.dumps(
        {
            "given_at": given_at.isoformat(),
            "evidence": evidence,
            "hash": digest,
            "purpose": _purpose(purpose),
            "expires_at": expires_at.isoformat() if expires_at else None,
        }
    )


def _purpose(cell: str) -> str | None:
    """None: that of the campaign."""
    if not cell:
        return None
    if cell.lower() not in PURPOSES:
        raise ValueError(cell)
    return PURPOSES[cell.lower()]


def _moment(cell: str) -> datetime:
    if found := _GERMAN.fullmatch(cell):
        day, month, year, hour, minute = (int(part or 0) for part in found.groups())
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    at = datetime.fromisoformat(cell)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
