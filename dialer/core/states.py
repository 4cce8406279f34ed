"""The enums of ``model`` that are asked for thousands of times a second, at a tenth of the price: ``quick.members``.

Who imports a name from here has its members and nothing else of it: ``AttemptState.SENT``, not ``AttemptState(word)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import model
from dialer.core.quick import members

if TYPE_CHECKING:
    from dialer.core.model import AttemptState, CampaignState, Mode, OperatorState
else:
    AttemptState = members(model.AttemptState)
    CampaignState = members(model.CampaignState)
    Mode = members(model.Mode)
    OperatorState = members(model.OperatorState)

__all__ = ["AttemptState", "CampaignState", "Mode", "OperatorState"]
