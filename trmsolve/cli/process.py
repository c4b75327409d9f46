"""How the program ends early: one line for the user and the agreed exit code, never a traceback for what is expected.

``Program`` stands around every command, its arguments and its help; ``trmsolve.__main__`` stands
around the imports.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from trmsolve.cli.output import say
from trmsolve.errors import TrmsolveError

INTERRUPTED, TERMINATED, BROKEN_PIPE = 130, 143, 141
WRONG_USAGE: Any = typer.BadParameter.__bases__[0]
"""The class of errors in arguments.

Typer has its own or takes that of Click, and exports only this child of it.
"""


class Program(TyperGroup):
    """The group of all commands.

    Whatever ends one of them early is told in one line and becomes an exit code.
    """

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the arguments; ``--help`` and ``--version`` write and leave here."""
        _open_closed_streams()
        with told_in_a_line():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, which parses its own arguments first."""
        # As an exception, so that the views give the terminal back before the process ends.
        signal.signal(signal.SIGTERM, _terminate)
        with told_in_a_line():
            return super().invoke(ctx)


@contextlib.contextmanager
def told_in_a_line() -> Iterator[None]:
    """Turn expected errors, wrong usage, Ctrl-C, SIGTERM and streams that fail into SystemExit with its exit code."""
    try:
        yield
    except TrmsolveError as error:
        say(f"trmsolve: {error}")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        say("trmsolve: interrupted")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        abandon_stdout()
        raise SystemExit(BROKEN_PIPE) from None
    except OSError as error:  # a full disk, a folder that may not be written
        abandon_stdout()
        where = f"{error.filename}: " if error.filename else ""
        say(f"trmsolve: {where}{error.strerror or error}")
        raise SystemExit(TrmsolveError.exit_code) from None
    except WRONG_USAGE as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # the help is printed already
            raise
        command = error.ctx.command_path if error.ctx else "trmsolve"
        say(f"{command}: {error.format_message()}")
        say(f"Try: {command} --help")
        raise SystemExit(TrmsolveError.exit_code) from None


def abandon_stdout() -> None:
    """Python flushes standard output once more at exit: give it somewhere to go."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flush_streams() -> None:
    """Write what is still held back, while a failure can still be told. Raises OSError."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


def _open_closed_streams() -> None:
    """A closed stream is None in Python: what would go there goes nowhere."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123
