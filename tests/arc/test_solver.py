"""Loading the solver brings no training code along, except what adapting to a task takes."""

import subprocess
import sys

import pytest

TRAINING = [
    "trmsolve.train.run",
    "trmsolve.train.checkpoint",
    "trmsolve.train.metrics",
    "trmsolve.distributed",
    "trmsolve.train.puzzle_training",
    "trmsolve.arc.planes.training",
    "trmsolve.arc.paper.training",
    "trmsolve.arc.paper.examples",
]


@pytest.fixture(scope="module")
def imported() -> list[str]:
    """The modules of the package that are loaded with the solver, in a process of its own."""
    command = "import sys, trmsolve.arc.solver; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    return [name for name in done.stdout.split() if name.startswith("trmsolve")]


@pytest.mark.parametrize("module", TRAINING)
def test_answering_imports_no_training(module: str, imported: list[str]) -> None:
    assert module not in imported


def test_adapting_imports_only_what_learning_takes(imported: list[str]) -> None:
    train = [name for name in imported if name.startswith("trmsolve.train.")]
    allowed = ["loss", "optim", "recipe_checks", "recipes"]
    assert train == [f"trmsolve.train.{name}" for name in allowed]
