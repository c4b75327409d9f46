"""The errors a user may cause or meet, worded for them, each with its exit code.

Anything else keeps its traceback.
"""


class TrmsolveError(Exception):
    """An expected failure: the command prints its text and leaves with ``exit_code``."""

    exit_code = 2


class UsageError(TrmsolveError):
    """Options that contradict each other or name something that does not exist."""


class PuzzleError(TrmsolveError):
    """Input that is no puzzle: says what is wrong, in which file, line and column, and what to do."""

    def __init__(
        self, problem: str, source: str = "", line: int | None = None, column: int | None = None
    ) -> None:
        self.problem, self.source, self.line, self.column = problem, source, line, column
        super().__init__(f"{self.place}: {problem}" if self.place else problem)

    @property
    def place(self) -> str:
        """``file:line:column``, as far as it is known."""
        return ":".join(
            str(part) for part in (self.source, self.line, self.column) if part not in (None, "")
        )


class TrainingError(TrmsolveError):
    """A run that cannot go on."""

    exit_code = 1


class WeightsError(TrmsolveError):
    """Weights that are missing, damaged or made for another task."""

    exit_code = 3


class CheckpointError(TrmsolveError):
    """A run that cannot be resumed: its checkpoints are missing, damaged or of another kind."""

    exit_code = 3


class NetworkError(TrmsolveError):
    """What is not at hand cannot be fetched: there is no network, or none is wanted."""

    exit_code = 4
