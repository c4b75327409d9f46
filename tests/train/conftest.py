"""Fixtures for tests of runs."""

from itertools import islice
from pathlib import Path

import pytest
import torch

from tests.support.runs import run
from trmsolve.puzzles.registry import get_task
from trmsolve.train.data import Examples


@pytest.fixture(scope="session")
def examples() -> Examples:
    """Twelve easy Sudokus."""
    return Examples.collect(get_task("sudoku"), islice(get_task("sudoku").generate("easy", 5), 12))


@pytest.fixture(scope="session")
def undisturbed(examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing stopped."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    out = run(tmp_path_factory.mktemp("undisturbed"), examples).out
    torch.set_num_threads(before)
    return out
