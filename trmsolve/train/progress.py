"""What a training run says of itself from time to time: one value, one line of ``metrics.jsonl``. Knows no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run stands. Rates are fractions; what is a mean is one since the last line."""

    step: int
    seconds: float  # of training, those before a resume included
    done: float  # fraction of the run, 0 to 1
    loss: float
    token_accuracy: float
    mean_cycles: float  # of the puzzles that halted; 0 if none did
    solved: float  # of the puzzles that halted, how many with the right answer; 0 if none did
    lr: float  # of the matrices, now
    examples_per_second: float  # puzzles x cycles
    puzzles_per_second: float  # puzzles that halted and made room for others
    held_out_exact: float | None = None  # measured now, on puzzles that are not trained on
