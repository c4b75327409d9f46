"""What every command does when it ends early: one line for the user and the agreed exit code, no traceback."""

import contextlib
import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

from trmsolve.errors import TrmsolveError

P = ParamSpec("P")
INTERRUPTED, TERMINATED, BROKEN_PIPE = 130, 143, 141


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command: expected errors, Ctrl-C, SIGTERM and a closed pipe leave quietly with their exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        # As an exception, so that the views give the terminal back before the process ends.
        signal.signal(signal.SIGTERM, _terminate)
        # A closed stream is None in Python: what would go there goes nowhere.
        sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115, PTH123
        try:
            command(*args, **kwargs)
        except TrmsolveError as error:
            typer.echo(f"trmsolve: {error}", err=True)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            typer.echo("trmsolve: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _abandon_stdout()
            raise typer.Exit(BROKEN_PIPE) from None
        except OSError as error:  # a full disk, a folder that may not be written
            _abandon_stdout()
            where = f"{error.filename}: " if error.filename else ""
            typer.echo(f"trmsolve: {where}{error.strerror or error}", err=True)
            raise typer.Exit(TrmsolveError.exit_code) from None

    return run


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(TERMINATED)


def _abandon_stdout() -> None:
    """Python flushes standard output once more at exit: give it somewhere to go."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
