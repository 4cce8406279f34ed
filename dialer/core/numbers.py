"""Which numbers may be dialled at all: those of the allowed prefixes, and never an emergency or premium number.

The gate asks the same in SQL (``sql/queries/claim.sql``); a test holds the two equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: What a phone's row may hold; the same expression is a CHECK of the table.
E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


def allowed(e164: str, allow: Sequence[str], deny: Sequence[str]) -> bool:
    """Whether this is a number in E.164 that begins with one of ``allow`` and with none of ``deny``."""
    if not E164.fullmatch(e164):
        return False
    return e164.startswith(tuple(allow)) and not e164.startswith(tuple(deny))


def relevant(allow: Sequence[str], deny: Sequence[str]) -> tuple[str, ...]:
    """Those of ``deny`` that some number beginning with one of ``allow`` could meet."""
    return tuple(no for no in deny if any(no.startswith(yes) or yes.startswith(no) for yes in allow))
