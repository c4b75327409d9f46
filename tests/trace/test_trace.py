"""A trace is read as it was written, and a damaged one is refused with file and line."""

import base64
import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.arc_tasks import drawn_task
from tests.support.traces import (
    answer_to,
    arc_answer,
    arc_cycle,
    learning,
    maze_cycles,
    recorded,
    sudoku_cycles,
)
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.values import Cycle
from trmsolve.trace.puzzles import TracedCycle
from trmsolve.trace.read import read_trace
from trmsolve.trace.recording import Recording
from trmsolve.trace.write import TraceWriter

SIZE_LIMIT = 60_000
"""Bytes that a trace of 10 cycles of a 30 x 30 maze may have."""


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
@pytest.mark.parametrize("cycles", [maze_cycles(), sudoku_cycles()], ids=["maze", "sudoku"])
def test_cycles_come_back(tmp_path: Path, name: str, cycles: list[Cycle]) -> None:
    kind = "maze" if cycles[0].arrows is not None else "sudoku"
    answer = answer_to(cycles[-1], verified=False)
    recording = recorded(tmp_path / name, kind, [*cycles], [answer])
    assert (recording.task, recording.weights, recording.cut_at) == (kind, "some@weights", None)
    [played] = recording.played
    for cycle, found in zip(cycles, played.frames, strict=True):
        assert isinstance(found, TracedCycle)
        assert found.puzzle is played.subject
        assert_equal(cycle, found)
    assert_equal(answer, played.answer)
    assert (name.endswith(".gz")) == ((tmp_path / name).read_bytes()[:2] == b"\x1f\x8b")


def assert_equal(expected: Any, found: Any) -> None:
    """All fields are equal; confidence nearly so, and its mean exactly."""
    for name, value in vars(expected).items():
        other = getattr(found, name)
        if name in ("puzzle", "task"):
            continue
        if name == "confidence" and isinstance(found, TracedCycle):
            np.testing.assert_allclose(other, value, atol=1 / 3999)
            assert found.mean_confidence == expected.mean_confidence
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(other, value)
        elif isinstance(value, tuple):
            assert len(value) == len(other)
            for one, another in zip(value, other, strict=True):
                assert_alike(one, another)
        elif hasattr(value, "__dataclass_fields__"):
            assert_equal(value, other)
        else:
            assert other == value or (other != other and value != value), name


def assert_alike(one: Any, another: Any) -> None:
    """As ``assert_equal``, also for tuples in tuples."""
    if isinstance(one, tuple):
        for first, second in zip(one, another, strict=True):
            assert_equal(first, second)
    else:
        assert_equal(one, another)


def test_learning_and_answers_of_tasks_come_back(tmp_path: Path) -> None:
    task = drawn_task(tests=2)
    frames = [learning(task, 1), arc_cycle(task, 1, 5), learning(task, 60, "budget", False)]
    recording = recorded(tmp_path / "run.jsonl", "arc", [*frames], [arc_answer(task, None)], 80)
    [played] = recording.played
    assert recording.steps == 80
    for pair, found in zip(task.tests, played.subject.tests, strict=True):  # type: ignore[union-attr]
        np.testing.assert_array_equal(found.input, pair.input)
        np.testing.assert_array_equal(found.output, pair.output)
    assert_equal(frames[1], played.frames[1])
    assert_equal(frames[2], played.frames[2])
    assert played.frames[0].candidates[0][1].votes == 2  # type: ignore[union-attr]
    assert len(played.frames[0].candidates[0]) == 2  # type: ignore[union-attr] (the attempts)
    assert_equal(arc_answer(task, None), played.answer)


def test_learning_is_written_from_time_to_time_and_at_its_end(tmp_path: Path) -> None:
    task = drawn_task()
    frames = [learning(task, step) for step in range(1, 12)]
    recording = recorded(tmp_path / "run.jsonl", "arc", [*frames, learning(task, 12, "agreed")], [])
    steps = [frame.step for frame in recording.played[0].frames]  # type: ignore[union-attr]
    assert steps == [1, 4, 7, 10, 12]


def test_a_large_maze_takes_little_room(tmp_path: Path) -> None:
    cycles = maze_cycles(side=30, cycles=10)
    recorded(tmp_path / "run.jsonl", "maze", [*cycles], [answer_to(cycles[-1])])
    assert (tmp_path / "run.jsonl").stat().st_size < SIZE_LIMIT


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_every_line_can_be_read_as_soon_as_it_is_written(tmp_path: Path, name: str) -> None:
    cycles = sudoku_cycles()
    with TraceWriter(tmp_path / name) as writer:
        writer.begin("sudoku", "")
        for number, cycle in enumerate(cycles, 1):
            writer.frame(cycle)
            assert len(read_trace(str(tmp_path / name)).played[0].frames) == number


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_a_trace_cut_anywhere_keeps_its_whole_lines(tmp_path: Path, name: str) -> None:
    cycles = sudoku_cycles()
    path = tmp_path / name
    recorded(path, "sudoku", [*cycles], [answer_to(cycles[-1])])
    whole = path.read_bytes()
    head = len(gzip.compress(b"")) + 200 if name.endswith("gz") else whole.index(b"\n") + 1
    numbers = set()
    for length in range(head, len(whole), 97):
        path.write_bytes(whole[:length])
        recording = read_trace(str(path))
        frames = recording.played[0].frames if recording.played else []
        numbers.add(len(frames))
        ends_in_line = name.endswith("gz") or whole[length - 1 : length] != b"\n"
        assert (recording.cut_at is not None) == ends_in_line
    assert numbers == set(range(len(cycles) + 1))


def test_puzzles_that_are_solved_together_are_told_apart(tmp_path: Path) -> None:
    first = maze_cycles(side=5, seed=1)
    second = maze_cycles(side=6, seed=2)
    mixed = [cycle for pair in zip(first, second, strict=True) for cycle in pair]
    outcomes = [answer_to(second[-1]), PuzzleError("bad\x1b[2J", "x", 3, 4), answer_to(first[-1])]
    recording = recorded(tmp_path / "run.jsonl", "maze", [*mixed], [*outcomes])
    sides = [{len(frame.grid) for frame in played.frames} for played in recording.played]  # type: ignore[union-attr]
    assert sides == [{5}, {6}]
    assert [played.answer.grid.shape for played in recording.played] == [(5, 5), (6, 6)]  # type: ignore[union-attr]
    [problem] = recording.problems
    assert (str(problem), problem.line) == ("x:3:4: bad\x1b[2J", 3)


def test_text_of_strangers_is_escaped(tmp_path: Path) -> None:
    cycles = sudoku_cycles(1)
    object.__setattr__(cycles[0].puzzle, "source", 'a\nb\x1b]0;\u202e"\u2028\udce4')
    recording = recorded(tmp_path / "run.jsonl", "sudoku", [*cycles], [])
    assert recording.played[0].subject.source == cycles[0].puzzle.source
    data = (tmp_path / "run.jsonl").read_bytes()
    assert data.isascii() and data.count(b"\n") == 3 and b"\x1b" not in data


def lines_of(tmp_path: Path) -> tuple[Path, list[dict[str, Any]]]:
    """A trace of a Sudoku, and its lines: head, puzzle, two cycles, answer."""
    cycles = sudoku_cycles(2)
    path = tmp_path / "run.jsonl"
    recorded(path, "sudoku", [*cycles], [answer_to(cycles[-1])])
    return path, [json.loads(line) for line in path.read_text().splitlines()]


FOUR_BITS = base64.b64encode(bytes(range(41))).decode()
"""Flags for four candidates in each cell of a Sudoku."""

Damage = Callable[[list[dict[str, Any]]], Any]


@pytest.mark.parametrize(
    ("line", "damage", "problem"),
    [
        (1, lambda lines: lines[0].update(format="other"), "this is no trace"),
        (1, lambda lines: lines[0].update(version=2), "has version 2 of the format, not 1"),
        (1, lambda lines: lines[0].update(version=None), '"version" must be a whole number'),
        (1, lambda lines: lines[0].update(task="chess"), "unknown task 'chess'"),
        (1, lambda lines: lines[0].update(task=[]), '"task" must be a text'),
        (2, lambda lines: lines[1].update(event="task"), "does not belong to a trace of sudoku"),
        (2, lambda lines: lines[1].update(grid=[]), '"grid" is empty'),
        (3, lambda lines: lines[1].update(grid=["12", "34"]), "must have 2 rows"),
        (3, lambda lines: lines[2].pop("grid"), '"grid" is missing'),
        (3, lambda lines: lines[2].update(puzzle=1), "puzzle 1 has not begun"),
        (3, lambda lines: lines[2].update(cycle=17), '"cycle" must be a whole number from 1 to 16'),
        (3, lambda lines: lines[2].update(view=10**20), '"view" must be a whole number'),
        (3, lambda lines: lines[2].update(halt=float("nan")), '"halt" must be a number'),
        (3, lambda lines: lines[2].update(mean=-1), '"mean" must be a number from 0'),
        (3, lambda lines: lines[2].update(mean=True), '"mean" must be a number from 0'),
        (3, lambda lines: lines[2].update(values=4, candidates=FOUR_BITS), "that can be drawn"),
        (3, lambda lines: lines[2].update(event="dance"), '"dance" is no event'),
        (3, lambda lines: lines.__setitem__(2, [1]), "no JSON object"),  # type: ignore[call-overload]
        (4, lambda lines: lines[3].update(changed="/"), "damaged"),
        (5, lambda lines: lines[4].update(verified=1), '"verified" must be true or false'),
        (5, lambda lines: lines[4].update(reason="x" * 70_000), '"reason" must be a text'),
        (6, lambda lines: lines.append(lines[4]), "puzzle 0 has not begun, or is done"),
    ],
)
def test_damage_is_told_with_file_and_line(
    tmp_path: Path, line: int, damage: Damage, problem: str
) -> None:
    path, lines = lines_of(tmp_path)
    damage(lines)
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    with pytest.raises(PuzzleError) as caught:
        read_trace(str(path))
    assert (caught.value.source, caught.value.line) == (str(path), line)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is empty"),
        (b"53..7....\n", "its first line does not say so"),
        (b"\n\n", "its first line does not say so"),
        (b"[" * 100_000 + b"\n", "its first line does not say so"),
        (b'{"format"', "its first line has no end"),
        (b"\x89PNG\r\n\x1a\n", "its first line does not say so"),
        (b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 30, "packed data are damaged"),
        (gzip.compress(b"[1]\n", mtime=0), "its first line does not say so"),
    ],
)
def test_what_is_no_trace_is_told_so(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(data)
    with pytest.raises(PuzzleError, match=problem) as caught:
        read_trace(str(path))
    assert str(path) in str(caught.value)


def test_a_line_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    path, _ = lines_of(tmp_path)
    path.write_bytes(gzip.compress(path.read_bytes() + b" " * (1 << 26)))
    with pytest.raises(PuzzleError, match=r":6: a trace has at most"):
        read_trace(str(path))


def test_a_file_that_cannot_be_opened_is_wrong_usage(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", tmp_path / "a\0b"):
        with pytest.raises(UsageError, match="cannot be read"):
            read_trace(str(path))


def test_random_damage_is_refused_or_harmless(tmp_path: Path) -> None:
    """Any other error than these would be a traceback for the user."""
    path, _ = lines_of(tmp_path)
    whole = path.read_bytes()
    chance = random.Random(1)
    refused = 0
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read_trace(str(path))
        except PuzzleError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > 20


def test_a_full_disk_is_told_with_the_name_of_the_trace() -> None:
    with pytest.raises(OSError, match="/dev/full"), TraceWriter(Path("/dev/full")) as writer:
        writer.begin("sudoku", "")


def test_reading_a_trace_imports_no_torch() -> None:
    code = "import sys, trmsolve.cli.replaying, trmsolve.show.keys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_recording_in_memory_has_what_a_trace_has() -> None:
    cycles = sudoku_cycles()
    recording = Recording()
    recording.begin("sudoku", "w")
    for cycle in cycles:
        recording.frame(cycle)
    recording.outcome(answer_to(cycles[-1]))
    assert recording.played[0].frames == cycles
    assert recording.played[0].subject is cycles[0].puzzle
