"""One run of a solving command: read the puzzles, choose a display, solve, write the answers."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from trmsolve.cli.output import Writer, answers_to, choose_writer, say
from trmsolve.cli.pacing import Keyboard, NoKeyboard, Watched, keyboard
from trmsolve.cli.passed_over import tell_what_is_passed_over
from trmsolve.cli.recording import Recorders, recorded
from trmsolve.cli.source import count_items, known_items, open_items
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Task, give_up
from trmsolve.puzzles.files import Item, Notes
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.show.console import make_console
from trmsolve.show.displays import Display, LiveDisplay, ProgressDisplay, QuietDisplay, StepsDisplay
from trmsolve.show.frame import OtherSizes, is_plain

if TYPE_CHECKING:
    from trmsolve.solve.network import LoadOptions
    from trmsolve.solve.workers import Crew

FEW = 8
"""Up to this many puzzles are each watched cycle by cycle; more get a progress line."""

PATIENCE_SECONDS = 0.3
"""How long a pipe may be silent before the puzzles that have arrived are solved."""

UNVERIFIED = 1
UNREADABLE = 2


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The options of a solving command on what is shown, and where the answers go."""

    form: str
    """The format of the answers."""
    show_steps: bool
    quiet: bool
    pace: float | None
    """Seconds that each frame is held; None holds the first ones, where somebody watches."""
    verbose: bool
    keep_unverified: bool
    out: Path | None
    """The file for the answers; None is standard output."""
    trace: Path | None
    """The file for a recording of every cycle."""
    save: Path | None
    """The file for a picture."""


@dataclass(frozen=True)
class Share:
    """The options on how puzzles are shared out; None for the usual."""

    batch_size: int | None = None
    workers: int | None = None


def solve(task: Task, files: list[str] | None, wishes: Wishes, share: Share, **how: Any) -> int:
    """Read, solve, show and answer all puzzles of the files, with ``how`` as ``load`` takes it.

    If nothing is left for the network to do, it is not even loaded.

    Returns the exit code: 0 if all answers are verified, 1 if some answer is not, 2 if some input
    could not be read.
    """
    tell_what_is_passed_over(wishes.verbose)
    choose_writer(wishes.form, task, "")  # a wrong --format is told before any work
    source = Source(task, files, open_items(task, files))
    with (
        recorded(wishes.trace, wishes.save, files) as recorders,
        answers_to(wishes.out) as stream,
    ):
        run = SolvingRun(source, wishes, share, Outputs(stream, recorders), how)
        return run.solve()


@dataclass(frozen=True)
class Source:
    """The puzzles that are to be solved."""

    task: Task
    files: list[str] | None
    items: Iterator[Item | None]
    """None means that nothing more has arrived yet."""


@dataclass(frozen=True)
class Outputs:
    """The files that a run writes."""

    stream: TextIO | None
    """The file for the answers; None is standard output."""
    recorders: Recorders


class SolvingRun:
    """One run of a solving command, from its first puzzles to its exit code.

    Making it waits for the first puzzles: whether they are few decides how they are shown.
    """

    def __init__(
        self,
        source: Source,
        wishes: Wishes,
        share: Share,
        outputs: Outputs,
        how: dict[str, Any],
    ) -> None:
        self.source = source
        self.task = source.task
        self.wishes = wishes
        self.outputs = outputs
        self.how = how
        # Cycles are recorded by this process, so that it solves alone.
        self.share = replace(share, workers=1) if outputs.recorders else share
        self.first, self.all_arrived = first_items(source.items)
        self.number: int | None = len(self.first)
        if not self.all_arrived:
            self.number = count_items(self.task, source.files)
        self.display = choose_display(self.task, wishes, self.number)
        self.notes = Notes(self.display.note)
        for item in self.first:
            self.notes.look(item)

    def solve(self) -> int:
        """Solve all puzzles, and return the exit code."""
        if self.all_arrived:
            hopeless = _hopeless(self.task, self.first)
            if hopeless is not None:
                return self._answer_without_network(hopeless)
            if len(self.first) <= FEW:
                self._tell_of_solutions()
        return self._answer_with_network()

    def _answer_without_network(self, outcomes: list[Answer | PuzzleError]) -> int:
        recorders = self.outputs.recorders
        recorders.begin(self.task.name, "")
        with self.display:
            return self._hand_out(recorders.follow(outcomes), self._writer(""))

    def _answer_with_network(self) -> int:
        # Only here, since these import torch or onnxruntime.
        from trmsolve.cli.forecast import forecast_for
        from trmsolve.memory import keep_memory
        from trmsolve.solve.solver import load_solver
        from trmsolve.solve.workers import share_out, start_early

        keep_memory()
        display = self.display
        recorders = self.outputs.recorders
        load_options = self._load_options()
        crew = self._crew()
        with start_early(self.task.name, crew, load_options) as team:
            with self._waiting("loading the network"):
                solver = share_out(load_solver(self.task.name, load_options), crew, team)
            if self.wishes.verbose:
                self._say(f"weights {solver.weights}, running on {solver.where}")
            writer = self._writer(solver.weights)
            recorders.begin(self.task.name, solver.weights)
            # Many are counted as they come; few are told in their order, each with its answer.
            is_counted = isinstance(display, ProgressDisplay)
            on_answer = display.answer if is_counted else None
            # Many have a progress line instead of a forecast.
            on_step = None
            if self.all_arrived:
                on_step = forecast_for(solver, self.first, display.note).step
            with display, self._keyboard() as keys:
                items = chain(self.first, self.notes.follow(self.source.items))
                outcomes = solver.solve_all(items, self._on_cycle(keys), on_answer, on_step)
                return self._hand_out(recorders.follow(outcomes), writer, told=is_counted)

    @contextmanager
    def _waiting(self, text: str) -> Iterator[None]:
        """Have the display say what is waited for. The next event takes its place, or an error."""
        try:
            self.display.status(text)
            yield
        except BaseException:
            self.display.clear()
            raise

    def _load_options(self) -> "LoadOptions":
        from trmsolve.solve.network import LoadOptions

        sizes = [item.grid.size for item in self.first if isinstance(item, Puzzle)]
        # Frames are watched one puzzle after the other; where nobody watches, the batch is full.
        usual_batch = 1 if self.display.shows_grids else None
        return LoadOptions(
            batch_size=self.share.batch_size or usual_batch,
            note=None if self.wishes.quiet else self._say,
            puzzles=known_items(self.source.files, self.number, len(self.first)),
            largest=max(sizes, default=0),
            **self.how,
        )

    def _say(self, text: str) -> None:
        """Print a line where the display is drawn, which is drawn anew with the next event."""
        self.display.clear()
        say(text)

    def _crew(self) -> "Crew":
        """How many processes may solve.

        One process solves where each puzzle is watched, and where few come slowly.
        """
        from trmsolve.solve.workers import Crew

        workers = self.share.workers
        if self.display.shows_grids:
            workers = 1
        elif self.number is None and len(self.first) <= FEW:
            workers = workers or 1
        return Crew(workers, self.how["threads"], self.number)

    def _keyboard(self) -> AbstractContextManager[Keyboard]:
        """The keys, where single frames are watched."""
        is_watched = isinstance(self.display, LiveDisplay) and self.display.wants_cycles
        files = self.source.files or ["-"]
        return keyboard(reads_standard_input=not is_watched or "-" in files)

    def _writer(self, weights: str) -> Writer:
        """The writer of the answers. A grid shown last on the terminal is not written again."""
        stream = self.outputs.stream
        is_watched = (
            stream is None
            and self.wishes.form == "input"
            and sys.stdout.isatty()
            and sys.stderr.isatty()
            and self.display.shows_grids
        )
        was_shown = self.display.has_shown_grid if is_watched else None
        keep = self.wishes.keep_unverified
        return choose_writer(self.wishes.form, self.task, weights, was_shown, keep).to(stream)

    def _show(self, keys: Keyboard) -> Callable[[Cycle], None]:
        """What shows a cycle, as fast as it is to be shown."""
        if isinstance(self.display, LiveDisplay):
            self.display.has_keys = not isinstance(keys, NoKeyboard)
            return Watched(self.display, keys, self.wishes.pace)
        return _paced(self.display, self.wishes.pace)

    def _on_cycle(self, keys: Keyboard) -> Callable[[Cycle], None] | None:
        """What is told of every cycle; None if nobody wants to know."""
        record = self.outputs.recorders.frame if self.outputs.recorders else None
        show = self._show(keys) if self.display.wants_cycles else None
        if record is None or show is None:
            return record or show

        def tell(cycle: Cycle) -> None:
            record(cycle)
            show(cycle)

        return tell

    def _tell_of_solutions(self) -> None:
        """Say before the network runs which puzzles have no solution, or several.

        A short exact search counts them. It never helps to find an answer.
        """
        for item in self.first:
            if not isinstance(item, Puzzle):
                continue
            remark = self.task.diagnose(item).remark
            if remark:
                self.display.note(f"{item.source}: {remark}")

    def _hand_out(
        self, outcomes: Iterable[Answer | PuzzleError], writer: Writer, told: bool = False
    ) -> int:
        """Hand every outcome to the screen and to standard output, and return the exit code.

        ``told`` says that the display has had the answers already.
        """
        code = 0
        for outcome in outcomes:
            if isinstance(outcome, PuzzleError):
                self.display.problem(outcome)
                code = UNREADABLE
            else:
                if not told:
                    self.display.answer(outcome)
                code = max(code, 0 if outcome.verified else UNVERIFIED)
            if writer.stream.isatty():
                self.display.clear()
            writer.put(outcome)
        return code


def first_items(items: Iterator[Item | None]) -> tuple[list[Item], bool]:
    """The first puzzles, enough to tell few from many, and whether they are all.

    A pipe that falls silent is not waited for.
    """
    first: list[Item] = []
    since = time.monotonic()
    for item in items:
        if item is not None:
            first.append(item)
        silent = item is None and first and time.monotonic() - since > PATIENCE_SECONDS
        if len(first) > FEW or silent:
            return first, False
        since = since if item is None else time.monotonic()
    return first, True


def choose_display(task: Task, wishes: Wishes, number: int | None) -> Display:
    """The display for so many puzzles; None is many, still to be counted."""
    console = make_console()
    if wishes.quiet:
        return QuietDisplay(console)
    others = OtherSizes(task.paint_large, task.paint_small)
    if wishes.show_steps:
        return StepsDisplay(console, task.paint, number != 1, others)
    if number is not None and number <= FEW:
        return LiveDisplay(console, task.paint, number > 1, others, task.key(is_plain(console)))
    return ProgressDisplay(console, number)


def _hopeless(task: Task, items: list[Item]) -> list[Answer | PuzzleError] | None:
    """The outcomes of the items if the network has nothing to do for any of them; else None."""
    outcomes: list[Answer | PuzzleError] = []
    for item in items:
        outcome = item if isinstance(item, PuzzleError) else give_up(task, item)
        if outcome is None:
            return None
        outcomes.append(outcome)
    return outcomes


def _paced(display: Display, pace: float | None) -> Callable[[Cycle], None]:
    """The display's own ``cycle``, with a pause after each if one was asked for."""

    def show(cycle: Cycle) -> None:
        display.cycle(cycle)
        time.sleep(pace or 0.0)

    return show if pace and display.shows_grids else display.cycle
