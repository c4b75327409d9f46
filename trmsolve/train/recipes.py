"""Training recipes as data: what to build and how to train it, by task and name. Every field can be overridden."""

from dataclasses import dataclass

from trmsolve.model import TRMConfig


@dataclass(frozen=True)
class Recipe:
    """All that decides a run besides its data, its length and its seed. Rates are peaks of a cosine schedule."""

    config: TRMConfig
    batch_size: int
    max_cycles: int = 16
    exploration: float = 0.1  # probability that a row may not halt before a random cycle
    optimizer: str = "muon"  # for the matrices: muon, adamw or adam_atan2
    lr: float = 0.02
    weight_decay: float = 0.005
    head_lr: float = 1e-3
    head_weight_decay: float = 0.1
    table_lr: float = 1e-4
    table_weight_decay: float = 1.0
    warmup: float = 0.01  # fraction of the run
    final_lr: float = 0.0  # of the peak; 1 keeps the rate constant after the warm-up
    clip: float | None = 1.0  # bound on the norm of the gradient
    ema: float = 0.995
    loss: str = "softmax"  # softmax or stablemax
    smoothing: float = 0.0
    halt_weight: float = 0.05
    conflict_weight: float = 0.1  # lattice: of knowing that the solution is lost
    branch_temperature: float = 1.5  # lattice: how freely a guess is drawn where nothing is certain
    drop_lost: float = 0.35  # lattice: probability that a row without its solution leaves, each cycle
    reveal: float = 0.0  # fraction of training puzzles made easier by giving away some of their blanks


_SUDOKU_PAPER = TRMConfig(
    vocab_size=11, seq_len=81, mixer="mlp", positions="none", puzzle_emb_dim=512, prefix_len=16, num_puzzles=1
)
_SUDOKU_LAPTOP = TRMConfig(
    vocab_size=11,
    seq_len=81,
    hidden_size=192,
    recursions=1,  # every latent step is learned from: the gradient reaches six deep at the price of two recursions
    latent_steps=6,
    mixer="pool",
    positions="none",
    board=(9, 9, 3, 3),
    normed_swiglu=True,
)

RECIPES: dict[tuple[str, str], Recipe] = {
    # The public code's settings (official_trm: batch 768, AdamATan2, constant rate after the warm-up).
    ("sudoku", "paper"): Recipe(
        _SUDOKU_PAPER,
        batch_size=768,
        optimizer="adam_atan2",
        lr=1e-4,
        weight_decay=1.0,
        final_lr=1.0,
        warmup=0.03,
        clip=None,
        ema=0.999,
        loss="stablemax",
        halt_weight=0.5,
    ),
    # A small network whose mixer has the layout of the board built in: an hour or two of a laptop's CPU. Muon at 0.015
    # learned to place singles in 300 steps, and with less decay than this lost ground from there on.
    ("sudoku", "laptop"): Recipe(_SUDOKU_LAPTOP, batch_size=192, lr=0.01, weight_decay=0.1, ema=0.998, reveal=0.5),
    ("sudoku", "lattice"): Recipe(
        TRMConfig(
            vocab_size=2,
            seq_len=729,
            hidden_size=64,
            recursions=1,
            latent_steps=3,
            mixer="lattice",
            positions="none",
            board=(9, 9, 3, 3),
            candidates=9,
            inner_multiple=32,
            expansion=3.0,
            normed_swiglu=True,
            halt_from="mean",
        ),
        batch_size=128,
        lr=0.01,
        weight_decay=0.1,
        ema=0.995,
        halt_weight=0.1,
    ),
}
