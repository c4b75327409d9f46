"""ARC tasks from files: every form, every fault with its place, solutions, folders, examples."""

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.paths import ROOT
from trmsolve.arc.overlap import canonical_pair
from trmsolve.arc.read import (
    ArcTaskError,
    add_solutions,
    distinct,
    parse_grid,
    read_path,
    read_tasks,
    solutions_beside,
    task_of,
)
from trmsolve.arc.task import ArcTask
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading import json_values as json_file
from trmsolve.puzzles.values import Grid

SHAPE = 'a task is an object with "train" and "test", each a list of pairs of "input" and "output"'

EDGES = [[0, 1], [2, 3]]


def a_task() -> dict[str, Any]:
    return {
        "train": [{"input": [[1, 2]], "output": [[3], [4]]}, {"input": EDGES, "output": EDGES}],
        "test": [{"input": [[5]]}],
    }


def read(payload: object, name: str = "folder/ab.json") -> list[ArcTask | PuzzleError]:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return list(read_tasks(io.BytesIO(data), name))


def told(payload: object) -> list[str]:
    """Names of tasks, texts of errors."""
    return [
        item.name if isinstance(item, ArcTask) else str(item) for item in read(payload, "ab.json")
    ]


def outputs(task: ArcTask | PuzzleError) -> list[list[list[int]] | None]:
    assert isinstance(task, ArcTask)
    return [None if test.output is None else test.output.tolist() for test in task.tests]


def test_a_file_of_one_task_names_it() -> None:
    (task,) = read(a_task())
    assert isinstance(task, ArcTask)
    assert (task.name, task.source) == ("ab", "folder/ab.json")
    assert [
        (pair.input.tolist(), pair.output.tolist())
        for pair in task.demonstrations
        if pair.output is not None
    ] == [
        ([[1, 2]], [[3], [4]]),
        (EDGES, EDGES),
    ]
    assert task.demonstrations[0].input.dtype == np.int8
    assert [test.input.tolist() for test in task.tests] == [[[5]]] and outputs(task) == [None]


def test_the_output_of_a_test_is_kept() -> None:
    task = a_task()
    task["test"] += [{"input": [[6]], "output": [[7]]}, {"input": [[6]], "output": None}]
    assert outputs(read(task)[0]) == [None, [[7]], None]


@pytest.mark.parametrize("name", ["ab.json", "x/ab.json.gz", "ab.JSON", "ab.gz", "ab"])
def test_packed_and_marked_files_are_read(name: str) -> None:
    text = json.dumps(a_task())
    for data in [
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        gzip.compress(text.encode()),
        gzip.compress(text.encode("utf-8-sig")),
        json.dumps(a_task(), indent=1).replace("\n", "\r\n").encode(),
    ]:
        (task,) = read(data, name)
        assert isinstance(task, ArcTask) and task.name == "ab"


def test_many_in_one_file_a_list_and_one_after_another() -> None:
    assert told({"one": a_task(), "two": a_task()}) == ["one", "two"]
    assert told([a_task() | {"id": "one"}, a_task(), a_task() | {"id": 3}]) == ["one", "ab", "ab-2"]
    one = json.dumps(a_task()).encode()
    assert told(one + b"\n" + one) == told(one + one) == ["ab", "ab-2"]
    assert told(one + b'\n{"x": ' + one + b"}") == ["ab", "x"]


def test_a_broken_task_is_its_error_and_the_others_are_read() -> None:
    broken = a_task()
    broken["test"] = [{"input": [[5]]}, {"input": [[10]]}]
    first, error, last = read({"one": a_task(), "two": broken, "three": a_task()})
    assert isinstance(first, ArcTask) and isinstance(last, ArcTask)
    assert isinstance(error, ArcTaskError) and (error.task, error.tests) == ("two", 2)
    assert error.source == "folder/ab.json"


WHOLE = "colours are the whole numbers 0 to 9"
GRID_FAULTS: list[tuple[object, str]] = [
    ([[0, 12]], f"row 1, column 2 is 12: {WHOLE}"),
    ([[0], [-1]], f"row 2, column 1 is -1: {WHOLE}"),
    ([[0], [True]], f"row 2, column 1 is true: {WHOLE}"),
    ([[3.5]], f"row 1, column 1 is 3.5: {WHOLE}"),
    ([[float("nan")]], f"row 1, column 1 is NaN: {WHOLE}"),
    ([["1"]], f'row 1, column 1 is "1": {WHOLE}'),
    ([[None]], f"row 1, column 1 is null: {WHOLE}"),
    ([[[1]]], f"row 1, column 1 is a list: {WHOLE}"),
    ([[10**400]], f"row 1, column 1 is 1{'0' * 29}...: {WHOLE}"),
    ([[1, 2], [3]], "row 2 has 1 cells, row 1 has 2"),
    ([[1], []], "row 2 has no cells"),
    ([[]], "row 1 has no cells"),
    ([[1], 2], "row 2 is 2: a row is a list of colours"),
    ([0, 1], "row 1 is 0: a row is a list of colours"),
    ("12/34", '"12/34" where a grid is expected: a list of rows, each a list of colours'),
    ({"a": 1}, "an object where a grid is expected: a list of rows, each a list of colours"),
    ([[0] * 31], "a grid of 1 x 31 cells: the maximum is 30 x 30"),
    ([[0]] * 31, "a grid of 31 x 1 cells: the maximum is 30 x 30"),
]


@pytest.mark.parametrize(("grid", "problem"), GRID_FAULTS)
def test_a_bad_grid_is_told_with_task_pair_and_cell(grid: object, problem: str) -> None:
    for key, number, part, place in [
        ("train", 1, "output", "demonstration 2, output"),
        ("train", 0, "input", "demonstration 1, input"),
        ("test", 0, "input", "test 1, input"),
        ("test", 0, "output", "test 1, output"),
    ]:
        task = a_task()
        task[key][number][part] = grid
        assert told(task) == [f"ab.json: task ab, {place}: {problem}"]


def test_the_largest_and_smallest_grids_are_read() -> None:
    assert parse_grid([[9] * 30] * 30).shape == (30, 30)
    assert parse_grid([[0]]).shape == (1, 1)


TASK_FAULTS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda task: task.pop("train"), f': "train" is missing: {SHAPE}'),
    (lambda task: task.pop("test"), f': "test" is missing: {SHAPE}'),
    (lambda task: task.update(train=[]), ': no demonstration: "train" is empty'),
    (lambda task: task.update(test=[]), ': no test: "test" is empty'),
    (lambda task: task.update(test=None), f': "test" is null: {SHAPE}'),
    (lambda task: task.update(train={"1": {}}), f': "train" is an object: {SHAPE}'),
    (
        lambda task: task["train"][1].pop("output"),
        ', demonstration 2: "output" is missing: a demonstration needs both',
    ),
    (lambda task: task["train"][1].pop("input"), ', demonstration 2: "input" is missing'),
    (lambda task: task["test"][0].pop("input"), ', test 1: "input" is missing'),
    (
        lambda task: task["train"][0].update(output=None),
        ", demonstration 1, output: null where a grid is expected: "
        "a list of rows, each a list of colours",
    ),
    (
        lambda task: task["test"].append([[1]]),
        ', test 2: a list, but a pair is an object with "input" and "output"',
    ),
]


@pytest.mark.parametrize(("spoil", "problem"), TASK_FAULTS)
def test_a_bad_task_is_told_with_its_place(
    spoil: Callable[[dict[str, Any]], object], problem: str
) -> None:
    task = a_task()
    spoil(task)
    assert told(task) == [f"ab.json: task ab{problem}"]
    assert told({"x": task, "y": a_task()}) == [f"ab.json: task x{problem}", "y"]


def test_what_stands_twice_is_told() -> None:
    one = json.dumps(a_task())
    assert told(f'{{"x": {one}, "y": {one}, "x": {one}}}'.encode()) == [
        "x",
        "y",
        "ab.json: task x: appears twice, first in ab.json: give each task its own id",
    ]
    assert told([a_task() | {"id": "x"}, a_task() | {"id": "x"}])[1].startswith(
        "ab.json: task x: appears twice"
    )
    assert told(one.replace('"test"', '"train"').encode()) == [
        'ab.json: task ab: "train" appears twice in it: remove one of them'
    ]
    pair = one.replace('"input": [[5]]', '"input": [[5]], "input": [[6]]')
    assert told(pair.encode()) == [
        'ab.json: task ab, test 1: "input" appears twice in it: remove one of them'
    ]


NO_TASK = f"ab.json: no task in it: {SHAPE}"
FILE_FAULTS: list[tuple[bytes, str]] = [
    (b"", f"ab.json: empty: no JSON in it; {SHAPE}"),
    (b" \r\n\t", f"ab.json: empty: no JSON in it; {SHAPE}"),
    (b"0 1\n1 0\n", f"ab.json: not JSON: {SHAPE}"),
    (b"{}", f"{NO_TASK}; solutions and submissions are not tasks"),
    (b'{"x": [[[1]]]}', f"{NO_TASK}; solutions and submissions are not tasks"),
    (b"[]", NO_TASK),
    (b"[[0, 1]]", NO_TASK),
    (b'{\n "train": [,]}', "ab.json:2:12: not valid JSON: expecting value"),
    (b'[{"a" 1}]', "ab.json:1:7: not valid JSON: expecting ':' delimiter"),
    (b"[" * 100_000, f"ab.json: lists nested too deeply: {SHAPE}"),
    (
        b"[" + b"1" * 5000 + b"]",
        "ab.json: a number of thousands of digits where a colour is expected",
    ),
    (
        b'{\n"\xe9": 1}',
        "ab.json:2:2: not text: byte 0xE9 is not UTF-8; save the puzzles as UTF-8 text",
    ),
    (
        b"\x89PNG\r\n\x1a\n",
        "ab.json: not text: this is a PNG image; save the puzzles as UTF-8 text",
    ),
    (
        b"PK\x03\x04",
        "ab.json: not text: this is a zip archive or a spreadsheet; save the puzzles as UTF-8 text",
    ),
    (
        b"\x1f\x8b\x08\x00",
        "ab.json: the gzip data ends too early; create or download the file again",
    ),
    (b"\x1f\x8b" + b"\0" * 20, "ab.json: damaged gzip data; create or download the file again"),
]


@pytest.mark.parametrize(("data", "problem"), FILE_FAULTS)
def test_what_is_no_file_of_tasks_is_one_error(data: bytes, problem: str) -> None:
    assert told(data) == [problem]


def test_tasks_before_a_broken_end_are_read() -> None:
    one = json.dumps(a_task()).encode()
    assert told(one + b"\n?") == ["ab", "ab.json:2:1: not valid JSON: expecting value"]
    assert told(one + b"7") == ["ab", NO_TASK]


def test_ids_are_printable() -> None:
    limit = "an id must have 1 to 100 printable characters"
    items = told(
        {
            "": a_task(),
            "\x1b[2J": a_task(),
            "\udce9": a_task(),
            "x" * 101: a_task(),
            "ä b": a_task(),
        }
    )
    assert items[:3] == [
        f"ab.json: task {name}: {limit}" for name in ('""', r'"\u001b[2J"', r'"\udce9"')
    ]
    assert items[3].endswith(limit) and items[4] == "ä b"
    (task,) = read(a_task(), "\x1b.json")
    assert isinstance(task, ArcTask) and task.name == "?"


def test_a_file_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "FILE_LIMIT", 1 << 20)
    problem = "ab.json: more than 1 MiB: split the file"
    for blank in (b" ", b"\n"):
        assert told(blank * ((1 << 20) + 1)) == [problem]
        assert told(gzip.compress(blank * ((1 << 20) + 1))) == [problem]
        assert told(blank * ((1 << 20) - 2) + b"{") != [problem]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.floats()
    | st.sampled_from(["", "train", "é", "\x1b"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["train", "test", "input", "output", "id", "x", "\n"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_tasks_or_errors_of_one_line(value: object) -> None:
    items = read(value)
    assert items
    for item in items:
        assert isinstance(item, ArcTask) or str(item).isprintable()
        assert not isinstance(item, ArcTask) or (
            item.demonstrations and item.tests and item.name.isprintable()
        )


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_tasks_or_errors(data: bytes) -> None:
    assert all(isinstance(item, PuzzleError) for item in read(data))


GRIDS = st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32)).map(
    lambda size: np.random.default_rng(size[2]).integers(0, 10, size[:2]).tolist()
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(GRIDS, GRIDS), min_size=1, max_size=3),
    st.lists(GRIDS, min_size=1, max_size=3),
)
def test_what_is_written_is_read(shown: list[tuple[Any, Any]], asked: list[Any]) -> None:
    value = {
        "train": [{"input": question, "output": answer} for question, answer in shown],
        "test": [{"input": question} for question in asked],
    }
    (task,) = read({"x": value})
    assert isinstance(task, ArcTask)
    pairs = [(pair.input, pair.output) for pair in task.demonstrations]
    assert all(output is not None for _, output in pairs)
    assert [tuple(grid.tolist() for grid in pair if grid is not None) for pair in pairs] == shown
    assert [test.input.tolist() for test in task.tests] == asked


def test_a_parsed_object_is_a_task() -> None:
    task = task_of(a_task(), "x", "here")
    assert (task.name, task.source, len(task.demonstrations)) == ("x", "here", 2)
    with pytest.raises(ArcTaskError, match=r"^task x: null, but a task is an object"):
        task_of(None, "x")


# Files and folders


def write(path: Path, value: object) -> str:
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


def test_files_that_cannot_be_opened_are_errors(tmp_path: Path) -> None:
    (error,) = read_path(str(tmp_path / "none.json"))
    assert isinstance(error, PuzzleError) and error.problem == "no such file"
    (error,) = read_path("x" * 5000)
    assert isinstance(error, PuzzleError) and error.problem.startswith("cannot be read: ")
    assert solutions_beside("x" * 5000 + "_challenges.json") == ""


def test_a_folder_is_its_files_in_order(tmp_path: Path) -> None:
    (error,) = read_path(str(tmp_path))
    assert str(error) == f"{tmp_path}: no *.json file with tasks in this folder"
    write(tmp_path / "b.json", a_task())
    write(tmp_path / "a_solutions.json", {"a": [[[1]]]})
    write(tmp_path / "d.json", {"b": a_task(), "x": a_task()})
    write(tmp_path / "e.json", {"x": [[[1]]]})
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(a_task()).encode()))
    (tmp_path / "c.txt").write_text("nothing")
    (tmp_path / ".b.json").write_text("nothing")
    (tmp_path / "deep").mkdir()
    items = list(read_path(str(tmp_path)))
    assert [item.name if isinstance(item, ArcTask) else item.problem for item in items] == [
        "a",
        "b",
        f"task b: appears twice, first in {tmp_path / 'b.json'}: give each task its own id",
        "x",
        f"no task in it: {SHAPE}; solutions and submissions are not tasks",
    ]


@pytest.mark.skipif(os.name == "nt", reason="named pipes and /dev/zero")
def test_in_a_folder_only_files_are_opened(tmp_path: Path) -> None:
    """A named pipe would be waited for without end; one that is named itself is meant."""
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").symlink_to("/dev/zero")
    write(tmp_path / "c.json", a_task())
    pipe, zeros, task = read_path(str(tmp_path))
    assert str(pipe).startswith(f"{tmp_path / 'a.json'}: cannot be read: it is a named pipe")
    assert str(zeros).startswith(f"{tmp_path / 'b.json'}: cannot be read: it is a device")
    assert isinstance(task, ArcTask)


def test_distinct_is_across_files() -> None:
    first, second = read(a_task(), "one/ab.json"), read(a_task(), "two/ab.json")
    items = list(distinct([*first, PuzzleError("no"), *second]))
    assert items[0] is first[0] and isinstance(items[2], ArcTaskError) and items[2].tests == 1
    assert str(items[2]).startswith("two/ab.json: task ab: appears twice, first in one/ab.json")


def test_solutions_are_taken_when_asked_for(tmp_path: Path) -> None:
    challenges = write(
        tmp_path / "my_challenges.json",
        {"one": a_task(), "two": a_task() | {"test": [{"input": [[1]]}] * 2}},
    )
    assert solutions_beside(challenges) == ""
    solutions = write(
        tmp_path / "my_solutions.json", {"one": [[[8]]], "two": [[[1]], [[2, 2]]], "other": []}
    )
    assert solutions_beside(challenges) == solutions and solutions_beside(solutions) == ""
    assert [outputs(task) for task in read_path(challenges)] == [[None], [None, None]]
    solved = list(read_path(challenges, solutions))
    assert [outputs(task) for task in solved] == [[[[8]]], [[[1]], [[2, 2]]]]
    assert all(isinstance(task, ArcTask) and task.answered for task in solved)


def test_solutions_that_do_not_fit_are_errors_of_their_tasks(tmp_path: Path) -> None:
    known = a_task()
    known["test"][0]["output"] = [[7]]
    tasks = read(
        {
            "none": a_task(),
            "few": a_task(),
            "many": a_task(),
            "bad": a_task(),
            "odd": a_task(),
            "other": known,
            "same": known,
        }
    )
    path = write(
        tmp_path / "s.json",
        {
            "few": [],
            "many": [[[1]], [[2]]],
            "bad": [[[1, 10]]],
            "odd": 3,
            "other": [[[8]]],
            "same": [[[7]]],
        },
    )
    items = list(add_solutions([PuzzleError("passed on"), *tasks], path))
    assert [item.problem for item in items if isinstance(item, PuzzleError)] == [
        "passed on",
        f"task none: no solution in {path}",
        "task few: 0 solutions, but 1 tests",
        "task many: 2 solutions, but 1 tests",
        f"task bad, solution 1: row 1, column 2 is 10: {WHOLE}",
        "task odd: its solutions are 3 where a list of grids is expected",
        f"task other, test 1: the output differs from {path}",
    ]
    assert outputs(items[-1]) == [[[7]]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1]", "not one JSON object"),
        ("{} {}", "not one JSON object"),
        ("{", "not valid JSON"),
        ('{"a": [], "a": []}', 'task "a" appears twice in the file'),
        (None, "no such file"),
    ],
)
def test_a_file_of_no_solutions_is_refused_before_any_work(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    if text is not None:
        (tmp_path / "s.json").write_text(text)
    with pytest.raises(PuzzleError, match=problem):
        add_solutions([], str(tmp_path / "s.json"))


# The examples


def falls(question: Grid) -> Grid:
    fallen = np.zeros_like(question)
    for column, cells in enumerate(question.T):
        coloured = cells[cells > 0]
        fallen[len(cells) - len(coloured) :, column] = coloured
    return fallen


def fills(question: Grid) -> Grid:
    free = np.pad(question == 0, 1, constant_values=True)
    outside = np.zeros_like(free)
    outside[0, 0] = True
    for _ in range(free.size):  # spreads from the corner over whatever is no outline
        for axis in (0, 1):
            for step in (-1, 1):
                outside |= np.roll(outside, step, axis) & free
    return np.where((question == 0) & ~outside[1:-1, 1:-1], 4, question)


def sorts_by_size(question: Grid) -> Grid:
    held = np.pad(question > 0, 1)
    joined = held[:-2, 1:-1] | held[2:, 1:-1] | held[1:-1, :-2] | held[1:-1, 2:]
    return np.where(question == 0, 0, np.where(joined, 1, 2))


def crosses(question: Grid) -> Grid:
    marked = question == 2
    lines = marked.any(axis=0) | marked.any(axis=1)[:, None]
    return np.where(marked, 2, np.where(lines, 1, 0))


EXAMPLES = ROOT / "examples" / "arc"
RULES: dict[str, Callable[[Grid], Grid]] = {
    "cross": crosses,
    "fill": fills,
    "gravity": falls,
    "mirror": np.fliplr,
    "recolour": sorts_by_size,
}


def test_every_example_has_its_rule() -> None:
    assert [
        item.name if isinstance(item, ArcTask) else item for item in read_path(str(EXAMPLES))
    ] == list(RULES)


@pytest.mark.parametrize("name", RULES)
def test_examples_are_small_answered_and_follow_their_rule(name: str) -> None:
    (task,) = read_path(str(EXAMPLES / f"{name}.json"))
    assert isinstance(task, ArcTask) and task.answered
    assert 3 <= len(task.demonstrations) <= 4 and 1 <= len(task.tests) <= 2
    pairs = task.demonstrations + task.tests
    for pair in pairs:
        assert pair.output is not None and max(pair.input.shape + pair.output.shape) <= 10
        assert np.array_equal(RULES[name](pair.input), pair.output)
        assert not np.array_equal(pair.input, pair.output)
    assert len({canonical_pair(pair) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize("name", ["cross", "fill", "recolour"])
def test_the_rules_of_three_examples_have_no_direction(name: str) -> None:
    (task,) = read_path(str(EXAMPLES / f"{name}.json"))
    assert isinstance(task, ArcTask)
    for pair in task.demonstrations + task.tests:
        for turn in (np.rot90, np.fliplr):
            assert np.array_equal(RULES[name](turn(pair.input)), turn(RULES[name](pair.input)))
