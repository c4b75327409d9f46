"""The errors that a user may cause or meet, with texts for the user and exit codes.

Any other error keeps its traceback. This module imports nothing, so that the program has it before
all others are loaded.
"""

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended."""

SYSTEM_FAILED = 5
"""The exit code where nothing is wrong with what the user gave.

The system refused to write, as on a full disk, or ended a process of the program.
"""

WRONG_PATHS = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)
"""Errors of the system for paths at which no file can be: others may be given."""


class TrmsolveError(Exception):
    """An expected failure: the command prints its text and exits with ``exit_code``."""

    exit_code = 2


class UsageError(TrmsolveError):
    """Options that contradict each other or name something that does not exist."""


class PuzzleError(TrmsolveError):
    """Input that is no puzzle; the text says what is wrong, where, and what to do."""

    def __init__(
        self, problem: str, source: str = "", line: int | None = None, column: int | None = None
    ) -> None:
        self.problem = problem
        self.source = source
        self.line = line
        self.column = column
        super().__init__(f"{self.place}: {problem}" if self.place else problem)

    @property
    def place(self) -> str:
        """``file:line:column``, as far as it is known."""
        parts = (self.source, self.line, self.column)
        return ":".join(str(part) for part in parts if part not in (None, ""))


class TrainingError(TrmsolveError):
    """Training that cannot go on."""

    exit_code = 1


class WeightsError(TrmsolveError):
    """Weights that are missing, damaged or made for another task."""

    exit_code = 3


class CheckpointError(TrmsolveError):
    """Training that cannot be resumed: checkpoints are missing, damaged or of another kind."""

    exit_code = 3


class NetworkError(TrmsolveError):
    """Something cannot be fetched: there is no network, or it may not be used."""

    exit_code = 4


class WorkerError(TrmsolveError):
    """A process that shared the work was ended by others, such as by the system for its memory."""

    exit_code = SYSTEM_FAILED
