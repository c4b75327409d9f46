"""The page of examples/browser, in a headless Chromium, beside the Python engine on the same graph.

Both run the same graph with other kernels, so that numbers differ in their last digits. The lattice
network lets such a difference grow from cycle to cycle (docs/onnx.md). Two tests together say that
the page shows what the command line shows: asked the same in the same state, each cycle of every
puzzle is the same; and left alone, all cycles of mazes and Sudokus are the same, and the first ones
of Sudokus that take many.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import pytest

from tests.support.browser import (
    chromium,
    is_built_anew,
    missing,
    read_cycles,
    served,
    step_through,
)
from tests.support.paths import ROOT
from trmsolve import load
from trmsolve.model.state import Prediction, State
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Cycle, Grid, Puzzle
from trmsolve.solve.network import Network
from trmsolve.solve.solver import Solver

LACK = missing()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACK), reason=LACK),
]

LONG_SUDOKUS = """
........74.2.5...85....2....5..6.1..8....7...67.2....9...6..9.......8.1.18.9..6..
5.6.........24......4..8..34...8...2.95..6..1..81...3......1.8..8..5....1....42.6
.7.8.6....1.......53...97.....5.74......8..9..67.2..3...64...19.4.......1..2.....
..1...7....6.438.9.......3...3....8.74.9.5.....5.2...7......4...6.53....9....73.6
.8.2.......96...12....58.6....3....5.2...9...4.....73......1.5.1..8..6.3..4.3....
"""
"""Sudokus that take many cycles; the first view leaves three of them unsolved."""

SURE = 3
"""The cycles in which those are the same on every machine."""

ALL = 64


@dataclass(frozen=True)
class Example:
    """A puzzle, and how many of its cycles are compared if both engines are left alone."""

    task: str
    text: str
    sure: int = ALL


def examples() -> Iterator[Example]:
    """13 Sudokus and 8 mazes, from 8 x 11 to 30 x 30."""
    for task in ("sudoku", "maze"):
        form = get_task(task)
        for path in sorted((ROOT / "examples" / task).glob("*.[ts]*")):
            with path.open("rb") as stream:
                for puzzle in form.read(stream, path.name):
                    assert isinstance(puzzle, Puzzle)
                    if task == "sudoku" and puzzle.grid.shape != (9, 9):
                        continue  # the page has the graph for 9 x 9 alone
                    sure = SURE if path.stem == "extreme" else ALL
                    yield Example(task, form.text(puzzle.grid), sure)
    for text in LONG_SUDOKUS.split():
        yield Example("sudoku", text, SURE)


EXAMPLES = list(examples())


@dataclass
class Recording:
    """A network that keeps what it is asked."""

    network: Network
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def __call__(self, state: State, tokens: Any) -> tuple[State, Prediction]:
        arrays = {"y": state.y, "z": state.z}
        question = {name: base64.b64encode(array).decode() for name, array in arrays.items()}
        self.asked.append({"tokens": tokens.ravel().tolist(), **question})
        return self.network(state, tokens)


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    assert is_built_anew(), "build the page again: python examples/browser/build.py"
    with served() as address, chromium() as driver:
        driver.get(address)
        driver.execute_async_script(
            "const [done] = arguments;"
            "const wait = () => document.querySelector('#board *') ? done() : setTimeout(wait, 10);"
            "wait();"
        )
        yield driver


@pytest.fixture(scope="module")
def solvers() -> dict[str, Solver]:
    """As ``trmsolve sudoku --backend onnx --views 1`` has it."""
    return {
        task: load(task, backend="onnx", views=1, threads=1, batch_size=1)
        for task in ("sudoku", "maze")
    }


def test_there_are_as_many_puzzles_as_promised() -> None:
    tasks = [example.task for example in EXAMPLES]
    assert (tasks.count("sudoku"), tasks.count("maze")) == (13, 8)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.task)
def test_each_cycle_is_the_same_in_the_same_state(
    page: Any, solvers: dict[str, Solver], example: Example
) -> None:
    solver = solvers[example.task]
    recording = Recording(solver.model)
    recorded = Solver(solver.task, recording, solver.placement, solver.effort)
    expected = list(recorded.refine(example.text))
    found = read_cycles(page, example.task, example.text, recording.asked)
    for cycle, read in zip(expected, found, strict=True):
        assert_same(solver, cycle, read)


def assert_same(solver: Solver, cycle: Cycle, read: dict[str, Any]) -> None:
    """All that the page has read of a cycle is what the engine has."""
    assert read["grid"] == cycle.grid.ravel().tolist()
    assert read["changed"] == cycle.changed.ravel().tolist()
    assert read["faulty"] == cycle.faulty.ravel().tolist()
    assert read["broken"] == cycle.violations
    assert read["reason"] == solver.task.verify(cycle.puzzle, cycle.grid).reason
    if cycle.candidates is not None:
        assert read["candidates"] == digits_of(cycle)
    if cycle.arrows is not None:
        assert read["arrows"] == cycle.arrows.ravel().tolist()
    assert read["halt"] == pytest.approx(cycle.halt, abs=1e-4)
    np.testing.assert_allclose(read["confidence"], cycle.confidence.ravel(), atol=1e-4)


def digits_of(cycle: Cycle) -> list[list[int]]:
    """The candidates of each cell."""
    assert cycle.candidates is not None
    cells = cycle.candidates.reshape(81, 9)
    return [(np.flatnonzero(cell) + 1).tolist() for cell in cells]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.task)
def test_the_page_shows_the_cycles_of_the_command_line(
    page: Any, solvers: dict[str, Solver], example: Example
) -> None:
    solver = solvers[example.task]
    expected = list(islice(solver.refine(example.text), example.sure))
    frames = step_through(page, example.task, example.text, example.sure)
    for cycle, frame in zip(expected, frames, strict=True):
        assert_shown(solver, cycle, frame)
    if example.sure == ALL:
        answer = solver.solve(example.text)
        assert frames[-1]["status"].endswith(ending(answer.verified, answer.reason))


def ending(verified: bool, reason: str) -> str:
    return ": solved." if verified else f", not solved: {reason}."


def assert_shown(solver: Solver, cycle: Cycle, frame: dict[str, Any]) -> None:
    """A visitor sees this cycle."""
    expected = solver.task.text(cycle.grid).replace("\n", "").replace(" ", ".")
    assert frame["answer"].replace("\n", "") == expected
    facts = frame["facts"]
    assert facts["changed"] == str(cycle.changed.sum())
    assert facts["broken rules"] == str(cycle.violations)
    for label, share in (("confidence", cycle.mean_confidence), ("halt", cycle.halt)):
        assert abs(int(facts[label].removesuffix(" %")) - 100 * share) < 1
    if cycle.candidates is not None:
        lefts = digits_of(cycle)
        assert facts["candidates"] == str(sum(len(left) for left in lefts if len(left) > 1))
        if cycle.violations:
            shown = ["".join(map(str, left)) for left in lefts]
        else:
            shown = list(map(str, cycle.grid.ravel()))
        assert frame["cells"] == shown
    if cycle.arrows is not None:
        assert facts["reached"] == str((cycle.arrows > 0).sum())
        assert facts["marked"] == str((cycle.grid != cycle.puzzle.grid).sum())


def test_the_rules_judge_as_those_of_the_package(page: Any) -> None:
    rng = np.random.default_rng(5)
    cases = {
        "sudoku": [sudoku_case(rng) for _ in range(300)],
        "maze": [maze_case(rng) for _ in range(600)],
    }
    for name, pairs in cases.items():
        task = get_task(name)
        verdicts = [task.verify(Puzzle(grid), answer) for grid, answer in pairs]
        assert 10 < sum(verdict.verified for verdict in verdicts) < len(pairs) - 10
        flat = [
            (*grid.shape, grid.ravel().tolist(), answer.ravel().tolist()) for grid, answer in pairs
        ]
        found = page.execute_async_script(
            "const [name, pairs, done] = arguments;"
            "import(new URL(`${name}.js`, location.href)).then(({ brokenRule }) => done(pairs.map("
            "([rows, columns, grid, answer]) => brokenRule({ rows, columns, grid }, answer))));",
            name,
            flat,
        )
        assert found == [verdict.reason for verdict in verdicts]


def sudoku_case(rng: np.random.Generator) -> tuple[Grid, Grid]:
    """A full grid with up to two cells changed, and clues of it."""
    rows = np.arange(9)
    full = ((3 * (rows % 3) + rows // 3)[:, None] + rows) % 9 + 1
    answer = full.copy()
    for _ in range(rng.integers(3)):
        answer[tuple(rng.integers(9, size=2))] = rng.integers(10)
    clues = np.where(rng.random((9, 9)) < 0.1, full, 0)
    return clues.astype(np.int8), answer.astype(np.int8)


def maze_case(rng: np.random.Generator) -> tuple[Grid, Grid]:
    """A small maze with random marks, and seldom a cell that is something else."""
    grid = (rng.random(12) < 0.7).astype(np.int8)
    grid[rng.permutation(12)[:2]] = START, GOAL
    answer = np.where((grid == FLOOR) & (rng.random(12) < 0.4), PATH, grid)
    if rng.random() < 0.1:
        answer[rng.integers(12)] = rng.integers(5)
    return grid.reshape(3, 4), answer.astype(np.int8).reshape(3, 4)


def test_a_network_cannot_change_what_is_kept(page: Any) -> None:
    """The bundled network never tries to."""
    cycle = page.execute_async_script(
        "const [done] = arguments;"
        "import(new URL('maze.js', location.href)).then((maze) => {"
        "  const puzzle = maze.read('S.#\\n...\\n..G');"
        "  const logits = Float32Array.from({ length: 54 }, (_, at) => Number(at % 6 === 5));"
        "  const said = { logits, halt: [0, 0] };"
        "  const record = { vocab: 6, frozen: [0, 1, 4] };"
        "  done(maze.readCycle(puzzle, maze.question(puzzle).tokens, said, record));"
        "});"
    )
    assert cycle["next"] == [5, 5, 1, 5, 5, 5, 5, 5, 4]
    assert cycle["reason"] == "the start at row 1, column 1 became path"


def type_in(page: Any, task: str, text: str) -> None:
    page.execute_script(
        "document.querySelector(`[data-task=${arguments[0]}]`).click();"
        "const text = document.getElementById('text');"
        "text.value = arguments[1];"
        "text.dispatchEvent(new Event('input'));",
        task,
        text,
    )


def text_of(page: Any, name: str) -> str:
    text: str = page.execute_script(
        "return document.getElementById(arguments[0]).textContent", name
    )
    return text


@pytest.mark.parametrize(
    ("task", "text", "problem"),
    [
        ("sudoku", "", "0 cells: a Sudoku has 81, on one line or in 9 rows"),
        ("sudoku", 82 * ".", "82 cells: a Sudoku has 81, on one line or in 9 rows"),
        ("sudoku", "<b>", "wrong character '<': a cell is a digit 1-9 or . for a blank"),
        ("sudoku", "\u202e", "wrong character U+202E: a cell is a digit 1-9 or . for a blank"),
        ("maze", "", "1 rows and 0 columns: a maze has 3 to 128 of each, and one S and one G"),
        ("maze", "...\n.G.\n...", "no S: a maze has one start"),
        ("maze", "S.S\n.G.\n...", "2 S: a maze has one start"),
        ("maze", "S..\n...\n...", "no G: a maze has one goal"),
        ("maze", "S..\n.\nG..", "row 2 is 1 long, row 1 is 3: write floor as . where spaces "),
        ("maze", "S..\n.x.\nG..", "wrong character 'x' at row 2, column 2: use # . S and G"),
        ("maze", "S#.\n##.\n..G", "unsolvable: walls keep the start from the goal"),
        ("maze", 129 * "..S\n", "129 rows and 3 columns: a maze has 3 to 128 of each"),
    ],
)
def test_what_is_no_puzzle_is_told_in_one_line(
    page: Any, task: str, text: str, problem: str
) -> None:
    type_in(page, task, text)
    assert text_of(page, "problem").startswith(problem)
    assert "\n" not in text_of(page, "problem")
    page.find_element("id", "step").click()
    assert text_of(page, "status") == ""


def test_keys_edit_the_grid_and_play_to_the_end(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    type_in(page, "sudoku", 81 * ".")
    cells = "#board input"
    page.find_elements("css selector", cells)[0].click()
    for key in ("5", Keys.ARROW_RIGHT, "3", Keys.ARROW_DOWN, "x", Keys.ARROW_UP, "4"):
        page.switch_to.active_element.send_keys(key)
    assert text_of(page, "answer").startswith("54.......\n.........")
    assert page.find_element("id", "text").get_property("value").startswith("54.......\n")
    type_in(page, "sudoku", (ROOT / "examples" / "sudoku" / "easy.txt").read_text())
    page.find_element("id", "play").send_keys(Keys.ENTER)
    page.execute_async_script(
        "const [done] = arguments;"
        "const status = document.getElementById('status');"
        "const wait = () => status.className === 'solved' ? done() : setTimeout(wait, 10);"
        "wait();"
    )
    assert text_of(page, "answer").startswith("534678912\n672195348\n")
    assert page.switch_to.active_element.get_attribute("id") == "play"
    page.find_element("id", "back").send_keys(Keys.ENTER)
    assert text_of(page, "status") == "The puzzle. Step or play to ask the network."


def test_the_page_asks_nobody_else_and_has_no_complaints(page: Any) -> None:
    script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    names = page.execute_script(script)
    own = page.current_url
    assert len(names) >= 10
    assert [name for name in names if not name.startswith(own)] == []
    assert page.get_log("browser") == []
