"""Letters after a conversation: to whom one may go, when it goes, and what it says while nobody wrote another text.

waiting → sent → (bounced | answered)
   ├────→ listed        put on a list that is fetched, instead of being sent
   ├────→ refused       by a rule of ours, before anything left
   ├────→ bounced       the other side refused the address for good
   └────→ given_up      nobody took it, as often as it was tried
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dialer.core.deliveries import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("ru", "en")
#: A mail server that is away is tried for about two days.
POLICY = Policy(first_s=60.0, most_s=6 * 3600.0, tries=12)
#: Lists are cut on the even hours.
LIST_EVERY = timedelta(hours=2)
#: RFC 5321, 4.5.3.1: of the part before the sign, and of the whole.
_LOCAL_MAX, _ADDRESS_MAX = 64, 254
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
#: Attributes of contacts that hold an address, as headings of bases have them.
_ADDRESSES = ("email", "e-mail", "mail", "email address", "почта", "эл. почта", "электронная почта", "имейл")
_LANGUAGES = ("language", "lang", "язык")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds for the letters of a campaign.

    Attributes:
        mode: ``off``, ``send``, or ``list``: they are fetched instead of being sent.
        language: In which language, where the contact says no other.
        per_hour: At most so many leave in an hour.
        per_day: And in 24 hours.
        unanswered_max: At most so many to one address of the customer without an answer.
        terms_days: So long holds what was agreed; None: no end is named.
        manager: Whom to turn to, as it stands in the letter.
        unsubscribe_scope: For whom an address is forbidden whose owner wants no more letters.
    """

    mode: str = "off"
    language: str = "ru"
    per_hour: int = 200
    per_day: int = 1000
    unanswered_max: int = 3
    terms_days: int | None = None
    manager: str = ""
    unsubscribe_scope: str = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of an address when a letter to it is due.

    Attributes:
        stopped: Why nothing goes there: ``unsubscribed``, ``bounced`` or ``asked``; None if it may.
        erased: Whoever it was to was erased meanwhile.
        unanswered: Letters that went there since the last answer.
    """

    stopped: str | None = None
    erased: bool = False
    unanswered: int = 0


def address(text: str) -> str | None:
    """An address as it is given to a mail server: its domain in ASCII; None if it is none.

    Nothing is taken that a server could read as anything but one mailbox: no quotes, comments, routes or line breaks
    (RFC 5321, 4.1.2 without quoted strings and address literals; RFC 5891 for names in other scripts).
    """
    local, at, domain = text.strip().rpartition("@")
    try:
        domain = domain.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        return None
    labels = domain.split(".")
    well = bool(at and _LOCAL.fullmatch(local)) and len(local) <= _LOCAL_MAX
    named = len(labels) > 1 and all(_LABEL.fullmatch(one) for one in labels) and not labels[-1].isdigit()
    whole = f"{local}@{domain}"
    return whole if well and named and len(whole) <= _ADDRESS_MAX else None


def masked(told: str) -> str:
    """An address for those who need not write to it: ``i…@example.com``."""
    local, _, domain = told.rpartition("@")
    return f"{local[:1]}…@{domain}" if local else told


def told(attributes: Mapping[str, object], names: tuple[str, ...] = _ADDRESSES) -> str:
    """The address of a contact, as its base tells it; empty where it does not."""
    found = {name.strip().casefold().replace("_", " "): str(value).strip() for name, value in attributes.items()}
    return next((found[name] for name in names if found.get(name)), "")


def language(attributes: Mapping[str, object], rule: Rule) -> str:
    """In which language a contact is written to."""
    said = told(attributes, _LANGUAGES).casefold()[:2]
    return {"ru": "ru", "en": "en", "ру": "ru", "ан": "en"}.get(said, rule.language)


def refusal(standing: Standing, rule: Rule) -> str | None:
    """Why a letter that is due may not leave: ``erased``, ``unsubscribed``, ``bounced``, ``asked``, ``unanswered``."""
    if standing.erased:
        return "erased"
    if standing.stopped:
        return standing.stopped
    return "unanswered" if standing.unanswered >= rule.unanswered_max else None


def room(last_hour: int, last_day: int, rule: Rule) -> int:
    """How many more may leave now."""
    return max(0, min(rule.per_hour - last_hour, rule.per_day - last_day))


def cut_at(now: datetime) -> datetime:
    """The last moment at which lists were cut: what was written before is on one."""
    since = datetime(2000, 1, 1, tzinfo=UTC)
    return now - (now - since) % LIST_EVERY


def bounces(code: int, text: str) -> bool:
    """Whether an answer to an address says that nobody will ever be reached there (RFC 5321, 4.2; RFC 3463, 3.2).

    A refusal that is about the sender or a policy (5.7.x) says nothing of the address.
    """
    permanent = 500 <= code < 600
    status = re.match(r"5\.(\d{1,3})\.\d{1,3}\b", text.strip())
    return permanent and code in {550, 551, 553, 511} and (status is None or status[1] in {"1", "2"})


#: The letters a campaign begins with; it may write its own.
WORDS = ("lead", "proposal")
_RU_LEAD = """{% if name %}Здравствуйте, {{ name }}!{% else %}Здравствуйте!{% endif %}

Спасибо за разговор {{ date }}.
{% if agreed %}
Мы договорились: {{ agreed }}
{% endif %}{% if agreed_until %}
Условия действуют до {{ agreed_until }}.
{% endif %}
{% if manager %}С вами свяжется: {{ manager }}{% else %}Мы свяжемся с вами в ближайшее время.{% endif %}

{{ customer }}
"""
_EN_LEAD = """{% if name %}Hello {{ name }},{% else %}Hello,{% endif %}

thank you for talking to us on {{ date }}.
{% if agreed %}
We agreed: {{ agreed }}
{% endif %}{% if agreed_until %}
These terms hold until {{ agreed_until }}.
{% endif %}
{% if manager %}You will hear from: {{ manager }}{% else %}We will be in touch soon.{% endif %}

{{ customer }}
"""
_RU_PROPOSAL = """{% if name %}Здравствуйте, {{ name }}!{% else %}Здравствуйте!{% endif %}

Вы просили прислать предложение письмом: мы говорили {{ date }}.
{% if agreed %}
{{ agreed }}
{% endif %}{% if agreed_until %}
Предложение действует до {{ agreed_until }}.
{% endif %}
{% if manager %}На вопросы ответит: {{ manager }}{% else %}На вопросы ответим по этому адресу.{% endif %}

{{ customer }}
"""
_EN_PROPOSAL = """{% if name %}Hello {{ name }},{% else %}Hello,{% endif %}

when we spoke on {{ date }} you asked for our proposal by mail.
{% if agreed %}
{{ agreed }}
{% endif %}{% if agreed_until %}
It holds until {{ agreed_until }}.
{% endif %}
{% if manager %}Questions are answered by: {{ manager }}{% else %}Just reply with your questions.{% endif %}

{{ customer }}
"""
#: Subject and body by word and language.
DEFAULT: Mapping[tuple[str, str], tuple[str, str]] = {
    ("lead", "ru"): ("{{ customer }}: о чём мы договорились", _RU_LEAD),
    ("lead", "en"): ("{{ customer }}: what we agreed", _EN_LEAD),
    ("proposal", "ru"): ("{{ customer }}: предложение, о котором вы просили", _RU_PROPOSAL),
    ("proposal", "en"): ("{{ customer }}: the proposal you asked for", _EN_PROPOSAL),
}
#: What stands under every letter that does not say it itself.
UNSUBSCRIBE: Mapping[str, str] = {
    "ru": "Больше не писать на этот адрес: {link}",
    "en": "No more letters to this address: {link}",
}


def text_of(word: str, lang: str) -> tuple[str, str]:
    """Subject and body of a letter nobody has written yet: of an own one those of the proposal."""
    return DEFAULT.get((word, lang), DEFAULT["proposal", lang])
