"""The audit log in the words of the screens: things by their names, values as the pages call them."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dialer.core.model import RetryRule
from dialer.web import again, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialer.web.call import Call

#: What a number in an audit row names, by the name it stands under.
_KIND_OF = {
    "added_by": "user",
    "asked_by": "user",
    "base": "base",
    "base_id": "base",
    "campaign": "campaign",
    "campaign_id": "campaign",
    "customer_id": "customer",
    "operator": "user",
    "operator_id": "user",
    "owner": "user",
    "owner_id": "user",
    "target": "campaign",
    "team": "team",
    "team_id": "team",
    "trunk_id": "trunk",
    "user_id": "user",
}
#: Whose texts name a value that was changed.
_FIELDS = ("field.", "campaigns.", "kinds.", "people.", "do_not_call.", "trunks.", "figure.", "outcome.")
#: Which texts say a word that stands under a name; the first that has it.
_WORDS = {
    "after_wrap_up": ("state.",),
    "because": ("why.",),
    "breakdown": ("reports.by.",),
    "budget_mode": ("budget.",),
    "colour": ("colour.",),
    "dnc_scope": ("scope.",),
    "form": ("report_mail.form.",),
    "kind": ("money.kind.", "trunk_kind."),
    "kinds": ("event.",),
    "language": ("language.",),
    "letter": ("letter.word.",),
    "mode": ("mode.", "listened.", "letters.mode."),
    "needs": ("need.",),
    "outcome": ("outcome.",),
    "outcomes": ("outcome.",),
    "period": ("report_mail.period.",),
    "purpose": ("purpose.",),
    "reason": ("reason.",),
    "recording": ("recording.way.",),
    "role": ("role.",),
    "roles": ("role.",),
    "scope": ("scope.",),
    "scopes": ("token_scope.",),
    "state": ("campaign_state.", "lead.", "letter.state."),
    "unsubscribe_scope": ("scope.",),
    "verdict": ("verdict.",),
    "why": ("report_mail.why.", "recording.why."),
}
#: What a retry rule may say.
_RULE = {field.name for field in fields(RetryRule)}
#: Under these names stand codes of dispositions.
_CODES = frozenset({"code", "codes", "disposition", "dispositions"})
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")


async def words(call: Call, rows: Sequence[Mapping[str, Any]]) -> Words:
    """What is needed to say these rows to whoever looks at them."""
    told = {one for row in rows for one in _things(row)}
    names = await call.stores.office.names(told)
    kinds = await call.stores.office.kinds([id_ for kind, id_ in told if kind == "campaign"])
    language = call.user.language
    return Words(language, names, {kind["code"]: kind["name_ru" if language == "ru" else "name_en"] for kind in kinds})


class Words:
    """Says values of audit rows in a language.

    Args:
        language: ``en`` or ``ru``.
        names: What people call things, by kind and id.
        kinds: What dispositions are called, by code.
    """

    def __init__(self, language: str, names: Mapping[tuple[str, int], str], kinds: Mapping[str, str]) -> None:
        self._language, self._names, self._kinds = language, names, kinds
        self._said = texts.TEXTS[language]

    def thing(self, object_: str) -> tuple[str, str]:
        """The kind of what a row is about, and what people call it; what has no name is called as it is written."""
        kind, _, id_ = object_.partition(":")
        return kind, self._names.get((kind, int(id_)), id_) if id_.isdigit() else id_

    def value(self, name: str, value: Any) -> str:
        """A value that stands under a name, as people read it; nothing is a dash."""
        if value is None or value in ("", [], {}):
            return "–"
        if isinstance(value, bool):
            return self._said["audit.yes" if value else "audit.no"]
        if isinstance(value, int):
            return self._names.get((_KIND_OF.get(name, ""), value), str(value))
        if isinstance(value, list):
            return ", ".join(self.value(name, one) for one in value)
        if isinstance(value, dict):
            return self._together(value)
        return self._word(name, str(value)) if isinstance(value, str) else str(value)

    def field(self, name: str) -> str:
        """What stands before a value: what forms call it, an outcome, a disposition."""
        for prefix in _FIELDS:
            if prefix + name in self._said:
                return self._said[prefix + name]
        return self._kinds.get(name, name)

    def _word(self, name: str, word: str) -> str:
        for prefix in _WORDS.get(name, ()):
            if prefix + word in self._said:
                return self._said[prefix + word]
        if name in _CODES:
            return self._kinds.get(word, word)
        if _MOMENT.match(word):
            return f"{datetime.fromisoformat(word).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return word

    def _together(self, values: Mapping[str, Any]) -> str:
        """Several values at once; a retry rule as its page says it, what has a name in both languages by that."""
        if values.keys() & {"delay_s", "next_phone"} and values.keys() <= _RULE:
            return again.words(RetryRule(**values), self._language)
        if f"name_{self._language}" in values:
            return str(values[f"name_{self._language}"])
        return "; ".join(f"{self.field(name)}: {self.value(name, value)}" for name, value in values.items())


def _things(row: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The things an audit row tells of, by kind and id."""
    kind, _, id_ = row["object"].partition(":")
    if id_.isdigit():
        yield kind, int(id_)
    for values in (row["before"] or {}, row["after"] or {}):
        for name, value in values.items():
            if name in _KIND_OF and type(value) is int:
                yield _KIND_OF[name], value
