"""From ARC tasks to two attempts each, by a network in the paper's form.

A task that the network knows is answered by all its variants; another task gets new rows of the
table and is learned first. The table may have a million rows: only those of the task at hand are
read. Knows weights, learning and votes; prints nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from trmsolve.arc.options import ArcOptions
from trmsolve.arc.paper.answering import VariantVote
from trmsolve.arc.paper.known import Known, Recognised
from trmsolve.arc.task import (
    AdaptationProgress,
    ArcAnswer,
    ArcCycle,
    ArcTask,
    Item,
    ignore,
    never,
)
from trmsolve.device import Placement
from trmsolve.errors import PuzzleError, WeightsError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.file import check_whole, load_model, read_info
from trmsolve.weights.limits import check_bounds

if TYPE_CHECKING:
    from trmsolve.arc.paper.adapt import Learned

VIEWS = 300
"""Variants that vote where nobody says: about as good as the paper's thousand."""

SAMPLE = 256
"""Rows of the table whose mean a new task begins with."""


class PaperSolver:
    """A network in the paper's form; beside its file the names of its table's rows, if at hand."""

    def __init__(
        self,
        path: Path,
        placement: Placement,
        options: ArcOptions,
        weights: str,
        allow_large: bool = False,
    ) -> None:
        """Read what the files say of the network; its weights are read for each task.

        Raises:
            WeightsError: If the weights are damaged, too large, or another task's.
        """
        self.path = path
        self.placement = placement
        self.options = options
        self.weights = weights
        self.allow_large = allow_large
        info = read_info(path)
        if info.task != "arc":
            raise WeightsError(
                f"{path} was trained for {info.task or 'an unnamed task'}, not for arc"
            )
        self.config = info.config
        self.known = Known.beside(path, info.config.num_puzzles)
        check_bounds(path, info.config, 1, allow_large=allow_large)
        if info.checksum:
            # A row that is read by itself has no checksum: the whole file is compared once, which
            # takes seconds for a million rows.
            check_whole(path, allow_large=True)

    @property
    def budget(self) -> float:
        """Seconds a task."""
        return self.options.budget.seconds

    def network(self, rows: Sequence[int], dtype: torch.dtype) -> TinyRecursiveModel:
        """The network with only these rows of its table."""
        return load_model(
            self.path, "arc", dtype, self.placement.device, rows, allow_large=self.allow_large
        )

    def solve_all(
        self,
        items: Iterable[Item],
        on_adapting: Callable[[AdaptationProgress], None] | None = None,
        on_cycle: Callable[[ArcCycle], None] | None = None,
        stop: Callable[[], bool] = never,
    ) -> Iterator[ArcAnswer | PuzzleError]:
        """As ``PlanesSolver.solve_all``; ``on_cycle`` is told of all variants."""
        for item in items:
            if stop():
                return
            if isinstance(item, PuzzleError):
                yield item
                continue
            found = self.known.find(item) if self.known else None
            if found is not None:
                yield self._answer_known(item, found, on_cycle, stop)
            else:
                yield self._answer_new(item, on_adapting or ignore, on_cycle, stop)

    def _answer_known(
        self,
        task: ArcTask,
        found: Recognised,
        on_cycle: Callable[[ArcCycle], None] | None,
        stop: Callable[[], bool],
    ) -> ArcAnswer:
        """The vote of the variants that the network knows; after a stop, as far as it came."""
        some = found.some(self.options.views or VIEWS, self.options.seed)
        vote = VariantVote(
            self.network(some.rows, self.placement.dtype),
            task,
            some.variants,
            cycles=self.options.cycles,
            on_cycle=on_cycle,
            keep_steps=self.options.keep_steps,
            stop=stop,
        )
        return vote.answer()

    def _answer_new(
        self,
        task: ArcTask,
        on_adapting: Callable[[AdaptationProgress], None],
        on_cycle: Callable[[ArcCycle], None] | None,
        stop: Callable[[], bool],
    ) -> ArcAnswer:
        """Learn the task, then let its variants vote, in full also after a stop."""
        learned = self._learn(task, on_adapting, stop)
        vote = VariantVote(
            learned.model,
            task,
            tuple(learned.variants),
            cycles=self.options.cycles,
            on_cycle=on_cycle,
            keep_steps=self.options.keep_steps,
        )
        answer = vote.answer()
        seconds = answer.seconds + learned.ended.seconds
        return replace(answer, adapting=learned.ended, seconds=seconds)

    def _learn(
        self,
        task: ArcTask,
        on_adapting: Callable[[AdaptationProgress], None],
        stop: Callable[[], bool],
    ) -> "Learned":
        from trmsolve.arc.paper.adapt import PaperAdapter  # training code: only if it is needed

        sample = np.linspace(0, self.config.num_puzzles - 1, SAMPLE, dtype=np.intp)
        rows = np.unique(sample).tolist()
        adapter = PaperAdapter(
            self.network(rows, torch.float32),
            task,
            self.placement,
            self.options.budget,
            seed=self.options.seed,
            report=on_adapting,
            stop=stop,
        )
        return adapter.adapt()
