"""Why a row was rejected, and what was repaired, as sentences in English and Russian."""

from __future__ import annotations

from dialer.intake.columns import REASON_HEADINGS

REASONS: dict[str, tuple[str, str]] = {
    "quotes": ("A quotation mark is torn.", "Кавычки не закрыты."),
    "columns": ("More cells than headings.", "Ячеек больше, чем заголовков."),
    "nul": ("Holds a NUL letter.", "Содержит символ NUL."),
    "encoding": ("Letters are lost: another encoding?", "Буквы потеряны: другая кодировка?"),
    "too_long": ("The line is too long.", "Строка слишком длинная."),
    "no_phone": ("There is no number.", "Номера нет."),
    "bad_phone": ("This is no valid number.", "Это не действительный номер."),
    "rounded": ("A spreadsheet cut digits off the number (7.9E+10).", "Таблица обрезала цифры номера (7,9E+10)."),
    "foreign": ("A number of another country.", "Номер другой страны."),
    "bad_zone": ("No such time zone.", "Такого часового пояса нет."),
    "no_zone": ("Nobody can tell the time zone.", "Часовой пояс определить нельзя."),
    "bad_consent": (
        "Consent needs when it was given (2026-03-01 or 01.03.2026) and what proves it.",
        "Для согласия нужны дата (2026-03-01 или 01.03.2026) и чем оно подтверждено.",
    ),
    "bad_priority": ("The priority is 0 to 9.", "Приоритет - от 0 до 9."),
    "repeated": ("The number stands in another row of the file.", "Номер есть в другой строке файла."),
    "in_campaign": ("The campaign has this number.", "Номер уже есть в кампании."),
    "elsewhere": ("Another campaign has this number.", "Номер есть в другой кампании."),
    "do_not_call": ("The number must not be called.", "На этот номер звонить нельзя."),
}
NOTES: dict[str, tuple[str, str]] = {
    "scientific": ("number restored from 7.9…E+10", "номер восстановлен из 7,9…E+10"),
    "decimal": ("“.0” taken off the number", "у номера убрано «.0»"),
    "quoted": ("apostrophe or formula around the number taken off", "с номера снят апостроф или формула"),
    "plus_lost": ("lost plus put back", "возвращён потерянный плюс"),
    "prefix_lost": ("lost 8 put back", "возвращена потерянная 8"),
    "several": ("several numbers in one cell", "несколько номеров в ячейке"),
    "left_out": ("what is no number was left out beside a good one", "лишнее рядом с номером отброшено"),
}


def reasons(language: str) -> dict[str, str]:
    """A sentence for each reason, and the ``heading`` of their column."""
    place = int(language == "ru")
    return {"heading": REASON_HEADINGS[place], **{reason: texts[place] for reason, texts in REASONS.items()}}


def notes(language: str) -> dict[str, str]:
    """A phrase for each repair."""
    return {note: texts[int(language == "ru")] for note, texts in NOTES.items()}
