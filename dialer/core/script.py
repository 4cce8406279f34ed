"""A script for conversations: steps with answers that lead on, where to begin by kind of contact, hints.

``{name}`` and the names of attributes in a text are filled in by the page from the card. A script may lead back to
where it was; it may not lead nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Kinds of contact a scenario may be for; ``any`` fits all.
Scenario = Literal["callback", "repeat", "first", "any"]


def kind_of(*, number: int, talked_before: bool, promised: bool) -> Scenario:
    """The kind of contact a conversation is with.

    Args:
        number: Which attempt at the contact this is, from 1.
        talked_before: Whether an earlier attempt was connected.
        promised: Whether this call keeps a promise to call back.
    """
    if promised:
        return "callback"
    return "repeat" if number > 1 and talked_before else "first"


def begin(scenarios: Mapping[Scenario, str], steps: Sequence[str], kind: Scenario) -> str | None:
    """The step a conversation begins at: the scenario's of its kind, else of any, else the first, if there is one."""
    return scenarios.get(kind) or scenarios.get("any") or (steps[0] if steps else None)


def wrong(steps: Mapping[str, Sequence[str | None]], scenarios: Mapping[Scenario, str]) -> str | None:
    """What makes a script lead nowhere, one sentence; None if nothing does.

    Args:
        steps: Step -> the steps its answers lead to; None ends the script.
        scenarios: Kind of contact -> the step it begins at.
    """
    for step, ways in steps.items():
        for to in ways:
            if to is not None and to not in steps:
                return f"An answer of the step {step!r} leads to {to!r}, which does not exist."
    for kind, to in scenarios.items():
        if to not in steps:
            return f"The scenario {kind!r} begins at {to!r}, which does not exist."
    return None
