"""What an operator can say a conversation was: the default list, and what must be given with each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dialer.core import letters
from dialer.core.model import DispositionKind, RetryRule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY_S = 86_400
REFUSAL_REASONS = ("price", "features", "competitor", "no_need", "other")

#: A new campaign's list, in the order of its keys; it may change its own.
DEFAULT: tuple[DispositionKind, ...] = (
    DispositionKind(
        code="lead",
        name_en="Lead",
        name_ru="Лид",
        result=True,
        decision_maker=True,
        verdict="fresh",
        makes_lead=True,
        letter="lead",
    ),
    DispositionKind(
        code="agreed",
        name_en="Agreed: an order or the decision maker's contact",
        name_ru="Согласие: заказ или контакт ЛПР",
        result=True,
        decision_maker=True,
        verdict="fresh",
    ),
    DispositionKind(
        code="callback",
        name_en="Call back",
        name_ru="Перезвонить",
        closes=False,
        verdict="fresh",
        needs=frozenset({"time"}),
    ),
    DispositionKind(
        code="thinking",
        name_en="Listened, will decide themselves",
        name_ru="Выслушали, решат сами",
        decision_maker=True,
        verdict="fresh",
    ),
    DispositionKind(
        code="email_decision_maker",
        name_en="Decision maker's email",
        name_ru="Email ЛПР",
        closes=False,
        decision_maker=True,
        verdict="fresh",
        needs=frozenset({"address"}),
        retry=RetryRule(delay_s=3 * DAY_S),
        letter="proposal",
    ),
    DispositionKind(
        code="email_cold",
        name_en="General email",
        name_ru="Email общий",
        closes=False,
        verdict="fresh",
        needs=frozenset({"address"}),
        retry=RetryRule(delay_s=7 * DAY_S),
        letter="proposal",
    ),
    DispositionKind(
        code="refused_with_reason",
        name_en="Refused, with a reason",
        name_ru="Отказ с причиной",
        decision_maker=True,
        verdict="fresh",
        refusal=True,
        needs=frozenset({"reason"}),
        reasons=REFUSAL_REASONS,
    ),
    DispositionKind(
        code="refused_decision_maker",
        name_en="Refused by the decision maker",
        name_ru="Отказ ЛПР",
        decision_maker=True,
        verdict="fresh",
        refusal=True,
    ),
    DispositionKind(
        code="refused_gatekeeper",
        name_en="Refused by the gatekeeper",
        name_ru="Отказ секретаря",
        closes=False,
        verdict="fresh",
        refusal=True,
        retry=RetryRule(delay_s=30 * DAY_S, times=1),
    ),
    DispositionKind(
        code="refused_unheard",
        name_en="Would not listen, do not call",
        name_ru="Не выслушали, не звонить",
        verdict="fresh",
        refusal=True,
        dnc_scope="customer",
    ),
    DispositionKind(
        code="stale",
        name_en="Does not exist, closed down, wrong number",
        name_ru="Не существует, ликвидирован, неверный номер",
        verdict="stale",
    ),
    DispositionKind(
        code="off_target", name_en="Not the target audience", name_ru="Не целевая аудитория", verdict="off_target"
    ),
    DispositionKind(code="machine", name_en="Answering machine", name_ru="Автоответчик", closes=False),
)

#: What a disposition may need, and where it is given in the form.
_GIVEN_IN = {"time": "callback", "reason": "reason", "address": "address"}


def check(kind: DispositionKind, form: Mapping[str, object]) -> list[str]:
    """Codes of what is wrong with a filled form; empty if it may be saved.

    Args:
        kind: The disposition chosen.
        form: ``callback``, ``reason`` and ``address`` as they were given; absent, None and blank are the same.

    Returns:
        Some of ``disposition.needs_time``, ``disposition.needs_reason``, ``disposition.needs_address``,
        ``disposition.unknown_reason``, ``disposition.unknown_address`` (no letter can go there) and
        ``disposition.takes_no_time`` (a callback to a contact that it closes).
    """
    given = {need: form.get(field) for need, field in _GIVEN_IN.items()}
    given = {need: value for need, value in given.items() if value is not None and str(value).strip()}
    wrong = [f"disposition.needs_{need}" for need in _GIVEN_IN if need in kind.needs and need not in given]
    if kind.reasons and "reason" in given and given["reason"] not in kind.reasons:
        wrong.append("disposition.unknown_reason")
    if kind.letter and "address" in given and letters.address(str(given["address"])) is None:
        wrong.append("disposition.unknown_address")
    if kind.closes and "time" in given:
        wrong.append("disposition.takes_no_time")
    return wrong


#: Digits of the operator's page, in the order they are given out.
KEYS = "1234567890"


def keyed(kinds: Sequence[DispositionKind]) -> list[DispositionKind]:
    """The list with a digit key for each of the first ten; where one has its key already, as they are."""
    if any(kind.key for kind in kinds):
        return list(kinds)
    keys = [*KEYS, *[None] * len(kinds)]
    return [replace(kind, key=key) for kind, key in zip(kinds, keys, strict=False)]


def contradiction(kind: DispositionKind) -> tuple[str, str, str] | None:
    """What cannot be meant: code, the field it is about, and a sentence; None if nothing contradicts."""
    if kind.closes and "time" in kind.needs:
        return "disposition_kind.closed_callback", "closes", "A callback is promised to nobody who is not called again."
    if kind.closes and kind.retry is not None:
        return "disposition_kind.closed_retry", "closes", "A closed contact is not called again, so no rule says when."
    if kind.dnc_scope and not kind.closes:
        return "disposition_kind.open_forbidden", "dnc_scope", "Whoever is never called again is a closed contact."
    if ("reason" in kind.needs) != bool(kind.reasons):
        return "disposition_kind.reasons", "reasons", "Reasons are listed exactly where one is asked for."
    if kind.refusal or kind.verdict in {"stale", "off_target"}:
        return _no_success(kind)
    return None


def _no_success(kind: DispositionKind) -> tuple[str, str, str] | None:
    """The same of one that says that nothing came of it."""
    if kind.result:
        return "disposition_kind.result", "result", "A success is no refusal, and no number out of use."
    if kind.makes_lead:
        return "disposition_kind.lead", "makes_lead", "Whoever refused or is out of reach is no lead."
    if kind.letter:
        return "disposition_kind.letter", "letter", "Whoever refused or is out of reach is not written to."
    return None


def softened(before: DispositionKind, after: DispositionKind) -> str | None:
    """The flag that would protect callees less than what was said of them; None if none would.

    What people were told by choosing it must stay true: such a disposition is archived and another one added.
    """
    if before.closes and not after.closes:
        return "closes"
    if before.refusal and not after.refusal:
        return "refusal"
    widths = (None, "campaign", "customer", "global")
    return "dnc_scope" if widths.index(after.dnc_scope) < widths.index(before.dnc_scope) else None
