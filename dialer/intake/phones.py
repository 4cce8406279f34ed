"""Numbers out of cells: E.164 by country, damage repaired only where one reading is possible, several in a cell.

A cell is tried as one number first, then cut at commas, slashes, line breaks and the like. What a spreadsheet did to a
number is undone only when every digit is still there, and each time it is said (a *note*):

    scientific   7,9161234567E+10          all digits stand in it; 7,9E+10 does not hold them: reason ``rounded``
    decimal      79161234567.0
    quoted       '+79161234567, ="…"       what makes a spreadsheet show a text
    plus_lost    79161234567 in Russia
    prefix_lost  9161234567 in Russia      the 8 of long distance
    several      two numbers in one cell
    left_out     beside a good number stood something that is none

Most cells hold a number in one of few plain forms. Those are read by tables made of phonenumbers' own metadata, a
dozen times faster than phonenumbers; every other form goes to phonenumbers itself. A test holds the two equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import timezone as phone_zones
from phonenumbers.tzdata import TIMEZONE_DATA

#: What phonenumbers says of a number it cannot place.
NOWHERE = "Etc/Unknown"
#: Cells longer than this hold a story, not numbers.
CELL_LENGTH_MAX = 250
_DECORATION = str.maketrans("", "", " ()-\u00a0\u2009\u202f\u2010\u2011\u2012\u2013\u2014\u2212")
_SEPARATOR = re.compile(r"[,;|/\\\n\r\u2028]|\s{2,}|\s(?:или|и|or|and)\s", re.IGNORECASE)
_LEADING_WORD = re.compile(
    r"^\s*(?:tel|phone|mob|mobile|cell|fax|тел|телефон|моб|мобильный|факс)[.:\s]+", re.IGNORECASE
)
_TEXT_FORMULA = re.compile(r'^=?"(.*)"$')
_DECIMAL = re.compile(r"^(\+?\d+)[.,]0+$")
_SCIENTIFIC = re.compile(r"^(\d)(?:[.,](\d+))?[eEеЕ]\+?(\d{1,2})$")
_LETTER = re.compile(r"[^\W\d_]")
#: How a number begins that lacks nothing.
_COMPLETE = ("+", "8")
_EIGHT_ABROAD = "810"
_US_ABROAD = "011"
_CELL = phonenumbers.PhoneNumberType


class Number(NamedTuple):
    """A valid number.

    Attributes:
        e164: ``+79161234567``.
        zones: IANA names of the zones it may be in; empty if nobody can tell.
        region: Country as two letters; ``001`` for numbers of no country.
    """

    e164: str
    zones: tuple[str, ...]
    region: str


@dataclass(slots=True)
class Found:
    """What a cell holds.

    Attributes:
        numbers: In order, without repetition.
        notes: Repairs, by the words above.
        reason: Why there is no number, if there is none: ``bad_phone`` or ``rounded``; empty for an empty cell.
    """

    numbers: list[Number] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reason: str = ""


def undamaged(text: str, region: str | None) -> Number | None:
    """The number of a cell that holds one in a plain form, nothing else, and nothing to be said of it; most do."""
    return _plain(text, region) if text[:1] in _COMPLETE else None


def read(cell: str, region: str | None = None) -> Found:
    """The numbers of a cell.

    Args:
        cell: As it stands in the file.
        region: Country (``RU``) of numbers without ``+``; without it they are not guessed.
    """
    text = cell.strip()
    if not text:
        return Found()
    if number := undamaged(text, region):
        return Found([number])
    if len(text) > CELL_LENGTH_MAX:
        return Found(reason="bad_phone")
    found = Found()
    if _one(text, region, found):
        return found
    parts = [part for part in _SEPARATOR.split(text) if part and part.strip()]
    strict = len(parts) == 1  # blanks part numbers only if nothing but numbers is between them
    parts = text.split() if strict else parts
    missed = sum(not _one(part, region, found) for part in parts) if len(parts) > 1 else 1
    if not found.numbers or (strict and missed):
        return Found(reason=found.reason or "bad_phone")
    found.notes += ["several"] * (len(found.numbers) > 1) + ["left_out"] * (missed > 0)
    found.reason = ""
    return found


def _one(text: str, region: str | None, found: Found) -> bool:
    """Whether the text is one number; if so it is added."""
    text, notes = _undamaged(text.strip())
    number = _plain(text, region) if text else None
    if number is None and text and not _LETTER.search(text):
        number = _parsed(text, region)
    if number is None:
        if "rounded" in notes:
            found.reason = "rounded"
        return False
    if number not in found.numbers:
        found.numbers.append(number)
    found.notes += notes + _lost(text, number)
    return True


def _undamaged(text: str) -> tuple[str, list[str]]:
    """The text as it was before a spreadsheet had it, where that is certain."""
    notes = []
    text = _LEADING_WORD.sub("", text)
    if text.startswith("'"):
        text, notes = text[1:].strip(), ["quoted"]
    if quoted := _TEXT_FORMULA.match(text):
        text, notes = quoted[1].strip(), ["quoted"]
    if decimal := _DECIMAL.match(text):
        return decimal[1], [*notes, "decimal"]
    if scientific := _SCIENTIFIC.match(text.replace(" ", "")):
        first, rest, exponent = scientific[1], scientific[2] or "", int(scientific[3])
        if len(rest.rstrip("0")) <= exponent <= len(rest):
            return first + rest[:exponent], [*notes, "scientific"]
        return "", [*notes, "rounded"]
    return text, notes


def _lost(text: str, number: Number) -> list[str]:
    """What a spreadsheet took from the head of the number."""
    digits = text.translate(_DECORATION)
    if digits == number.e164[1:]:
        return ["plus_lost"]
    return ["prefix_lost"] if number.region == "RU" and digits == number.e164[2:] else []


def _parsed(text: str, region: str | None) -> Number | None:
    """By phonenumbers; a number of another country needs its plus."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    found = phonenumbers.region_code_for_number(number)
    if found is None or number.extension or not phonenumbers.is_valid_number(number):
        return None
    zones = tuple(zone for zone in phone_zones.time_zones_for_number(number) if zone != NOWHERE)
    return Number(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), zones, found)


# The plain forms -------------------------------------------------------------


def _plain(text: str, region: str | None) -> Number | None:
    """A number in one of the forms whose reading is known beforehand; None: ask phonenumbers."""
    digits = text.translate(_DECORATION)
    if digits[:1] == "+":
        digits = digits[1:]
    elif region == "RU":
        if len(digits) == 11 and digits[0] == "8" and not digits.startswith(_EIGHT_ABROAD):
            digits = "7" + digits[1:]
        elif len(digits) == 10 and not digits.startswith(_EIGHT_ABROAD):
            digits = "7" + digits
        elif len(digits) != 11 or digits[0] != "7":
            return None
    elif region == "US":
        if len(digits) == 10 and not digits.startswith(_US_ABROAD):
            digits = "1" + digits
        elif len(digits) != 11 or digits[0] != "1":
            return None
    else:
        return None
    if not (digits.isascii() and digits.isdigit() and 8 <= len(digits) <= 15 and digits[0] != "0"):
        return None
    length = 1 if digits[0] in "17" else _code_length(digits[:3])
    return _country(digits[:length]).number(digits, digits[length:]) if length else None


@lru_cache(maxsize=1024)
def _code_length(first: str) -> int:
    """How many of these three digits are the country code; 0: no country has it."""
    return next((n for n in (1, 2, 3) if int(first[:n]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), 0)


@cache
def _country(code: str) -> _Country:
    return _Country(code)


class _Country:
    """What phonenumbers knows about one country code, made ready for national numbers as they stand."""

    def __init__(self, code: str) -> None:
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
        metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
        prefix = metadata.national_prefix_for_parsing if metadata else None
        self._prefixed = re.compile(prefix).match if prefix else None
        found = (phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), name) for name in regions)
        self._regions = [_Region(int(code), each) for each in found if each]
        lengths = {len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith(code) or code.startswith(prefix)}
        self._placed_by = sorted(lengths, reverse=True)
        self._zones = self._zones_of(code)

    def number(self, digits: str, national: str) -> Number | None:
        """The number, or None where phonenumbers may strip a prefix, or says that it is not valid."""
        if national[0] == "0" or (self._prefixed and self._prefixed(national)):
            return None
        for region in self._regions:
            if region.leads and not region.leads(national):
                continue
            kind = region.kind(national)
            if kind is not None:
                return Number(f"+{digits}", self._zones_of(digits) if kind else self._zones, region.name)
            if region.leads:
                return None
        return None

    def _zones_of(self, digits: str) -> tuple[str, ...]:
        """By the longest prefix that phonenumbers places."""
        for length in self._placed_by:
            zones: tuple[str, ...] | None = TIMEZONE_DATA.get(digits[:length])
            if zones is not None:
                return () if zones == (NOWHERE,) else zones
        return ()


class _Region:
    """One region of a country code: the kinds of its numbers in one pattern, tried in phonenumbers' own order."""

    def __init__(self, code: int, metadata: phonenumbers.PhoneMetadata) -> None:
        self.name = metadata.id
        self.leads = re.compile(metadata.leading_digits).match if metadata.leading_digits else None
        special = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
        kinds = (_pattern(metadata, *special), _pattern(metadata, "fixed_line"), _pattern(metadata, "mobile"))
        general = _pattern(metadata, "general_desc")
        self._kinds = re.compile(rf"(?=(?:{general})\Z)(?:({kinds[0]})|({kinds[1]})|({kinds[2]}))").fullmatch
        self._placed = (None, False, True, phonenumbers.phonenumberutil.is_number_type_geographical(_CELL.MOBILE, code))

    def kind(self, national: str) -> bool | None:
        """Whether it is bound to a place; None if it is no number of this region."""
        found = self._kinds(national)
        return self._placed[found.lastindex or 0] if found else None


def _pattern(metadata: phonenumbers.PhoneMetadata, *kinds: str) -> str:
    """One pattern for numbers of these kinds, their possible lengths included."""
    patterns = []
    for kind in kinds:
        described = getattr(metadata, kind)
        if described is not None and described.national_number_pattern:
            lengths = "|".join(rf"\d{{{length}}}\Z" for length in described.possible_length)
            patterns.append(f"(?={lengths})(?:{described.national_number_pattern})" if lengths
                            else f"(?:{described.national_number_pattern})")  # fmt: skip
    return "|".join(patterns) or r"(?!)"
