"""Which column holds what: by its name in Russian or English, else by what stands in it.

A column is mapped to one of ``TARGETS``. Numbers in a column that is named something else (an account, a tax id) are
never taken for phones: content decides only in a file in which no column is named as a phone.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from dialer.core import hours
from dialer.intake import consent, phones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: What a column can be; several may be phones (in this order), names (joined by a blank) or attributes.
TARGETS = ("phone", "name", "zone", "priority", *consent.TARGETS, "attribute", "skip")
#: Headings of the file of rejected rows, never loaded back.
REASON_HEADINGS = ("reason (dialer)", "причина (dialer)")
#: Countries tried on numbers without a plus, in this order where two fit equally.
REGIONS = ("RU", "US", "GB", "DE", "FR", "KZ", "UA", "BY", "CA", "AU")
COLUMNS_MAX = 300
HEADER_WITHIN_ROWS = 20
_SHARE_MIN = 0.6
_DIGITS_MIN, _DIGITS_MAX = 7, 50

_KINDS = (
    r"(?:main|home|work|office|mobile|cell|contact|second|other|доп|дополнительный|основной|раб|рабочий|дом|домашний|моб|"
    r"мобильный|сот|сотовый|контактный|второй|городской)"
)
_PHONES = (
    r"(?:phones?|telephone|tel|msisdn|телефоны?|тел|telefon|telefonnummer|handy|mobil|rufnummer|téléphone|telefono)"
)
_SHORT = r"(?:mobile|cell|моб|сот|мобильный|сотовый|номера? телефон(?:а|ов)|номер тел|тел номер|номер моб)"
_NAMES = {
    "phone": rf"(?:{_KINDS} )?{_PHONES}(?: number| no| номер| контакта| клиента| абонента)?(?: ?\d+)?|"
    rf"{_SHORT}(?: ?\d+)?|(?:номер|number)(?: ?\d)?",
    "name": r"(?:full |contact |client |customer |last |first |middle |family |given )?name|surname|patronymic|contact|"
    r"имя|фамилия|отчество|ф ?и ?о|фио (?:клиента|контакта|абонента)|имя (?:клиента|контакта)|контактное лицо|контакт|"
    r"клиент|абонент|customer|client|person|наименование|название|наименование организации|название организации|"
    r"организация|компания|company",
    "zone": r"(?:time ?)?zone|tz|timezone|часовой пояс|зона|таймзона|временная зона|пояс",
    "priority": r"priority|приоритет|важность",
    "consent_given": r"consent(?: given| at| date)?|date of consent|opt ?in(?: date| at)?|согласие|дата согласия",
    "consent_evidence": r"consent (?:evidence|proof|source|link|file)|evidence of consent|opt ?in source|"
    r"(?:доказательство|источник|подтверждение|ссылка на) согласи[ея]",
    "consent_purpose": r"consent purpose|purpose of consent|цель согласия",
    "consent_expires": r"consent (?:expires|expiry|until|valid until)|согласие до|срок согласия",
}
#: Digits in columns of these names are something else, however much they look like a number.
_NO_PHONE = re.compile(
    r".*\b(?:инн|огрн|огрнип|кпп|окпо|снилс|паспорт|счет|договор|заказ|код|индекс|дата|id|inn|vat|tax|account|iban|"
    r"order|contract|zip|postcode|date|birthday|passport|code)\b.*"
)
_BY_NAME = {target: re.compile(pattern) for target, pattern in _NAMES.items()}
#: Of these a file has one column at most.
_SINGLE = frozenset({"zone", "priority", *consent.TARGETS})
#: Names of a company are the contact's name only where no person is named.
_COMPANY = re.compile(r"наименование.*|название.*|организация|компания|company")
_MARKS = re.compile(r"[\s.,:;_\-/()№#*\"'«»]+")


def normal(heading: str) -> str:
    """A heading without case, marks and double blanks."""
    return _MARKS.sub(" ", heading.lower().replace("ё", "е")).strip()


def target_of(heading: str) -> str | None:
    """What the name of a column says; None if nothing."""
    name = normal(heading)
    if name in {normal(each) for each in REASON_HEADINGS}:
        return "skip"
    return next((target for target, pattern in _BY_NAME.items() if pattern.fullmatch(name)), None)


def header_line(rows: Sequence[tuple[int, Sequence[str]]]) -> int:
    """The line the headings stand in: the first that names a phone column; 0 if the file begins with a contact.

    Args:
        rows: Line and cells of the first rows.
    """
    above: tuple[int, Sequence[str]] = (0, ())
    for line, cells in rows[:HEADER_WITHIN_ROWS]:
        if any(target_of(cell) == "phone" for cell in cells):
            return line
        if _has_number(cells):
            return above[0] if sum(map(bool, above[1])) > 1 else 0
        above = line, cells
    return rows[0][0] if rows else 0


def _has_number(cells: Iterable[str]) -> bool:
    return any(sum(letter.isdigit() for letter in cell) >= _DIGITS_MIN for cell in cells)


def headings(header: Sequence[str] | None, width: int) -> list[str]:
    """A name for each column, no two alike: attributes are called by them."""
    given = [" ".join(cell.split()) for cell in header or []] + [""] * width
    found: list[str] = []
    for number, name in enumerate(given[: max(width, len(header or []))], 1):
        base = name or f"column {number}"
        times = sum(other == base or other.startswith(f"{base} (") for other in found)
        found.append(f"{base} ({times + 1})" if base in found else base)
    return found


def match(names: Sequence[str], rows: Sequence[Sequence[str]], region: str | None) -> list[str]:
    """What each column is, by name, else by content.

    Args:
        names: Headings.
        rows: Cells of the first rows under them.
        region: Country of numbers without ``+``.
    """
    by_name = [target_of(name) for name in names]
    found = _by_name(by_name, names)
    unnamed = [place for place, target in enumerate(by_name) if target is None]
    for target, holds in (
        ("phone", lambda cell: bool(phones.read(cell, region).numbers)),
        ("zone", lambda cell: "/" in cell and hours.known(cell)),
    ):
        shares = {place: _share(_column(rows, place), holds) for place in unnamed
                  if target != "phone" or may_be_phone(names[place])}  # fmt: skip
        best = max(shares, key=lambda place: shares[place], default=None)
        if target not in found and best is not None and shares[best] >= _SHARE_MIN:
            found[best] = target
    return found


def may_be_phone(name: str) -> bool:
    """Whether numbers under this heading are possibly phones."""
    return not _NO_PHONE.fullmatch(normal(name))


def _by_name(by_name: Sequence[str | None], names: Sequence[str]) -> list[str]:
    """There is one column of a sort, but for phones, names and attributes; a company is an attribute of a named person.

    What is called consent is one where both its time and its evidence stand in the file, else an attribute like others.
    """
    proven = {"consent_given", "consent_evidence"} <= set(by_name)
    persons = any(t == "name" and not _COMPANY.fullmatch(normal(n)) for t, n in zip(by_name, names, strict=True))
    found: list[str] = []
    for target, name in zip(by_name, names, strict=True):
        second = target in _SINGLE and target in found
        unproven = target in consent.TARGETS and not proven
        company = target == "name" and persons and _COMPANY.fullmatch(normal(name))
        found.append("attribute" if target is None or second or company or unproven else target)
    return found


def region_of(rows: Sequence[Sequence[str]]) -> str | None:
    """The country whose numbers the file is full of, by all cells that may be phones; None if they all have a plus."""
    cells = [cell for row in rows for cell in row if _DIGITS_MIN <= sum(map(str.isdigit, cell)) <= _DIGITS_MAX]
    bare = [cell for cell in cells if "+" not in cell][:500]
    fits = Counter({region: sum(bool(phones.read(cell, region).numbers) for cell in bare) for region in REGIONS})
    if not bare:
        return None
    best = max(REGIONS, key=lambda region: fits[region])
    return best if fits[best] * 2 >= len(bare) else None


def _column(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [cell for row in rows if place < len(row) and (cell := row[place].strip())]


def _share(cells: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(holds(cell) for cell in cells) / len(cells) if cells else 0.0
