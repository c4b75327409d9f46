"""Makes the pictures of docs/gallery and the page docs/gallery.md from the program itself.

    python examples/make_gallery.py            draws the stored traces again
    python examples/make_gallery.py --solve    solves the puzzles anew, and keeps new traces

A trace of each run is stored beside its picture, so that drawing needs no network and takes a
second. After a change of the drawings, the first line renews the pictures.
"""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from trmsolve.cli import app

DOCS = Path(__file__).parents[1] / "docs"
SECONDS = "0.5"
"""How long the moving pictures show a frame."""

HEAD = """# Gallery

Every picture here is made by the program. The command under a picture makes one like it. Numbers
and times differ a little between machines. [Watching](watching.md) describes `--save`.
`python examples/make_gallery.py` draws all of them again from the traces in `docs/gallery`.
"""


@dataclass(frozen=True)
class Exhibit:
    """A picture of the gallery."""

    file: str
    title: str
    command: str
    """The command that solves the puzzle, without the file that is saved."""
    seen: str
    """The text for those who do not see the picture."""
    text: str

    @property
    def trace(self) -> str:
        """The name of the run's trace."""
        return f"{self.file.split('.')[0]}.jsonl.gz"


EXHIBITS = (
    Exhibit(
        "sudoku.gif",
        "A Sudoku",
        "trmsolve sudoku examples/sudoku/extreme.txt",
        "A Sudoku whose candidates vanish cycle by cycle until every cell has one digit",
        "The small digits in a cell are those that the network still thinks possible. A smaller\n"
        "terminal shows them as dots.",
    ),
    Exhibit(
        "maze.gif",
        "A maze",
        "trmsolve maze examples/maze/hard.txt",
        "A maze of 30 x 30 that is flooded from the goal, and then has its path",
        "The network floods the floor from the goal. An arrow is the way that it knows from a\n"
        "cell. When the flood has reached the start, it marks the path.",
    ),
    Exhibit(
        "arc.svg",
        "An ARC task",
        "trmsolve arc examples/arc/mirror.json --steps 300",
        "A grid and two attempts at its mirror image, the first of which is right",
        "The network has learned this task from four demonstrations, and nothing else. It has two\n"
        "attempts.",
    ),
)


def make(docs: Path, traces: Path) -> None:
    """Draw all pictures and write the page into ``docs``, from the traces in that folder."""
    (docs / "gallery").mkdir(exist_ok=True)
    parts = [HEAD]
    for exhibit in EXHIBITS:
        target = docs / "gallery" / exhibit.file
        trmsolve("replay", traces / exhibit.trace, "--save", target, "--pace", SECONDS)
        parts.append(part_of(exhibit))
    (docs / "gallery.md").write_text("\n".join(parts), encoding="utf-8")


def part_of(exhibit: Exhibit) -> str:
    """A picture on the page, and its command below it."""
    return (
        f"## {exhibit.title}\n\n"
        f"![{exhibit.seen}](gallery/{exhibit.file})\n\n"
        f"```sh\n{exhibit.command} --save {exhibit.file}\n```\n\n"
        f"{exhibit.text}\n"
    )


def solve(traces: Path) -> None:
    """Solve all puzzles and keep the traces."""
    for exhibit in EXHIBITS:
        words = shlex.split(exhibit.command)[1:]
        trmsolve(*words, "--quiet", "--trace", traces / exhibit.trace)


def trmsolve(*words: object) -> None:
    """Run the command line in this process."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exit_code:
        raise SystemExit(result.output)


if __name__ == "__main__":
    if "--solve" in sys.argv[1:]:
        solve(DOCS / "gallery")
    make(DOCS, DOCS / "gallery")
