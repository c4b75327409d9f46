"""ARC on the screen: grids, pairs and attempts as lines of styled text, put beside each other as far as there is room.

Every cell shows its digit on its colour (0 is a dot), so that a grid reads the same without
colours. Cells come wide (two columns, nearly square), narrow (one column), or as half blocks (two
rows in a line, no digits: colour alone). Knows numpy and ARC's values; not the terminal, and not
what a colour looks like: the styles are named "colour 3".
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trmsolve.arc.task import ATTEMPTS, ArcAnswer, ArcCycle, ArcTask, Pair
from trmsolve.puzzles.values import Grid, Line

Cells = Literal["wide", "narrow", "half"]
Drawing = list[Line]
Paint = Callable[[Cells], list[Drawing]]
"""Pictures with the cells asked for: they stand side by side, or wrap where the columns end."""

READABLE: tuple[Cells, ...] = ("wide", "narrow")
"""With digits, best first."""

UNSURE = 0.5  # below this probability a wide cell has a question mark behind its digit
DIGITS = ".123456789"
GAP = 3  # columns between pictures


def paint_grid(
    grid: Grid, plain: bool, cells: Cells = "wide", unsure: NDArray[np.bool_] | None = None
) -> Drawing:
    """A grid (rows, columns); ``unsure`` marks its wide cells.

    ``plain`` is ASCII, where half blocks are narrow.
    """
    if not grid.size:
        return [[("(empty)", "label")]]
    if cells == "half" and not plain:
        return _halves(grid)
    marks = np.where(unsure, "?", " ") if unsure is not None else np.full(grid.shape, " ")
    lines: Drawing = []
    for row, behind in zip(grid.tolist(), marks.tolist(), strict=True):
        faces = [
            DIGITS[value] + (mark if cells == "wide" else "")
            for value, mark in zip(row, behind, strict=True)
        ]
        pieces = groupby(zip(row, faces, strict=True), key=lambda cell: cell[0])
        lines.append(
            [("".join(face for _, face in cell), f"colour {value}") for value, cell in pieces]
        )
    return lines


def _halves(grid: Grid) -> Drawing:
    """Two cells in one character; under an odd last row is the terminal's own ground, called floor."""
    names = [[f"colour {value}" for value in row] for row in grid.tolist()]
    names += [["floor"] * grid.shape[1]] * (len(names) % 2)
    lines: Drawing = []
    for upper, lower in zip(names[::2], names[1::2], strict=True):
        pieces = groupby(f"{ink} on {paper}" for ink, paper in zip(upper, lower, strict=True))
        lines.append([("▀" * sum(1 for _ in cells), style) for style, cells in pieces])
    return lines


def paint_pair(pair: Pair, caption: str, columns: int, plain: bool, cells: Cells) -> Drawing:
    """Input, arrow and output beside each other, or one below the other where that is too wide.

    Both are known.
    """
    assert pair.output is not None
    across, down = (" -> ", " v ") if plain else (" → ", " ↓ ")
    grids = [paint_grid(grid, plain, cells) for grid in (pair.input, pair.output)]
    drawing = beside([grids[0], [[(across, "label")]], grids[1]], gap=0, centred=True)
    if width(drawing) > columns:
        drawing = [*grids[0], [(down, "label")], *grids[1]]
    text = f"{caption}  {size(pair.input)}{across}{size(pair.output)}"
    return [[(text, "label")], *drawing]


def paint_demonstrations(task: ArcTask, columns: int, plain: bool, cells: Cells) -> list[Drawing]:
    """Every demonstration with its number and sizes."""
    return [
        paint_pair(pair, str(i), columns, plain, cells)
        for i, pair in enumerate(task.demonstrations, 1)
    ]


def paint_cycle(cycle: ArcCycle, plain: bool, cells: Cells) -> list[Drawing]:
    """The test input, and what the network makes of it at this cycle."""
    captions: Drawing = [[("answer so far", "label")], [(size(cycle.grid), "label")]]
    grid = paint_grid(cycle.grid, plain, cells, cycle.confidence < UNSURE)
    return [_input(cycle.task, cycle.test, plain, cells), [*captions, *grid]]


def paint_steps(cycles: Sequence[ArcCycle], plain: bool, cells: Cells) -> list[Drawing]:
    """The grid of every cycle, each under its figures."""
    return [_step(cycle, plain, cells) for cycle in cycles]


def _step(cycle: ArcCycle, plain: bool, cells: Cells) -> Drawing:
    sure = f"{cycle.confidence.mean():.0%}" if cycle.confidence.size else "-"
    captions: Drawing = [
        [("cycle ", "label"), (f"{cycle.number}/{cycle.limit}", "")],
        [("sure ", "label"), (sure, "")],
        [("halt ", "label"), (f"{cycle.halt:.0%}", "")],
    ]
    return [*captions, *paint_grid(cycle.grid, plain, cells, cycle.confidence < UNSURE)]


def paint_attempts(answer: ArcAnswer, test: int, plain: bool, cells: Cells) -> list[Drawing]:
    """A test input, the attempts with their votes, and the known output if no attempt is right."""
    output, candidates = answer.task.tests[test].output, answer.candidates[test]
    cast = sum(candidate.votes for candidate in candidates)
    pictures = [_input(answer.task, test, plain, cells)]
    for number, candidate in enumerate(candidates[:ATTEMPTS], 1):
        name = f"attempt {number}" if len(candidates) > 1 else "both attempts"
        verdict: Line = []
        if output is not None:
            right = np.array_equal(candidate.grid, output)
            verdict = [(" right", "solved") if right else (" wrong", "unverified")]
        shape, votes = f"{size(candidate.grid)}  ", f"{candidate.votes} of {cast} votes"
        captions: Drawing = [[(name, "label"), *verdict], [(shape, "label"), (votes, "")]]
        pictures.append([*captions, *paint_grid(candidate.grid, plain, cells)])
    if output is not None and not answer.right(test):
        captions = [[("right answer", "label")], [(size(output), "label")]]
        pictures.append([*captions, *paint_grid(output, plain, cells)])
    return pictures


def _input(task: ArcTask, test: int, plain: bool, cells: Cells) -> Drawing:
    grid = task.tests[test].input
    number = f" {test + 1}" if len(task.tests) > 1 else ""
    return [
        [(f"test{number}", "heading")],
        [(size(grid), "label")],
        *paint_grid(grid, plain, cells),
    ]


def in_one_row(paint: Paint, columns: int) -> Drawing:
    """With the best digits that let all pictures stand side by side; if none do, the smallest, wrapped."""
    for cells in READABLE:
        row = beside(paint(cells))
        if width(row) <= columns:
            return row
    return flowed(paint(READABLE[-1]), columns)


def wrapped(paint: Paint, columns: int) -> Drawing:
    """With the best digits that let every single picture stand whole, as many in a row as there is room for."""
    painted = [paint(cells) for cells in READABLE]
    whole = (pictures for pictures in painted if max(map(width, pictures)) <= columns)
    return flowed(next(whole, painted[-1]), columns)


def flowed(pictures: Sequence[Drawing], columns: int) -> Drawing:
    """Side by side and on to the next row where the columns end; an empty line between rows."""
    rows: list[list[Drawing]] = []
    for picture in pictures:
        if rows and sum(GAP + width(other) for other in rows[-1]) + width(picture) <= columns:
            rows[-1].append(picture)
        else:
            rows.append([picture])
    lines: Drawing = []
    for row in rows:
        lines += [[], *beside(row)] if lines else beside(row)
    return lines


def beside(pictures: Sequence[Drawing], gap: int = GAP, centred: bool = False) -> Drawing:
    """Left to right, their first lines level, or their middles."""
    height = max(map(len, pictures))
    columns: list[Drawing] = []
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
    return [
        [piece for i, line in enumerate(level) for piece in (space if i else []) + line]
        for level in zip(*columns, strict=True)
    ]


def width(picture: Drawing) -> int:
    """Columns of the widest line."""
    return max((sum(len(text) for text, _ in line) for line in picture), default=0)


def size(grid: Grid) -> str:
    """``3x9``: rows and columns."""
    return "x".join(map(str, grid.shape)) if grid.size else "empty"


def _padded(line: Line, columns: int) -> Line:
    missing = columns - sum(len(text) for text, _ in line)
    return [*line, (" " * missing, "")] if missing else line
