"""Reads puzzles that are written in a random form, with random signs and decoration around them.

    python -m tests.read_variants 100000

writes so many Sudokus and mazes, reads each, and stops at the first that is not read as what it was
written from. A seed as a second argument makes others.
"""

import gzip
import io
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, START, WALL
from trmsolve.puzzles.maze.text import read_mazes
from trmsolve.puzzles.sudoku.board import SIDES, SYMBOLS, board_of
from trmsolve.puzzles.sudoku.text import read_sudokus
from trmsolve.puzzles.values import Grid, Puzzle

Rng = np.random.Generator
Draw = Callable[[list[str]], str]
Read = Callable[[BinaryIO, str], Iterator[Puzzle | PuzzleError]]


def main(count: int, seed: int = 0) -> None:
    """Write and read so many variants, mazes and Sudokus of 9 x 9 and of other sizes in turn."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        variant = (maze_variant, sudoku_variant, sized_variant)[number % 3]
        grid, data = variant(rng)
        check(grid, data, read_mazes if variant is maze_variant else read_sudokus)
    print(f"{count} variants read as what they were written from")


def check(grid: Grid, data: bytes, read: Read) -> None:
    """Fail unless a file is read as this one puzzle."""
    items = list(read(io.BytesIO(data), "variant"))
    grids = [item.grid.tolist() for item in items if isinstance(item, Puzzle)]
    assert len(items) == 1, (data, [str(item) for item in items])
    assert grids == [grid.tolist()], (data, str(items[0]))


def pick(rng: Rng, options: dict[str, Draw]) -> Draw:
    """Choose one of several ways to draw."""
    names = sorted(options)
    return options[names[rng.integers(len(names))]]


# Sudokus


def make_sudoku(rng: Rng) -> Grid:
    """A puzzle whose clues do not clash, with 17 to 60 of them."""
    lines = [3 * band + row for band in rng.permutation(3) for row in rng.permutation(3)]
    columns = [3 * band + column for band in rng.permutation(3) for column in rng.permutation(3)]
    digits = rng.permutation(9) + 1
    rows = [[digits[(3 * (r % 3) + r // 3 + c) % 9] for c in columns] for r in lines]
    grid = np.array(rows, np.int8)
    blank = rng.permutation(81)[: rng.integers(21, 65)]
    grid.flat[blank] = 0
    return grid


def joined(between: str) -> Draw:
    return lambda rows: "\n".join(between.join(row) for row in rows)


def framed(bar: str, rule: str, indent: str = "", space: str = " ") -> Draw:
    """Rows in boxes."""

    def draw(rows: list[str]) -> str:
        lines = []
        for number, row in enumerate(rows):
            if number % 3 == 0:
                lines.append(indent + rule)
            parts = [space.join(row[i : i + 3]) for i in (0, 3, 6)]
            inner = f"{space}{bar}{space}".join(parts)
            lines.append(f"{indent}{bar}{space}{inner}{space}{bar}")
        return "\n".join([*lines, indent + rule])

    return draw


def labelled(label: str) -> Draw:
    """Rows with a label in front, from A or from 1."""

    def draw(rows: list[str]) -> str:
        names = "ABCDEFGHI" if "A" in label else "123456789"
        lines = [label.replace("A", "N").replace("1", "N").replace("N", name) for name in names]
        return "\n".join(f"{line}{' '.join(row)}" for line, row in zip(lines, rows, strict=True))

    return draw


def listed(head: str, inner: str, tail: str, end: str = ",\n  ") -> Draw:
    """Rows as a list of lists, as programs have them; ``inner`` is an example of a row."""
    opening, closing = inner[0], inner[-1]
    between = inner[1:-1]

    def draw(rows: list[str]) -> str:
        lines = [opening + between.join(row) + closing for row in rows]
        return head + end.join(lines) + tail

    return draw


SUDOKU_FORMS: dict[str, Draw] = {
    "line": lambda rows: "".join(rows),
    "numbered line": lambda rows: f"17: {''.join(rows)}",
    "assignment": lambda rows: f'puzzle = "{"".join(rows)}"',
    "link": lambda rows: f"https://example.com/play?s={''.join(rows)}&level=2",
    "bank": lambda rows: f"00a1b2c3d4e5 {''.join(rows)}  3.4",
    "hodoku": lambda rows: f":0000:x:{''.join(rows)}:212 312:::",
    "rows": joined(""),
    "spaced": joined(" "),
    "commas": joined(","),
    "tabs": joined("\t"),
    "bands": lambda rows: "\n\n".join("\n".join(rows[i : i + 3]) for i in (0, 3, 6)),
    "double spaced": lambda rows: "\n\n".join(rows),
    "remarks": lambda rows: "\n".join(f"{row}  row {i}" for i, row in enumerate(rows)),
    "plus": framed("|", "+-------+-------+-------+"),
    "tight": framed("|", "+---+---+---+", space=""),
    "indented": framed("|", "+-------+-------+-------+", indent="      "),
    "box drawing": framed("│", "├───────┼───────┼───────┤", indent="  "),
    "bars": lambda rows: "\n".join(f"|{'|'.join(row)}|" for row in rows),
    "letters": labelled("A | "),
    "numbers": labelled("1 | "),
    "colons": labelled("r1: "),
    "python": listed("board = [\n  ", "[, ]", ",\n]"),
    "json": listed('{"board": [', "[,]", "]}"),
    "c": listed("int grid[9][9] = {\n  ", "{, }", "\n};"),
    "numpy": listed("[", "[ ]", "]", end="\n "),
    "array": listed("array([", "[, ]", "], dtype=int8)"),
    "matlab": lambda rows: "A = [" + ";\n".join(" ".join(row) for row in rows) + "];",
    "strings": lambda rows: "[" + ",\n".join(f'"{row}"' for row in rows) + "]",
    "81 fields": lambda rows: ",".join("".join(rows)),
}
LISTS = {"python", "json", "c", "numpy", "array", "matlab"}
TABLES = {"commas", "tabs", "81 fields"}


def sudoku_variant(rng: Rng) -> tuple[Grid, bytes]:
    """A Sudoku and a file that shows it."""
    grid = make_sudoku(rng)
    names = sorted(SUDOKU_FORMS)
    name = names[rng.integers(len(names))]
    blanks = "0" if name in LISTS else "0." if name in ("link", "hodoku") else ".0_*xX?·•"
    blank = blanks[rng.integers(len(blanks))]
    cells = "".join(map(str, grid.ravel().tolist())).replace("0", blank)
    text = SUDOKU_FORMS[name]([cells[i : i + 9] for i in range(0, 81, 9)])
    if name in TABLES and rng.random() < 0.5:
        text = text.replace(blank, "")
    return grid, decorate(rng, text, name not in LISTS | {"strings", "link"})


# Sudokus of other sizes


class SizedForm(NamedTuple):
    """A way to draw a Sudoku of any size."""

    draw: Callable[..., str]
    """Draws rows, each a list of cells."""

    signs: str | list[str] = SYMBOLS[1:]
    """How the digits are written, from 1 on."""

    blanks: str = "._*?0"
    """Signs for blanks."""

    width: int = 1
    """The width of a cell, in which a sign stands at the right."""


def boxes(bar: str, rule: str, space: str) -> Callable[[list[list[str]]], str]:
    """Rows in a frame around the boxes, of cells of one width."""

    def draw(rows: list[list[str]]) -> str:
        board = board_of(len(rows))
        width = len(rows[0][0])
        part = board.box_columns * (width + len(space)) + len(space)
        line = rule + rule.join(["-" * part] * board.box_rows) + rule
        lines = []
        for number, row in enumerate(rows):
            if number % board.box_rows == 0:
                lines.append(line)
            starts = range(0, len(row), board.box_columns)
            parts = [space.join(row[start : start + board.box_columns]) for start in starts]
            lines.append(bar + bar.join(space + part + space for part in parts) + bar)
        return "\n".join([*lines, line])

    return draw


NUMBERS = [str(number) for number in range(1, 17)]
SIZED_FORMS: dict[str, SizedForm] = {
    "line": SizedForm(lambda rows: "".join("".join(row) for row in rows), blanks="._*?"),
    "small letters": SizedForm(joined(""), SYMBOLS[1:].lower()),
    "rows": SizedForm(joined("")),
    "dashes": SizedForm(joined(""), blanks="-"),
    "spaced": SizedForm(joined(" ")),
    "commas": SizedForm(joined(","), NUMBERS),
    "tabs": SizedForm(joined("\t"), NUMBERS),
    "spaced numbers": SizedForm(joined(" "), NUMBERS),
    "columns of numbers": SizedForm(joined(" "), NUMBERS, width=2),
    "two digits": SizedForm(joined(" "), [number.zfill(2) for number in NUMBERS], "._", width=2),
    "plus": SizedForm(boxes("|", "+", " ")),
    "tight": SizedForm(boxes("|", "+", "")),
    "box drawing": SizedForm(boxes("│", "┼", " ")),
    "numbers in boxes": SizedForm(boxes("|", "+", " "), NUMBERS, width=2),
    "spaces in boxes": SizedForm(boxes("|", "+", " "), blanks=" "),
    "spaces in tight boxes": SizedForm(boxes("|", "+", ""), blanks=" "),
    "numbers or spaces in boxes": SizedForm(boxes("|", "+", " "), NUMBERS, " ", width=2),
    "bars": SizedForm(lambda rows: "\n".join(f"|{'|'.join(row)}|" for row in rows), blanks=". "),
    "table": SizedForm(
        lambda rows: "\n".join(f"| {' | '.join(row)} |" for row in rows), NUMBERS, ". ", width=2
    ),
    "json": SizedForm(listed('{"board": [', "[,]", "]}"), NUMBERS, "0"),
    "python": SizedForm(listed("board = [\n  ", "[, ]", ",\n]"), NUMBERS, "0"),
    "numpy": SizedForm(listed("[", "[ ]", "]", end="\n "), NUMBERS, "0", width=2),
    "strings": SizedForm(lambda rows: "[" + ",\n".join(f'"{"".join(row)}"' for row in rows) + "]"),
}
OTHER_SIDES = [side for side in SIDES if side != 9]


def make_sized(rng: Rng, side: int) -> tuple[Grid, Grid]:
    """An answer of that size, and a puzzle with a part of its clues, one above 9 among them."""
    board = board_of(side)
    digits = rng.permutation(side) + 1
    high, wide = board.box_rows, board.box_columns
    lines = [band * high + row for band in rng.permutation(wide) for row in rng.permutation(high)]
    columns = [
        stack * wide + column for stack in rng.permutation(high) for column in rng.permutation(wide)
    ]
    rows = [[digits[(wide * (r % high) + r // high + c) % side] for c in columns] for r in lines]
    answer = np.array(rows, np.int8)
    question = np.where(rng.random(answer.shape) < rng.uniform(0.1, 0.8), answer, 0)
    for kept in np.argwhere(answer == answer.max())[:2]:
        question[tuple(kept)] = answer[tuple(kept)]
    question[tuple(np.argwhere(answer == 1)[0])] = 0
    return answer, question.astype(np.int8)


def sized_text(name: str, grid: Grid, blank: str) -> str:
    """A grid of any size in a form."""
    form = SIZED_FORMS[name]
    signs = [sign.rjust(form.width) for sign in (blank, *form.signs)]
    rows = [[signs[value] for value in row] for row in grid.tolist()]
    return form.draw(rows) + "\n"


def sized_variant(rng: Rng) -> tuple[Grid, bytes]:
    """A Sudoku of another size and a file that shows it."""
    _, grid = make_sized(rng, OTHER_SIDES[rng.integers(len(OTHER_SIDES))])
    names = sorted(SIZED_FORMS)
    name = names[rng.integers(len(names))]
    blanks = SIZED_FORMS[name].blanks
    text = sized_text(name, grid, blanks[rng.integers(len(blanks))]).rstrip("\n")
    return grid, decorate(rng, text, name not in ("json", "python", "numpy", "strings"))


# Mazes


def make_maze(rng: Rng) -> Grid:
    """A maze with a closed outer wall, of up to 12 x 12 cells."""
    rows, columns = rng.integers(5, 13, 2)
    cells = np.where(rng.random((rows, columns)) < 0.35, WALL, FLOOR).astype(np.int8)
    cells[[0, -1]] = WALL
    cells[:, [0, -1]] = WALL
    inner = np.argwhere(np.pad(np.ones((rows - 2, columns - 2), bool), 1))
    start, goal = inner[rng.choice(len(inner), 2, replace=False)]
    cells[tuple(start)] = START
    cells[tuple(goal)] = GOAL
    for end in (start, goal):  # each has a way out
        beside = tuple(end + ((0, 1) if end[1] + 2 < columns else (0, -1)))
        if cells[beside] == WALL:
            cells[beside] = FLOOR
    return cells


MAZE_SIGNS = [
    *(f"{wall} {ends}" for wall in "#█%OWX+*o0" for ends in ("SG", "SE", "AB", "SF", "PT", "@G")),
    *(f"{wall}.{ends}" for wall in "#█%OWX+*o" for ends in ("SG", "SE", "AB", "SF")),
    *("10SG", "1023", "10AB", "⬛⬜🟩🟥", "█░SG", "01SG"),
]
MAZE_FORMS: dict[str, Draw] = {
    "rows": joined(""),
    "commas": joined(","),
    "tabs": joined("\t"),
    "json": lambda rows: "[" + ",\n ".join(str(list(row)).replace("'", '"') for row in rows) + "]",
    "strings": lambda rows: "maze = [\n" + ",\n".join(f'    "{row}"' for row in rows) + "\n]",
    "slashes": lambda rows: "/".join(rows),
}


def maze_variant(rng: Rng) -> tuple[Grid, bytes]:
    """A maze and a file that shows it."""
    if rng.random() < 0.15:
        return thin_variant(rng)
    grid = make_maze(rng)
    signs = MAZE_SIGNS[rng.integers(len(MAZE_SIGNS))]
    rows = ["".join(signs[cell] for cell in row) for row in grid.tolist()]
    names = sorted(MAZE_FORMS)
    name = names[rng.integers(len(names))]
    if name == "slashes" and not set(signs[2:]) <= set("SGE🟩🟥"):
        name = "rows"
    if "json" in name and "0" in signs and rng.random() < 0.5:
        text = str([[int(char) if char.isdigit() else char for char in row] for row in rows])
    else:
        text = MAZE_FORMS[name](rows)
    return grid, decorate(rng, text, name in ("rows", "slashes"))


def thin_variant(rng: Rng) -> tuple[Grid, bytes]:
    """A maze whose walls are lines between its cells."""
    rows, columns = rng.integers(2, 7, 2)
    grid: Grid = np.full((2 * rows + 1, 2 * columns + 1), WALL, np.int8)
    grid[1::2, 1::2] = FLOOR
    grid[2:-1:2, 1::2][rng.random((rows - 1, columns)) < 0.6] = FLOOR
    grid[1::2, 2:-1:2][rng.random((rows, columns - 1)) < 0.6] = FLOOR
    lines = draw_underscores(rng, grid) if rng.random() < 0.4 else draw_corners(rng, grid)
    return grid, decorate(rng, "\n".join(lines), True)


def draw_corners(rng: Rng, grid: Grid) -> list[str]:
    """Put ends into two cells and draw the walls as ``+---+`` and ``|``."""
    rows, columns = (size // 2 for size in grid.shape)
    places = rng.choice(rows * columns, 2, replace=False)
    for place, end in zip(places, (START, GOAL), strict=True):
        grid[2 * (place // columns) + 1, 2 * (place % columns) + 1] = end
    corner = "+o"[rng.integers(2)]
    width = int(rng.integers(1, 4)) * 2 - 1
    lines = []
    for number, row in enumerate(grid.tolist()):
        line = ""
        for place, cell in enumerate(row):
            if place % 2:
                mark = " -"[cell == WALL] if number % 2 == 0 else "  SG"[cell]
                line += mark * width if number % 2 == 0 else mark.center(width)
            else:
                line += corner if number % 2 == 0 else "| "[cell != WALL]
        lines.append(line)
    return lines


def draw_underscores(rng: Rng, grid: Grid) -> list[str]:
    """Make openings at the top and at the bottom, and draw the walls as ``|_|``."""
    columns = grid.shape[1] // 2
    grid[1, 2] = WALL  # tells how wide a cell is
    top, bottom = 2 * rng.integers(columns, size=2) + 1
    grid[0, top] = START
    grid[-1, bottom] = GOAL
    width = int(rng.integers(1, 4))
    indent = " " * int(rng.integers(3))
    lines = []
    for number in range(0, len(grid), 2):
        beside = grid[number - 1].tolist() if number else [FLOOR] * grid.shape[1]
        line = indent
        for place, below in enumerate(grid[number].tolist()):
            if place % 2:
                line += " _"[below == WALL] * width
            else:
                line += " |"[beside[place] == WALL]
        lines.append(line)
    return lines


# The decoration around a puzzle


def decorate(rng: Rng, text: str, drawn: bool) -> bytes:
    """Put text around a puzzle, and encode it in one way or another."""
    lines = text.split("\n")
    kind = rng.integers(9)
    if kind == 1 and drawn and not any(char in text for char in "<>"):
        text = f"<pre>\n{text}\n</pre>"
    elif kind == 2:
        text = f"Can you solve this one?\n\n```\n{text}\n```\n\nThanks, Bob"
    elif kind == 3:
        text = f"[code]\n{text}\n[/code]"
    elif kind == 4:
        text = f"{text}\n\nSource: a book\nVersion 2"
    elif kind == 5 and drawn:
        text = "\n".join(f"\x1b[1m{line}\x1b[0m" for line in lines)
    elif kind == 6:
        text = f"\u200b{text}\u200b"
    elif kind == 7 and drawn:
        text = "\n".join(f"> {line}" for line in lines)
    ending = ("\n", "\r\n")[rng.integers(2)]
    codec = ("utf-8", "utf-8-sig", "utf-16")[rng.integers(3)]
    data = (text + "\n").replace("\n", ending).encode(codec)
    return gzip.compress(data) if rng.random() < 0.1 else data


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["100000"]))
