"""How the program ends early: one line for the user and the agreed exit code.

Expected errors show no traceback. ``Program`` surrounds every command, its arguments and its help.
``trmsolve.__main__`` surrounds the imports. ``Stop`` lets a long run save before it leaves.
"""

import contextlib
import io
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from queue import SimpleQueue
from threading import Thread
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer

from trmsolve.cli.commands import Commands, summary
from trmsolve.cli.help import Group
from trmsolve.cli.settings import read_settings
from trmsolve.cli.streams import say, write
from trmsolve.errors import INTERRUPTED, SYSTEM_FAILED, WRONG_PATHS, TrmsolveError
from trmsolve.signals import end_by, heard

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

TERMINATED = 143
BROKEN_PIPE = 141

SAVING = "stopping: saving after this step; press Ctrl-C again to exit at once without saving"
SAVED = "stopping: everything is saved, evaluation ends; press Ctrl-C again to exit at once"

WRONG_USAGE: Any = typer.BadParameter.__bases__[0]
"""The class of errors in arguments.

Typer has its own or takes that of Click, and exports only this child of it.
"""


class Program(Group):
    """The group of all commands.

    Whatever ends one of them early is told in one line and becomes an exit code. The module of a
    command is imported when the command is run; the list of commands needs none of them.
    """

    is_listing = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands: Any = Commands()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (as its base)
        """The names of all commands."""
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name; for the list of them only what it shows."""
        if self.is_listing:
            return summary(cmd_name)
        return super().get_command(ctx, cmd_name)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """The names that begin with what is typed. No command is imported for them."""
        self.is_listing = True
        try:
            return list(super().shell_complete(ctx, incomplete))
        finally:
            self.is_listing = False

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help with the list of commands."""
        self.is_listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self.is_listing = False

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the arguments; ``--help`` and ``--version`` write and leave here."""
        prepare_streams()
        with told_in_a_line():
            if not kwargs.get("resilient_parsing"):
                kwargs.setdefault("default_map", read_settings())
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, which parses its own arguments first."""
        # As an exception, so that the displays give the terminal back before the process ends.
        signal.signal(signal.SIGTERM, _terminate)
        with told_in_a_line():
            return super().invoke(ctx)


@contextlib.contextmanager
def from_start_to_end() -> Iterator[None]:
    """Surround the whole program: streams that can be used, all of them written out at the end.

    Raises SystemExit, with ``SYSTEM_FAILED`` for a success of which messages could not be written.
    """
    escape_reports()
    prepare_streams()
    try:
        with told_in_a_line():
            try:
                yield
            finally:
                flush_streams()
    except SystemExit as end:
        heard()
        if not end.code and _messages_were_lost():
            raise SystemExit(SYSTEM_FAILED) from None
        raise


@contextlib.contextmanager
def told_in_a_line() -> Iterator[None]:
    """Turn what is expected to end a command into one line and SystemExit with its exit code.

    Expected are trmsolve's own errors, wrong usage, Ctrl-C, SIGTERM and what cannot be written.
    """
    try:
        yield
    except TrmsolveError as error:
        say(f"trmsolve: {error}")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        heard()
        say("trmsolve: interrupted")
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        abandon_stdout()
        raise SystemExit(BROKEN_PIPE) from None
    except OSError as error:  # a full disk, a folder that may not be written
        abandon_stdout()
        where = f"{error.filename}: " if error.filename else ""
        say(f"trmsolve: {where}{error.strerror or error}")
        is_wrong = isinstance(error, WRONG_PATHS)
        raise SystemExit(TrmsolveError.exit_code if is_wrong else SYSTEM_FAILED) from None
    except WRONG_USAGE as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # the help is printed already
            raise
        from trmsolve.cli.wrong_usage import describe

        say(f"trmsolve: {describe(error)}")
        raise SystemExit(TrmsolveError.exit_code) from None


class Stop(AbstractContextManager["Stop"]):
    """Ctrl-C or SIGTERM asks a run to save and leave; a second one ends it at once.

    The run calls this value before its first step and after each. A signal that comes before a step
    is done ends the run at once too, since there is nothing to save yet.

    Attributes:
        note: Is told the acknowledgement of the first signal, at once. It is called by a thread of
            its own: the signal may have interrupted the drawing itself, and a handler that draws
            within it would garble the screen.
        code: The exit code that the signal asks for; 0 until one came.
        times_asked: How often the run has asked.
        saved: To be set while the run has nothing left to save, so that the acknowledgement says
            so.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note = note
        self.code = 0
        self.times_asked = 0
        self.saved = False
        # A SimpleQueue, because its put() is safe in a signal handler.
        self._texts: SimpleQueue[str | None] = SimpleQueue()
        self._speaker = Thread(target=self._speak, name="stop", daemon=True)
        self._handlers_before: dict[int, Any] = {}

    def __enter__(self) -> "Stop":
        self._speaker.start()
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers_before[number] = signal.signal(number, self._heed)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        self._texts.put(None)
        self._speaker.join()  # so that the acknowledgement is not the last thing that is said

    @property
    def acknowledgement(self) -> str:
        """The answer to the first signal."""
        return SAVED if self.saved else SAVING

    def __call__(self) -> bool:
        """Whether the run is to save and leave."""
        self.times_asked += 1
        return self.code != 0

    def _heed(self, number: int, _: FrameType | None) -> None:
        interrupted = number == signal.SIGINT
        if self.code or self.times_asked < 2:
            end_by(KeyboardInterrupt() if interrupted else SystemExit(TERMINATED))
        self.code = INTERRUPTED if interrupted else TERMINATED
        self._texts.put(self.acknowledgement)

    def _speak(self) -> None:
        while (text := self._texts.get()) is not None:
            with contextlib.suppress(OSError):  # nobody reads: the run ends all the same
                self.note(text)


def abandon_stdout() -> None:
    """Let standard output end nowhere: Python flushes it once more at exit."""
    _abandon(sys.stdout)


def _abandon(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def flush_streams() -> None:
    """Write what is still held back, while a failure can still be told. Raises OSError.

    Nobody may read standard error any more; that is no failure.
    """
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()
    if sys.stderr is not None and not sys.stderr.closed:
        try:
            sys.stderr.flush()
        except OSError:
            _abandon(sys.stderr)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    end_by(SystemExit(TERMINATED))


def escape_reports() -> None:
    """Have tracebacks and warnings escaped like all other text: they may quote a stranger's."""
    sys.excepthook = _report_error
    threading.excepthook = _report_error_of_thread
    warnings.showwarning = _show_warning


def _report_error(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    with contextlib.suppress(OSError):  # nobody reads
        write(sys.stderr, "".join(traceback.format_exception(kind, error, trace)))


def _report_error_of_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is not SystemExit:
        _report_error(failed.exc_type, failed.exc_value, failed.exc_traceback)


def _show_warning(  # noqa: PLR0913 (as in ``warnings``)
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    with contextlib.suppress(OSError):  # nobody reads
        text = warnings.formatwarning(message, category, filename, lineno, line)
        write(file or sys.stderr, text)


class _Messages(io.RawIOBase):
    """Standard error without failures: a message that cannot be written costs no answer.

    Attributes:
        lost: Whether a message could not be written. That nobody reads any more does not count.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self.lost = False
        self._raw = raw

    def write(self, data: "ReadableBuffer") -> int | None:
        """Write, or lose what cannot be written."""
        try:
            return self._raw.write(data)
        except BrokenPipeError:
            pass
        except OSError:
            self.lost = True
        return memoryview(data).nbytes

    def writable(self) -> bool:
        """True."""
        return True

    def fileno(self) -> int:
        """The number of the stream."""
        return self._raw.fileno()

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._raw.isatty()


def _messages_were_lost() -> bool:
    raw = getattr(getattr(sys.stderr, "buffer", None), "raw", None)
    return isinstance(raw, _Messages) and raw.lost


def prepare_streams() -> None:
    """Give the null device to streams that are closed, and a buffer to those that have none.

    A message that cannot be written to standard error raises nothing from then on.
    """
    sys.stdout = _usable(sys.stdout)
    sys.stderr = _usable(sys.stderr, _Messages)


def _usable(
    stream: TextIO | None, over: Callable[[io.RawIOBase], io.RawIOBase] | None = None
) -> TextIO:
    """A stream whose writes are whole; ``over`` is put around its raw stream, if given.

    A closed stream is None in Python. With ``python -u`` a stream has no buffer: a signal that
    comes while much is written to a terminal then cuts the text, and the rest is lost.
    """
    if stream is None:
        return open(os.devnull, "w")  # noqa: PTH123 (as long-lived as the process)
    buffer = getattr(stream, "buffer", None)
    raw: Any = getattr(buffer, "raw", buffer)
    is_own = stream in (sys.__stdout__, sys.__stderr__)  # others belong to who replaced them
    if not is_own or not isinstance(raw, io.RawIOBase):
        return stream
    if over is not None:
        raw = over(raw)
    elif raw is not buffer:
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=stream.encoding, errors=stream.errors, line_buffering=True
    )
