"""What a training run learns from, as its options say: puzzles of a file, puzzles made on the spot, ARC tasks.

Of ARC tasks those are left out that share a pair with a task to be measured. Knows options and
files; nothing of how a network learns.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from trmsolve.cli.arc.source import only_tasks
from trmsolve.cli.source import Notes, read_file
from trmsolve.errors import UsageError

if TYPE_CHECKING:
    from trmsolve.arc.paper.training import PaperSubject
    from trmsolve.arc.planes.training import PlanesSubject
    from trmsolve.arc.task import ArcTask, Item
    from trmsolve.train.plan import Plan
    from trmsolve.train.puzzle_training import PuzzleSubject
    from trmsolve.train.recipes import Recipe

TRAINING_SEEDS = 1 << 40
"""Where the seeds of training puzzles begin, so that ``trmsolve generate`` makes others to measure on."""

ARC_HELD_OUT, ARC_SHARE = 32, 10
"""Where nobody says: so many ARC tasks are held out, but at most one in so many."""

NAMED = 8  # tasks that are named in a message

Note = Callable[[str], None]


class Sources(NamedTuple):
    """Where the data is: names of files, folders or data sets. ``measured`` is for ARC alone."""

    data: list[str]
    measured: list[str]

    def check(
        self, task: str, bands: object, base_puzzles: object, batch_size: object, planes: bool
    ) -> None:
        """Raise UsageError for options that the task does not have, and for ARC without tasks."""
        if task != "arc":
            if len(self.data) > 1:
                raise UsageError(
                    f"--data was given {len(self.data)} times: {task} is learned from one file, join them"
                )
            if self.measured:
                raise UsageError("--measured is for ARC: puzzles are held out with --held-out")
            return
        if not self.data:
            raise UsageError(
                "ARC tasks are not made by this program: give --data, a file or folder of them, or the name of a "
                "public set such as arc1-train, which come with pip install 'trmsolve[arc]'"
            )
        if bands is not None:
            raise UsageError("--bands: ARC tasks have no rating")
        if base_puzzles is not None:
            raise UsageError(
                "--base-puzzles is for Sudoku and mazes: of ARC tasks name those to learn from"
            )
        if batch_size is not None and planes:
            raise UsageError(
                "--batch-size: this recipe's batches are measured in cells, --set batch_cells=N"
            )

    def recorded(self, task: str) -> dict[str, Any]:
        """As the run's record has it."""
        if task == "arc":
            return {"data": self.data, "measured": self.measured}
        return {"data": self.data[0] if self.data else None}

    def or_those_of(self, described: dict[str, Any]) -> "Sources":
        """Those of a run that goes on, where no others are given."""
        data, measured = described["data"] or [], described.get("measured") or []
        return Sources(
            self.data or ([data] if isinstance(data, str) else data), self.measured or measured
        )


def puzzle_subject(
    task: str,
    recipe: "Recipe",
    data: list[str],
    shares: dict[str, float] | None,
    base_puzzles: int | None,
    seed: int,
    note: Note,
) -> "PuzzleSubject":
    """Grid puzzles with their answers. Raises PuzzleError for what cannot be read."""
    from trmsolve.puzzles import get_task
    from trmsolve.train.data import Examples
    from trmsolve.train.puzzle_training import PuzzleSubject

    room = get_task(task, recipe.config.vocab_size)
    if data:
        items = Notes(note).follow(read_file(room, data[0]))
        return PuzzleSubject(room, Examples.collect(room, items), shares, base_puzzles)
    note(
        "making "
        + ", ".join(f"{number} {kind}" for kind, number in room.training_kinds.items())
        + " puzzles"
    )
    kinds = (
        (room.generate(kind, TRAINING_SEEDS + seed), number)
        for kind, number in room.training_kinds.items()
    )
    made = Examples.collect(
        room, (puzzle for kind, number in kinds for puzzle in islice(kind, number))
    )
    return PuzzleSubject(room, made, shares, base_puzzles)


def arc_subject(
    recipe: "Recipe", sources: Sources, plan: "Plan", chosen: bool, note: Note
) -> tuple["PlanesSubject | PaperSubject", dict[str, Any], "Plan"]:
    """ARC tasks, what the record says of those left out, and the plan with the number held out, if not ``chosen``.

    Raises PuzzleError for what cannot be read, UsageError if nothing is left to learn from.
    """
    from trmsolve.arc.paper.examples import OfficialExamples, choose_measured
    from trmsolve.arc.paper.training import PaperSubject
    from trmsolve.arc.planes.training import PlanesSubject

    measured = [task for name in sources.measured for task in _read(name, note)]
    tasks, left_out = learned_tasks(sources.data, measured, note)
    if not chosen:
        plan = replace(plan, held_out=min(ARC_HELD_OUT, max(len(tasks) // ARC_SHARE, 1)))
    record: dict[str, Any] = {"left_out": left_out} if sources.measured else {}
    if recipe.config.mixer == "planes":
        return PlanesSubject.of(tasks, recipe, plan.held_out), record, plan
    once = {
        task.name: task for task in reversed(measured)
    }  # by name, in several sets the first one
    if measured:
        note(
            f"of {len(once)} measured tasks the demonstrations are learned from, as the paper does"
        )
    names = {*once}
    if not any(test.output is not None for task in once.values() for test in task.tests):
        names |= choose_measured(tasks, plan.held_out)
    return (
        PaperSubject(OfficialExamples.build([*tasks, *once.values()], names, seed=plan.seed)),
        record,
        plan,
    )


def learned_tasks(
    names: Sequence[str], measured: Sequence["ArcTask"], note: Note
) -> tuple[list["ArcTask"], list[str]]:
    """The tasks of all sources, none twice and no copy of a measured one, and which were left out for that."""
    from trmsolve.arc.overlap import without_copies
    from trmsolve.arc.read import distinct

    def new(
        fresh: "list[ArcTask]", known: "Sequence[ArcTask]"
    ) -> "tuple[list[ArcTask], dict[str, str]]":
        return without_copies(fresh, known) if known else (fresh, {})  # comparing takes seconds

    tasks: list[ArcTask] = []
    for name in names:
        fresh, again = new(_read(name, note), tasks)
        if again:
            note(f"{name}: {len(again)} tasks that share a pair with one before it are left out")
        tasks += fresh
    tasks, copies = new(tasks, measured)
    if copies:
        more = f" and {len(copies) - NAMED} more" if len(copies) > NAMED else ""
        note(
            f"{len(copies)} tasks that share a pair with a measured one are left out: "
            f"{', '.join(sorted(copies)[:NAMED])}{more}"
        )
    if not tasks:
        raise UsageError(
            "every task of --data shares a pair with one of --measured: give others to learn from"
        )
    return only_tasks(list(distinct(tasks))), sorted(copies)


def _read(name: str, note: Note) -> list["ArcTask"]:
    """The tasks of a file, a folder or a data set, with the outputs of their tests as far as they are at hand."""
    from trmsolve.arc.datasets import DATASETS, load_dataset
    from trmsolve.arc.read import add_solutions, read_path, solutions_beside

    if name in DATASETS and not Path(name).exists():
        return load_dataset(name)
    tasks = only_tasks(list(read_path(name)))
    for source in dict.fromkeys(task.source for task in tasks if not task.answered):
        if beside := solutions_beside(source):
            note(f"outputs of the tests of {source} from {beside}")
            solved: list[Item] = list(
                add_solutions([task for task in tasks if task.source == source], beside)
            )
            known = {task.name: task for task in only_tasks(solved)}
            tasks = [known.get(task.name, task) for task in tasks]
    return tasks


def shares_of(bands: str | None) -> dict[str, float] | None:
    """``0=1,1-7=2`` as numbers. Raises UsageError for what does not make sense."""
    from trmsolve.puzzles.values import BANDS

    if bands is None:
        return None
    shares: dict[str, float] = {}
    for part in bands.split(","):
        name, _, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            raise UsageError(f"--bands: {part!r} is not BAND=NUMBER") from None
        if name.strip() not in BANDS or not 0 <= shares[name.strip()] < math.inf:
            raise UsageError(
                f"--bands: {part!r} is not one of {', '.join(BANDS)} with a share from 0 on"
            )
    if not any(shares.values()):
        raise UsageError("--bands: some band must have a share above 0")
    return shares


def check_same(described: dict[str, Any], facts: dict[str, Any], given: Sequence[str]) -> None:
    """Keep in the record what is learned from, or hold its mark against the one kept there."""
    kept = described.get("examples")
    if kept is not None and kept != facts["examples"]:
        was = described["data"]
        names = was if isinstance(was, str) or not was else ", ".join(was)
        began = f"{names} as it was" if names else "puzzles made on the spot"
        now = ", ".join(given) or "those that this version makes"
        raise UsageError(
            f"the run began with {began}, and {now} are others: it cannot go on with them"
        )
    described |= {name: fact for name, fact in facts.items() if name not in described}
