"""A script for conversations: steps with answers that lead on, where to begin by kind of contact, hints.

``{name}`` and the names of attributes in a text are filled in by the page from the card. A script may lead back to
where it was; it may not lead nowhere. What is only unwise is told, and may be saved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

#: Kinds of contact a scenario may be for; ``any`` fits all.
Scenario = Literal["callback", "repeat", "first", "any"]
KINDS: tuple[Scenario, ...] = ("first", "repeat", "callback")
#: Words in braces that every card has.
CARD_WORDS = frozenset({"name", "phone", "campaign"})
_WORD = re.compile(r"\{([^{}]{1,60})\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the operator says, and what may come back.

    Attributes:
        answers: What the callee may say, and the step it leads to; None ends the script.
    """

    id: str
    title: str = ""
    text: str = ""
    answers: Sequence[tuple[str, str | None]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to mend in a script.

    Attributes:
        code: ``broken`` (leads to a step that does not exist; not saved so), ``dead_end``, ``no_way_out``,
            ``unreachable``, ``one_answer``, ``same_answer``, ``unknown_word``, ``no_beginning``, ``empty``.
        step: Where it is; None for the script as a whole.
        detail: The answer, word or kind of contact it is about.
        en: One sentence.
        ru: The same in Russian.
    """

    code: str
    step: str | None
    detail: str
    en: str
    ru: str


_SENTENCES = {
    "broken": ("“{detail}” leads to a step that does not exist.", "«{detail}» ведёт к шагу, которого нет."),
    "dead_end": (
        "A dead end: no answer leads on or ends the script.",
        "Тупик: ни один ответ не ведёт дальше и не заканчивает скрипт.",
    ),
    "no_way_out": (
        "Whichever answer is chosen, the script goes round in a circle and never ends.",
        "Какой ответ ни выбери, скрипт ходит по кругу и не кончается.",
    ),
    "unreachable": ("No answer and no beginning leads here.", "Сюда не ведёт ни один ответ и ни одно начало."),
    "one_answer": (
        "Only one answer, “{detail}”: what if the callee says something else?",
        "Только один ответ, «{detail}»: а если абонент скажет другое?",
    ),
    "same_answer": ("Two answers are the same: “{detail}”.", "Два одинаковых ответа: «{detail}»."),
    "unknown_word": (
        "{{{detail}}} is no column of this campaign's bases: it will be read out as it stands.",
        "{{{detail}}} — нет такой колонки в базах кампании: слово останется как есть.",
    ),
    "no_beginning": (
        "Nothing says where the kind of contact “{detail}” begins: it begins at the first step.",
        "Не сказано, откуда начинать для вида «{detail}»: начнётся с первого шага.",
    ),
    "empty": ("There is nothing to say in this step.", "В этом шаге нечего сказать."),
}
_KIND_RU = {"first": "первый звонок", "repeat": "уже говорили", "callback": "перезвон"}


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


def filled(text: str, known: Mapping[str, str]) -> str:
    """A text with each ``{word}`` that is known filled in; what is not stays as it is written."""
    return _WORD.sub(lambda found: known.get(found[1].strip(), found[0]), text)


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


def check(
    steps: Sequence[Step], scenarios: Mapping[Scenario, str], hints: Sequence[str] = (), *, words: Collection[str] = ()
) -> list[Finding]:
    """Everything to mend in a script, step by step in its order, what is missing in the whole last.

    Args:
        steps: The steps; their ids are different.
        scenarios: Kind of contact -> the step it begins at.
        hints: Texts that are said to objections.
        words: Names of attributes that the campaign's contacts have.
    """
    known = {step.id: step for step in steps}
    reached, ending = _reached(steps, known, scenarios), _ending(steps)
    found = [finding for step in steps for finding in _of_step(step, known, reached, ending)]
    for step in steps:
        found += [_finding("unknown_word", step.id, word) for word in _unknown(step.text, words)]
    found += [_finding("unknown_word", None, word) for text in hints for word in _unknown(text, words)]
    broken = {kind for kind, to in scenarios.items() if to not in known}
    found += [_finding("broken", None, kind) for kind in scenarios if kind in broken]
    if steps and scenarios and "any" not in scenarios:
        found += [_finding("no_beginning", None, kind) for kind in KINDS if kind not in scenarios]
    return found


def _of_step(step: Step, known: Mapping[str, Step], reached: set[str], ending: set[str]) -> Iterator[Finding]:
    texts = [text for text, _ in step.answers]
    ways = [to for _, to in step.answers]
    if not step.text.strip():
        yield _finding("empty", step.id)
    if not step.answers:
        yield _finding("dead_end", step.id)
    elif step.id not in ending and all(to is None or to in known for to in ways):
        yield _finding("no_way_out", step.id)
    if step.id not in reached:
        yield _finding("unreachable", step.id)
    if len(step.answers) == 1 and ways[0] is not None:
        yield _finding("one_answer", step.id, texts[0])
    for text, to in step.answers:
        if to is not None and to not in known:
            yield _finding("broken", step.id, text)
    for text in sorted({text for text in texts if texts.count(text) > 1}):
        yield _finding("same_answer", step.id, text)


def _reached(steps: Sequence[Step], known: Mapping[str, Step], scenarios: Mapping[Scenario, str]) -> set[str]:
    """Steps that some conversation comes to."""
    ids = [step.id for step in steps]
    due = [one for kind in KINDS if (one := begin(scenarios, ids, kind)) is not None and one in known]
    found: set[str] = set()
    while due:
        here = due.pop()
        if here not in found:
            found.add(here)
            due += [to for _, to in known[here].answers if to is not None and to in known]
    return found


def _ending(steps: Sequence[Step]) -> set[str]:
    """Steps from which an end can be reached; a dead end is one, it is told of by itself."""
    found = {step.id for step in steps if not step.answers or any(to is None for _, to in step.answers)}
    while more := {step.id for step in steps if step.id not in found and any(to in found for _, to in step.answers)}:
        found |= more
    return found


def words_of(text: str) -> set[str]:
    """Names in braces that a text has."""
    return {word.strip() for word in _WORD.findall(text)}


def _unknown(text: str, words: Collection[str]) -> list[str]:
    return sorted(words_of(text) - CARD_WORDS - set(words))


def _finding(code: str, step: str | None, detail: str = "") -> Finding:
    english, russian = _SENTENCES[code]
    said = _KIND_RU.get(detail, detail) if code == "no_beginning" else detail
    return Finding(
        code=code, step=step, detail=detail, en=english.format(detail=detail), ru=russian.format(detail=said)
    )
