"""The program ``trmsolve``, also ``python -m trmsolve``.

Its first lines are the guard against Ctrl-C, before anything else is imported.
"""

# ``signal`` itself imports ``enum``, which takes longer than all else before the guard.
import _signal as signal  # type: ignore[import-not-found]
import os

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as in ``trmsolve.errors``."""

TYPE_CHECKING = False  # the module ``typing`` takes a moment too
if TYPE_CHECKING:
    from types import FrameType


def _leave_at_once(number: int, frame: "FrameType | None") -> None:  # noqa: ARG001 (a handler)
    """Leave during an import: nothing has begun, and half an import cannot be continued."""
    os.write(2, b"trmsolve: interrupted\n")
    os._exit(INTERRUPTED)


# A shell has a program in its background ignore Ctrl-C; that stays as it is.
IGNORED = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
if not IGNORED:
    signal.signal(signal.SIGINT, _leave_at_once)


def main() -> None:
    """Run the command line.

    Ctrl-C ends it with one line at any moment, also while modules are imported.
    """
    _let_threads_sleep()
    from trmsolve.cli import app
    from trmsolve.cli.process import from_start_to_end
    from trmsolve.signals import interrupt

    try:
        with from_start_to_end():
            if not IGNORED:
                signal.signal(signal.SIGINT, interrupt)
            app(prog_name="trmsolve")
    finally:
        if not IGNORED:
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


if __name__ == "__main__":
    main()
