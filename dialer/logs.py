"""Structured logs. Nothing secret gets into them, whoever writes the line (promise I44).

One processor stands between every line (ours and the libraries') and the output. It knows secrets in three ways:
by the name of the field, by their shape (our session tokens, passwords in addresses, ``Secret:`` of AMI), and by
value (what the settings hold). Full phone numbers are shown only at debug level.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Literal

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger

_HIDDEN = "[hidden]"
_SECRET_NAMES = re.compile(r"secret|password|passwd|token|cookie|authorization|database_url|api_key", re.IGNORECASE)
_SECRET_SHAPES = (
    (re.compile(r"dl[st]_[A-Za-z0-9_-]{20,}"), _HIDDEN),  # tokens of our sessions and of programs
    (re.compile(r"(\w+://[^\s:/@]+:)[^\s@]+@"), rf"\1{_HIDDEN}@"),  # scheme://user:password@host
    # Secret: x, password=x, 'cookie': 'x'
    (
        re.compile(r"(?i)((?:secret|password|cookie|token|authorization)['\"]?\s*[:=]\s*['\"]?)[^\s,;'\"]+"),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"\$argon2\w*\$\S+"), _HIDDEN),
)
#: E.164, or as many digits standing alone; not the tail of a UUID or of a channel name.
_PHONE = re.compile(r"(?<![\w.-])(\+?\d{2})\d{5,11}(\d{2})(?![\w-])|(\+\d{2})\d{4,11}(\d{2})(?!\d)")
_SHORTEST_BARE_PHONE = 10


def _mask_phone(match: re.Match[str]) -> str:
    """``+15555550100`` -> ``+15…00``; shorter runs of digits without a plus are other things."""
    text = match.group()
    if not text.startswith("+") and len(text) < _SHORTEST_BARE_PHONE:
        return text
    return f"{match.group(1) or match.group(3)}…{match.group(2) or match.group(4)}"


class Scrub:
    """The processor. ``secrets`` are exact values to hide wherever they turn up."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = sorted({value for value in secrets if value}, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, values))) if values else None

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Return the line without secrets; every value is visited, however deep."""
        phones = event.get("level", method) != "debug"
        return {name: self._clean(name, value, phones=phones) for name, value in event.items()}

    def _clean(self, name: str, value: object, *, phones: bool) -> object:
        if _SECRET_NAMES.search(name) and value is not None and not isinstance(value, bool):
            return _HIDDEN
        if value is None or isinstance(value, bool | float) or name in {"timestamp", "level"}:
            return value
        if isinstance(value, int):
            text = self._text(str(value), phones=phones)
            return value if text == str(value) else text
        if isinstance(value, dict):
            return {str(key): self._clean(str(key), item, phones=phones) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean("", item, phones=phones) for item in value]
        return self._text(value if isinstance(value, str) else repr(value), phones=phones)

    def _text(self, text: str, *, phones: bool) -> str:
        if self._values:
            text = self._values.sub(_HIDDEN, text)
        for shape, instead in _SECRET_SHAPES:
            text = shape.sub(instead, text)
        return _PHONE.sub(_mask_phone, text) if phones else text


def formatter(kind: Literal["json", "console"], secrets: Iterable[str] = ()) -> logging.Formatter:
    """The one formatter of every line: time, level, traceback, scrubbed, rendered."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if kind == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            Scrub(secrets),
            last,
        ],
    )


LogLevel = Literal["debug", "info", "warning", "error", "critical"]


def configure(
    *, level: LogLevel = "info", kind: Literal["auto", "json", "console"] = "auto", secrets: Iterable[str] = ()
) -> None:
    """Send every log line of the process to standard error through the one formatter."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(("console" if sys.stderr.isatty() else "json") if kind == "auto" else kind, secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("asyncio", "aiohttp.access", "panoramisk"):
        logging.getLogger(noisy).setLevel(max(root.level, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
