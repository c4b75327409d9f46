"""The figures of ``solve.compare`` as a table and as curves of accuracy against cycles."""

import math
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

from trmsolve.show.curves import Figure, Panel, Points
from trmsolve.wording import count

Record = dict[str, Any]

HEAD = "   cycles  views  exact                verified             mean cycles  seconds"


def table(compared: Record) -> str:
    """The rates at each setting, then the differences, as lines of text."""
    names = _letters(compared)
    lines = [f"{letter}  {weights}" for weights, letter in names.items()]
    data = f"{count(compared['n'], 'puzzle')} of {compared['data']}"
    lines += [f"{data}, {compared['device']} {compared['dtype']}", "", HEAD]
    for result in compared["results"]:
        lines.append(_row(names[result["weights"]], result))
        lines += [_band_row(name, band) for name, band in result["bands"].items()]
    if compared["differences"]:
        lines += ["", "differences on the same puzzles, with McNemar's exact two-sided p:"]
    for difference in compared["differences"]:
        lines += _difference_rows(names, difference)
    return "\n".join(lines)


def _letters(compared: Record) -> dict[str, str]:
    """A letter for each of the weights, in order; equal weights share one."""
    names = dict.fromkeys(result["weights"] for result in compared["results"])
    return dict(zip(names, ascii_uppercase, strict=False))


def _row(letter: str, result: Record) -> str:
    return (
        f"{letter}  {result['cycles']:6}  {result['views']:5}  {_rate(result, 'exact'):19}  "
        f"{_rate(result, 'verified'):19}  {result['mean_cycles']:11.1f}  {result['seconds']:7.1f}"
    )


def _band_row(name: str, band: Record) -> str:
    label = f"rating {name}"
    n = f"n {band['n']}"
    return f"  {label:>14}  {_rate(band, 'exact'):19}  {_rate(band, 'verified'):19}  {n:>11}"


def _rate(rates: Record, grade: str) -> str:
    """A rate in percent with its interval: `` 87.5% (82.2-91.4)``."""
    low, high = rates[f"{grade}_ci95"]
    return f"{rates[grade]:6.1%} ({100 * low:.1f}-{100 * high:.1f})"


def _difference_rows(names: dict[str, str], difference: Record) -> list[str]:
    first = names[difference["first"]]
    second = names[difference["second"]]
    effort = f"{count(difference['cycles'], 'cycle')}, {count(difference['views'], 'view')}"
    rows = []
    for grade in ("exact", "verified"):
        found = difference[grade]
        rows.append(
            f"   {effort}: {grade:8}  only {first} {found['only_first']}, "
            f"only {second} {found['only_second']}, p = {found['p']:.3g}"
        )
    return rows


def accuracy_figure(compared: Record) -> Figure:
    """Exact and verified rates against the mean cycles of a puzzle, on a logarithmic axis.

    Each of the weights has a curve for each number of views if there are several numbers of
    cycles, else one curve.
    """
    points = _curves(compared["results"])
    panels = []
    for grade in ("exact", "verified"):
        curves: list[Points] = []
        for results in points.values():
            found = [(math.log2(one["mean_cycles"]), one[grade]) for one in results]
            curves.append(sorted(found))
        panels.append(Panel(grade, curves, "{:.0%}".format, top=1.0))
    ticks = {}
    for result in compared["results"]:
        ticks[math.log2(result["mean_cycles"])] = f"{result['mean_cycles']:g}"
    return Figure(
        title=f"{compared['task']}: accuracy against cycles, {compared['data']}",
        names=list(points),
        panels=panels,
        ticks=ticks,
        x_title="mean cycles of a puzzle, logarithmic",
    )


def _curves(results: Sequence[Record]) -> dict[str, list[Record]]:
    """The results of each curve by its name."""
    several_cycles = len({result["cycles"] for result in results}) > 1
    several_views = len({result["views"] for result in results}) > 1
    curves: dict[str, list[Record]] = {}
    for result in results:
        name = result["weights"]
        if several_cycles and several_views:
            name = f"{name}, {count(result['views'], 'view')}"
        curves.setdefault(name, []).append(result)
    return curves
