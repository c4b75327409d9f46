"""Wrong answers are never verified, frames are the network's own, and all outputs agree."""

import io
import json
import random
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.faults.support.forked import finish
from tests.faults.support.readers import PAIRS, QUESTION, maze_pairs
from tests.faults.support.scale import trials
from trmsolve import load
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, WALL
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Cycle, Grid, Puzzle

Measured = Callable[[int, str], None]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("process_as_it_was", "one_thread")]


def puzzles(name: str) -> list[Puzzle]:
    """Puzzles with their answers."""
    rows = PAIRS if name == "sudoku" else maze_pairs()
    text = "question,answer\n" + "".join(f"{row[0]},{row[1]}\n" for row in rows)
    found = list(get_task(name).read(io.BytesIO(text.encode()), "pairs.csv"))
    assert all(isinstance(item, Puzzle) and item.answer is not None for item in found)
    return [item for item in found if isinstance(item, Puzzle)]


def is_solution(puzzle: Puzzle, grid: Grid) -> bool:
    """Whether a Sudoku is solved, told without any code of the package."""
    groups = [*grid, *grid.T]
    boxes = grid.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
    full = all(sorted(group.tolist()) == list(range(1, 10)) for group in [*groups, *boxes])
    clues = puzzle.grid > 0
    return full and bool((grid[clues] == puzzle.grid[clues]).all())


def is_shortest_path(puzzle: Puzzle, grid: Grid) -> bool:
    """Whether a maze is solved, told without any code of the package but the cells' values."""
    same = (grid == puzzle.grid) | ((puzzle.grid == FLOOR) & (grid == PATH))
    if not same.all():
        return False
    everywhere = distance(puzzle.grid, (FLOOR,))
    along = distance(grid, (PATH,))
    marked = int((grid == PATH).sum())
    return along == everywhere == marked + 1


def distance(grid: Grid, through: tuple[int, ...]) -> int:
    """Steps from the start to the goal through cells of these kinds; -1 where there is no way."""
    start = tuple(int(at) for at in np.argwhere(grid == START)[0])
    reached = {start: 0}
    waiting = deque([start])
    while waiting:
        row, column = waiting.popleft()
        for place in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            inside = 0 <= place[0] < grid.shape[0] and 0 <= place[1] < grid.shape[1]
            if not inside or place in reached:
                continue
            if grid[place] == GOAL:
                return reached[row, column] + 1
            if grid[place] in through:
                reached[place] = reached[row, column] + 1
                waiting.append(place)
    return -1


def falsified(puzzle: Puzzle, draw: random.Random, values: range) -> Grid:
    """The answer with up to three cells that are others, or with two cells exchanged."""
    assert puzzle.answer is not None
    grid: Grid = puzzle.answer.copy()
    cells = grid.reshape(-1)
    places = draw.sample(range(len(cells)), draw.randint(1, 3))
    if len(places) == 2:
        cells[places] = cells[places[::-1]]
    else:
        for place in places:
            cells[place] = draw.choice(values)
    return grid


@pytest.mark.promise("A falsified answer is never verified, and a right one always")
@pytest.mark.parametrize(
    ("name", "is_right", "values"),
    [
        ("sudoku", is_solution, range(1, 10)),
        ("maze", is_shortest_path, range(WALL, PATH + 1)),
    ],
)
def test_falsified(
    name: str, is_right: Callable[[Puzzle, Grid], bool], values: range, measured: Measured
) -> None:
    task = get_task(name)
    draw = random.Random(0)
    given = puzzles(name)
    number = trials(10_000)
    right = 0
    for trial in range(number):
        puzzle = given[trial % len(given)]
        grid = falsified(puzzle, draw, values)
        expected = is_right(puzzle, grid)
        assert task.verify(puzzle, grid).verified == expected, grid
        right += expected
    for puzzle in given:
        assert puzzle.answer is not None and task.verify(puzzle, puzzle.answer).verified
    measured(number, f"{name}: {right} were still right and verified")


class Recording:
    """A network that keeps what it was asked and what it said."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.said: list[tuple[Any, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def __call__(self, state: Any, tokens: Any) -> Any:
        state, prediction = self.network(state, tokens)
        self.said.append((np.asarray(tokens)[0], np.asarray(prediction.logits)[0]))
        return state, prediction


def sudoku_grid(asked: Any, logits: Any) -> Grid:
    """The likeliest digit of each cell among its candidates, from the logits alone."""
    possible = logits.reshape(81, 9, 2)
    certainty = possible[..., 1] - possible[..., 0]
    candidates = asked.reshape(81, 9) == 1
    best = np.where(candidates, certainty, -np.inf).argmax(-1) + 1
    grid: Grid = best.reshape(9, 9).astype(np.int8)
    return grid


@pytest.mark.promise("Every frame is the decoded output of the network at its cycle")
def test_frames(measured: Measured) -> None:
    solver = load("sudoku", backend="torch", device="cpu", dtype="fp32", views=1, batch_size=1)
    recording = Recording(solver.model)
    solver.model = recording
    wrong = QUESTION.replace("5", ".", 1)
    given = [QUESTION, QUESTION[::-1], wrong, *(row[0] for row in PAIRS)]
    cycles: list[Cycle] = []
    for text in islice(cycled(given), trials(200, least=4)):
        cycles += solver.refine(text)
    assert len(cycles) == len(recording.said)
    for cycle, (asked, logits) in zip(cycles, recording.said, strict=True):
        assert (cycle.grid == sudoku_grid(asked, logits)).all()
    measured(len(cycles), "")


def cycled(items: list[str]) -> Iterator[str]:
    while True:
        yield from items


@pytest.mark.promise("All output formats show the same answer")
@pytest.mark.parametrize("name", ["sudoku", "maze"])
def test_outputs_agree(name: str, tmp_path: Path, measured: Measured) -> None:
    given = [row[0] for row in (PAIRS if name == "sudoku" else maze_pairs())][:2]
    task = get_task(name)
    for number, question in enumerate(given):
        path = tmp_path / f"{number}.txt"
        path.write_text(question + "\n")
        forms = {form: answer_as(form, name, path) for form in ("json", "line", "input")}
        item = json.loads(forms["json"])
        line = forms["line"].rstrip("\n")
        assert item["answer"].replace("\n", "") == line == forms["input"].rstrip("\n")
        (puzzle,) = task.read(io.BytesIO(path.read_bytes()), "given")
        (answer,) = task.read(io.BytesIO((line + "\n").encode()), "answer")
        assert isinstance(puzzle, Puzzle) and isinstance(answer, Puzzle)
        assert item["verified"] is True
    measured(len(given), "")


def answer_as(form: str, name: str, path: Path) -> str:
    """Standard output of the command in this form."""
    out = path.with_suffix(f".{form}")
    assert finish(out, name, path, "--format", form, "--quiet", "--workers", "1") == 0
    return out.read_text()
