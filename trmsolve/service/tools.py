"""What the tools do: solve, verify, generate, and explain cycles, each within its bounds.

All input is text, and no file is opened for it. Knows puzzles and the solver; not the protocol.
"""

from collections import deque
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice

from trmsolve.api import made_puzzles
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.given import items_of_text
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.service.bounds import (
    LARGEST_SIDE,
    MOST_CHARACTERS,
    MOST_CYCLES_TOLD,
    MOST_PUZZLES,
    MOST_VIEWS,
    Bounds,
    Tell,
    Watch,
)
from trmsolve.service.results import Explained, Generated, Judged, Made, Solved, TracedCycle
from trmsolve.solve.solver import Solver, load
from trmsolve.wording import count

HALTED = 0.5
"""From this probability on the network itself has stopped."""


@dataclass(frozen=True)
class Wanted:
    """The puzzles that are to be made."""

    task: str
    number: int
    difficulty: str | None
    seed: int
    rows: int | None
    """None for the usual size, as ``columns``."""
    columns: int | None


@dataclass
class Tools:
    """The tools, with the networks that they have loaded. Calls come one at a time."""

    bounds: Bounds
    solvers: dict[str, Solver] = field(default_factory=dict)

    def solve(self, task: str, text: str, views: int, tell: Tell) -> Solved:
        """The answer to the puzzle in the text.

        Raises PuzzleError if the text holds no puzzle or several, UsageError for what is out of
        bounds, and TimeUp.
        """
        puzzle = read_one(get_task(task), text)
        solver = self._solver(task, views)
        answer, _ = self._run(solver, puzzle, tell)
        return Solved(
            **asdict(_judged(answer)),
            puzzle=solver.task.text_puzzle(puzzle),
            answer=solver.task.text(answer.grid),
            cycles=answer.cycles,
            views=answer.views,
            seconds=round(answer.seconds, 4),
            weights=solver.weights,
        )

    def explain_cycles(self, task: str, text: str, views: int, tell: Tell) -> Explained:
        """The cycles that the network goes through; it raises as ``solve`` does."""
        puzzle = read_one(get_task(task), text)
        solver = self._solver(task, views)
        answer, last = self._run(solver, puzzle, tell)
        return Explained(
            **asdict(_judged(answer)),
            puzzle=solver.task.text_puzzle(puzzle),
            stopped=_why_stopped(answer, last),
            cycles=[_traced(solver.task, cycle) for cycle in last],
            left_out=answer.cycles - len(last),
        )

    def verify(self, task: str, text: str, answer: str) -> Judged:
        """The judgement of the rules alone; no network is asked.

        Raises PuzzleError if a text cannot be read, UsageError for what is out of bounds.
        """
        kind = get_task(task)
        puzzle = read_one(kind, text)
        _check_length(answer)
        verdict = kind.verify(puzzle, kind.read_answer(answer, puzzle))
        return Judged(
            task=task,
            verified=verdict.verified,
            reason=verdict.reason,
            valid=verdict.valid,
            optimal=verdict.optimal,
            remark=kind.diagnose(puzzle).remark,
        )

    def generate(self, wanted: Wanted, tell: Tell) -> Generated:
        """New puzzles with their answers.

        Raises UsageError if there are none such or they are out of bounds, and TimeUp.
        """
        _check_range("number", wanted.number, 1, MOST_PUZZLES)
        task = get_task(wanted.task)
        difficulty = wanted.difficulty or task.difficulties[0]
        made = made_puzzles(wanted.task, difficulty, wanted.seed, _size(wanted))
        first = next(made)  # compiles the search, once, which is not counted
        watch = Watch(self.bounds.seconds, tell)
        puzzles = []
        for puzzle in islice(chain([first], made), wanted.number):
            assert puzzle.answer is not None
            question = task.text_puzzle(puzzle)
            puzzles.append(Made(question, task.text(puzzle.answer), puzzle.rating))
            watch.message = f"{count(len(puzzles), 'puzzle')} of {wanted.number}"
            watch.step()
        return Generated(wanted.task, difficulty, puzzles)

    def _solver(self, task: str, views: int) -> Solver:
        """The task's solver with the bundled weights, which are loaded once."""
        _check_range("views", views, 1, MOST_VIEWS)
        if task not in self.solvers:
            self.solvers[task] = load(task, batch_size=1, threads=self.bounds.threads, offline=True)
        solver = self.solvers[task]
        return solver.with_effort(replace(solver.effort, views=views))

    def _run(self, solver: Solver, puzzle: Puzzle, tell: Tell) -> tuple[Answer, list[Cycle]]:
        """The answer and the last cycles."""
        watch = Watch(self.bounds.seconds, tell)
        last: deque[Cycle] = deque(maxlen=MOST_CYCLES_TOLD)

        def see(cycle: Cycle) -> None:
            last.append(cycle)
            rules = count(cycle.violations, "broken rule")
            watch.message = f"view {cycle.view}, cycle {cycle.number}: {rules}"

        outcome = next(solver.solve_all([puzzle], see, on_step=watch.step))
        if isinstance(outcome, PuzzleError):
            raise outcome
        return outcome, list(last)


def read_one(task: Task, text: str) -> Puzzle:
    """The only puzzle of a text. No file is opened, whatever the text is.

    Raises PuzzleError if there is none or several, UsageError if the text is too long.
    """
    _check_length(text)
    items = list(islice(items_of_text(task, text), 2))
    for item in items:
        if isinstance(item, PuzzleError):
            raise item
    if len(items) != 1:
        raise PuzzleError("give one puzzle: the text holds " + ("several" if items else "none"))
    (puzzle,) = items
    assert isinstance(puzzle, Puzzle)
    return puzzle


def _check_length(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"the text has {len(text)} characters: give at most {MOST_CHARACTERS}")


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"{name} must be from {least} to {most}, not {value}")


def _size(wanted: Wanted) -> tuple[int, int] | None:
    """Rows and columns. Raises UsageError if only one is given, or one is out of bounds."""
    if wanted.rows is None and wanted.columns is None:
        return None
    if wanted.rows is None or wanted.columns is None:
        raise UsageError("give both rows and columns, or neither")
    _check_range("rows", wanted.rows, 1, LARGEST_SIDE)
    _check_range("columns", wanted.columns, 1, LARGEST_SIDE)
    return wanted.rows, wanted.columns


def _judged(answer: Answer) -> Judged:
    return Judged(
        task=answer.task,
        verified=answer.verified,
        reason=answer.reason,
        valid=answer.valid,
        optimal=answer.optimal,
        remark=answer.remark,
    )


def _traced(task: Task, cycle: Cycle) -> TracedCycle:
    return TracedCycle(
        view=cycle.view,
        cycle=cycle.number,
        grid=task.text(cycle.grid),
        changed=int(cycle.changed.sum()),
        broken_rules=cycle.violations,
        confidence=round(cycle.mean_confidence, 4),
        halt=round(cycle.halt, 4),
    )


def _why_stopped(answer: Answer, cycles: list[Cycle]) -> str:
    """Why there is no further cycle."""
    if answer.verified:
        return "the rules accept the answer"
    if not cycles:
        return f"nothing was tried: {answer.reason}"
    halted = cycles[-1].halt >= HALTED
    why = "the network halted" if halted else "the cycles ran out"
    return f"{why} in the last view, and the rules refuse the answer"
