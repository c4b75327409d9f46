"""The course of training runs as curves: their loss, rates, cycles and learning rate."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Literal

from trmsolve.show.curves import Figure, Panel, Points
from trmsolve.train.schedule import Progress
from trmsolve.wording import duration

By = Literal["minutes", "steps"]

Value = Callable[[Progress], float | None]
"""A figure of a line of the metrics log; None where there is none."""


def _exact(line: Progress) -> float | None:
    return line.held_out_exact


def _cycles(line: Progress) -> float | None:
    return line.mean_cycles or None  # 0 says that no puzzle halted


def _brief(value: float) -> str:
    """A value of any size in few characters."""
    if value == 0:
        return "0"
    return f"{value:.2f}" if 0.01 <= value < 100 else f"{value:.1e}"


def _tenths(value: float) -> str:
    return f"{value:.1f}"


def _percent(value: float) -> str:
    return f"{value:.0%}"


def figure_of_runs(runs: Mapping[str, Sequence[Progress]], by: By) -> Figure:
    """The curves of the runs, which have names and at least one line each."""
    panels = [
        _panel("held-out exact", runs, by, _exact, _percent),
        _panel("loss", runs, by, lambda line: line.loss, _brief),
        _panel("mean cycles", runs, by, _cycles, _tenths),
        _panel("learning rate", runs, by, lambda line: line.lr, _brief),
    ]
    xs = [_x(line, by) for line in chain.from_iterable(runs.values())]
    least = min(xs)
    most = max(xs)
    middle = (least + most) / 2
    return Figure(
        title=f"training of {', '.join(runs)}",
        names=list(runs),
        panels=panels,
        ticks={x: _x_label(x, by) for x in (least, middle, most)},
        x_title="time of training" if by == "minutes" else "steps",
    )


def _panel(
    title: str,
    runs: Mapping[str, Sequence[Progress]],
    by: By,
    value: Value,
    label: Callable[[float], str],
) -> Panel:
    curves: list[Points] = []
    for lines in runs.values():
        points = []
        for line in lines:
            y = value(line)
            if y is not None and math.isfinite(y):
                points.append((_x(line, by), y))
        curves.append(points)
    return Panel(title, curves, label, top=1.0 if label is _percent else None)


def _x(line: Progress, by: By) -> float:
    return line.seconds if by == "minutes" else float(line.step)


def _x_label(x: float, by: By) -> str:
    return duration(x) if by == "minutes" else f"{x:.0f}"
