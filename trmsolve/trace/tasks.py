"""ARC tasks in a trace: tasks, learning, cycles and answers as JSON objects, and back."""

import math
from typing import Any

from trmsolve.arc.task import (
    ATTEMPTS,
    COLOURS,
    AdaptationProgress,
    ArcAnswer,
    ArcCycle,
    ArcTask,
    Candidate,
    Pair,
)
from trmsolve.puzzles.values import Grid
from trmsolve.trace.arrays import floats_of, probabilities_exactly, rows_of
from trmsolve.trace.fields import Fields, finite


def task_fields(task: ArcTask) -> dict[str, Any]:
    """The task for JSON."""
    return {
        "name": task.name,
        "source": task.source,
        "demonstrations": [_pair_fields(pair) for pair in task.demonstrations],
        "tests": [_pair_fields(pair) for pair in task.tests],
    }


def read_task(fields: Fields) -> ArcTask:
    """The task. Raises ValueError."""
    demonstrations = [_read_pair(pair) for pair in fields.objects("demonstrations")]
    tests = [_read_pair(pair) for pair in fields.objects("tests")]
    if any(pair.output is None for pair in demonstrations):
        raise ValueError("a demonstration has no output")
    if not demonstrations or not tests:
        raise ValueError("a task has demonstrations and tests")
    return ArcTask(fields.text("name"), tuple(demonstrations), tuple(tests), fields.text("source"))


def _pair_fields(pair: Pair) -> dict[str, Any]:
    output = None if pair.output is None else rows_of(pair.output)
    return {"input": rows_of(pair.input), "output": output}


def _read_pair(fields: Fields) -> Pair:
    output = None if fields.value("output") is None else _grid(fields, "output")
    return Pair(_grid(fields, "input"), output)


def _grid(fields: Fields, name: str) -> Grid:
    grid = fields.grid(name)
    if ((grid < 0) | (grid >= COLOURS)).any():
        raise ValueError(f'"{name}" must have colours from 0 to {COLOURS - 1}')
    return grid


def arc_cycle_fields(cycle: ArcCycle) -> dict[str, Any]:
    """The cycle for JSON, without its task."""
    return {
        "test": cycle.test,
        "view": cycle.view,
        "views": cycle.views,
        "cycle": cycle.number,
        "limit": cycle.limit,
        "halt": cycle.halt,
        "grid": rows_of(cycle.grid),
        "confidence": floats_of(cycle.confidence),
    }


def read_arc_cycle(fields: Fields, task: ArcTask) -> ArcCycle:
    """The cycle of the task. Raises ValueError."""
    grid = _grid(fields, "grid")
    return ArcCycle(
        task=task,
        test=fields.count("test", 0, len(task.tests) - 1),
        number=fields.count("cycle"),
        limit=fields.count("limit"),
        view=fields.count("view"),
        views=fields.count("views"),
        grid=grid,
        confidence=probabilities_exactly(fields.value("confidence"), grid.shape),
        halt=fields.number("halt", 1.001),
    )


def check_shares(cycle: ArcCycle) -> None:
    """Raise ValueError for a cycle of which bars cannot be drawn; those of learning have none."""
    if not (0 < cycle.number <= cycle.limit and 0 < cycle.view <= cycle.views):
        raise ValueError('"cycle" and "view" must be from 1 to "limit" and "views"')


def learning_fields(progress: AdaptationProgress) -> dict[str, Any]:
    """The progress for JSON, without its task and with the leading answers only."""
    leading = [candidates[:ATTEMPTS] for candidates in progress.candidates]
    return {
        "step": progress.step,
        "spent": progress.seconds,
        "budget": finite(progress.budget),
        "loss": finite(progress.loss),
        "ended": progress.ended,
        "bits": finite(progress.bits),
        "speed": finite(progress.steps_per_second),
        "candidates": [_candidates_fields(candidates) for candidates in leading],
        "moments": [arc_cycle_fields(moment) for moment in progress.moments],
    }


def read_learning(fields: Fields, task: ArcTask) -> AdaptationProgress:
    """The progress of learning the task. Raises ValueError."""
    budget = fields.optional_number("budget")
    loss = fields.value("loss")
    if loss is not None and not isinstance(loss, int | float):
        raise ValueError('"loss" must be a number')
    candidates = _read_candidates(fields)
    moments = tuple(read_arc_cycle(moment, task) for moment in fields.objects("moments"))
    if len(candidates) != len(moments):
        raise ValueError('"candidates" and "moments" must be of the same tests')
    return AdaptationProgress(
        task=task,
        step=fields.count("step"),
        seconds=fields.number("spent"),
        budget=math.inf if budget is None else budget,
        loss=math.nan if loss is None else float(loss),
        ended=fields.text("ended"),
        bits=fields.optional_number("bits"),
        steps_per_second=fields.optional_number("speed"),
        candidates=candidates,
        moments=moments,
    )


def arc_answer_fields(answer: ArcAnswer) -> dict[str, Any]:
    """The answer for JSON, without its task."""
    adapting = answer.adapting
    return {
        "candidates": [_candidates_fields(candidates) for candidates in answer.candidates],
        "learning": None if adapting is None else learning_fields(adapting),
        "cycles": answer.cycles,
        "views": answer.views,
        "seconds": answer.seconds,
        "steps": [arc_cycle_fields(step) for step in answer.steps],
    }


def read_arc_answer(fields: Fields, task: ArcTask) -> ArcAnswer:
    """The answer to the task. Raises ValueError."""
    candidates = _read_candidates(fields)
    if len(candidates) != len(task.tests):
        raise ValueError('"candidates" must have a list for each test')
    learning = fields.value("learning")
    steps = fields.objects("steps", most=100_000)
    return ArcAnswer(
        task=task,
        candidates=candidates,
        adapting=None if learning is None else read_learning(Fields(learning), task),
        cycles=fields.count("cycles"),
        views=fields.count("views"),
        seconds=fields.number("seconds"),
        steps=tuple(read_arc_cycle(step, task) for step in steps),
    )


def _candidates_fields(candidates: tuple[Candidate, ...]) -> dict[str, Any]:
    found = []
    for candidate in candidates:
        found.append(
            {
                "grid": rows_of(candidate.grid),
                "votes": candidate.votes,
                "halt": candidate.halt,
                "chance": finite(candidate.chance),
            }
        )
    return {"found": found}


def _read_candidates(fields: Fields) -> tuple[tuple[Candidate, ...], ...]:
    tests = []
    for test in fields.objects("candidates"):
        found = [_read_candidate(candidate) for candidate in test.objects("found", most=10_000)]
        if not found:
            raise ValueError('"found" must have at least one answer')
        tests.append(tuple(found))
    return tuple(tests)


def _read_candidate(fields: Fields) -> Candidate:
    votes = fields.count("votes")
    halt = fields.number("halt", 1.001)
    return Candidate(_grid(fields, "grid"), votes, halt, fields.optional_number("chance", 1.001))
