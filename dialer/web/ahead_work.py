"""One forecast in a process of its own: to play thousands of shifts takes seconds that no operator should wait for.

Standard input is what ``pack`` made; each line of standard output is JSON: ``{"done": …, "of": …}``, at last
``{"forecast": …}``.
"""

from __future__ import annotations

import copyreg
import json
import os
import pickle
import sys
from random import Random
from types import MappingProxyType
from typing import Any

from dialer.core import ahead

#: Told no more often than each so many futures.
TOLD_EVERY = 10
_NICE = 10


def mapping(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    """A mapping nobody may change, as the rules are full of; pickle knows no way to write one."""
    return MappingProxyType(values)


copyreg.pickle(MappingProxyType, lambda proxy: (mapping, (dict(proxy),)))


def pack(outset: ahead.Outset, ask: ahead.Ask) -> bytes:
    """What the process is given."""
    return pickle.dumps((outset, ask))


def chances(campaign_id: int, number: int) -> Random:
    """The chance of a future: the same facts give the same forecast."""
    return Random(f"{campaign_id} {number}")


def main() -> None:
    """Play, and tell how far it is."""
    os.nice(_NICE)
    outset, ask = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  # from the process that started this one
    campaign_id = outset.known.campaign.id

    def told(done: int, of: int) -> None:
        if done % TOLD_EVERY == 0:
            print(json.dumps({"done": done, "of": of}), flush=True)  # noqa: T201  # its way to tell

    found = ahead.forecast(outset, ask, lambda number: chances(campaign_id, number), told)
    print(json.dumps({"forecast": found}), flush=True)  # noqa: T201  # its way to tell


if __name__ == "__main__":
    main()
