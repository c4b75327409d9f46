"""Compiles the kernels of a task into numba's cache: ``python -m tests.support.kernels sudoku``."""

import sys

from trmsolve.puzzles import get_task
from trmsolve.puzzles.base import Task


def compile_kernels(task: Task) -> None:
    """Make a puzzle of every difficulty."""
    for difficulty in task.difficulties:
        next(iter(task.generate(difficulty, seed=1)))


if __name__ == "__main__":
    compile_kernels(get_task(sys.argv[1]))
