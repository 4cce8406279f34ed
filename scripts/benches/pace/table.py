"""The table of a run, the goals it is held to, and the plot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from scripts.benches.pace import known
from scripts.benches.pace.known import Figure
from scripts.benches.pace.runs import CAP, COLD, LONG, PROBABLE, Lived
from scripts.benches.pace.world import Scenario

#: The goals: of the bound at the worst by team size, and in the median.
WORST_SMALL, WORST, MEDIAN = 0.95, 0.975, 0.985
PROBABLY = 0.95
SMALL = 3
#: Cold first day: busy shares that the strict budget leaves, and of the bound in the mode ``probable`` from ten on.
FIRST_DAY = {"3:0.25": 0.571, "10:0.25": 0.626, "30:0.25": 0.698, "30:0.1": 0.612}
HEAD = (
    f"{'scenario':>15} | {'ours':>5} {'lost %':>6} {'window':>6} | {'1:1':>5} | {'Issabel':>7} {'lost':>5} | "
    f"{'VICI':>5} {'lost':>5} | {'bound':>6} {'ratio':>6} | {'dials':>5} {'idle s':>6} {'>0.5 s':>6}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A scenario: what each dialer came to, and what is known of it."""

    world: Scenario
    lived: Mapping[str, Lived]
    bound: Figure | None
    vici: Figure | None

    @property
    def ratio(self) -> float | None:
        """Ours ÷ bound."""
        if "ours" not in self.lived or self.bound is None:
            return None
        return self.lived["ours"].count.busy / self.bound.busy

    @property
    def rival(self) -> float | None:
        """What VICIdial's best settings reach: as lived through, or as given while its settings are not known."""
        if self.vici is None:
            return None
        lived = self.lived.get("vici")
        return lived.count.busy if lived and self.vici.source == "search" else self.vici.busy

    def text(self) -> str:
        """One line of the table; a star marks what was given and not computed here."""
        cells = [f"{self.world.name:>15}", self._ours(), _busy(self.lived.get("1:1")), self._issabel(), self._vici()]
        return " | ".join([*cells, self._bound(), self._side_effects()])

    def _ours(self) -> str:
        lived = self.lived.get("ours")
        if lived is None:
            return f"{'':>19}"
        return f"{_busy(lived)} {100 * lived.count.lost:6.2f} {100 * lived.worst:6.2f}"

    def _issabel(self) -> str:
        lived = self.lived.get("issabel")
        return f"{lived.count.busy:7.3f} {100 * lived.count.lost:5.2f}" if lived else f"{'':>13}"

    def _vici(self) -> str:
        if self.vici is not None and self.vici.source != "search":
            return f"{self.vici.busy:.3f}* {'':>4}"
        lived = self.lived.get("vici")
        return f"{lived.count.busy:.3f} {100 * lived.count.lost:5.2f}" if lived else f"{'':>11}"

    def _bound(self) -> str:
        if self.bound is None:
            return f"{'':>13}"
        given = " " if self.bound.source == "search" else "*"
        ratio = f"{self.ratio:6.3f}" if self.ratio is not None else f"{'':>6}"
        return f"{self.bound.busy:.3f}{given} {ratio}"

    def _side_effects(self) -> str:
        lived = self.lived.get("ours") or next(iter(self.lived.values()))
        count = lived.count
        talks, answered = max(1, count.talks), max(1, count.answered)
        return f"{count.calls / talks:5.1f} {count.idle_s / talks:6.1f} {100 * count.noticed / answered:5.1f}%"


def _busy(lived: Lived | None) -> str:
    return f"{lived.count.busy:.3f}" if lived else f"{'':>5}"


def rows(runs: Iterable[Lived]) -> list[Row]:
    """Runs by scenario, in their order."""
    by_world: dict[Scenario, dict[str, Lived]] = {}
    for lived in runs:
        by_world.setdefault(lived.run.world, {})[lived.run.dialer] = lived
    made = []
    for world, lived_by in by_world.items():
        until_s = next(iter(lived_by.values())).run.until_s
        bound, vici = known.bound(world, until_s), known.vici(world, until_s)
        made.append(Row(world=world, lived=lived_by, bound=bound, vici=vici))
    return made


def misses(table: list[Row], more: Iterable[Lived] = ()) -> list[str]:
    """Which goals are missed, each in a few words. ``more``: runs in other worlds or with other windows."""
    found = []
    for row in table:
        ratio, rival = row.ratio, row.rival
        if ratio is None or row.lived["ours"].run.window != LONG:
            continue
        if ratio < (WORST_SMALL if row.world.operators <= SMALL else WORST):
            found.append(f"{row.world.name} {ratio:.3f} of the bound")
        if rival is not None and row.lived["ours"].count.busy <= rival:
            found.append(f"{row.world.name} not above VICI")
    ours = [row.lived["ours"] for row in table if "ours" in row.lived]
    ratios = [row.ratio for row in table if row.ratio is not None and row.lived["ours"].run.window == LONG]
    if len(ratios) > 1 and median(ratios) < MEDIAN:
        found.append(f"median {median(ratios):.3f} of the bound")
    bounded = [lived for lived in [*ours, *more] if lived.run.window != PROBABLE]
    found += [f"{lived.run.world.name} over the cap" for lived in bounded if lived.worst > CAP]
    return found + [miss for miss in map(_first_day, [*ours, *more]) if miss]


def _first_day(lived: Lived) -> str | None:
    """The goal of a cold first day that is missed."""
    run, busy = lived.run, round(lived.count.busy, 3)
    bound = known.bound(run.world, run.until_s)
    if run.window == PROBABLE and bound and run.world.operators > SMALL:
        return (
            f"{run.world.name} probable {busy / bound.busy:.3f} of the bound" if busy < PROBABLY * bound.busy else None
        )
    least = FIRST_DAY.get(run.world.name)
    if run.window == COLD and least is not None and busy < least:
        return f"{run.world.name} cold {busy:.3f} of {least:.3f}"
    return None


def figures(table: list[Row], more: Iterable[Lived] = ()) -> str:
    """Worst and median ratio to the bound, worst window."""
    ratios = {row.world.name: row.ratio for row in table if row.ratio is not None}
    ours = [*(row.lived["ours"] for row in table if "ours" in row.lived)]
    ours += [lived for lived in more if lived.run.window != PROBABLE]
    if not ratios:
        return f"{len(table)} scenarios without ours or without a bound"
    worst = min(ratios, key=lambda name: ratios[name] or 0)
    return (
        f"{len(ratios)} scenarios, of the bound worst {ratios[worst]:.3f} ({worst}), "
        f"median {median(filter(None, ratios.values())):.3f}; "
        f"abandoned at the worst {100 * max(lived.worst for lived in ours):.2f} % in any legal window"
    )


def beside(lived: Lived) -> str:
    """A run with another window or in another world, in words."""
    count, run = lived.count, lived.run
    window = f"{run.window} days behind" if run.window.isdigit() else run.window
    return (
        f"{run.world.name:>15} ({window}): ours {count.busy:.3f}, lost {100 * count.lost:.2f} %, "
        f"worst window {100 * lived.worst:.2f} %"
    )


def plot(table: list[Row], into: Path) -> None:
    """Busy share against abandoned share: a colour for each dialer, a size for each team."""
    import matplotlib as mpl  # noqa: PLC0415  # half a second that only the plot needs

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(1, 2, figsize=(13, 6), sharey=True)
    for axis, drift in zip(axes, (False, True), strict=True):
        chosen = [row for row in table if row.world.drift is drift]
        for dialer, colour in {"ours": "C2", "vici": "C0", "issabel": "C3", "1:1": "C7"}.items():
            runs = [row.lived[dialer] for row in chosen if dialer in row.lived]
            sizes = [20 + 12 * run.run.world.operators**0.5 for run in runs]
            lost, busy = [100 * run.count.lost for run in runs], [run.count.busy for run in runs]
            axis.scatter(lost, busy, s=sizes, c=colour, alpha=0.7, label=dialer)
        bounds = [row.bound.busy for row in chosen if row.bound]
        axis.scatter([100 * CAP] * len(bounds), bounds, marker="_", c="k", s=160, label="bound")
        axis.axvline(100 * CAP, color="k", lw=0.5)
        axis.set(xlabel="abandoned, %", title="drift" if drift else "steady", xlim=(-0.3, 15))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("busy share")
    axes[0].legend()
    into.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(into)
    plt.close(figure)
