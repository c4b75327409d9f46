"""Cycles and answers to be recorded, made without a network, and what a reader makes of them."""

from pathlib import Path

import numpy as np

from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, ArcTask, Candidate
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, WALL
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.trace.read import read_trace
from trmsolve.trace.recording import Frame, Outcome, Recording
from trmsolve.trace.write import TraceWriter


def maze_cycles(side: int = 30, cycles: int = 10, seed: int = 0) -> list[Cycle]:
    """Cycles of one maze with random marks: nothing repeats that could be packed away."""
    rng = np.random.default_rng(seed)
    grid = rng.choice((WALL, FLOOR, FLOOR), (side, side)).astype(np.int8)
    grid[0, 0] = START
    grid[-1, -1] = GOAL
    puzzle = Puzzle(grid, "mazes.txt:1")
    found = []
    for number in range(1, cycles + 1):
        answer = np.where((grid == FLOOR) & (rng.random(grid.shape) < 0.3), PATH, grid)
        found.append(
            Cycle(
                puzzle=puzzle,
                number=number,
                limit=64,
                view=1,
                views=32,
                grid=answer.astype(np.int8),
                confidence=rng.random(grid.shape, np.float32),
                changed=rng.random(grid.shape) < 0.1,
                faulty=rng.random(grid.shape) < 0.1,
                violations=int(rng.integers(20)),
                halt=float(rng.random()),
                arrows=rng.integers(0, 5, grid.shape).astype(np.int8),
            )
        )
    return found


def sudoku_cycles(cycles: int = 4, seed: int = 0) -> list[Cycle]:
    """Cycles of one Sudoku whose candidates become fewer, in two views."""
    rng = np.random.default_rng(seed)
    grid = np.where(rng.random((9, 9)) < 0.3, rng.integers(1, 10, (9, 9)), 0).astype(np.int8)
    puzzle = Puzzle(grid, "list.sdm:7")
    found = []
    for number in range(1, cycles + 1):
        answer = np.where(grid > 0, grid, rng.integers(1, 10, (9, 9))).astype(np.int8)
        found.append(
            Cycle(
                puzzle=puzzle,
                number=1 + number % 2,
                limit=16,
                view=1 + number // 3,
                views=32,
                grid=answer,
                confidence=rng.random((9, 9), np.float32),
                changed=rng.random((9, 9)) < 0.1,
                faulty=rng.random((9, 9)) < 0.1,
                violations=int(rng.integers(1, 9)),
                halt=float(rng.random()),
                candidates=rng.random((9, 9, 9)) < 0.5 / number,
            )
        )
    return found


def answer_to(cycle: Cycle, verified: bool = True) -> Answer:
    reason = "" if verified else "two 5s in row 3"
    return Answer(
        cycle.puzzle, cycle.grid, verified, reason, 7, 2, cycle.halt, 1.25, remark="a remark"
    )


def learning(task: ArcTask, step: int, ended: str = "", moments: bool = True) -> AdaptationProgress:
    """Progress with what the copies answer at that moment, a step a second."""
    rng = np.random.default_rng(step)
    cycles = tuple(arc_cycle(task, test, step) for test in range(len(task.tests)))
    found = tuple(candidates(rng) for _ in task.tests)
    return AdaptationProgress(
        task=task,
        step=step,
        seconds=float(step),
        budget=300.0,
        loss=float("nan") if step == 1 else 1.5 / step,
        ended=ended,
        bits=1234.5 if moments else None,
        steps_per_second=1.0 if moments else None,
        candidates=found if moments else (),
        moments=cycles if moments else (),
    )


def arc_cycle(task: ArcTask, test: int, number: int) -> ArcCycle:
    rng = np.random.default_rng((test, number))
    grid = rng.integers(0, 10, (3, 4)).astype(np.int8)
    return ArcCycle(
        task, test, number, 16, 1, 8, grid, rng.random((3, 4), np.float32), float(rng.random())
    )


def candidates(rng: np.random.Generator) -> tuple[Candidate, ...]:
    grids = rng.integers(0, 10, (3, 3, 4)).astype(np.int8)
    shares = (0.5, 0.3, 0.1)
    return tuple(
        Candidate(grid, 3 - number, share, share)
        for number, (grid, share) in enumerate(zip(grids, shares, strict=True))
    )


def arc_answer(task: ArcTask, adapting: AdaptationProgress | None) -> ArcAnswer:
    rng = np.random.default_rng(9)
    found = tuple(candidates(rng) for _ in task.tests)
    steps = tuple(arc_cycle(task, 0, number) for number in range(1, 4))
    return ArcAnswer(task, found, adapting, cycles=9, views=8, seconds=41.2, steps=steps)


def recorded(
    path: Path, task: str, frames: list[Frame], outcomes: list[Outcome], steps: int | None = None
) -> Recording:
    """What is read of a trace with these events."""
    with TraceWriter(path) as writer:
        writer.begin(task, "some@weights", steps)
        for frame in frames:
            writer.frame(frame)
        for outcome in outcomes:
            writer.outcome(outcome)
    return read_trace(str(path))
