"""What all tests share: the process they run in, the marker ``slow``, and fixtures."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Small networks are slower on several threads, and pytest-xdist has a worker for every core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Whatever imports torch is imported where it is used: the first process of pytest-xdist runs no
# test, and its workers wait for it.
from tests.support.kernels import FOLDERS, are_compiled
from tests.support.paths import ROOT
from tests.support.processes import starts_a_process
from trmsolve.puzzles.registry import get_task
from trmsolve.signals import heard

if TYPE_CHECKING:
    from tests.support.fake_hub import FakeHub


def pytest_configure(config: pytest.Config) -> None:
    """Prepare this process and, through what they inherit from it, the processes of tests."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell has what it starts in the background ignore Ctrl-C, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "cache"):  # not with -p no:cacheprovider
        os.environ.setdefault("NUMBA_CACHE_DIR", str(config.cache.mkdir("numba")))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the kernels once, before the workers of pytest-xdist start."""
    if not getattr(session.config.option, "numprocesses", None):
        return
    compilers = [
        subprocess.Popen([sys.executable, "-m", "tests.support.kernels", task], cwd=ROOT)
        for task in FOLDERS
        if not are_compiled(task)
    ]
    for compiler in compilers:
        compiler.wait()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test ``slow`` that starts a process."""
    for item in items:
        if isinstance(item, pytest.Function) and starts_a_process(item):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _no_interrupt_stays() -> Iterator[None]:
    """A test that catches what a signal raised has heard it."""
    yield
    heard()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what can be made again in a folder of the tests, and not in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of twelve easy Sudokus with their answers."""
    sudoku = get_task("sudoku")
    path = tmp_path_factory.mktemp("data") / "easy.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer", "rating"])
        for puzzle in islice(sudoku.generate("easy", 5), 12):
            assert puzzle.answer is not None
            rows.writerow(
                [sudoku.line(puzzle.grid).replace(".", "0"), sudoku.line(puzzle.answer), "0"]
            )
    return path


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[FakeHub]":
    """A hub on this machine instead of the real one, with an empty cache."""
    from tests.support.fake_hub import fake_hub

    with fake_hub(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Undo what a command sets for its own process, which here is that of all tests."""
    import torch

    from trmsolve import memory

    monkeypatch.setattr(memory, "keep_memory", lambda: None)
    threads = torch.get_num_threads()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread for torch: results are the same to the bit only on one."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
