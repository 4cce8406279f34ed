"""The keys of a recorded offer: what the switch does at each by itself, and what a campaign may say they mean.

    1       puts the callee through to an operator
    0, 2-8  thanks and ends where the campaign says a disposition, which is saved; one that needs a time promises a call
    9       is kept on the switch as "never again" before anything else, also while no service runs, and ends
    *       plays the offer again
    else    plays it again, too, and says nothing

Without operators 1 is a key like 2. A meaning that contradicts what the callee then hears is refused, and so is an
offer without the way out that its law asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core.model import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.core.model import Campaign

OPERATOR, REPEAT = "operator", "repeat"
#: Every key that may mean something, in the order people look for them.
KEYS = "1234567809*"
#: What a campaign's keys mean unless it says otherwise.
DEFAULT: Mapping[str, str] = {"1": OPERATOR, "2": "callback", "9": "refused_unheard", "*": REPEAT}
OPERATOR_KEY, NEVER_KEY = "1", "9"
_FIXED = {OPERATOR_KEY: OPERATOR, "*": REPEAT}


def of(campaign: Campaign) -> Mapping[str, str]:
    """What its keys mean: as it says, else the usual meanings its dispositions allow; an offer without keys is deaf."""
    if campaign.keys:
        return campaign.keys
    known = {code for code, kind in campaign.dispositions.items() if not kind.archived} | {OPERATOR, REPEAT}
    return {key: word for key, word in DEFAULT.items() if word in known}


def refusal(campaign: Campaign) -> tuple[str, str, str] | None:
    """Why its offer may not be played: a code, the key, and a sentence; None where it may, or there is none."""
    if campaign.mode is not Mode.IVR:
        return None
    keys = of(campaign)
    for key, word in sorted(keys.items()):
        if key not in KEYS:
            return "key_unheard", key, f"The switch does not hear the key {key}: it hears {', '.join(KEYS)}."
        free = key == OPERATOR_KEY and campaign.operator_free
        if (word != _FIXED.get(key, word) and not free) or (_FIXED.get(key) != word and word in _FIXED.values()):
            return "key_fixed", key, f"At the key {key} the switch does something else than {word!r}."
    return _never(campaign, keys) or _said(campaign, keys)


def said(campaign: Campaign) -> tuple[str, str]:
    """Keys the switch ends the call at with thanks, and with the promise of a call: digits in one word each."""
    kinds = {
        key: campaign.dispositions[word]
        for key, word in sorted(of(campaign).items())
        if key != NEVER_KEY and word in campaign.dispositions
    }
    promised = "".join(key for key, kind in kinds.items() if "time" in kind.needs)
    return "".join(key for key in kinds if key not in promised), promised


def _never(campaign: Campaign, keys: Mapping[str, str]) -> tuple[str, str, str] | None:
    kind = campaign.dispositions.get(keys.get(NEVER_KEY, ""))
    if kind is not None and kind.dnc_scope is None:
        return "key_never", NEVER_KEY, f"Who presses 9 is never called again, which {kind.code!r} does not say."
    if kind is None and campaign.profile.opt_out_key:
        return "opt_out_key", NEVER_KEY, f"The profile {campaign.profile.id} asks for a key to opt out."
    return None


def _said(campaign: Campaign, keys: Mapping[str, str]) -> tuple[str, str, str] | None:
    for key, word in sorted(keys.items()):
        kind = campaign.dispositions.get(word)
        if key != NEVER_KEY and kind is not None and kind.dnc_scope is not None:
            return "key_said", key, f"Only 9 is kept before anything else as {kind.code!r} must be."
    return None
