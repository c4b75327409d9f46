"""Boards of all sizes: one network, its graph, and weights of their own for some sizes."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.support.graphs import needs_runtime
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Puzzle
from trmsolve.solve import any_size
from trmsolve.solve.effort import Effort
from trmsolve.solve.onnx_network import load_onnx
from trmsolve.solve.solver import Solver, load
from trmsolve.solve.workers import Crew, share_out
from trmsolve.weights.bundled import bundled_file

SUDOKU = get_task("sudoku")
pytestmark = pytest.mark.usefixtures("one_thread")


def puzzles(*sides: int, difficulty: str = "easy") -> list[Puzzle]:
    """One puzzle of each side, in this order."""
    found = []
    for seed, side in enumerate(sides):
        found.append(next(SUDOKU.generate_sized(difficulty, seed, (side, side))))
    return found


def answers(solver: Solver, items: list[Puzzle]) -> list[Answer]:
    found = []
    for outcome in solver.solve_all(items):
        assert not isinstance(outcome, PuzzleError)
        found.append(outcome)
    return found


def solved(found: list[Answer]) -> list[bool]:
    """Whether each answer is verified, and the only one."""
    right = []
    for answer in found:
        right.append(answer.verified and np.array_equal(answer.grid, answer.puzzle.answer))
    return right


def test_sizes_in_turns_are_answered_in_order() -> None:
    items = puzzles(6, 9, 4, 6, 9, 8, 4, 6)
    found = answers(load("sudoku", backend="torch"), items)
    assert [len(answer.grid) for answer in found] == [6, 9, 4, 6, 9, 8, 4, 6]
    assert solved(found) == [True] * 8


@needs_runtime
def test_a_graph_leaves_other_sizes_to_torch() -> None:
    items = puzzles(9, 6, 4, 9, 8)
    graph = answers(load("sudoku", backend="onnx"), items)
    torch = answers(load("sudoku", backend="torch", dtype="fp32"), items)
    assert solved(graph) == [True] * 5
    assert [answer.cycles for answer in graph] == [answer.cycles for answer in torch]


@needs_runtime
def test_a_graph_alone_says_what_to_do() -> None:
    path = bundled_file("sudoku.onnx")
    assert path is not None
    network = load_onnx(path, "sudoku", 1)
    solver = load("sudoku", backend="onnx")
    alone = Solver(solver.task, network, solver.placement, Effort(batch_size=1))
    with pytest.raises(UsageError, match="takes boards of one size: use --backend torch"):
        answers(alone, puzzles(6))


@needs_runtime
def test_without_torch_other_sizes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = load("sudoku", backend="onnx")
    monkeypatch.setattr(any_size, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match="boards of 6 x 6 cells need torch"):
        answers(solver, puzzles(6))


def test_workers_answer_sizes_as_one_process_does() -> None:
    items = puzzles(4, 9, 6) * 12
    alone = load("sudoku", backend="torch", dtype="fp32", batch_size=4)
    shared = share_out(alone, Crew(asked=2))
    found = answers(shared, items)
    assert [(answer.cycles, answer.views) for answer in found] == [
        (answer.cycles, answer.views) for answer in answers(alone, items)
    ]


def test_named_weights_answer_every_size_themselves() -> None:
    path = bundled_file("sudoku.safetensors")
    solver = load("sudoku", weights=path)
    assert not isinstance(solver.model, any_size.AnySizeNetwork)
    assert solved(answers(solver, puzzles(6, 8))) == [True, True]


@pytest.mark.parametrize("side", [4, 6])
def test_minimal_small_puzzles_are_solved(side: int) -> None:
    items = list(islice(SUDOKU.generate_sized("hard", 5, (side, side)), 20))
    assert solved(answers(load("sudoku", backend="torch"), items)) == [True] * 20


def test_the_weights_of_a_size_are_used_for_it(tmp_path: Path) -> None:
    """A size with a file of its own is answered by that file."""
    solver = load("sudoku", backend="torch")
    model = solver.model
    assert isinstance(model, any_size.AnySizeNetwork)
    own = bundled_file("sudoku-4x4.safetensors")
    assert own is not None
    alone = answers(load("sudoku", weights=own, dtype="fp32"), puzzles(4, 4))
    together = answers(solver, puzzles(4, 4))
    assert [answer.cycles for answer in alone] == [answer.cycles for answer in together]
    assert [answer.halt for answer in alone] == [answer.halt for answer in together]


def test_an_easy_sudoku_of_sixteen_is_solved() -> None:
    assert solved(answers(load("sudoku", backend="torch"), puzzles(16))) == [True]
