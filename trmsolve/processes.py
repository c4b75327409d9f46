"""Processes beside this one: how they are started so that this one alone answers for them.

They are spawned and not forked: a fork of a process with threads may hang, and torch starts some.
"""

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess


def context() -> SpawnContext:
    """What makes the pipes and events that such a process takes as arguments."""
    return multiprocessing.get_context("spawn")


def start_process(target: Callable[..., None], args: tuple[Any, ...], name: str) -> "BaseProcess":
    """Start a process that calls ``target``, a function of a module, with picklable arguments.

    It never sees Ctrl-C, it ends with this process, and it does not import the program's main
    module.
    """
    process = context().Process(target=target, args=args, name=name, daemon=True)
    # The first start of all would start this too, which lets Ctrl-C through again.
    resource_tracker.ensure_running()
    with _ctrl_c_held_back(), _main_module_hidden():
        process.start()
    return process


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Start processes that never see Ctrl-C: the terminal sends it to all, and this one decides.

    Here it is only held back until the process is started.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Start processes that do not import the program's main module again.

    They need nothing of it, and a program without a guard against that would run once more.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
