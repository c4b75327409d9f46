"""ARC tasks as JSON: one object of all tasks by their ids, a task a line, tests with their outputs.

It is the form of the public ``*_challenges.json``, with the known outputs of tests in their places,
so that no second file is needed. ``trmsolve.arc.read`` reads it.
"""

import json
from collections.abc import Iterable
from typing import Any, TextIO

from trmsolve.arc.task import ArcTask, Pair


def write_tasks(stream: TextIO, tasks: Iterable[ArcTask]) -> None:
    """Write the tasks, each as soon as it is there. No two may have the same id."""
    stream.write("{")
    before = "\n"
    for task in tasks:
        stream.write(f"{before}{json.dumps(task.name)}: {_compact(to_json(task))}")
        before = ",\n"
    stream.write("\n}\n")


def to_json(task: ArcTask) -> dict[str, Any]:
    """The task as ``{"train": [...], "test": [...]}``."""
    return {
        "train": [_pair(pair) for pair in task.demonstrations],
        "test": [_pair(pair) for pair in task.tests],
    }


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _pair(pair: Pair) -> dict[str, Any]:
    """The grids of a pair as lists of rows; an unknown output is left out."""
    grids = {"input": pair.input.tolist()}
    if pair.output is not None:
        grids["output"] = pair.output.tolist()
    return grids
