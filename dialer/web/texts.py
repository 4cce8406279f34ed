"""The words of the screens, in Russian and English, compiled when this is imported.

``locale/<language>.po`` goes to the scripts of a page too, ``locale/<room>.<language>.po`` stays on the server. Both
name a text by its id (``state.ready``); a test holds both languages to the same ids.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.pofile import read_po
from babel.numbers import format_decimal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

LANGUAGES = ("en", "ru")
_LOCALE = Path(__file__).parent / "locale"


def _read(path: Path, language: str) -> Mapping[str, str]:
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale=language) if message.id}


#: Texts that scripts may need.
SCRIPTED: Mapping[str, Mapping[str, str]] = {name: _read(_LOCALE / f"{name}.po", name) for name in LANGUAGES}
TEXTS: Mapping[str, Mapping[str, str]] = {
    name: {key: text for path in sorted(_LOCALE.glob(f"*{name}.po")) for key, text in _read(path, name).items()}
    for name in LANGUAGES
}


def translator(language: str) -> Callable[[str], str]:
    """The function ``_`` of a template; an id nobody translated raises KeyError."""
    return TEXTS[language].__getitem__


def figure(language: str, value: float | Decimal, digits: int = 0) -> str:
    """A number as this language writes it."""
    return format_decimal(value, format="#,##0" + (f".{'0' * digits}" if digits else ""), locale=language)


def preferred(accept_language: str) -> str:
    """``ru`` when a browser's Accept-Language names it before English, else ``en``."""
    for part in accept_language.lower().split(","):
        language = part.split(";")[0].strip()[:2]
        if language in LANGUAGES:
            return language
    return "en"
