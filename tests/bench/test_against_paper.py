"""The paper's fixed cycles beside the time to a verified answer."""

import pytest

from tests.support.bench import CPU, LINEAR
from trmsolve.bench import against_paper
from trmsolve.bench.against_paper import compare, example_puzzles, paper_config
from trmsolve.errors import UsageError
from trmsolve.solve.solver import Solver, load


@pytest.fixture(scope="module")
def solver() -> Solver:
    return load("sudoku", backend="torch", device="cpu", dtype="fp32", batch_size=1)


def test_the_paper_has_the_shapes_it_publishes() -> None:
    sudoku = paper_config("sudoku")
    assert (sudoku.hidden_size, sudoku.layers, sudoku.mixer) == (512, 2, "mlp")
    assert (sudoku.recursions, sudoku.latent_steps, sudoku.seq_len) == (3, 6, 81)
    maze = paper_config("maze")
    assert (maze.hidden_size, maze.layers, maze.mixer) == (512, 2, "attention")
    assert (maze.recursions, maze.latent_steps, maze.seq_len) == (3, 4, 900)
    with pytest.raises(UsageError, match="is for sudoku and maze, not for chess"):
        paper_config("chess")


def test_the_example_puzzles_have_the_papers_sizes() -> None:
    assert {puzzle.grid.shape for puzzle in example_puzzles("sudoku")} == {(9, 9)}
    assert {puzzle.grid.shape for puzzle in example_puzzles("maze")} == {(30, 30)}
    assert len(example_puzzles("sudoku")) == 8 and len(example_puzzles("maze")) == 4


def test_missing_examples_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(against_paper, "example_file", lambda name: None)
    with pytest.raises(UsageError, match=r"there is no maze/hard\.txt"):
        example_puzzles("maze")


def test_both_are_timed_in_turn(solver: Solver) -> None:
    figures = compare(LINEAR, solver, CPU, example_puzzles("sudoku")[:2])
    assert figures["paper_cycles"] == figures["paper_cycles_timed"] == 16
    assert figures["verified"] == figures["puzzles"] == 2
    ratio = figures["paper_seconds_per_puzzle"] / figures["seconds_per_puzzle"]
    assert figures["ratio"] == pytest.approx(ratio)
    assert (figures["task"], figures["dtype"]) == ("sudoku", "fp32")


def test_slow_machines_time_fewer_cycles_and_every_puzzle(
    solver: Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(against_paper, "LONGEST", 0.0)
    figures = compare(LINEAR, solver, CPU, example_puzzles("sudoku")[:2])
    assert figures["paper_cycles_timed"] == 1
    assert figures["verified"] == 2
