"""From ARC tasks to two attempts each, with a network of the paper's form: it knows tasks by the rows of its table.

A task that it knows is answered by all its variants; another gets new rows and is learned first. Of
the table, which may have a million rows, only those of the task at hand are read. Knows weights,
learning and votes; prints nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.paper.adapt import adapt_table
from trmsolve.arc.paper.known import Known, answer_known
from trmsolve.arc.task import Adapting, ArcAnswer, ArcCycle, ArcTask
from trmsolve.device import Placement
from trmsolve.errors import PuzzleError, WeightsError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.file import check_whole, load_model, read_info
from trmsolve.weights.limits import check_bounds

VIEWS = 300
"""Variants that vote where nobody says: about as good as the paper's thousand."""

SAMPLE = 256
"""Rows of the table whose mean a new task begins with."""


class TableSolver:
    """A checkpoint of the public code, converted; beside it the names of its rows, if at hand."""

    def __init__(
        self,
        path: Path,
        placement: Placement,
        budget: Budget,
        *,
        cycles: int,
        views: int | None,
        seed: int,
        keep_steps: bool,
        weights: str,
        allow_large: bool = False,
    ) -> None:
        self.path, self.placement, self.how, self.weights = path, placement, budget, weights
        self.cycles, self.views, self.seed, self.keep_steps = (
            cycles,
            views or VIEWS,
            seed,
            keep_steps,
        )
        info = read_info(path)
        if info.task != "arc":
            raise WeightsError(
                f"{path} was trained for {info.task or 'an unnamed task'}, not for arc"
            )
        self.config, self.allow_large = info.config, allow_large
        self.known = Known.beside(path, info.config.num_puzzles)
        check_bounds(path, info.config, 1, allow_large=allow_large)
        if (
            info.checksum
        ):  # a row by itself has none: all is compared once, be it seconds for a million rows
            check_whole(path, allow_large=True)

    @property
    def budget(self) -> float:
        """Seconds a task."""
        return self.how.seconds

    def network(self, rows: Sequence[int], dtype: torch.dtype) -> TinyRecursiveModel:
        """The network with these rows of its table alone."""
        return load_model(
            self.path, "arc", dtype, self.placement.device, rows, allow_large=self.allow_large
        )

    def solve_all(
        self,
        items: Iterable[ArcTask | PuzzleError],
        on_adapting: Callable[[Adapting], None] | None = None,
        on_cycle: Callable[[ArcCycle], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[ArcAnswer | PuzzleError]:
        """As ``ArcSolver.solve_all``."""
        for item in items:
            if stop():
                return
            yield (
                self._answer(item, on_adapting, on_cycle, stop)
                if isinstance(item, ArcTask)
                else item
            )

    def _answer(
        self,
        task: ArcTask,
        on_adapting: Callable[[Adapting], None] | None,
        on_cycle: Callable[[ArcCycle], None] | None,
        stop: Callable[[], bool],
    ) -> ArcAnswer:
        adapting = None
        if self.known and (found := self.known.find(task)):
            found = found.some(self.views, self.seed)
            model, variants = self.network(found.rows, self.placement.dtype), found.variants
        else:
            rows = np.unique(
                np.linspace(0, self.config.num_puzzles - 1, SAMPLE, dtype=np.intp)
            ).tolist()
            model, views, adapting = adapt_table(
                self.network(rows, torch.float32),
                task,
                self.placement,
                self.how.seconds,
                self.how.steps,
                self.seed,
                on_adapting or (lambda adapting: None),
                stop,
            )
            variants = tuple(views)
        # What was learned is answered with in full, also after a stop. What is known is voted on as
        # far as it came.
        heard = stop if adapting is None else (lambda: False)
        answer = answer_known(
            model,
            task,
            variants,
            cycles=self.cycles,
            on_cycle=on_cycle,
            keep_steps=self.keep_steps,
            stop=heard,
        )
        if adapting is None:
            return answer
        return replace(answer, adapting=adapting, seconds=answer.seconds + adapting.seconds)
