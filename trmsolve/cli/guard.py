"""What every command does when it ends early: one line for the user and the agreed exit code, no traceback."""

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
        try:
            command(*args, **kwargs)
        except TrmsolveError as error:
            typer.echo(f"trmsolve: {error}", err=True)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            typer.echo("trmsolve: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader has gone. Python flushes stdout once more at exit: give it somewhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from None

    return run


def _terminate(*_: object) -> NoReturn:
    raise typer.Exit(TERMINATED)
