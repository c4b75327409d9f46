"""The readers of puzzles, each with good files to damage."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tests.faults.support.mutators import damaged
from tests.support.paths import ROOT
from trmsolve.arc.read import read_tasks
from trmsolve.puzzles.registry import get_task

EXAMPLES = ROOT / "examples"
COLOURS = np.array([(255, 255, 255), (0, 0, 0), (0, 200, 0), (220, 0, 0)], np.uint8)
"""The colours of floor, wall, start and goal."""

MAZE = ["#########", "#S  #   #", "### # # #", "#     #G#", "#########"]

QUESTION = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
SOLUTION = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
PAIRS = [[QUESTION, SOLUTION, "0"], [QUESTION[::-1], SOLUTION[::-1], "12"], [SOLUTION] * 2]


@dataclass(frozen=True)
class Reader:
    """Reads every item of a file, and files that it reads well."""

    command: str
    """The command that reads so."""
    read: Callable[[io.BytesIO, str], Iterable[object]]
    files: list[bytes]

    def damaged(self, seed: int = 0) -> Iterator[bytes]:
        """Damaged files without end. Half of the images are whole ones with damaged colours."""
        if not self.files[0].startswith(b"\x89PNG"):
            yield from damaged(self.files, seed)
        colours = damaged([pixels().tobytes()], seed)
        for packed, plain in zip(damaged(self.files, seed), colours, strict=True):
            yield packed
            yield whole_image(plain)


@cache
def readers() -> dict[str, Reader]:
    """All readers by the names of what they read."""
    sudoku, maze = get_task("sudoku"), get_task("maze")
    return {
        "sudoku text": Reader("sudoku", sudoku.read, contents("sudoku/*")),
        "sudoku table": Reader("sudoku", sudoku.read, tables("sudoku")),
        "maze text": Reader("maze", maze.read, contents("maze/*.txt")),
        "maze table": Reader("maze", maze.read, tables("maze")),
        "maze image": Reader("maze", maze.read, images()),
        "arc tasks": Reader("arc", read_tasks, arc_files()),
    }


def contents(pattern: str) -> list[bytes]:
    """The example files of this pattern."""
    return [path.read_bytes() for path in sorted(EXAMPLES.glob(pattern))]


def tables(name: str) -> list[bytes]:
    """Three puzzles with their answers as CSV, with a header and without, and by semicolons."""
    rows = PAIRS if name == "sudoku" else maze_pairs()
    header = ["question", "answer", "rating"]
    return [_table([header, *rows], ","), _table(rows, ","), _table([header, *rows], ";")]


def maze_pairs() -> list[list[str]]:
    """Rows of the example table."""
    lines = (EXAMPLES / "maze" / "maze.csv").read_text().splitlines()
    rows = list(csv.DictReader(lines))[:3]
    return [[row["question"], row["answer"], row["rating"]] for row in rows]


def _table(rows: list[list[str]], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def images() -> list[bytes]:
    """A maze as PNG images of several kinds; none without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        return []
    image = Image.fromarray(pixels())
    made = []
    for mode in ("RGB", "P", "RGBA"):
        file = io.BytesIO()
        image.convert(mode).save(file, "PNG")
        made.append(file.getvalue())
    return made


def pixels() -> NDArray[np.uint8]:
    """The image of a maze, 3 x 3 pixels a cell."""
    cells = np.array([[" #SG".index(char) for char in row] for row in MAZE])
    return COLOURS[cells].repeat(3, 0).repeat(3, 1)


def whole_image(colours: bytes) -> bytes:
    """These bytes as the colours of a PNG image, without any mistake around them."""
    from PIL import Image

    size = pixels().nbytes
    given = colours[:size].ljust(size, b"\xff")
    file = io.BytesIO()
    image = Image.fromarray(np.frombuffer(given, np.uint8).reshape(pixels().shape))
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def arc_files() -> list[bytes]:
    """Tasks in the public form, several by their ids, in a list, and one after another."""
    tasks = contents("arc/*.json")
    several = b'{"one": ' + tasks[0] + b', "two": ' + tasks[1] + b"}"
    return [*tasks, several, b"[" + b",".join(tasks[:2]) + b"]", b"\n".join(tasks[:2])]
