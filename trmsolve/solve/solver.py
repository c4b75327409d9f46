"""From puzzles to verified answers: the solver, and how it is loaded.

A puzzle is refined as given; if the rules do not accept the result, it is refined again under
another symmetry, until one is accepted or the views are used up. The rules check and choose, they
never fill a cell. Only ``watch`` prints, and a puzzle file is opened only where a path is given.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from trmsolve.errors import PuzzleError, WeightsError
from trmsolve.model.config import TRMConfig
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.files import Item
from trmsolve.puzzles.given import Given, every_item, first_puzzle
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Cycle
from trmsolve.solve.any_size import AnySizeNetwork
from trmsolve.solve.backend import chooses_onnx
from trmsolve.solve.effort import VIEWS, Effort
from trmsolve.solve.network import LoadOptions, Network, Place, default_batch_size
from trmsolve.solve.onnx_network import load_graph
from trmsolve.solve.stream import (
    EVERY_PLACE,
    LOOK_AHEAD,
    InOrder,
    Places,
    Run,
    answers_in_order,
)

WATCHING = "trmsolve.show.watch"
"""The module that shows solving live.

It stands above this one and needs Rich, so that it is imported by its name, when it is asked for.
"""


class Solver:
    """A network with the task it was trained for. ``load`` makes one."""

    workers = 1
    """How many processes solve the puzzles."""

    def __init__(
        self,
        task: Task,
        model: Network,
        placement: Place,
        effort: Effort,
        weights: str = "",
    ) -> None:
        self.task = task
        self.model = model
        self.placement = placement
        self.effort = effort
        self.weights = weights

    def solve(self, given: Given, history: bool = False) -> Answer:
        """The answer to the first puzzle of a text, of a file, of rows or of an array.

        Args:
            given: Text with a puzzle, the path of a file, rows of text or of cells, an array of
                whole numbers as ``Answer.grid`` has them, or a ``Puzzle``. A string is a path only
                if it holds no puzzle and a file has this name.
            history: Whether the answer keeps every cycle as ``Answer.history``.

        Raises:
            PuzzleError: If there is no puzzle, or it cannot be read.
            TypeError: If a value of this type is no puzzle.

        Example:
            >>> from trmsolve import load
            >>> answer = load("sudoku").solve("examples/sudoku/easy.txt", history=True)
            >>> answer.verified, answer.grid[0].tolist()
            (True, [5, 3, 4, 6, 7, 8, 9, 1, 2])
            >>> len(answer.history) == answer.cycles
            True
        """
        cycles: list[Cycle] = []
        on_cycle = cycles.append if history else None
        answer = next(self.solve_all([first_puzzle(self.task, given)], on_cycle))
        if isinstance(answer, PuzzleError):
            raise answer
        return replace(answer, history=tuple(cycles)) if history else answer

    def refine(self, given: Given) -> Iterator[Cycle]:
        """Every improvement cycle for the first puzzle of what ``solve`` takes, view after view.

        Example:
            >>> from trmsolve import load
            >>> cycles = list(load("sudoku").refine("examples/sudoku/easy.txt"))
            >>> cycles[-1].violations
            0
        """
        order = InOrder([first_puzzle(self.task, given)], LOOK_AHEAD)
        for cycle in Run(self, order.items(), order.put).cycles():
            if cycle is not None:
                yield cycle

    def watch(self, given: Given, pace: float = 0.1) -> Answer:
        """Solve as ``solve`` does and show each cycle live, in a terminal or a notebook.

        Every frame stays for ``pace`` seconds. Elsewhere, as in a pipe, only a line with the
        outcome is printed.
        """
        puzzle = first_puzzle(self.task, given)
        watching = import_module(WATCHING)
        answer: Answer = watching.watch(
            lambda on_cycle: self.solve_all([puzzle], on_cycle), self.task.paint, pace
        )
        return answer

    def solve_all(
        self,
        items: Given | Iterable[Given | Item | None],
        on_cycle: Callable[[Cycle], None] | None = None,
        on_answer: Callable[[Answer], None] | None = None,
        on_step: Callable[[], None] | None = None,
        places: Places = EVERY_PLACE,
    ) -> Iterator[Answer | PuzzleError]:
        """An answer for each puzzle, in order; an item that could not be read passes through.

        ``items`` are what ``solve`` takes. A text or a path, also one alone, stands for every
        puzzle in it. An item None says that nothing waits right now.

        ``on_cycle`` is shown every cycle, ``on_answer`` every answer as soon as it is there, which
        may be out of order. ``on_step`` is called after every cycle of every puzzle, and costs no
        drawing; an exception that it raises ends the solving. Memory stays constant however many
        puzzles come. ``places`` are the puzzles' places among all, from which follows what is
        random about each.

        Example:
            >>> from pathlib import Path
            >>> from trmsolve import load
            >>> answers = list(load("sudoku").solve_all(Path("examples/sudoku/list.sdm")))
            >>> len(answers), all(answer.verified for answer in answers)
            (5, True)
        """
        every = every_item(self.task, items)
        order = InOrder(every, LOOK_AHEAD * self.effort.batch_size, on_answer, places)
        run = Run(self, order.items(), order.put, on_cycle is not None, on_step)
        yield from answers_in_order(run.cycles(), order, on_cycle)

    @property
    def threads(self) -> int:
        """CPU threads that each process uses."""
        return self.placement.threads

    @property
    def where(self) -> str:
        """A line on where it runs, and why."""
        return self.placement.reason

    def with_effort(self, effort: Effort) -> "Solver":
        """The same solver, trying as hard as ``effort`` says."""
        return Solver(self.task, self.model, self.placement, effort, self.weights)


def load(  # noqa: PLR0913 (each may be named alone)
    task: str,
    *,
    weights: str | Path | None = None,
    offline: bool = False,
    allow_large: bool = False,
    note: Callable[[str], None] | None = None,
    cycles: int | None = None,
    views: int = VIEWS,
    batch_size: int | None = None,
    seed: int = 0,
    noise: float | None = None,
    backend: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    compiled: bool = False,
    accept_detours: bool = False,
) -> Solver:
    """A solver for ``task``, such as "sudoku", with the bundled weights, or those that are named.

    ``weights`` is a file, a run's folder, or ``hf://user/repo[@revision]``, which is fetched if it
    was never before and not ``offline``; ``note`` is told about the download. ``allow_large`` takes
    files over 512 MiB.

    ``backend`` is what runs the network: torch, onnx (onnxruntime and a graph, without torch), or
    auto, which takes onnx where it is installed and there is a graph. The commands know how many
    puzzles there are, and take torch for many of them on a CPU with bf16 in hardware.

    ``accept_detours`` counts every valid answer as verified where a task has better and worse ones.
    ``compiled`` has torch compile the network at the first cycles: half a minute that hundreds of
    puzzles win back. Raises WeightsError for weights that are missing, damaged or another task's,
    UsageError for impossible options.

    Example:
        >>> from trmsolve import load
        >>> solver = load("sudoku", views=4)
        >>> solver.task.name, solver.effort.views
        ('sudoku', 4)
    """
    options = LoadOptions(
        weights=weights,
        offline=offline,
        allow_large=allow_large,
        note=note,
        cycles=cycles,
        views=views,
        batch_size=batch_size,
        seed=seed,
        noise=noise,
        backend=backend,
        device=device,
        dtype=dtype,
        threads=threads,
        compiled=compiled,
        accept_detours=accept_detours,
    )
    return load_solver(task, options)


def load_solver(name: str, options: LoadOptions) -> Solver:
    """As ``load``, with the options as one value."""
    get_task(name)  # an unknown name is told before any work
    with_graph = chooses_onnx(name, options)
    if with_graph:
        loaded = load_graph(name, options)
    else:
        from trmsolve.solve.torch_network import load_torch  # imports torch

        loaded = load_torch(name, options)
    config = loaded.network.config
    task = get_task(name, config.vocab_size)
    effort = _effort(task, options, loaded.placement.device)
    _check_fits(loaded.path, config, task)
    accepting = task.accepting_any_valid() if options.accept_detours else task
    network = loaded.network
    if config.candidates > 1 and options.weights in (None, name):
        threads = loaded.placement.threads
        network = AnySizeNetwork(network, name, threads, takes_any_size=not with_graph)
    return Solver(accepting, network, loaded.placement, effort, loaded.label)


def _effort(task: Task, options: LoadOptions, device: Any) -> Effort:
    """The options' effort, with the usual one of the task where nothing is said."""
    cycles = options.cycles
    size = options.batch_size
    noise = options.noise
    return Effort(
        cycles=task.default_cycles if cycles is None else cycles,
        more_cycles=cycles is None,
        views=options.views,
        batch_size=default_batch_size(device, task) if size is None else size,
        seed=options.seed,
        noise=task.default_noise if noise is None else noise,
    )


def _check_fits(path: Path, config: TRMConfig, task: Task) -> None:
    """Raise WeightsError for a network with other tokens or places than the task has."""
    takes_any_board = config.candidates > 1 and task.candidates > 1
    fits = takes_any_board or config.seq_len == task.seq_len
    if config.vocab_size != task.vocab_size or not fits:
        raise WeightsError(
            f"{path} has {config.vocab_size} tokens and {config.seq_len} positions, but "
            f"{task.name} needs {task.vocab_size} and {task.seq_len}"
        )
