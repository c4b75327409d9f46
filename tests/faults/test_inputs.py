"""Malformed puzzles: refused with their place, in little time and memory, and without traceback."""

import io
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.faults.support.mutators import damaged
from tests.faults.support.program import Worst, finish, is_told
from tests.faults.support.readers import Reader, readers
from tests.faults.support.scale import trials
from trmsolve.cli import app
from trmsolve.errors import PuzzleError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("process_as_it_was")]

NAMES = ["sudoku text", "sudoku table", "maze text", "maze table", "maze image", "arc tasks"]
SECONDS = 2.0
MEGABYTES = 500.0
Measured = Callable[[int, str], None]


@pytest.fixture(params=NAMES)
def reader(request: pytest.FixtureRequest) -> Reader:
    found = readers()[request.param]
    if not found.files:
        pytest.skip("needs Pillow")
    return found


def items_of(reader: Reader, data: bytes) -> tuple[int, int]:
    """How many items of a damaged file are read and how many refused. Fails on any other end."""
    begin = time.process_time()
    good, bad = 0, 0
    for item in reader.read(io.BytesIO(data), "given.txt"):
        if isinstance(item, PuzzleError):
            assert "given.txt" in str(item), item
            assert len(str(item)) < 2000
            bad += 1
        else:
            good += 1
    assert time.process_time() - begin < SECONDS, data[:200]
    return good, bad


def refused(reader: Reader, seed: int) -> Iterator[bytes]:
    """Damaged files of which nothing at all can be read."""
    for data in reader.damaged(seed):
        good, bad = items_of(reader, data)
        if bad and not good:
            yield data


@pytest.mark.promise("A reader gives puzzles or errors that name the file, never another exception")
def test_readers(reader: Reader, measured: Measured) -> None:
    number = trials(10_000, least=100)
    bad = sum(items_of(reader, data)[1] > 0 for data in islice(reader.damaged(), number))
    measured(number, "")
    assert 0 < bad < number


EFFORT = {
    "sudoku": ("sudoku", "--views", "1", "--cycles", "1", "--quiet"),
    "maze": ("maze", "--views", "1", "--cycles", "1", "--quiet"),
    "eval": ("eval", "--task", "sudoku", "--views", "1", "--cycles", "1", "--workers", "1"),
}


@pytest.mark.promise("A command given damaged puzzles leaves with 0, 1 or 2")
@pytest.mark.parametrize(
    ("command", "kinds"),
    [
        ("sudoku", ["sudoku text", "sudoku table"]),
        ("maze", ["maze text", "maze table", "maze image"]),
        ("eval", ["sudoku table"]),
    ],
)
def test_commands(command: str, kinds: list[str], tmp_path: Path, measured: Measured) -> None:
    files = [file for kind in kinds for file in readers()[kind].files]
    given = tmp_path / "given.txt"
    number = trials(3_000)
    codes = set()
    first, *options = EFFORT[command]
    names = ["--data", str(given)] if command == "eval" else [str(given)]
    for data in islice(damaged(files, seed=1), number):
        given.write_bytes(data)
        done = CliRunner().invoke(app, [first, *names, *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), data
        assert done.exit_code in (0, 1, 2), (data, done.stderr)
        codes.add(done.exit_code)
    measured(number, "")
    assert 2 in codes


@pytest.mark.promise(
    "A process given a file without a readable puzzle leaves with 2, names the file, and takes "
    "less than 2 s and 500 MB"
)
def test_processes(reader: Reader, tmp_path: Path, measured: Measured) -> None:
    given = tmp_path / "given.txt"
    worst = Worst()
    for data in islice(refused(reader, seed=2), trials(100)):
        given.write_bytes(data)
        done = finish(reader.command, given)
        assert is_told(done, 2, str(given)), (data, done)
        assert done.out == b""
        assert done.seconds < SECONDS and done.megabytes < MEGABYTES, (data, done)
        worst.add(done)
    measured(worst.number, str(worst))
