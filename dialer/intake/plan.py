"""How a file is to be read: what was detected, and what people chose instead. It can be saved as a template."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from dialer.core import hours
from dialer.errors import Refused
from dialer.intake import columns, consent, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What becomes of a row whose first number is there already: it is rejected; it is loaded all the same; it takes the
#: place of the other one (in the file: the last row counts; elsewhere: name and attributes of the contact change).
POLICIES = ("skip", "keep", "update")
#: What a file must say of a consent.
PROVEN = frozenset({"consent_given", "consent_evidence"})
_REMEDY = "See `dialer load-base --help`, or choose on the page."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a file is to be read.

    Attributes:
        encoding: Python's name of it; of a spreadsheet always ``utf-8``.
        delimiter: One letter.
        sheet: Name of the sheet, of a spreadsheet.
        header_line: Line of the headings; 0 if there are none. Rows before it are not read.
        names: A heading for each column.
        targets: What each column is, of ``columns.TARGETS``.
        region: Country (``RU``) of numbers without ``+``; without it they are rejected.
        countries: Numbers of other countries are rejected; empty: all are taken.
        zone: Zone of contacts for whom neither a column nor a number names exactly one.
        in_file, in_campaign, elsewhere: What becomes of repetitions in the file, in the campaign, and in the other
            campaigns of the same customer; of ``POLICIES``.
        again: The very same file is loaded once more.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str | None = None
    header_line: int = 1
    names: Sequence[str] = ()
    targets: Sequence[str] = ()
    region: str | None = None
    countries: Sequence[str] = ()
    zone: str | None = None
    in_file: str = "skip"
    in_campaign: str = "skip"
    elsewhere: str = "keep"
    again: bool = False

    def values(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Plan:
        """From JSON that ``values`` made."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def checked(self) -> Plan:
        """The same, if it can be carried out.

        Raises:
            Refused: ``base.plan``: it cannot, and why; ``base.encoding``.
        """
        text.decoder(self.encoding)
        wrong = next((sentence for holds, sentence in self._conditions() if not holds), None)
        if wrong:
            raise Refused("base.plan", wrong, remedy=_REMEDY)
        return self

    def _conditions(self) -> list[tuple[bool, str]]:
        policies = (self.in_file, self.in_campaign, self.elsewhere)
        told = {target for target in self.targets if target in consent.TARGETS}
        unknown = [target for target in self.targets if target not in columns.TARGETS]
        return [
            (self.delimiter in text.DELIMITERS, "The delimiter is one of comma, semicolon, tab and |."),
            (self.header_line >= 0, "The line of the headings is 0 (none) or more."),
            (len(self.names) == len(self.targets), "Each column needs a heading and a meaning."),
            (not unknown, f"A column can be {', '.join(columns.TARGETS)}, not {', '.join(unknown)}."),
            ("phone" in self.targets, "No column is a phone."),
            (self.targets.count("zone") <= 1, "Two columns are the zone."),
            (self.targets.count("priority") <= 1, "Two columns are the priority."),
            (all(self.targets.count(one) <= 1 for one in consent.TARGETS), "Two columns say the same of consent."),
            (not told or told >= PROVEN, "Consent needs a column when it was given and one of its evidence."),
            (self.zone is None or hours.known(self.zone), f"There is no time zone {self.zone}."),
            (all(policy in POLICIES for policy in policies), f"Repetitions: one of {', '.join(POLICIES)}."),
        ]

    def template(self) -> dict[str, Any]:
        """What is kept of it for other files: meanings by the names of columns, and the choices."""
        mapping = {columns.normal(name): target for name, target in zip(self.names, self.targets, strict=True)}
        chosen = ("region", "countries", "zone", "in_file", "in_campaign", "elsewhere")
        return {"columns": mapping, **{name: getattr(self, name) for name in chosen}}

    def with_template(self, template: Mapping[str, Any]) -> Plan:
        """The same with what a template says; columns it does not know stay as they were found."""
        mapping: Mapping[str, str] = template.get("columns", {})
        chosen = {name: value for name, value in template.items() if name != "columns"}
        targets = [
            mapping.get(columns.normal(name), target) for name, target in zip(self.names, self.targets, strict=True)
        ]
        return replace(Plan.of({**self.values(), **chosen}), targets=targets)
