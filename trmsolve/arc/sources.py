"""What a run on ARC learns from.

Tasks that share a pair with a task to be measured are left out. Knows settings and files; nothing
of how a network learns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trmsolve.arc.datasets import DATASETS, load_dataset
from trmsolve.arc.overlap import exclude_contaminated
from trmsolve.arc.paper.examples import PaperExamples, choose_measured
from trmsolve.arc.paper.training import PaperTrainingData
from trmsolve.arc.planes.training import PlanesTrainingData
from trmsolve.arc.read import add_solutions, distinct, only_tasks, read_path, solutions_beside
from trmsolve.arc.task import ArcTask
from trmsolve.errors import UsageError
from trmsolve.train.made import Note
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import Schedule
from trmsolve.train.sources import Sources

HELD_OUT = 32
HELD_OUT_SHARE = 10
"""By default so many tasks are held out, but at most one in ``HELD_OUT_SHARE``."""

NAMED = 8
"""Tasks that are named in a message."""


@dataclass(frozen=True, eq=False)
class ArcSource:
    """ARC tasks to be learned from, and those that were left out for a measured one."""

    sources: Sources
    tasks: list[ArcTask]
    measured: list[ArcTask]
    # Names of the tasks that share a pair with a measured one.
    left_out: list[str]

    @property
    def default_held_out(self) -> int:
        """How many tasks are held out where nobody says."""
        share = max(len(self.tasks) // HELD_OUT_SHARE, 1)
        return min(HELD_OUT, share)

    def recorded(self) -> dict[str, Any]:
        """What the run's record has of the tasks that were left out."""
        return {"left_out": self.left_out} if self.sources.measured else {}

    def training_data(
        self, recipe: Recipe, schedule: Schedule, note: Note
    ) -> PlanesTrainingData | PaperTrainingData:
        """The tasks for the recipe's kind of network."""
        if recipe.config.mixer == "planes":
            return PlanesTrainingData.of(self.tasks, recipe, schedule.held_out)
        # Where several sets have a task of the same name, the first set's is taken. The reversed
        # order stays: it decides which row of the table a task has.
        once = {task.name: task for task in reversed(self.measured)}
        if once:
            note(
                f"the demonstrations of {len(once)} evaluation tasks are used for "
                "training, as in the paper"
            )
        held_out = set(once)
        if not any(_has_answers(task) for task in once.values()):
            held_out |= choose_measured(self.tasks, schedule.held_out)
        tasks = [*self.tasks, *once.values()]
        return PaperTrainingData(PaperExamples.build(tasks, held_out, seed=schedule.seed))


def read_source(sources: Sources, note: Note) -> ArcSource:
    """Read all tasks that a run is given.

    Raises PuzzleError for what cannot be read, UsageError if nothing is left to learn from.
    """
    measured: list[ArcTask] = []
    for name in sources.measured:
        measured += _read(name, note)
    tasks, left_out = learned_tasks(sources.data, measured, note)
    return ArcSource(sources, tasks, measured, left_out)


def learned_tasks(
    names: Sequence[str], measured: Sequence[ArcTask], note: Note
) -> tuple[list[ArcTask], list[str]]:
    """The tasks of all sources, each once and without copies of measured ones.

    Also returns the names of those that were left out as copies of a measured one.
    """
    tasks: list[ArcTask] = []
    for name in names:
        fresh, again = _exclude_contaminated(_read(name, note), tasks)
        if again:
            note(f"{name}: excluded {len(again)} tasks that share a pair with an earlier task")
        tasks += fresh
    tasks, copies = _exclude_contaminated(tasks, measured)
    left_out = sorted(copies)
    if left_out:
        more = f" and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
        note(
            f"excluded {len(left_out)} tasks that share a pair with an evaluation task: "
            f"{', '.join(left_out[:NAMED])}{more}"
        )
    if not tasks:
        raise UsageError(
            "every task of --data shares a pair with a task of --measured: give other "
            "tasks for training"
        )
    return only_tasks(distinct(tasks)), left_out


def _exclude_contaminated(
    tasks: list[ArcTask], known: Sequence[ArcTask]
) -> tuple[list[ArcTask], dict[str, str]]:
    if not known:  # comparing takes seconds
        return tasks, {}
    return exclude_contaminated(tasks, known)


def _read(name: str, note: Note) -> list[ArcTask]:
    """The tasks of a file, a folder or a data set.

    They have the outputs of their tests where a file with the solutions lies beside.
    """
    if name in DATASETS and not Path(name).exists():
        return load_dataset(name)
    tasks = only_tasks(read_path(name))
    unanswered = dict.fromkeys(task.source for task in tasks if not task.answered)
    for source in unanswered:
        if beside := solutions_beside(source):
            note(f"using the test outputs of {source} from {beside}")
            tasks = _with_solutions(tasks, source, beside)
    return tasks


def _with_solutions(tasks: list[ArcTask], source: str, solutions: str) -> list[ArcTask]:
    """The tasks, with the outputs of the file ``solutions`` for those that come from ``source``."""
    of_source = [task for task in tasks if task.source == source]
    solved = {}
    for task in only_tasks(add_solutions(of_source, solutions)):
        solved[task.name] = task
    return [solved.get(task.name, task) for task in tasks]


def _has_answers(task: ArcTask) -> bool:
    return any(test.output is not None for test in task.tests)
