"""The program in a forked copy of this process: a process of its own without a long start."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path


def nothing() -> None:
    """Prepare nothing."""


def start(messages: Path, *arguments: object, prepare: Callable[[], None] = nothing) -> int:
    """Start the program and return the process.

    What it writes goes to ``messages``. ``prepare`` is called in the new process before.
    """
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setsid()
        _redirect(messages)
        prepare()
        sys.argv = ["trmsolve", *map(str, arguments)]
        code = _run()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def finish(messages: Path, *arguments: object, prepare: Callable[[], None] = nothing) -> int:
    """Run the program to its end and return its exit code."""
    return ended(start(messages, *arguments, prepare=prepare))


def ended(process: int) -> int:
    """Wait for a process and return its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def has_ended(process: int) -> bool:
    """Whether a process is over, without collecting its exit code."""
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _redirect(messages: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(messages, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, handle in enumerate((null, out, out)):
        os.dup2(handle, number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115


def _run() -> int:
    from trmsolve.__main__ import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
