"""What a forecast says, as sentences of English and Russian."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "ru": ("пн", "вт", "ср", "чт", "пт", "сб", "вс"),
}
#: English and Russian; what is in braces is filled in.
_TEXTS = {
    "results": (
        "By the end of the shift at {ends}: about {middle} results (80 %: {low} to {high}), {so_far} of them so far.",
        "К концу смены в {ends}: примерно {middle} результатов (80 %: от {low} до {high}), из них уже есть {so_far}.",
    ),
    "ends": (
        "The base ends on {middle} or so (80 %: {low} to {high}).",
        "База закончится примерно {middle} (80 %: от {low} до {high}).",
    ),
    "ends_late": (
        "The base ends on {middle} or so (80 %: from {low}; the latest is not within {days} days).",
        "База закончится примерно {middle} (80 %: от {low}; самое позднее — за пределами {days} дней).",
    ),
    "never": (
        "The base does not end within {days} days: in {share} % of all futures somebody is left to call again later.",
        "База не закончится за {days} дней: в {share} % вариантов остаются те, кому перезвонят позже.",
    ),
    "tried": (
        "Everybody in it has been called at least once by {middle} (80 %: {low} to {high}).",
        "Всем из базы хотя бы раз позвонят к {middle} (80 %: от {low} до {high}).",
    ),
    "busy": (
        "Operators talk and write {middle} % of their time (80 %: {low} to {high} %).",
        "Операторы разговаривают и заполняют {middle} % времени (80 %: от {low} до {high} %).",
    ),
    "nobody": (
        "Nobody is on shift and nobody is planned: nothing will be called.",
        "На смене никого нет и никто не запланирован: звонков не будет.",
    ),
}


def sentences(forecast: Mapping[str, Any], zone: str) -> list[dict[str, str]]:
    """What a forecast says, the most wanted first, each as ``{"en": …, "ru": …}``."""
    found = []
    if not forecast["made_of"]["operators"] and forecast["attempts"]["high"] == forecast["so_far"]["attempts"]:
        found.append(_said("nobody"))
    ends = {language: _moment(forecast["shift_ends"], zone, language) for language in _DAYS}
    found.append(_said("results", **_figures(forecast["results"]), so_far=forecast["so_far"]["results"], ends=ends))
    found += _base(forecast, zone)
    if forecast["occupancy"]:
        found.append(_said("busy", **_figures(forecast["occupancy"])))
    return found


def _base(forecast: Mapping[str, Any], zone: str) -> list[dict[str, str]]:
    found = []
    for name in ("ends", "tried"):
        end, days = forecast["base"][name], forecast["days"]
        at = {
            part: {language: _moment(end[part], zone, language) for language in _DAYS}
            for part in ("low", "middle", "high")
            if end[part] is not None
        }
        if len(at) == 3:
            found.append(_said(name, **at))
        elif name == "ends" and "middle" in at:
            found.append(_said("ends_late", **at, days=days))
        elif name == "ends":
            found.append(_said("never", days=days, share=round(100 * (1 - end["share"]))))
    return found


def _figures(spread: Mapping[str, float]) -> dict[str, int]:
    return {name: round(spread[name]) for name in ("low", "middle", "high")}


def _said(name: str, **values: Any) -> dict[str, str]:
    """The sentence in both languages; a value may be one for each of them."""
    texts = dict(zip(("en", "ru"), _TEXTS[name], strict=True))
    return {
        language: text.format(**{k: v[language] if isinstance(v, dict) else v for k, v in values.items()})
        for language, text in texts.items()
    }


def _moment(at: str, zone: str, language: str) -> str:
    """Weekday, day and time in the campaign's zone."""
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
    return f"{_DAYS[language][local.weekday()]} {local:%d.%m. %H:%M}"
