"""``trmsolve eval --task arc``: the official score of weights, or of a submission.

The answers to the tasks must be known.
"""

import json as json_
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trmsolve.arc.kept import KeptAnswers
from trmsolve.arc.read import only_tasks, solutions_beside
from trmsolve.arc.submission import read_submission, score_answers, score_submission
from trmsolve.arc.task import ArcAnswer, ArcTask
from trmsolve.cli.arc.output import learning, votes
from trmsolve.cli.arc.source import read_items
from trmsolve.cli.output import put_text, say
from trmsolve.distributed import refuse_group
from trmsolve.errors import INTERRUPTED, PuzzleError, UsageError
from trmsolve.show.arc_displays import ProgressArcDisplay
from trmsolve.show.console import make_console
from trmsolve.signals import heard
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.wording import count, seconds

if TYPE_CHECKING:
    from trmsolve.arc.solver import ArcSolver

NAMED = 5
"""Ids that a table names, at most."""


@dataclass(frozen=True)
class Measurement:
    """Which tasks are measured."""

    data: Path
    """A file or a folder of tasks."""

    solutions: Path | None = None
    """The file with the outputs of their tests, if it is a file of its own."""

    limit: int | None = None
    """If given, only the first so many tasks are measured."""

    sample: int | None = None
    """If given, only so many tasks are measured, drawn by ``seed``."""

    seed: int = 0

    def tasks(self) -> tuple[list[ArcTask], list[ArcTask]]:
        """The tasks that are measured, and all tasks.

        Raises:
            PuzzleError: If a task is unreadable or has a test without its output.
            UsageError: If the options contradict each other.
        """
        if self.limit is not None and self.sample is not None:
            raise UsageError("--limit and --sample cannot be combined: omit one of them")
        beside = solutions_beside(str(self.data))
        solutions = self.solutions or (Path(beside) if beside else None)
        every = only_tasks(read_items([str(self.data)], solutions=solutions))
        if not every:
            raise PuzzleError("the data contains no task", str(self.data))
        for task in every:
            if not task.answered:
                raise PuzzleError(
                    f"task {task.name} has a test without an output: give --solutions FILE",
                    str(self.data),
                )
        if self.sample is None:
            return every[: self.limit], every
        return drawn(every, self.sample, self.seed), every

    def record(self) -> dict[str, Any]:
        """The fields that say in a record what was measured."""
        return {
            "task": "arc",
            "data": self.data.name,
            "limit": self.limit,
            "sample": self.sample,
            "seed": self.seed,
        }


def drawn(tasks: Sequence[ArcTask], number: int, seed: int) -> list[ArcTask]:
    """A sample that can be stated beforehand.

    It is the first ``number`` of ``default_rng(seed).permutation`` of the sorted ids.

    Raises:
        UsageError: If there are fewer tasks.
    """
    if number > len(tasks):
        raise UsageError(f"--sample {number}: the data has only {count(len(tasks), 'task')}")
    named = {task.name: task for task in tasks}
    ids = np.random.default_rng(seed).permutation(sorted(named))[:number]
    return [named[name] for name in ids.tolist()]


def eval_arc(
    what: Measurement, submission: Path | None, json: bool, record: bool, **how: Any
) -> int:
    """Measure weights, with ``how`` as ``load_arc`` takes it, or score a submission.

    Returns:
        The exit code.
    """
    if submission is None:
        how |= {"cycles": how["cycles"] or MAX_CYCLES, "batch": how["batch"] or 1}
        return eval_weights(what, json, record, **how)
    asked = [
        name
        for name in ("weights", "cycles", "views", "budget", "steps", "batch", "keep")
        if how[name] is not None
    ]
    if asked or record:
        name = {"batch": "batch-size"}.get(asked[0], asked[0]) if asked else "record"
        raise UsageError(
            f"--{name} cannot be combined with --submission, which needs no solving: "
            "omit one of them"
        )
    return eval_submission(what, submission, json)


def eval_submission(what: Measurement, submission: Path, json: bool) -> int:
    """Score a file of attempts, without any network.

    Returns:
        The exit code.
    """
    tasks, every = what.tasks()
    not_measured = {task.name for task in every} - {task.name for task in tasks}
    attempts = read_submission(str(submission))
    for name in not_measured:
        attempts.pop(name, None)
    score = score_submission(tasks, attempts)
    figures = {**what.record(), "submission": submission.name, **score.to_dict()}
    put_text(json_.dumps(figures) if json else _table(figures, submission.name))
    return 0


def eval_weights(
    what: Measurement, json: bool, record: bool, keep: Path | None = None, **how: Any
) -> int:
    """Solve the tasks and score the answers, with ``how`` as ``load_arc`` takes it.

    Interrupted, it shows the score of the tasks done so far, and says that this is no measurement.
    With ``keep`` the answers are kept in that file, and those that it has already are not asked
    again.

    Returns:
        The exit code.
    """
    refuse_group("eval --task arc")
    tasks, _ = what.tasks()

    from trmsolve.arc.solver import load_arc
    from trmsolve.memory import keep_memory
    from trmsolve.weights.catalog import to_record

    keep_memory()
    path = to_record(how["weights"], "arc") if record else None
    solver = load_arc(seed=what.seed, note=say, **how)
    means = _means_record(solver, how)
    kept = None if keep is None else KeptAnswers.open(keep, {**what.record(), **means}, tasks)
    before = {} if kept is None else dict(kept.answers)
    left = [task for task in tasks if task.name not in before]
    start = time.monotonic()
    with ProgressArcDisplay(make_console(), len(left), how["steps"]) as display:
        if before:
            display.note(f"{keep} has the answers to {count(len(before), 'task')}")
        fresh, interrupted = _answers(solver, left, display, kept)
    took = time.monotonic() - start
    if kept is not None:
        took = kept.seconds
    found = before | {answer.task.name: answer for answer in fresh}
    answers = [found[task.name] for task in tasks if task.name in found]
    figures = {
        **what.record(),
        "interrupted": interrupted,
        "planned": len(tasks),
        **_scores(answers),
        "seconds_per_task": round(took / max(len(answers), 1), 2),
        **means,
    }
    figures["tasks"] = figures.pop("tasks")  # the longest field last
    put_text(json_.dumps(figures) if json else _table(figures, _means(figures)))
    if interrupted:
        done = f"{len(answers)} of {count(len(tasks), 'task')}"
        say(f"trmsolve: interrupted after {done}: these scores do not measure the whole data set")
        return INTERRUPTED
    if path is not None:
        _record(path, figures)
    return 0


def _answers(
    solver: "ArcSolver",
    tasks: list[ArcTask],
    display: ProgressArcDisplay,
    kept: KeptAnswers | None,
) -> tuple[list[ArcAnswer], bool]:
    """The answers, and whether an interrupt ended them early."""
    answers: list[ArcAnswer] = []
    last = time.monotonic()
    on_cycle = display.cycle if display.wants_cycles else None
    try:
        for answer in solver.solve_all(tasks, display.adapting, on_cycle):
            if isinstance(answer, PuzzleError):
                raise answer
            answers.append(answer)
            display.answer(answer)
            now = time.monotonic()
            if kept is not None:
                kept.add(answer, now - last)
            last = now
    except KeyboardInterrupt:
        heard()
        return answers, True
    return answers, False


def _means_record(solver: "ArcSolver", how: dict[str, Any]) -> dict[str, Any]:
    """The fields that say in a record with what the answers were found."""
    return {
        "budget": solver.budget,
        **{name: how[name] for name in ("steps", "cycles", "views", "batch")},
        "device": str(solver.placement.device),
        "dtype": solver.placement.dtype_name,
        "threads": solver.placement.threads,
        "weights": solver.weights,
    }


def _scores(answers: Sequence[ArcAnswer]) -> dict[str, Any]:
    """The official score, and the means of what the answers took."""
    n = max(len(answers), 1)
    ends = [answer.adapting for answer in answers if answer.adapting]
    score = score_answers(answers).to_dict()
    for name in ("missing", "unknown"):  # these are for submissions
        del score[name]
    for answer in answers:
        score["tasks"][answer.task.name] |= {
            "votes": [votes(answer, test) for test in range(len(answer.task.tests))],
            "adapting": learning(answer),
            "seconds": round(answer.seconds, 2),
        }
    return {
        **score,
        "mean_steps": round(sum(end.step for end in ends) / n, 1),
        "mean_cycles": round(sum(answer.cycles for answer in answers) / n, 2),
        "mean_views": round(sum(answer.views for answer in answers) / n, 2),
    }


def _record(path: Path, figures: dict[str, Any]) -> None:
    from trmsolve.weights.file import record_score

    which = f", sample {figures['sample']}, seed {figures['seed']}" if figures["sample"] else ""
    first = f", first {figures['limit']}" if figures["limit"] else ""
    name = f"{figures['data']}{which}{first}, {_effort(figures)} a task"
    record_score(path, name, {key: value for key, value in figures.items() if key != "tasks"})


def _effort(figures: dict[str, Any]) -> str:
    """``60 s``, or ``100 steps`` where no clock ended them."""
    if figures["steps"]:
        return count(figures["steps"], "step")
    return f"{figures['budget']:g} s"


def _means(figures: dict[str, Any]) -> str:
    where = f"{figures['device']} {figures['dtype']}"
    return f"{figures['weights']}, {_effort(figures)} of adaptation per task, {where}"


def _table(figures: dict[str, Any], means: str) -> str:
    """The figures for a person; ``means`` says with what they were reached."""
    low, high = figures["pass@2_ci95"]
    tasks = count(figures["n"], "task")
    right: list[bool] = []
    for task in figures["tasks"].values():
        right += [first > 0 for first in task["tests"]]
    if figures["sample"]:
        tasks = f"a sample of {tasks} (seed {figures['seed']})"
    lines = [
        f"{tasks} of {figures['data']}, {means}",
        f"pass@1          {figures['pass@1']:.1%}",
        f"pass@2          {figures['pass@2']:.1%}  (95 % interval {low:.1%} to {high:.1%})",
        f"tests           {sum(right)} of {len(right)} right in two attempts",
    ]
    if "seconds_per_task" in figures:
        lines.append(f"speed           {figures['seconds_per_task']:.1f} s per task")
    for name in ("missing", "unknown"):
        ids = figures.get(name)
        if ids:
            more = ", ..." if len(ids) > NAMED else ""
            lines.append(f"{name:16}{count(len(ids), 'task')}: {', '.join(ids[:NAMED])}{more}")
    lines += [f"  {name}  {_row(task)}" for name, task in figures["tasks"].items()]
    return "\n".join(lines)


def _row(task: dict[str, Any]) -> str:
    """``attempt 1, wrong  120 steps  41.2 s``, as far as it is known."""
    facts = [", ".join(f"attempt {first}" if first else "wrong" for first in task["tests"])]
    adapting = task.get("adapting")
    if adapting:
        facts.append(count(adapting["steps"], "step"))
    if "seconds" in task:
        facts.append(seconds(task["seconds"]))
    return "  ".join(facts)
