"""One run of ``trmsolve arc``: read the tasks, choose a display, learn, write the answers."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from trmsolve.arc.submission import write_submission
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, Item
from trmsolve.cli.arc.output import ArcWriter, choose_arc_writer
from trmsolve.cli.arc.source import read_items, tests_by_id
from trmsolve.cli.output import answers_to
from trmsolve.cli.process import Stop
from trmsolve.cli.recording import Recorders, recorded
from trmsolve.cli.streams import say
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.files import refuse_nowhere
from trmsolve.show.arc_displays import ArcDisplay, make_arc_display
from trmsolve.show.console import make_console
from trmsolve.wording import count

UNREADABLE = 2
"""Exit code if some input cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options on which tasks are answered, as ``read_items`` takes them."""

    files: list[str] | None
    dataset: str | None
    ids: list[str] | None
    solutions: Path | None
    demonstrations: int

    def items(self) -> list[Item]:
        """The tasks, unreadable ones as their errors."""
        return read_items(self.files, self.dataset, self.ids, self.solutions, self.demonstrations)

    @property
    def read(self) -> list[str | Path]:
        """The files that are read."""
        return [*(self.files or ()), *filter(None, [self.solutions])]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The options on what is shown, and where the answers go."""

    form: str
    """The format of the answers."""
    show_steps: bool
    quiet: bool
    pace: float
    """Seconds that each frame of a cycle is held."""
    verbose: bool
    out: Path | None
    """The file for the answers; None is standard output."""
    submission: Path | None
    """A file for all attempts in Kaggle's format."""
    trace: Path | None
    """The file for a recording of every cycle."""
    save: Path | None
    """The file for a picture."""


def answer_tasks(asked: Asked, wishes: Wishes, **how: Any) -> int:
    """Read, learn, show and answer all tasks, with ``how`` as ``load_arc`` takes it.

    Returns the exit code. Raises UsageError for options that cannot be, before any work.
    """
    choose_arc_writer(wishes.form)
    refuse_nowhere("--out", wishes.out)
    refuse_nowhere("--submission", wishes.submission)
    refuse_nowhere("--save-adapted", how["save_adapted"])
    items = asked.items()
    display = make_arc_display(
        make_console(), len(items), wishes.show_steps, wishes.quiet, wishes.pace, how["steps"]
    )
    errors = [item for item in items if isinstance(item, PuzzleError)]
    if how["save_adapted"] is not None and len(items) - len(errors) > 1:
        raise UsageError("--save-adapted needs exactly one task: choose it with --id")
    with recorded(wishes.trace, wishes.save, asked.read) as recorders:
        run = AnsweringRun(items, wishes, display, recorders)
        if len(errors) == len(items):  # nothing for a model to do
            return run.hand_out_errors(errors)
        return run.answer(how)


@dataclass(frozen=True)
class AnsweringRun:
    """One run of the command, whose tasks are read."""

    items: list[Item]
    wishes: Wishes
    display: ArcDisplay
    recorders: Recorders

    def hand_out_errors(self, errors: list[PuzzleError]) -> int:
        """Tell why no task can be read, and return the exit code."""
        with self.display, answers_to(self.wishes.out) as stream:
            self.recorders.begin("arc", "")
            followed = self.recorders.follow(errors)
            _hand_out(followed, self.display, self._writer("", stream), [])
        return UNREADABLE

    def answer(self, how: dict[str, Any]) -> int:
        """Learn and answer all tasks, and return the exit code."""
        # Only here, since these import torch.
        from trmsolve.arc.solver import load_arc
        from trmsolve.memory import keep_memory

        keep_memory()
        display, recorders = self.display, self.recorders
        solver = load_arc(
            note=None if self.wishes.quiet else say,
            keep_steps=self.wishes.show_steps or bool(recorders),
            **how,
        )
        if self.wishes.verbose:
            where = f"running on {solver.placement.reason}"
            say(f"weights {solver.weights}, {solver.budget:g} s per task, {where}")
        recorders.begin("arc", solver.weights, how["steps"])
        answers: list[ArcAnswer] = []
        stop = AnswerNow(display.note)
        on_adapting, on_cycle = _watch(display, recorders, stop)
        with (
            self._submitted(answers),
            display,
            stop,
            answers_to(self.wishes.out) as stream,
        ):
            writer = self._writer(solver.weights, stream)
            outcomes = solver.solve_all(self.items, on_adapting, on_cycle, stop)
            problems = _hand_out(recorders.follow(outcomes), display, writer, answers)
        left = len(self.items) - len(answers) - problems
        if stop.code and left:
            return stop.code
        return UNREADABLE if problems else 0

    def _writer(self, weights: str, stream: TextIO | None) -> ArcWriter:
        """The writer of the answers. A grid shown last on the terminal is not written again."""
        is_watched = (
            self.wishes.out is None
            and self.wishes.form == "input"
            and sys.stdout.isatty()
            and sys.stderr.isatty()
            and self.display.shows_grids
        )
        columns = self.display.console.width if is_watched else None
        return choose_arc_writer(self.wishes.form, weights, columns, stream)

    @contextmanager
    def _submitted(self, answers: Sequence[ArcAnswer]) -> Iterator[None]:
        """Write the answers that there are as a submission at the end, however the run ends."""
        try:
            yield
        finally:
            path = self.wishes.submission
            if path is not None:
                write_submission(path, answers, tests_by_id(self.items))
                tasks = count(len(self.items), "task")
                self.display.note(f"{len(answers)} of {tasks} answered in {path}")


def _watch(
    display: ArcDisplay, recorders: Recorders, stop: "AnswerNow"
) -> tuple[Callable[[AdaptationProgress], None], Callable[[ArcCycle], None] | None]:
    """The callbacks for steps of learning, and for cycles if anyone wants them."""

    def on_adapting(progress: AdaptationProgress) -> None:
        recorders.frame(progress)
        display.adapting(progress)

    def on_cycle(cycle: ArcCycle) -> None:
        stop()  # no step of learning asks here: from now on Ctrl-C ends the run after this task
        recorders.frame(cycle)
        display.cycle(cycle)

    return on_adapting, on_cycle if display.wants_cycles or recorders else None


class AnswerNow(Stop):
    """The first signal ends the learning, and what was learned answers; the second ends it all."""

    acknowledgement = "learning stopped, answering now; press Ctrl-C again to exit at once"


def _hand_out(
    outcomes: Iterable[ArcAnswer | PuzzleError],
    display: ArcDisplay,
    writer: ArcWriter,
    answers: list[ArcAnswer],
) -> int:
    """Show and write every outcome, and add the answers to ``answers``.

    Returns:
        How many outcomes are errors.
    """
    problems = 0
    for outcome in outcomes:
        if isinstance(outcome, PuzzleError):
            problems += 1
            display.problem(outcome)
        else:
            answers.append(outcome)
            display.answer(outcome)
        if writer.stream.isatty():
            display.clear()
        writer.put(outcome)
    return problems
