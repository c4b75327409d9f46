"""ARC tasks as JSON."""

import io
import json

from tests.support.arc_tasks import task_of
from trmsolve.arc.write import write_tasks


def test_tasks_are_one_object_with_a_task_a_line() -> None:
    first = task_of([([[1, 2]], [[2]])], [([[0]], [[3]])], "one")
    second = task_of([([[1, 2]], [[2]])], [([[0]], None)], "two")
    stream = io.StringIO()
    write_tasks(stream, [first, second])
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4
    assert json.loads(stream.getvalue()) == {
        "one": {
            "train": [{"input": [[1, 2]], "output": [[2]]}],
            "test": [{"input": [[0]], "output": [[3]]}],
        },
        "two": {"train": [{"input": [[1, 2]], "output": [[2]]}], "test": [{"input": [[0]]}]},
    }


def test_no_task_is_an_empty_object() -> None:
    stream = io.StringIO()
    write_tasks(stream, [])
    assert json.loads(stream.getvalue()) == {}
