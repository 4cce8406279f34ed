"""``scripts/bench NAME``: runs the benchmark of that name."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """Benchmarks: the modules here that have a command line."""
    return sorted(
        path.stem for path in HERE.glob("*.py") if "def main(argv" in path.read_text() and path.stem[0] != "_"
    )


def main() -> int:
    """Run one; without a known name say which there are."""
    known = names()
    if len(sys.argv) < 2 or sys.argv[1] not in known:
        print(f"usage: scripts/bench {{{'|'.join(known)}}} [--help]", file=sys.stderr)
        return 2
    result: int = import_module(f"scripts.benches.{sys.argv[1]}").main(sys.argv[2:])
    return result


if __name__ == "__main__":
    sys.exit(main())
