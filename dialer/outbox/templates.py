"""What a letter says: a template that a person wrote, filled with what is known of a contact.

A template can name fields, leave parts out where something is not known, and change how a word is written. It cannot
call, loop, assign or reach into objects: what is allowed is a list of the nodes of Jinja2's tree, so that a template
takes time and room in proportion to its length, whatever it says, and reads nothing but the fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel.dates import format_date
from jinja2 import TemplateError, Undefined, nodes
from jinja2.sandbox import SandboxedEnvironment

from dialer.core import leads, letters

if TYPE_CHECKING:
    from dialer.store.letters import Due

SUBJECT_MAX, BODY_MAX = 200, 50_000
TEMPLATE_MAX = 20_000
_DEPTH_MAX, _NODES_MAX, _FIELD_MAX = 20, 2_000, 4_000
#: A date in words, without a dot that a sentence would double.
_DATE = "d MMMM y"
_GAPS = re.compile(r"[ \t]*\n(?:[ \t]*\n){2,}")
#: What a template may name, beside ``contact.<heading of the base>``.
FIELDS = (
    *("name", "company", "agreed", "agreed_until", "date", "manager", "operator", "campaign", "customer"),
    *("unsubscribe", "contact"),
)
FILTERS = ("default", "upper", "lower", "capitalize", "title", "trim")
_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const),
    *(nodes.If, nodes.CondExpr, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand, nodes.Concat),
    *(nodes.Filter, nodes.Test),
)


class Flaw(Exception):
    """Why there is no letter.

    Attributes:
        reason: ``template`` (it cannot be read), ``unknown`` (it names what there is not), ``missing`` (of this contact
            something is not known) or ``too_long``.
        detail: What about.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A filled template: one line of subject, the body, and fields that it names and nobody knows."""

    subject: str
    body: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a letter's contact and conversation; what nobody knows is empty."""

    name: str
    attributes: Mapping[str, Any]
    agreed: str
    operator: str
    person: str
    company: str
    campaign: str
    customer: str
    zone: str
    language: str
    made_at: datetime
    rule: letters.Rule


class _Unknown(Undefined):
    """A field without a value: shown as nothing, and remembered where it is shown."""

    def __str__(self) -> str:
        return f"\0{self._undefined_name}\0"


class _Environment(SandboxedEnvironment):
    """Of objects, only the values of mappings can be reached."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``contact.city``: a heading of the base, never an attribute of Python's."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """``contact["город"]``."""
        if isinstance(obj, Mapping) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        return self.undefined(name=f"contact.{argument}")


_ENVIRONMENT = _Environment(undefined=_Unknown, autoescape=False)
_ENVIRONMENT.filters = {name: _ENVIRONMENT.filters[name] for name in FILTERS}
_ENVIRONMENT.tests = {name: _ENVIRONMENT.tests[name] for name in ("defined", "undefined")}
_ENVIRONMENT.globals = {}


def check(text: str) -> None:
    """Refuse a template that is no template of a letter.

    Raises:
        Flaw: ``template``, ``unknown`` or ``too_long``.
    """
    if len(text) > TEMPLATE_MAX:
        raise Flaw("too_long", str(TEMPLATE_MAX))
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise Flaw("template", f"{line}: {error.message}" if line else str(error.message)) from None
    except RecursionError:
        raise Flaw("template", "too deep") from None
    _walk(tree)


def _walk(tree: nodes.Node) -> None:
    level, seen, depth = [tree], 0, 0
    while level:
        depth, seen = depth + 1, seen + len(level)
        if depth > _DEPTH_MAX or seen > _NODES_MAX:
            raise Flaw("template", "too deep" if depth > _DEPTH_MAX else "too long")
        for node in level:
            _admit(node)
        level = [child for node in level for child in node.iter_child_nodes()]


def _admit(node: nodes.Node) -> None:
    if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.If) and len(node.elif_) > _DEPTH_MAX):
        raise Flaw("template", f"{node.lineno}: {type(node).__name__}")
    if isinstance(node, nodes.Name) and node.name not in FIELDS:
        raise Flaw("unknown", node.name)
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise Flaw("unknown", f"|{node.name}")
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        of_contact = isinstance(node.node, nodes.Name) and node.node.name == "contact"
        plain = isinstance(node, nodes.Getattr) or (
            isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str)
        )
        if not (of_contact and plain):
            raise Flaw("template", f"{node.lineno}: {type(node).__name__}")


def fill(subject: str, body: str, given: Mapping[str, Any], language: str) -> Letter:
    """The letter of these fields; a link to get no more of them stands below, where the text has not said it.

    Raises:
        Flaw: As ``check``, or ``too_long``.
    """
    told = {name: value for name, value in given.items() if value}
    line, missed = _filled(subject, told)
    text, missing = _filled(body, told)
    text = _GAPS.sub("\n\n", text.replace("\r\n", "\n"))  # what was left out leaves no hole
    if str(told["unsubscribe"]) not in text:
        text = f"{text.rstrip()}\n\n--\n{letters.UNSUBSCRIBE[language].format(link=told['unsubscribe'])}\n"
    line = " ".join(line.split())
    if len(line) > SUBJECT_MAX or len(text) > BODY_MAX:
        raise Flaw("too_long", str(SUBJECT_MAX if len(line) > SUBJECT_MAX else BODY_MAX))
    if not line and not missed:
        raise Flaw("template", "subject")
    return Letter(subject=line, body=text, missing=tuple(dict.fromkeys([*missed, *missing])))


def _filled(text: str, told: Mapping[str, Any]) -> tuple[str, list[str]]:
    check(text)
    try:
        filled = _ENVIRONMENT.from_string(text).render(told)
    except (TemplateError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise Flaw("template", str(error)[:200]) from None
    parts = filled.split("\0")
    return "".join(parts[::2]), parts[1::2]


def fields_of(due: About, link: str) -> dict[str, Any]:
    """What a template may say of a letter that is due; what nobody knows is empty."""
    attributes = {name: _plain(value) for name, value in due.attributes.items()}
    person, company = leads.named(_plain(due.name), attributes)
    told = due.made_at.astimezone(ZoneInfo(due.zone)).date()
    until = told + timedelta(days=due.rule.terms_days) if due.rule.terms_days else None
    return {
        "name": _plain(due.person) or person,
        "company": _plain(due.company) or company,
        "agreed": _plain(due.agreed),
        "agreed_until": format_date(until, _DATE, locale=due.language) if until else "",
        "date": format_date(told, _DATE, locale=due.language),
        "manager": _plain(due.rule.manager),
        "operator": _plain(due.operator),
        "campaign": _plain(due.campaign),
        "customer": _plain(due.customer),
        "contact": attributes,
        "unsubscribe": link,
    }


def compose(due: Due, link: str) -> Letter:
    """What a letter that is due says.

    Raises:
        Flaw: There is no such letter; ``missing`` names what nobody knows of the contact.
    """
    subject, body = (due.told_subject, due.told_body) if due.version else letters.text_of(due.word, due.language)
    about = About(**{field.name: getattr(due, field.name) for field in fields(About)})
    letter = fill(subject, body, fields_of(about, link), due.language)
    if letter.missing:
        raise Flaw("missing", ", ".join(letter.missing)[:200])
    return letter


def _plain(value: object) -> str:
    """Text of the base or of a person, without what could be taken for our own marks."""
    return str("" if value is None else value).replace("\0", "").strip()[:_FIELD_MAX]
