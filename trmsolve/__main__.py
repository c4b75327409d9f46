"""``trmsolve`` and ``python -m trmsolve``: hands over to the commands."""

import os
import signal
from types import FrameType

INTERRUPTED = 130


def main() -> None:
    """Run the command line.

    Ctrl-C ends it in one line at every moment, while modules are imported too.
    """
    ignored = (
        signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    )  # as in the background of a shell: leave it so
    if not ignored:
        signal.signal(signal.SIGINT, _leave_at_once)
    from trmsolve.cli import app
    from trmsolve.cli.process import flush_streams, told_in_a_line

    try:
        with told_in_a_line():
            try:
                if not ignored:
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                app(prog_name="trmsolve")
            finally:
                flush_streams()
    finally:
        if (
            not ignored
        ):  # everything is written, and the interpreter only takes a moment more to leave
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave_at_once(number: int, frame: FrameType | None) -> None:
    """While nothing has begun there is nothing to put away, and half an import cannot be continued."""
    os.write(2, b"trmsolve: interrupted\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
