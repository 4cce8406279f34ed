"""A sample base: invented people with numbers reserved for drama, each with its zone.

    python -m dialer.world.sample --size 500 --seed 1 > base.csv

Numbers are +1 NXX 555-0100 to 0199 in every area code that lies in one zone, and +44 20 7946 0000 to 0999: nobody has
them, and ``phonenumbers`` accepts them. 0999 in London is kept for the caller.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from functools import cache
from random import Random

import phonenumbers
from phonenumbers import timezone

#: Shown to those who are called; reserved for drama too, and in no sample base.
CALLER = "+442079460999"

FIRST = ("Ada", "Boris", "Clara", "Dmitri", "Elena", "Felix", "Grace", "Hugo", "Irina", "Jonas", "Kira", "Leo", "Maria")
LAST = (
    "Abbott",
    "Baker",
    "Cooper",
    "Dalton",
    "Egorov",
    "Fisher",
    "Garner",
    "Hale",
    "Ivanova",
    "Jensen",
    "Keller",
    "Lane",
)
TRADES = ("bakery", "clinic", "garage", "hotel", "law office", "printing works", "school", "warehouse")


def base(size: int, seed: int) -> str:
    """A base as CSV with ``name``, ``phone``, ``zone`` and ``company``; the same for the same seed.

    Raises:
        ValueError: there are not that many numbers.
    """
    chance = Random(seed)
    known = reserved()
    if not 0 <= size <= len(known):
        raise ValueError(f"a sample base has 0 to {len(known)} contacts")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["name", "phone", "zone", "company"])
    for number, zone in chance.sample(known, size):
        last = chance.choice(LAST)
        rows.writerow([f"{chance.choice(FIRST)} {last}", number, zone, f"{last} {chance.choice(TRADES)}"])
    return text.getvalue()


@cache
def reserved() -> tuple[tuple[str, str], ...]:
    """Every number that may be used, E.164, with its IANA zone; about forty thousand."""
    found = [(f"+442079460{line:03}", "Europe/London") for line in range(999)]
    for area in range(201, 990):
        first = phonenumbers.parse(f"+1{area}5550100")
        zones = timezone.time_zones_for_number(first)
        if phonenumbers.is_valid_number(first) and len(zones) == 1:
            found += [(f"+1{area}55501{line:02}", zones[0]) for line in range(100)]
    return tuple(found)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m dialer.world.sample", description="Print a sample base as CSV.")
    parser.add_argument("--size", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.stdout.write(base(given.size, given.seed))


if __name__ == "__main__":
    main()
