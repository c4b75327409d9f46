"""What tests of several files share."""

import signal
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command sets these for its own process, which here is everybody's."""
    monkeypatch.setattr("trmsolve.device.keep_memory", lambda: None)
    threads, handlers = (
        torch.get_num_threads(),
        [(n, signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM)],
    )
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers:
        signal.signal(number, handler)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small networks are slower on several, and to the bit the same only on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
