"""Puzzles that a run makes for itself, kept for the next run with the same seed.

Making them takes a minute or more. What is kept is found again by the seed and by the source code
that made it, so that another version of the generator makes its own.
"""

import contextlib
import hashlib
import inspect
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

import trmsolve.puzzles
from trmsolve.cache import cache_folder, trim_cache
from trmsolve.errors import PuzzleError
from trmsolve.files import replacing
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Puzzle
from trmsolve.train.data import Examples

TRAINING_SEEDS = 1 << 40
"""Where the seeds of training puzzles begin, so that ``trmsolve generate`` makes others."""

Note = Callable[[str], None]
Making = Callable[[int, int], None]
"""Told how many puzzles are made, and of how many."""

ARRAYS = ("questions", "answers", "ratings")


def made_examples(task: Task, seed: int, note: Note, making: Making) -> Examples:
    """The puzzles that a run without data learns from, as its task says: made now, or kept."""
    path = _path(task, seed)
    total = sum(task.training_kinds.values())
    kept = _kept(path, total)
    if kept is not None:
        note(f"{total} puzzles that an earlier run with this seed has made")
        return kept
    kinds = [f"{number} {kind}" for kind, number in task.training_kinds.items()]
    note(f"generating {', '.join(kinds)} puzzles")
    examples = Examples.collect(task, _counted(_made(task, TRAINING_SEEDS + seed), total, making))
    with contextlib.suppress(OSError):  # whoever cannot keep them makes them again
        _keep(examples, path)
    return examples


def _made(task: Task, seed: int) -> Iterator[Puzzle | PuzzleError]:
    for kind, number in task.training_kinds.items():
        yield from islice(task.generate(kind, seed), number)


def _counted(
    puzzles: Iterator[Puzzle | PuzzleError], total: int, making: Making
) -> Iterator[Puzzle | PuzzleError]:
    """The puzzles, with ``making`` told of each."""
    for number, puzzle in enumerate(puzzles, start=1):
        making(number, total)
        yield puzzle


def _path(task: Task, seed: int) -> Path:
    """Where the puzzles of a seed are kept."""
    identity = hashlib.sha256()
    cells = task.seq_len // task.candidates  # a task may have boards of several sizes
    identity.update(repr((task.name, cells, dict(task.training_kinds), seed)).encode())
    for source in _sources(task):
        identity.update(source.read_bytes())
    return cache_folder() / "puzzles" / f"{task.name}-{seed}-{identity.hexdigest()[:16]}.npz"


def _sources(task: Task) -> list[Path]:
    """The source code that decides how puzzles come out: all of puzzles, and the task's own file.

    A task of another package has a file elsewhere.
    """
    shared = Path(trmsolve.puzzles.__file__).parent
    own = Path(inspect.getfile(type(task)))
    return sorted({*shared.rglob("*.py"), own})


def _kept(path: Path, total: int) -> Examples | None:
    """What was kept; None if there is nothing, or nothing that is whole."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            questions, answers, ratings = (arrays[name] for name in ARRAYS)
            examples = Examples(questions, answers, ratings, arrays.get("extras"))
        path.touch()  # it was used now
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
    return examples if len(examples) == len(examples.answers) == total else None


def _keep(examples: Examples, path: Path) -> None:
    """Keep the examples for the next run. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: getattr(examples, name) for name in ARRAYS}
    if examples.extras is not None:
        arrays["extras"] = examples.extras
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    trim_cache()
