"""Forty ugly files of different kinds, made here, each with what is to become of it.

``accepted`` are names or numbers of the rows that are taken, ``reasons`` the verdicts of the others by line; ``code``
stands for a file that is refused as a whole.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOBILE, OFFICE, TULA = "+79161234567", "+74957654321", "+74872123456"
HEAD = "ФИО;Телефон;Город\n"
ROW = "Иванов Иван;8 916 123-45-67;Москва\n"
SHEET = "xl/worksheets/sheet1.xml"


@dataclass(frozen=True)
class Ugly:
    """A file, and what becomes of it."""

    name: str
    data: bytes
    phones: tuple[tuple[str, ...], ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    code: str = ""
    read_as: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def text(content: str, encoding: str = "utf-8") -> bytes:
    return content.encode(encoding)


def book(write: Callable[[Any, Any], None]) -> bytes:
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True})
    write(workbook, workbook.add_worksheet("Лист1"))
    workbook.close()
    return out.getvalue()


def rows(*lines: tuple) -> Callable[[Any, Any], None]:
    def write(_workbook, sheet):
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)

    return write


def repacked(
    data: bytes, change: Callable[[str, bytes], bytes] = lambda _name, content: content, **more: bytes
) -> bytes:
    """The same zip with other contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, content in more.items():
            new.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def ods(cells: str) -> bytes:
    """The smallest OpenDocument sheet."""
    spaces = (
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="Sheet1">{cells}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
        "</manifest:manifest>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return out.getvalue()


def ods_row(*cells: str) -> str:
    inner = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    )
    return f"<table:table-row>{inner}</table:table-row>"


def _plain_texts() -> list[Ugly]:
    taken = ((MOBILE,),)
    return [
        *(
            Ugly(f"encoding {name}", text(HEAD + ROW * 1 + "Петрова Анна;8(4872)123456;Тула\n", name),
                 ((MOBILE,), (TULA,)), read_as={"encoding": shown, "delimiter": ";"}, names=("Иванов Иван", "Петрова Анна"))
            for name, shown in [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1251", "cp1251"), ("koi8-r", "koi8-r"),
                                ("cp866", "cp866"), ("mac_cyrillic", "mac_cyrillic"), ("utf-16", "utf-16")]
        ),
        Ugly("utf-16 without its mark", text("ФИО\tPhone number\nИванов\t+79161234567\n", "utf-16-le"), taken,
             read_as={"encoding": "utf-16-le", "delimiter": "\t"}, names=("Иванов",)),
        Ugly("western letters", text("Name;Telefon\nMüller;+49 30 12345678\nGröße;0171 1234567\n", "cp1252"),
             (("+493012345678",), ("+491711234567",)), read_as={"encoding": "cp1252", "region": "DE"}, names=("Müller", "Größe")),
        Ugly("half in another encoding", text(HEAD + ROW * 1) + b"\xcf\xe5\xf2\xf0;8 495 765-43-21;x\n"
             + text("Сидоров Сидор Сидорович;8 4872 123456;Тула, улица Ленина, дом 1, квартира 2\n" * 8),
             ((MOBILE,), (TULA,)), {3: "encoding", **dict.fromkeys(range(5, 12), "repeated")}),
        Ugly("old Mac line ends", text((HEAD + ROW).replace("\n", "\r")), taken),
        Ugly("both kinds of line ends", text(HEAD.replace("\n", "\r\n") + ROW), taken),
        Ugly("tabs", text((HEAD + ROW).replace(";", "\t")), taken, read_as={"delimiter": "\t"}),
        Ugly("bars", text((HEAD + ROW).replace(";", "|")), taken, read_as={"delimiter": "|"}),
        Ugly("the delimiter told by Excel", text("sep=;\n" + HEAD + ROW), taken, read_as={"header_line": 2}),
        Ugly("commas inside quotes", text('name,phone\n"Ivanov, Ivan",+79161234567\n'), taken, names=("Ivanov, Ivan",)),
        Ugly("no headings", text("Иванов;89161234567\nПетров;84957654321\n"), ((MOBILE,), (OFFICE,)),
             read_as={"header_line": 0}),
        Ugly("a title above the headings", text("Отчёт за март;;\n\n" + HEAD + ROW), taken, read_as={"header_line": 3}),
        Ugly("a column of numbers that are no phones", text("ИНН;Связь\n7707083893;84957654321\n7728168971;89161234567\n"),
             ((OFFICE,), (MOBILE,))),
        Ugly("three columns of names and two of phones",
             text("Фамилия;Имя;Отчество;Моб. телефон;Раб. телефон\nИванов;Иван;Иванович;89161234567;84957654321\n"),
             ((MOBILE, OFFICE),), names=("Иванов Иван Иванович",)),
    ]  # fmt: skip


def _torn_texts() -> list[Ugly]:
    return [
        Ugly("torn quotes", text('name,phone\n"Ann,+79161234567\nBob,+74957654321\n'), ((OFFICE,),), {2: "quotes"}),
        Ugly("a cell over lines", text('name,phone\n"Ann\nSmith",+79161234567\n'), ((MOBILE,),), names=("Ann\nSmith",)),
        Ugly("NULs", text("name,phone\nA\0nn,+79161234567\nBob,+74957654321\n"), ((OFFICE,),), {2: "nul"}),
        Ugly("a line that never ends", text("name,phone\n" + "x" * 300_000 + ",+79161234567\nBob,+74957654321\n"),
             ((OFFICE,),), {2: "too_long"}),
        Ugly("surplus cells", text("name,phone\nAnn,+79161234567,1,2\nBob,+74957654321,,\n"), ((OFFICE,),), {2: "columns"}),
        Ugly("ten thousand columns", text("phone" + "," * 10_000 + "\n"), code="base.columns"),
        Ugly("nothing", b"", code="base.empty"),
        Ugly("blank lines", b"\n \n,,\n", code="base.empty"),
        Ugly("no phones", text("name,city\nAnn,Salem\n"), code="base.plan"),
    ]  # fmt: skip


def _damaged_phones() -> list[Ugly]:
    def damaged(name, *cells, **values):
        return Ugly(name, text("Телефон;Город\n" + "".join(f"{cell};x\n" for cell in cells)), **values)

    return [
        damaged("numbers made scientific", "7,4957654321E+10", "7,92E+10", "89161234567", "84872123456",
                phones=((OFFICE,), (MOBILE,), (TULA,)), reasons={3: "rounded"}, notes={"scientific": 1, "plus_lost": 1}),
        damaged("lost eights and pluses", "9161234567", "74957654321", "84872123456.0",
                phones=((MOBILE,), (OFFICE,), (TULA,)), notes={"prefix_lost": 1, "plus_lost": 1, "decimal": 1}),
        damaged("several in a cell", "89161234567, 84957654321", "84872123456/22", "89161234567 нет",
                phones=((MOBILE, OFFICE), (TULA,)), reasons={4: "bad_phone"}, notes={"several": 1, "left_out": 1}),
        damaged("texts of Excel", "'+79161234567", '"=""84957654321"""', phones=((MOBILE,), (OFFICE,)), notes={"quoted": 1}),
        damaged("formulas", "=HYPERLINK(1)", "@SUM(1)", "89161234567", "84957654321",
                phones=((MOBILE,), (OFFICE,)), reasons={2: "bad_phone", 3: "bad_phone"}),
        damaged("the same number in three hands", "89161234567", "+7 (916) 123-45-67", "8-916-123-45-67",
                phones=((MOBILE,),), reasons={3: "repeated", 4: "repeated"}),
    ]  # fmt: skip


def _sheets() -> list[Ugly]:
    plain = book(rows(("ФИО", "Телефон"), ("Иванов", 79161234567), ("Петров", "8 495 765-43-21\n8 4872 123456")))
    taken = ((MOBILE,), (OFFICE, TULA))

    def spread(_workbook, sheet):
        sheet.write_row(4, 2, ("Телефон", "ФИО"))
        sheet.write_row(7, 2, (79161234567.0, "Иванов"))

    def wide(_workbook, sheet):
        sheet.write(0, 0, "Телефон")
        sheet.write(0, 16_000, "x")

    def far(_workbook, sheet):
        sheet.write(0, 0, "Телефон")
        sheet.write(1_048_575, 1, "x")

    def formula(_workbook, sheet):
        sheet.write_row(0, 0, ("Телефон",))
        sheet.write_formula(1, 0, '=CONCATENATE("8916","1234567")', None, "89161234567")

    bomb = b"<worksheet>" + b" " * 20_000_000 + b"</worksheet>"
    entities = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><worksheet/>'
    return [
        Ugly("a sheet", plain, taken, notes={"several": 1, "plus_lost": 1}, names=("Иванов", "Петров")),
        Ugly("a sheet that begins far from its corner", book(spread), ((MOBILE,),), read_as={"header_line": 5}),
        Ugly("a formula with its value", book(formula), ((MOBILE,),)),
        Ugly("an OpenDocument sheet", ods(ods_row("ФИО", "Телефон") + ods_row("Иванов", "89161234567")), ((MOBILE,),)),
        Ugly("a bomb", repacked(plain, lambda name, content: bomb if name == SHEET else content), code="base.bomb"),
        Ugly("entities", repacked(plain, lambda name, content: entities if name == SHEET else content), code="base.bomb"),
        Ugly("macros", repacked(plain, **{"xl__vbaProject.bin": b"x"}), code="base.macros"),
        Ugly("links to other files", repacked(plain, **{"xl__externalLinks__externalLink1.xml": b"<x/>"}), code="base.macros"),
        Ugly("three hundred parts", repacked(plain, **{f"xl__{n}.xml": b"<x/>" for n in range(300)}), code="base.bomb"),
        Ugly("half a spreadsheet", plain[: len(plain) // 2], code="base.torn"),
        Ugly("a zip of something else", repacked(plain, lambda name, content: b"no xml"), code="base.torn"),
        Ugly("sixteen thousand columns", book(wide), code="base.columns"),
        Ugly("a million empty rows", book(far), code="base.too_large"),
        Ugly("an old spreadsheet", b"\xd0\xcf\x11\xe0" + b"\0" * 100, code="base.old_excel"),
    ]  # fmt: skip


def files() -> list[Ugly]:
    """All of them."""
    return [*_plain_texts(), *_torn_texts(), *_damaged_phones(), *_sheets()]
