"""The program ``trmsolve``, also ``python -m trmsolve``."""

import os
import signal

from trmsolve.errors import INTERRUPTED

TYPE_CHECKING = False  # the module ``typing`` takes a moment in which Ctrl-C is not handled yet
if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Run the command line.

    Ctrl-C ends it with one line at any moment, also while modules are imported.
    """
    # A shell has a program in its background ignore Ctrl-C; that stays as it is.
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    if not ignored:
        signal.signal(signal.SIGINT, _leave_at_once)
    _let_threads_sleep()
    from trmsolve.cli import app
    from trmsolve.cli.process import escape_reports, flush_streams, told_in_a_line

    escape_reports()
    try:
        with told_in_a_line():
            try:
                if not ignored:
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                app(prog_name="trmsolve")
            finally:
                flush_streams()
    finally:
        if not ignored:
            # Everything is written; the interpreter only takes a moment more to leave.
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _let_threads_sleep() -> None:
    """Have OpenMP's threads sleep and not spin while they wait for each other.

    Spinning threads of two programs keep the cores from each other's work: a run of two threads
    beside others on two cores took more than ten times as long. Sleeping costs a run alone next to
    nothing. OpenMP reads this when torch is loaded, and processes started from here inherit it. It
    is the program's choice, which users can change by the same variable; importing the package
    changes nothing.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _leave_at_once(number: int, frame: "FrameType | None") -> None:  # noqa: ARG001 (a handler)
    """Leave during an import: nothing has begun, and half an import cannot be continued."""
    os.write(2, b"trmsolve: interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
