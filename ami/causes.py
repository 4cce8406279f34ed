"""How a call that was not answered ended, from what the carrier said.

DialStatus cannot be trusted (it says NOANSWER for a dead number), and causes lie by carrier: some say 1 where nobody
picked up, 21 for a dead number. So this table is only where one starts; each trunk may override any line of it.

A key is ``"<q850>/<sip>"`` or ``"<q850>"``; the first beats the second, and an override of either form beats the
table. The words are outcomes of the dialer, given as plain text because this room knows nothing of campaigns.
Q.850 numbers are those Asterisk's ``hangup_sip2cause`` (chan_pjsip) makes of SIP answers.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

UNEXPLAINED: Final = "failed"
WORDS: Final = frozenset({"busy", "no_answer", "invalid_number", "congestion", "rejected", "failed"})

DEFAULT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1": "invalid_number",  # unallocated number: 404, 485, 604
        "16": "no_answer",  # cleared in the ordinary way before an answer
        "17": "busy",  # 486, 600
        "18": "no_answer",  # no user responding: 408
        "19": "no_answer",  # rang or was unavailable until the timeout: 480, 483
        "19/483": "failed",  # too many hops: a loop of carriers, nothing rang
        "20": "no_answer",  # subscriber absent
        "21": "rejected",  # 403, 603
        "21/401": "failed",  # the carrier does not know us
        "21/407": "failed",
        "22": "invalid_number",  # number changed: 410
        "27": "failed",  # destination out of order: 502
        "28": "invalid_number",  # address incomplete: 484
        "34": "congestion",  # no circuit: 503
        "38": "failed",  # network out of order: 500
        "41": "congestion",  # temporary failure
        "42": "congestion",  # switching equipment congestion
        "44": "congestion",  # requested circuit not available
    }
)


def outcome(cause: int, sip_code: int | None, overrides: Mapping[str, str] = MappingProxyType({})) -> str:
    """The outcome of a call that ended unanswered.

    Args:
        cause: Q.850 number of the Hangup; 0 where Asterisk gave none.
        sip_code: SIP answer of the far end, if there was one.
        overrides: The trunk's own lines, in the form of ``DEFAULT``.

    Returns:
        One of ``WORDS``, or whatever the override says; ``failed`` for what nobody has a line for.
    """
    exact, by_cause = f"{cause}/{sip_code}", str(cause)
    for table in (overrides, DEFAULT):
        word = table.get(exact) or table.get(by_cause)
        if word:
            return word
    return UNEXPLAINED
