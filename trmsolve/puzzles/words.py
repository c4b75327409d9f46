"""What the commands say of a kind of puzzle, apart from its rules.

Nothing here imports numpy, and so the help of a command waits for no puzzle.
"""


class Words:
    """The name of a kind of puzzle, its usual values, and the texts of its help.

    Each ``Task`` has them. The puzzles of this package have theirs in modules of their own.
    """

    # To be set.
    name: str
    """The command and the option's value, such as "sudoku": small letters, digits and hyphens."""
    difficulties: tuple[str, ...]
    """The kinds of puzzles that ``generate`` makes; the first is the usual one."""

    default_cycles: int = 16
    """Improvement cycles that a view may take; the paper's number."""
    cycles_help: str = "Maximum number of improvement cycles for each view."
    """What the option that sets this number says."""
    default_noise: float = 0.5
    """Standard deviation of the noise in each view but the first; the answer state itself has 1."""
    has_marks: bool = False
    """Whether ``--start``, ``--goal`` and ``--map`` say how a file is read, see ``Task.marked``."""
    detours_help: str = ""
    """Help of ``--accept-detours``; "" where every valid answer is the best one."""
    failure_help: str = "some answer is not verified"
    """When the exit code is 1, in the help."""
    generate_help: str = ""
    """A paragraph on the made puzzles for the help of ``generate``."""
    example_file: str = "puzzle.txt"
    """The file in the examples of the help and of a model card."""

    @property
    def title(self) -> str:
        """The heading of a model card."""
        return self.name.capitalize()

    @property
    def plural(self) -> str:
        """The puzzles in the middle of a sentence."""
        return f"{self.name} puzzles"

    @property
    def files_help(self) -> str:
        """Help of the command's argument."""
        plural = self.plural[0].upper() + self.plural[1:]
        return f"{plural} as text. - reads standard input."
