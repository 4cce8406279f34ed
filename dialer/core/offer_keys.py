"""The keys of a recorded offer: what the switch does at each by itself, and what a campaign may say they mean.

    1    puts the callee through to an operator
    2    thanks for the wish to be called, and ends; the campaign's disposition is saved
    9    is kept on the switch as "never again" before anything else, also while no service runs, and ends
    *    plays the offer again
    else plays it again, too, and says nothing

A meaning that contradicts what the callee then hears is refused, and so is an offer without the way out that its law
asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core.model import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.core.model import Campaign

OPERATOR, REPEAT = "operator", "repeat"
#: What a campaign's keys mean unless it says otherwise.
DEFAULT: Mapping[str, str] = {"1": OPERATOR, "2": "callback", "9": "refused_unheard", "*": REPEAT}
SAID_KEY, NEVER_KEY = "2", "9"
_FIXED = {"1": OPERATOR, "*": REPEAT}


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
        if key not in DEFAULT:
            return "key_unheard", key, f"The switch does not hear the key {key}: it hears {', '.join(DEFAULT)}."
        if word != _FIXED.get(key, word) or (key not in _FIXED and word in _FIXED.values()):
            return "key_fixed", key, f"At the key {key} the switch does something else than {word!r}."
    return _never(campaign, keys) or _said(campaign, keys)


def _never(campaign: Campaign, keys: Mapping[str, str]) -> tuple[str, str, str] | None:
    kind = campaign.dispositions.get(keys.get(NEVER_KEY, ""))
    if kind is not None and kind.dnc_scope is None:
        return "key_never", NEVER_KEY, f"Who presses 9 is never called again, which {kind.code!r} does not say."
    if kind is None and campaign.profile.opt_out_key:
        return "opt_out_key", NEVER_KEY, f"The profile {campaign.profile.id} asks for a key to opt out."
    return None


def _said(campaign: Campaign, keys: Mapping[str, str]) -> tuple[str, str, str] | None:
    kind = campaign.dispositions.get(keys.get(SAID_KEY, ""))
    if kind is None or kind.dnc_scope is None:
        return None
    return "key_said", SAID_KEY, f"Who presses 2 asks to be called, which {kind.code!r} forbids."
