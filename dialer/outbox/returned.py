"""What comes back to the mailbox of bounces and answers, kept with the letter or the report it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import mail_reports
from dialer.store import letters, subscriptions

if TYPE_CHECKING:
    from datetime import datetime

    from dialer.core.mail_reports import Report
    from dialer.store.pools import Pool


async def take_in(pool: Pool, raw: bytes, *, now: datetime) -> tuple[Report, int] | None:
    """Keep what a mail says; of which letter, None where it says nothing of one of ours. Twice changes nothing.

    Args:
        pool: Any.
        raw: The mail as it came, headers and all; it is untrusted.
        now: Present time, aware.
    """
    said = mail_reports.read(raw)
    if said is None:
        return None
    letter_id = await letters.report(pool, said, now=now)
    if letter_id is None and said.of == mail_reports.REPORT and said.kind == "bounced":
        letter_id = await subscriptions.bounced(pool, said.message_id, said.detail, now=now)
    return (said, letter_id) if letter_id is not None else None
