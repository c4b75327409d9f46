"""The architecture of a network as one value, saved with its weights. Nothing else decides a shape.

Knows no torch.
"""

from dataclasses import asdict, dataclass
from typing import Any

MIXERS = ("attention", "mlp", "pool", "lattice", "conv", "planes")
POSITIONS = ("none", "rope", "learned")
HALT_FROM = ("first", "mean", "min")


@dataclass(frozen=True)
class TRMConfig:
    """The architecture; nothing else decides a shape.

    Defaults are the paper's Sudoku network with attention.

    ``board`` = (rows, columns, box rows, box columns) is read by the ``pool`` and ``lattice``
    mixers. Of the ``conv`` mixer it is the board of training, boxes of one cell: as it mixes
    neighbours only, other boards do as well. ``puzzle_emb_dim`` > 0 puts ``prefix_len`` slots
    before the tokens, filled with a learned vector per puzzle id (and zeros where it is shorter).
    ``candidates`` > 1 says that the tokens are a lattice: for every cell so many candidates, each
    still possible (1) or ruled out (0). ``halt_from`` is the slot the halting head reads: the
    first, as in the paper, or the mean of all, or each, and then the most reluctant decides
    (``min``). With ``rewrites`` the answer of each recursion, and so of each cycle, is the question
    of the next, but for the tokens among ``kept``: what stands there stays. ``random_start`` draws
    the first state anew for each puzzle; an update of z keeps the share ``damping`` of the old z
    and gets noise of standard deviation ``update_noise`` in training (both arXiv 2605.21488). The
    ``planes`` mixer takes grids of up to the board's size, one plane a symbol, and has no prefix:
    its puzzle embedding is a vector for the puzzle and one for each of the vocabulary, so that
    ``puzzle_emb_dim`` is 0 or (1 + vocab_size) * hidden_size. It is told under which of its
    ``symmetries`` a grid is shown.
    """

    vocab_size: int
    seq_len: int
    hidden_size: int = 512
    layers: int = 2
    recursions: int = 3
    latent_steps: int = 6
    mixer: str = "attention"
    positions: str = "rope"
    num_heads: int = 8
    expansion: float = 4.0
    inner_multiple: int = 256
    board: tuple[int, int, int, int] | None = None
    candidates: int = 1
    halt_from: str = "first"
    puzzle_emb_dim: int = 0
    prefix_len: int = 0
    num_puzzles: int = 1
    normed_swiglu: bool = False
    rewrites: bool = False
    kept: tuple[int, ...] = ()
    random_start: bool = False
    damping: float = 0.0
    update_noise: float = 0.0
    symmetries: int = 0
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0

    def __post_init__(self) -> None:
        """Raise ValueError where fields contradict each other, so that a bad config never reaches an allocation.

        The bounds here are against nonsense; what is too large to be read without being asked for,
        ``bounds`` says.
        """
        if self.mixer not in MIXERS:
            raise ValueError(f"mixer must be one of {', '.join(MIXERS)}, not {self.mixer!r}")
        if self.positions not in POSITIONS:
            raise ValueError(
                f"positions must be one of {', '.join(POSITIONS)}, not {self.positions!r}"
            )
        if self.halt_from not in HALT_FROM:
            raise ValueError(
                f"halt_from must be one of {', '.join(HALT_FROM)}, not {self.halt_from!r}"
            )
        sizes = {
            "vocab_size": (self.vocab_size, 1 << 20),
            "seq_len": (self.seq_len, 1 << 16),
            "hidden_size": (self.hidden_size, 1 << 14),
            "layers": (self.layers, 256),
            "recursions": (self.recursions, 256),
            "latent_steps": (self.latent_steps, 256),
            "num_heads": (self.num_heads, 128),
            "num_puzzles": (self.num_puzzles, 1 << 26),
            "puzzle_emb_dim": (self.puzzle_emb_dim, 1 << 20),
            "prefix_len": (self.prefix_len, 1 << 10),
            "inner_multiple": (self.inner_multiple, 1 << 13),
            "candidates": (self.candidates, 1 << 10),
            "symmetries": (self.symmetries, 1 << 10),
        }
        for name, (value, bound) in sizes.items():
            least = 0 if name in ("puzzle_emb_dim", "prefix_len", "symmetries") else 1
            if type(value) is not int or not least <= value <= bound:
                raise ValueError(
                    f"{name} must be a whole number from {least} to {bound}, not {value!r}"
                )
        for name, low, high in (
            ("expansion", 0, 64),
            ("rms_norm_eps", 0, 1),
            ("rope_theta", 1, 1e9),
        ):
            value = getattr(self, name)
            if type(value) not in (int, float) or not low < value <= high:
                raise ValueError(
                    f"{name} must be a number above {low} and at most {high:g}, not {value!r}"
                )
        for name, high in (("damping", 1), ("update_noise", 10)):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value < high:
                raise ValueError(f"{name} must be a number from 0 to below {high}, not {value!r}")
        for name in ("normed_swiglu", "rewrites", "random_start"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false")
        if self.mixer == "attention" and (self.hidden_size % (2 * self.num_heads)):
            raise ValueError(
                f"hidden_size {self.hidden_size} does not split into {self.num_heads} heads of even size"
            )
        if self.board is not None and (
            len(self.board) != 4
            or any(type(side) is not int or not 1 <= side <= 1 << 16 for side in self.board)
        ):
            raise ValueError(
                f"board must be four whole numbers from 1 to {1 << 16}, not {self.board!r}"
            )
        planes = self.mixer == "planes"
        if planes != (self.symmetries > 0):
            raise ValueError("the planes mixer, and no other, needs symmetries")
        if planes and self.puzzle_emb_dim not in (0, (1 + self.vocab_size) * self.hidden_size):
            raise ValueError(
                f"planes need a puzzle_emb_dim of 0 or {(1 + self.vocab_size) * self.hidden_size}"
            )
        if not planes and self.puzzle_emb_dim > self.prefix_len * self.hidden_size:
            raise ValueError(
                f"a prefix of {self.prefix_len} slots cannot hold {self.puzzle_emb_dim} values"
            )
        if self.prefix_len and not self.puzzle_emb_dim:
            raise ValueError(
                "prefix_len needs puzzle_emb_dim: without an embedding there is no prefix"
            )
        if any(type(token) is not int or not 0 <= token < self.vocab_size for token in self.kept):
            raise ValueError(f"kept must be tokens of the {self.vocab_size}, not {self.kept!r}")
        if self.rewrites and (self.prefix_len or self.candidates > 1 or planes):
            raise ValueError("rewrites goes with neither a prefix nor a lattice nor planes")
        if self.mixer in ("pool", "lattice", "conv", "planes"):
            if self.board is None or self.prefix_len:
                raise ValueError(f"the {self.mixer} mixer needs a board and has no prefix")
            if (self.mixer == "lattice") != (self.candidates > 1):
                raise ValueError(
                    f"the {self.mixer} mixer does not go with {self.candidates} candidates a cell"
                )
            rows, columns, box_rows, box_columns = self.board
            tiled = rows % box_rows == 0 and columns % box_columns == 0
            if rows * columns * self.candidates != self.seq_len or not tiled:
                raise ValueError(f"board {self.board} does not tile {self.seq_len} tokens")
        if self.candidates > 1 and (self.vocab_size != 2 or self.seq_len % self.candidates):
            raise ValueError(
                f"a lattice of {self.candidates} candidates a cell has 2 tokens and tiles {self.seq_len}"
            )

    @property
    def length(self) -> int:
        """L: prefix slots and tokens together."""
        return self.prefix_len + self.seq_len

    @property
    def places(self) -> tuple[int, ...]:
        """How tokens are laid out: in a line (S,), or on a board (rows, columns), in place of which others will do."""
        return (
            self.board[:2] if self.mixer in ("conv", "planes") and self.board else (self.seq_len,)
        )

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TRMConfig":
        """The config ``to_dict`` described.

        Raises ValueError for unknown, missing or impossible fields.
        """
        if unknown := sorted(set(fields) - set(cls.__dataclass_fields__)):
            raise ValueError(f"unknown config field {unknown[0]!r}")
        if missing := sorted({"vocab_size", "seq_len"} - set(fields)):
            raise ValueError(f"missing config field {missing[0]!r}")
        board, kept = fields.get("board"), fields.get("kept", ())
        return cls(
            **{**fields, "board": tuple(board) if board is not None else None, "kept": tuple(kept)}
        )
