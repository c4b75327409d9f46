"""Training runs that are killed, damaged, out of disk, doubled or robbed of their folder."""

import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.support.forked import ended, finish, has_ended, start
from tests.faults.support.scale import trials
from tests.support.training import TINY, WHERE
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.folder import LOCK
from trmsolve.train.metrics_file import read_metrics
from trmsolve.weights.header import read_header

Measured = Callable[[int, str], None]
STEPS = 40
HALF = 34
OFTEN = ["--save-minutes", "0"]

pytestmark = pytest.mark.usefixtures("process_as_it_was", "one_thread")


def begin(data: Path, out: Path, steps: int, *more: object) -> list[object]:
    """The arguments that begin a run."""
    return ["train", "--data", data, "--out", out, *TINY, *WHERE, *OFTEN, "--steps", steps, *more]


def weights(out: Path, step: int = STEPS) -> tuple[bytes, bytes]:
    """The final tensors and weights, as bytes."""
    tensors = out / f"step-{step:08d}" / "state.safetensors"
    trained = out / "sudoku.safetensors"
    # The record at the beginning of the file has the time that training took.
    return tensors.read_bytes(), trained.read_bytes()[read_header(trained).begin :]


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole run, and with one that was killed halfway."""
    folder = tmp_path_factory.mktemp("runs")
    assert finish(folder / "told", *begin(data, folder / "whole", STEPS, "-q")) == 0
    half = start(folder / "told", *begin(data, folder / "half", STEPS, "-q"))
    wait_for_step(folder / "half", HALF, half)
    os.kill(half, signal.SIGKILL)
    assert ended(half) == -signal.SIGKILL
    return folder


def wait_for_step(out: Path, step: int, process: int) -> None:
    """Wait until the run has so many steps, or has ended."""
    while not has_ended(process) and last_step(out) < step:
        time.sleep(0.005)


def last_step(out: Path) -> int:
    return max((line.step for line in read_metrics(out)), default=0)


def is_the_whole_run(out: Path, runs: Path) -> None:
    """Fail unless a run has every step once, and the weights of the undisturbed run."""
    assert [line.step for line in read_metrics(out)] == list(range(1, STEPS + 1))
    assert weights(out) == weights(runs / "whole")
    assert not list(out.glob(".*"))


@pytest.mark.promise(
    "A run that is killed at random moments and resumed each time ends with the undisturbed run's "
    "weights, bit for bit, and has one line for each step"
)
def test_killed(data: Path, runs: Path, tmp_path: Path, measured: Measured) -> None:
    out, told = tmp_path / "run", tmp_path / "told"
    draw = random.Random(0)
    number = trials(50, least=2)
    arguments = begin(data, out, STEPS, "-q")
    for _ in range(number):
        process = start(told, *arguments)
        aim = last_step(out) + draw.randrange(2 * STEPS // (number + 1))
        wait_for_step(out, min(aim, STEPS - 2), process)
        time.sleep(draw.random() / 50)
        os.kill(process, signal.SIGKILL)
        assert ended(process) == -signal.SIGKILL, told.read_text()
        if list(out.glob("step-*")):
            arguments = ["train", "--resume", out, "-q"]
    assert finish(told, *arguments) == 0, told.read_text()
    is_the_whole_run(out, runs)
    measured(number, "")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def another_recipe(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"batch_size": 6', b'"batch_size": 7'))


DAMAGES: list[tuple[str, Callable[[Path], None]]] = [
    *(("state.safetensors", how) for how in (cut, flip, empty, Path.unlink, endless, pipe)),
    *(("state.json", how) for how in (cut, flip, empty, Path.unlink, folder_instead, pipe)),
    ("state.json", another_recipe),
]


@pytest.mark.promise(
    "Whichever file of the newest checkpoint is damaged, the run goes on from the one before to "
    "the same bits, and says so"
)
@pytest.mark.parametrize(("name", "damage"), DAMAGES)
def test_damaged(
    name: str, damage: Callable[[Path], None], runs: Path, tmp_path: Path, measured: Measured
) -> None:
    out, told = tmp_path / "run", tmp_path / "told"
    shutil.copytree(runs / "half", out)
    newest = max(out.glob("step-*"))
    damage(newest / name)
    assert finish(told, "train", "--resume", out, "-q") == 0, told.read_text()
    assert f"{newest.name} is damaged" in told.read_text()
    is_the_whole_run(out, runs)
    measured(1, "")


def limit_files(size: int) -> None:
    """No file may grow beyond this size: writing fails there, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.mark.promise(
    "A disk that is full at any byte of a save ends the run with 5, leaves the checkpoint before, "
    "and the run can be resumed to the same bits"
)
def test_full_disk(runs: Path, tmp_path: Path, measured: Measured) -> None:
    newest = max((runs / "half").glob("step-*"))
    largest = (newest / "state.safetensors").stat().st_size
    draw = random.Random(0)
    number = trials(50, least=2)
    for trial in range(number):
        out, told = tmp_path / f"run-{trial}", tmp_path / f"told-{trial}"
        shutil.copytree(runs / "half", out)
        before = load_checkpoint(out).step
        limit = partial(limit_files, draw.randrange(largest))
        assert finish(told, "train", "--resume", out, "-q", prepare=limit) == 5, told.read_text()
        assert "File too large" in told.read_text() or not told.read_text()
        assert load_checkpoint(out).step >= before
        assert finish(told, "train", "--resume", out, "-q") == 0, told.read_text()
        is_the_whole_run(out, runs)
        shutil.rmtree(out)
    measured(number, "")


@pytest.mark.promise("A second run in a folder is refused with 2, and the first one is as it was")
def test_two_at_once(data: Path, runs: Path, tmp_path: Path, measured: Measured) -> None:
    out, told = tmp_path / "run", tmp_path / "told"
    number = trials(20, least=2)
    first = start(tmp_path / "first", *begin(data, out, STEPS, "-q"))
    wait_for_step(out, 2, first)
    for trial in range(number):
        wish = ["train", "--resume", out, "-q"] if trial % 2 else begin(data, out, 3, "-q")
        if has_ended(first):
            number = trial
            break
        assert finish(told, *wish) == 2
    assert f"(process {first} on " in told.read_text()
    assert ended(first) == 0
    is_the_whole_run(out, runs)
    measured(number, "")


@pytest.mark.promise("A folder that is deleted between two saves of a run is made again")
def test_folder_gone(data: Path, tmp_path: Path, runs: Path, measured: Measured) -> None:
    draw = random.Random(0)
    number = trials(20)
    for trial in range(number):
        out, told = tmp_path / f"run-{trial}", tmp_path / f"told-{trial}"
        usual = ["--save-minutes", "9", "-q"]
        process = start(told, *begin(data, out, STEPS, *usual))
        while not out.exists() and not has_ended(process):
            time.sleep(0.005)
        time.sleep(draw.random() / 2)
        out.rename(tmp_path / f"gone-{trial}")
        assert ended(process) == 0, told.read_text()
        assert weights(out) == weights(runs / "whole")
    measured(number, "")


def watch_operations(out: Path, seen: Callable[[int], None]) -> None:
    """Have ``seen`` told the number of each file operation in the run's folder, before it happens.

    Looking for the lock does not count: the run has let it go, and written everything, at its end.
    """
    number = 0
    busy = False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal number, busy
        path = arguments[0] if arguments else None
        if busy or event not in OPERATIONS or not isinstance(path, str | os.PathLike):
            return
        if str(path).startswith(str(out)) and not str(path).endswith(LOCK):
            busy = True
            seen(number)
            number += 1
            busy = False

    sys.addaudithook(hook)


def count_operations(out: Path, notes: Path) -> None:
    watch_operations(out, lambda number: note(notes, number))


def note(notes: Path, number: int) -> None:
    notes.write_text(str(number + 1))


def delete_at(out: Path, at: list[int], how: Callable[[Path], object]) -> None:
    watch_operations(out, lambda number: how(out) if number in at and out.exists() else None)


def move_away(out: Path) -> None:
    out.rename(out.with_name(f"gone-{time.monotonic_ns()}"))


OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.listdir")


@pytest.mark.promise(
    "A folder that is deleted before any file operation of a run's saves is made again, and ends "
    "with everything in it"
)
def test_folder_gone_during_a_save(
    data: Path, tmp_path: Path, runs: Path, measured: Measured
) -> None:
    notes = tmp_path / "notes"
    arguments = begin(data, tmp_path / "counted", STEPS, "-q")
    count = partial(count_operations, tmp_path / "counted", notes)
    assert finish(tmp_path / "told", *arguments, prepare=count) == 0
    last = int(notes.read_text())
    draw = random.Random(0)
    number = trials(100, least=2)
    for trial in range(number):
        out, told = tmp_path / f"run-{trial}", tmp_path / f"told-{trial}"
        # The last save too, since nothing after it would make the folder whole again.
        at = [draw.randrange(last), last - 1 - draw.randrange(last // STEPS)]
        remove = draw.choice([shutil.rmtree, move_away])
        prepare = partial(delete_at, out, at, remove)
        code = finish(told, *begin(data, out, STEPS, "-q"), prepare=prepare)
        assert code == 0, (at, told.read_text())
        is_the_whole_run(out, runs)
        shutil.rmtree(out)
    measured(number, "")


def set_clock_back() -> None:
    """Every look at the clock of the calendar shows an hour less."""
    hours = iter(range(1_000_000))
    now = time.time()
    time.time = lambda: now - 3600 * next(hours)


@pytest.mark.promise("A clock that runs backwards changes nothing")
def test_clock(runs: Path, tmp_path: Path, measured: Measured) -> None:
    out, told = tmp_path / "run", tmp_path / "told"
    shutil.copytree(runs / "half", out)
    code = finish(told, "train", "--resume", out, "-q", prepare=set_clock_back)
    assert code == 0, told.read_text()
    is_the_whole_run(out, runs)
    measured(1, "")
