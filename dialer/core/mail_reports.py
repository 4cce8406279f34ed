"""What comes back after a letter: a report that it could not be delivered (RFC 3464), or an answer to it.

Mail is untrusted. A report counts only if it names the Message-ID of a letter of ours, which nobody can guess; whom it
was about follows from that letter and not from what the report says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from email.message import EmailMessage, Message

#: A message of this size is not read.
REPORT_BYTES_MAX = 256 * 1024
#: What a Message-ID of ours begins with: letters after a conversation, and reports on schedule.
LETTER, REPORT = "letter", "report"
_ID = re.compile(r"<?(letter|report)\.([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@", re.IGNORECASE)
_DETAIL = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a mail says of a letter of ours.

    Attributes:
        kind: ``bounced`` (for good) or ``answered``.
        message_id: Of the letter.
        detail: What the other server said.
        of: ``letter`` or ``report``.
    """

    kind: str
    message_id: UUID
    detail: str = ""
    of: str = LETTER


def message_id(uid: UUID, domain: str, of: str = LETTER) -> str:
    """The Message-ID of a letter or a report, the same in every try."""
    return f"<{of}.{uid}@{domain}>"


def read(raw: bytes) -> Report | None:
    """What a mail from the mailbox of bounces and answers says; None if it is neither.

    An answer that a machine wrote (RFC 3834: out of office) is none, and neither is a delay that may still pass.
    """
    if len(raw) > REPORT_BYTES_MAX:
        return None
    message = message_from_bytes(raw, policy=policy.default)
    try:
        if message.get_content_type() == "multipart/report":
            return _bounce(message)
        return _answer(message)
    except (ValueError, LookupError, TypeError, AttributeError):  # a broken mail breaks the parser in many ways
        return None


def _bounce(message: EmailMessage) -> Report | None:
    failed, named = None, None
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            failed = failed or _failure(part)
        elif kind == "text/rfc822-headers":
            named = named or _ID.search(str(part.get_payload()))
        elif part is not message and part.get("Message-ID"):
            named = named or _ID.search(str(part["Message-ID"]))
    if failed is None or named is None:
        return None
    return Report(kind="bounced", message_id=UUID(named[2]), detail=failed, of=named[1].lower())


def _failure(part: Message[str, str]) -> str | None:
    """Why the letter failed for good, as the report says; None where it did not."""
    for block in part.walk():
        action, status = (str(block.get(name, "")).strip() for name in ("Action", "Status"))
        if action.lower() == "failed" and status.startswith("5"):
            said = str(block.get("Diagnostic-Code", "")).rpartition(";")[2]
            return " ".join(f"{status} {said}".split())[:_DETAIL]
    return None


def _answer(message: EmailMessage) -> Report | None:
    if str(message.get("Auto-Submitted", "no")).strip().lower() != "no" or message.get("X-Auto-Response-Suppress"):
        return None
    named = _ID.search(f"{message.get('In-Reply-To', '')} {message.get('References', '')}")
    return Report(kind="answered", message_id=UUID(named[2]), of=named[1].lower()) if named else None
