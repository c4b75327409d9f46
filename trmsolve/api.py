"""What Python programs call besides ``load``: reading, making and measuring puzzles.

Each function does what a command does. Nothing here prints.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from trmsolve.arc.task import ArcTask
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.files import read_file
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Puzzle
from trmsolve.solve.figures import Figures

ARC = "arc"

ANY_LENGTH = (None, None)
"""The bounds of a path's length where nobody says."""


def read(
    path: str | PathLike[str], *, task: str, keep_errors: bool = False
) -> Iterator[Puzzle | ArcTask | PuzzleError]:
    """Every puzzle of a file, in whatever form it is written; see docs/formats.md.

    Args:
        path: The file. For ARC it may be a folder.
        task: What the file holds: "sudoku", "maze", "arc", or a puzzle of another package.
        keep_errors: Whether items that cannot be read come in their place as PuzzleError values,
            which ``solve_all`` passes through.

    Raises:
        PuzzleError: At the first item that cannot be read, unless errors are kept.
        UsageError: If there is no such task.

    Example:
        >>> import trmsolve
        >>> puzzles = list(trmsolve.read("examples/sudoku/list.sdm", task="sudoku"))
        >>> len(puzzles), puzzles[0].grid.shape, puzzles[0].source
        (5, (9, 9), 'examples/sudoku/list.sdm:1')
    """
    items = _items(path, task)
    return items if keep_errors else _refusing(items)


def _items(path: str | PathLike[str], task: str) -> Iterator[Puzzle | ArcTask | PuzzleError]:
    if task == ARC:
        from trmsolve.arc.read import read_path

        return iter(read_path(str(path)))
    return read_file(get_task(task), str(Path(path)))


def _refusing(
    items: Iterator[Puzzle | ArcTask | PuzzleError],
) -> Iterator[Puzzle | ArcTask]:
    for item in items:
        if isinstance(item, PuzzleError):
            raise item
        yield item


def generate(  # noqa: PLR0913 (each may be named alone)
    task: str,
    *,
    n: int = 10,
    difficulty: str | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    path_length: tuple[int | None, int | None] = ANY_LENGTH,
) -> list[Puzzle] | list[ArcTask]:
    """New puzzles, each with its answer and its rating; the same seed makes the same ones.

    Args:
        task: "sudoku", "maze", "arc", or a puzzle of another package.
        n: How many puzzles.
        difficulty: One of those that ``trmsolve generate --help`` lists; None is the usual one.
        seed: A whole number of at least 0.
        size: Rows and columns, for mazes.
        path_length: The least and the most steps of a maze's path; None is no bound.

    Raises:
        UsageError: If there is no such task or difficulty, or such puzzles cannot be made.

    Example:
        >>> import trmsolve
        >>> puzzles = trmsolve.generate("sudoku", n=2, difficulty="easy", seed=1)
        >>> [(puzzle.grid.shape, puzzle.rating, puzzle.answer.min()) for puzzle in puzzles]
        [((9, 9), 0, np.int8(1)), ((9, 9), 0, np.int8(1))]
    """
    if n < 1:
        raise UsageError(f"n must be at least 1, not {n}")
    if seed < 0:
        raise UsageError(f"seed must be at least 0, not {seed}")
    if task == ARC:
        if size is not None or path_length != ANY_LENGTH:
            raise UsageError("size and path_length are for mazes: omit them for ARC tasks")
        from trmsolve.arc.generate.difficulties import USUAL_DIFFICULTY
        from trmsolve.arc.generate.tasks import generate_tasks

        return list(islice(generate_tasks(seed, difficulty=difficulty or USUAL_DIFFICULTY), n))
    return list(islice(made_puzzles(task, difficulty, seed, size, path_length), n))


def made_puzzles(
    task: str,
    difficulty: str | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    path_length: tuple[int | None, int | None] = ANY_LENGTH,
) -> Iterator[Puzzle]:
    """New puzzles of a task that is not ARC, without end; as ``generate``."""
    kind = get_task(task)
    if difficulty not in (None, *kind.difficulties):
        listed = ", ".join(kind.difficulties)
        raise UsageError(f"difficulty {difficulty!r} is not known: use {listed}")
    return kind.generate_sized(difficulty or kind.difficulties[0], seed, size, *path_length)


def evaluate(
    data: str | PathLike[str],
    *,
    task: str = "sudoku",
    limit: int | None = None,
    views: int = 1,
    on_answer: Callable[[Answer], None] | None = None,
    **options: Any,
) -> Figures:
    """Measure weights on puzzles whose answers are known, as ``trmsolve eval`` does.

    With one view every puzzle runs all its cycles and is judged by the last, as in the paper. With
    more, puzzles are solved as ``solve`` does. One process measures; the command may use several,
    with the same rates.

    Args:
        data: A file with questions and answers.
        task: What the file holds. ARC tasks are measured by the command alone.
        limit: How many puzzles are measured at most.
        views: Symmetric views of each puzzle.
        on_answer: Called with each answer as it comes.
        options: Those of ``load``, such as ``weights``, ``cycles``, ``seed`` and ``device``.

    Raises:
        PuzzleError: If the file cannot be read, or a puzzle comes without a right answer.
        WeightsError: If the weights are missing, damaged or another task's.
        UsageError: For impossible options.

    Example:
        >>> import trmsolve
        >>> figures = trmsolve.evaluate("examples/maze/maze.csv", task="maze", limit=1)
        >>> figures.n, figures.verified
        (1, 1.0)
    """
    from trmsolve.solve.evaluate import evaluate as measure
    from trmsolve.solve.solver import load

    if limit is not None and limit < 1:
        raise UsageError(f"limit must be at least 1, not {limit}")
    puzzles = islice(read_file(get_task(task), str(Path(data))), limit)
    solver = load(task, views=views, **options)
    return Figures.of(measure(solver, puzzles, Path(data).name, on_answer))
