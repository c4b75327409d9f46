"""ARC on the screen: grids, pairs and attempts as lines of styled text, side by side if they fit.

Every cell shows its digit on its colour (0 is a dot), so that a grid reads the same without
colours. Cells are wide (two columns, nearly square), narrow (one column), or half blocks (two rows
in a line, in colour without digits). Knows numpy and ARC's values; not the terminal, and not what a
colour looks like: the styles are named "colour 3".
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trmsolve.arc.task import ATTEMPTS, AdaptationProgress, ArcAnswer, ArcCycle, ArcTask, Pair
from trmsolve.puzzles.values import Grid, Line

Cells = Literal["wide", "narrow", "half"]
Picture = list[Line]
PaintPictures = Callable[[Cells], list[Picture]]
"""Pictures with the cells asked for. They stand side by side, or wrap where the columns end."""

READABLE: tuple[Cells, ...] = ("wide", "narrow")
"""Cells with digits, best first."""

UNSURE = 0.5
"""Below this probability a wide cell has a question mark behind its digit."""

DIGITS = ".123456789"

GAP = 3
"""Columns between pictures."""


def paint_grid(
    grid: Grid, plain: bool, cells: Cells = "wide", unsure: NDArray[np.bool_] | None = None
) -> Picture:
    """A grid (rows, columns); ``unsure`` says which of its wide cells get a question mark.

    With ``plain`` the drawing is ASCII, and half blocks are narrow cells.
    """
    if not grid.size:
        return [[("(empty)", "label")]]
    if cells == "half" and not plain:
        return _halves(grid)
    marks = np.where(unsure, "?", " ") if unsure is not None else np.full(grid.shape, " ")
    lines: Picture = []
    for values, behind in zip(grid.tolist(), marks.tolist(), strict=True):
        row = []
        for value, mark in zip(values, behind, strict=True):
            face = DIGITS[value] + mark if cells == "wide" else DIGITS[value]
            row.append((face, f"colour {value}"))
        lines.append(_joined(row))
    return lines


def _joined(cells: Line) -> Line:
    """Neighbours of the same style in one piece."""
    pieces: Line = []
    for style, same in groupby(cells, key=lambda cell: cell[1]):
        pieces.append(("".join(face for face, _ in same), style))
    return pieces


def _halves(grid: Grid) -> Picture:
    """Two cells in one character.

    Under an odd last row is the terminal's own ground, called floor.
    """
    names = [[f"colour {value}" for value in row] for row in grid.tolist()]
    if len(names) % 2:
        names.append(["floor"] * grid.shape[1])
    lines: Picture = []
    for upper, lower in zip(names[::2], names[1::2], strict=True):
        styles = [f"{ink} on {paper}" for ink, paper in zip(upper, lower, strict=True)]
        lines.append(_joined([("▀", style) for style in styles]))
    return lines


def paint_pair(pair: Pair, caption: str, columns: int, plain: bool, cells: Cells) -> Picture:
    """Input, arrow and output beside each other, or one below the other where that is too wide.

    The output must be known.
    """
    assert pair.output is not None
    across, down = (" -> ", " v ") if plain else (" → ", " ↓ ")
    question = paint_grid(pair.input, plain, cells)
    answer = paint_grid(pair.output, plain, cells)
    drawing = beside([question, [[(across, "label")]], answer], gap=0, centred=True)
    if width(drawing) > columns:
        drawing = [*question, [(down, "label")], *answer]
    text = f"{caption}  {size(pair.input)}{across}{size(pair.output)}"
    return [[(text, "label")], *drawing]


def paint_demonstrations(task: ArcTask, columns: int, plain: bool, cells: Cells) -> list[Picture]:
    """Every demonstration with its number and sizes."""
    pictures = []
    for number, pair in enumerate(task.demonstrations, 1):
        pictures.append(paint_pair(pair, str(number), columns, plain, cells))
    return pictures


def paint_cycle(cycle: ArcCycle, plain: bool, cells: Cells) -> list[Picture]:
    """The test input, and the network's answer to it after this cycle."""
    answer: Picture = [
        [("answer so far", "label")],
        [(size(cycle.grid), "label")],
        *paint_grid(cycle.grid, plain, cells, cycle.confidence < UNSURE),
    ]
    return [_input(cycle.task, cycle.test, plain, cells), answer]


def paint_learning(
    progress: AdaptationProgress, columns: int, plain: bool, cells: Cells
) -> list[Picture]:
    """The answers so far, if the network answers while it learns, and every demonstration."""
    pictures = []
    for moment, candidates in zip(progress.moments, progress.candidates, strict=True):
        pictures += paint_cycle(moment, plain, cells)
        leader = candidates[0]
        captions: Picture = [
            [("most votes", "label")],
            [(f"{size(leader.grid)}  ", "label"), (f"{leader.votes}/{moment.views}", "")],
        ]
        pictures.append([*captions, *paint_grid(leader.grid, plain, cells)])
    return pictures + paint_demonstrations(progress.task, columns, plain, cells)


def paint_steps(cycles: Sequence[ArcCycle], plain: bool, cells: Cells) -> list[Picture]:
    """The grid of every cycle, each under its figures."""
    return [_step(cycle, plain, cells) for cycle in cycles]


def _step(cycle: ArcCycle, plain: bool, cells: Cells) -> Picture:
    sure = f"{cycle.confidence.mean():.0%}" if cycle.confidence.size else "-"
    captions: Picture = [
        [("cycle ", "label"), (f"{cycle.number}/{cycle.limit}", "")],
        [("sure ", "label"), (sure, "")],
        [("halt ", "label"), (f"{cycle.halt:.0%}", "")],
    ]
    return [*captions, *paint_grid(cycle.grid, plain, cells, cycle.confidence < UNSURE)]


def paint_attempts(answer: ArcAnswer, test: int, plain: bool, cells: Cells) -> list[Picture]:
    """A test input, the attempts with their votes, and the known output if no attempt is right."""
    output = answer.task.tests[test].output
    candidates = answer.candidates[test]
    cast = sum(candidate.votes for candidate in candidates)
    pictures = [_input(answer.task, test, plain, cells)]
    for number, candidate in enumerate(candidates[:ATTEMPTS], 1):
        name = f"attempt {number}" if len(candidates) > 1 else "both attempts"
        votes = f"{candidate.votes} of {cast} votes"
        captions: Picture = [
            [(name, "label"), *_verdict(candidate.grid, output)],
            [(f"{size(candidate.grid)}  ", "label"), (votes, "")],
        ]
        pictures.append([*captions, *paint_grid(candidate.grid, plain, cells)])
    if output is not None and not answer.right(test):
        captions = [[("right answer", "label")], [(size(output), "label")]]
        pictures.append([*captions, *paint_grid(output, plain, cells)])
    return pictures


def _verdict(grid: Grid, output: Grid | None) -> Line:
    """Whether an attempt is right; nothing where that is not known."""
    if output is None:
        return []
    return [(" right", "solved") if np.array_equal(grid, output) else (" wrong", "unverified")]


def _input(task: ArcTask, test: int, plain: bool, cells: Cells) -> Picture:
    grid = task.tests[test].input
    number = f" {test + 1}" if len(task.tests) > 1 else ""
    return [
        [(f"test{number}", "heading")],
        [(size(grid), "label")],
        *paint_grid(grid, plain, cells),
    ]


def in_one_row(paint: PaintPictures, columns: int) -> Picture:
    """All pictures side by side with the best digits that fit; else the smallest, wrapped."""
    for cells in READABLE:
        row = beside(paint(cells))
        if width(row) <= columns:
            return row
    return flowed(paint(READABLE[-1]), columns)


def wrapped(paint: PaintPictures, columns: int) -> Picture:
    """As many pictures in a row as fit, with the best digits that keep every single one whole."""
    for cells in READABLE:
        pictures = paint(cells)
        if max(map(width, pictures)) <= columns:
            break
    return flowed(pictures, columns)


def flowed(pictures: Sequence[Picture], columns: int) -> Picture:
    """Side by side and on to the next row where the columns end; an empty line between rows."""
    rows: list[list[Picture]] = []
    for picture in pictures:
        taken = sum(GAP + width(other) for other in rows[-1]) if rows else 0
        if rows and taken + width(picture) <= columns:
            rows[-1].append(picture)
        else:
            rows.append([picture])
    lines: Picture = []
    for row in rows:
        lines += [[], *beside(row)] if lines else beside(row)
    return lines


def beside(pictures: Sequence[Picture], gap: int = GAP, centred: bool = False) -> Picture:
    """Left to right, their first lines level, or their middles."""
    height = max(map(len, pictures))
    columns: list[Picture] = []
    for picture in pictures:
        above = (height - len(picture)) // 2 if centred else 0
        full = [
            *[[] for _ in range(above)],
            *picture,
            *[[] for _ in range(height - above - len(picture))],
        ]
        broad = width(picture)
        columns.append([_padded(line, broad) for line in full])
    space: Line = [(" " * gap, "")] if gap else []
    lines: Picture = []
    for first, *others in zip(*columns, strict=True):
        line = [*first]
        for other in others:
            line += space + other
        lines.append(line)
    return lines


def width(picture: Picture) -> int:
    """Columns of the widest line."""
    return max(map(_width, picture), default=0)


def size(grid: Grid) -> str:
    """``3x9``: rows and columns."""
    return "x".join(map(str, grid.shape)) if grid.size else "empty"


def _padded(line: Line, columns: int) -> Line:
    missing = columns - _width(line)
    return [*line, (" " * missing, "")] if missing else line


def _width(line: Line) -> int:
    return sum(len(text) for text, _ in line)
