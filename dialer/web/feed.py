"""The board as pages get it: whole at first, then at each change only what changed.

What changed is rendered once for everybody who may see the same. A page that missed a change, because it reads too
slowly, gets the whole board again, so nothing is ever queued for it.

    {"whole": true, "at": …, "version": …, every other field of BoardAnswer}
    {"whole": false, "at": …, "version": …, fields that changed, of "operators" and "campaigns" only the changed ones,
     "operators_gone": [ids], "campaigns_gone": [ids]}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dialer.web import schemas, scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.engine.ports import Board, CampaignView, ListeningView, OperatorView
    from dialer.store.users import User
    from dialer.web.overview import Overview

#: Fields of the board that are told as they are.
_PLAIN = ("switch", "switch_up", "dialing", "stopped_because", "counters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The part of a board that somebody may see."""

    board: Board
    overview: schemas.Overview
    alerts: Sequence[str]

    @property
    def totals(self) -> schemas.Totals:
        """The six big numbers, counted from what is shown."""
        states = [operator.state for operator in self.board.operators]
        campaigns = self.board.campaigns
        return schemas.Totals(
            talking=states.count("talking"),
            ready=states.count("ready"),
            wrap_up=states.count("wrap_up"),
            dialling=sum(campaign.lines for campaign in campaigns),
            waiting=sum(campaign.waiting for campaign in campaigns),
            answered=sum(campaign.answered for campaign in campaigns),
            abandoned=sum(campaign.abandoned for campaign in campaigns),
        )


def seen(board: Board, overview: Overview, user: User | None = None) -> Seen:
    """All of the board; for a bound user the own campaigns and operators alone."""
    shown, warned = overview.present, overview.warned
    if user is not None and scope.bound(user):
        board = replace(
            board,
            campaigns=[one for one in board.campaigns if overview.campaign_of(user, one.campaign_id)],
            operators=[one for one in board.operators if overview.operator_of(user, one.operator_id)],
            listenings=[one for one in board.listenings if overview.operator_of(user, one.operator_id)],
        )
        own = [one for one in shown.campaigns if overview.campaign_of(user, one.steering.campaign_id)]
        shown = shown.model_copy(update={"campaigns": own, "hour": None})
        warned = [one for one in warned if overview.campaign_of(user, one.campaign_id)]
    return Seen(board=board, overview=shown, alerts=[*board.alerts, *(one.alert for one in warned)])


def answer(part: Seen) -> schemas.BoardAnswer:
    """It as the API tells it."""
    fields: dict[str, Any] = {
        name: getattr(part.board, name) for name in schemas.BoardAnswer.model_fields if hasattr(part.board, name)
    }
    fields |= {"totals": part.totals, "overview": part.overview, "alerts": part.alerts}
    return schemas.BoardAnswer.model_validate(fields, from_attributes=True)


class Feed:
    """The pushed board of those who may see the same."""

    def __init__(self) -> None:
        self.version = 0
        self._head = ""
        self._change = ""
        self._parts: dict[str, str] = {}
        self._operators: dict[int, tuple[OperatorView, str]] = {}
        self._campaigns: dict[int, tuple[CampaignView, str]] = {}
        self._overview: schemas.Overview | None = None

    def show(self, part: Seen) -> None:
        """Take in the board of this moment."""
        board = part.board
        told = {name: json.dumps(getattr(board, name), default=dict) for name in _PLAIN}
        told |= {
            "listenings": _heard(board.listenings),
            "alerts": json.dumps(part.alerts),
            "totals": part.totals.model_dump_json(),
        }
        if part.overview != self._overview:
            told["overview"], self._overview = part.overview.model_dump_json(), part.overview
        changed = {name: text for name, text in told.items() if self._parts.get(name) != text}
        self._parts |= changed
        changed |= _moved("operators", self._operators, {one.operator_id: one for one in board.operators})
        changed |= _moved("campaigns", self._campaigns, {one.campaign_id: one for one in board.campaigns})
        self._head = f'"at":"{board.at.isoformat()}","version":{board.version}'
        self._change = _object(f'"whole":false,{self._head}', changed)
        self.version += 1

    def after(self, version: int) -> str:
        """What leads a page from the version it was sent last to the present one; 0: it was sent none."""
        if version and version == self.version - 1:
            return self._change
        rows = {"operators": _list(self._operators), "campaigns": _list(self._campaigns)}
        return _object(f'"whole":true,{self._head}', self._parts | rows)


def _moved(
    name: str, known: dict[int, Any], present: Mapping[int, OperatorView] | Mapping[int, CampaignView]
) -> dict[str, str]:
    """Take in rows; those that changed and the ids of those that are gone, as fields."""
    model = schemas.OperatorView if name == "operators" else schemas.CampaignView
    fields = {}
    gone = [id_ for id_ in known if id_ not in present]
    for id_ in gone:
        del known[id_]
    fresh = {id_: row for id_, row in present.items() if id_ not in known or known[id_][0] != row}
    for id_, row in fresh.items():
        known[id_] = (row, model.model_validate(row).model_dump_json())
    if fresh:
        fields[name] = _list({id_: known[id_] for id_ in fresh})
    if gone:
        fields[f"{name}_gone"] = json.dumps(gone)
    return fields


def _heard(rows: Sequence[ListeningView]) -> str:
    return f"[{','.join(schemas.ListeningInfo.model_validate(row).model_dump_json() for row in rows)}]"


def _list(rows: Mapping[int, tuple[object, str]]) -> str:
    return f"[{','.join(text for _, text in rows.values())}]"


def _object(head: str, fields: Mapping[str, str]) -> str:
    return "{" + ",".join([head, *(f'"{name}":{text}' for name, text in fields.items())]) + "}"
