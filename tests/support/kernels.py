"""Compiles the kernels of a task into numba's cache: ``python -m tests.support.kernels sudoku``."""

import hashlib
import os
import sys
from pathlib import Path

from tests.support.paths import ROOT
from trmsolve.puzzles.registry import get_task

FOLDERS = {"sudoku": "puzzles/sudoku", "maze": "puzzles/maze", "arc": "arc/compression"}
"""Where the kernels of each task are."""


def are_compiled(task: str) -> bool:
    """Whether this script has compiled the kernels of the modules as they are now."""
    mark = mark_of(task)
    return mark is not None and mark.exists()


def mark_of(task: str) -> Path | None:
    """The file that says so. Like numba, it tells modules by their dates and sizes."""
    cache = os.environ.get("NUMBA_CACHE_DIR")
    if cache is None:
        return None
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted((ROOT / "trmsolve" / FOLDERS[task]).glob("*.py")):
        found = path.stat()
        digest.update(f"{path} {found.st_mtime_ns} {found.st_size}\n".encode())
    return Path(cache) / f"{task}-{digest.hexdigest()[:16]}.compiled"


def compile_kernels(task: str) -> None:
    """Make a puzzle of every difficulty, or learn an ARC task for a step."""
    if task == "arc":
        learn_a_step()
        return
    puzzles = get_task(task)
    for difficulty in puzzles.difficulties:
        next(iter(puzzles.generate(difficulty, seed=1)))


def learn_a_step() -> None:
    # Torch is imported here alone: the first process of pytest-xdist does without it.
    from tests.support.arc_tasks import same_outputs
    from trmsolve.arc.compression.learning import CompressionLearner
    from trmsolve.arc.compression.puzzle import CompressionPuzzle

    CompressionLearner(CompressionPuzzle(same_outputs()), [0]).step()


if __name__ == "__main__":
    compile_kernels(sys.argv[1])
    mark = mark_of(sys.argv[1])
    if mark is not None:
        mark.touch()
