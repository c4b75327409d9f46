"""The architecture of a network as one value, which is saved with its weights.

Nothing else decides the shape of a tensor. This file does not need torch.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

POSITIONS = ("none", "rope", "learned")
HALT_FROM = ("first", "mean", "min")

LARGE_BOARD = 64 * 64
"""Boards of at least so many cells are large: ``settled`` computes only a part of them."""


class Bound(NamedTuple):
    """The values that a number may have.

    ``least`` and ``most`` keep nonsense out and cannot be lifted. Networks in use are no larger
    than ``usual``; a file that asks for more is opened only if the user says so.
    """

    least: float
    most: float
    usual: float | None = None


WHOLE = {
    "vocab_size": Bound(1, 1 << 20, usual=4096),
    "seq_len": Bound(1, 1 << 16, usual=8192),
    "hidden_size": Bound(1, 1 << 14, usual=4096),
    "layers": Bound(1, 256, usual=16),
    "recursions": Bound(1, 256, usual=32),
    "latent_steps": Bound(1, 256, usual=32),
    "num_heads": Bound(1, 128, usual=64),
    "num_puzzles": Bound(1, 1 << 26, usual=1 << 22),
    "puzzle_emb_dim": Bound(0, 1 << 20, usual=1 << 16),
    "prefix_len": Bound(0, 1 << 10, usual=256),
    "inner_multiple": Bound(1, 1 << 13, usual=4096),
    "candidates": Bound(1, 1 << 10, usual=64),
    "symmetries": Bound(0, 1 << 10, usual=64),
    "lookup_channels": Bound(0, 1 << 10, usual=64),
    "line_lookup_channels": Bound(0, 1 << 10, usual=64),
}
"""Bounds of the fields that are whole numbers, both inclusive."""

REAL = {
    "expansion": Bound(0, 64, usual=16),
    "rms_norm_eps": Bound(0, 1),
    "rope_theta": Bound(1, 1e9),
}
"""Bounds of the fields that are any number above ``least`` and at most ``most``."""

BOARD_SIDE = Bound(1, 1 << 16)
UPDATE_NOISE = Bound(0, 10)  # the upper one exclusive

RETIRED = {"random_start": False, "damping": 0.0}
"""Fields of earlier versions, each at the only value that is still accepted.

Files carry them, and the fingerprints of weights include them.
"""

FORMER_CONFIG_NAMES = {"rewrites": "feeds_back_answer", "kept": "frozen_tokens"}
"""Fields by the names that earlier versions wrote into weights, checkpoints and printed recipes."""


@dataclass(frozen=True)
class TRMConfig:
    """The architecture of a network. Defaults are the paper's Sudoku network with attention.

    Raises ValueError where a field is out of bounds or fields contradict each other, so that a bad
    config never reaches an allocation. ``MIXER_RULES`` says what each mixer asks of the fields.
    """

    vocab_size: int
    """V, how many values a token may have."""

    seq_len: int
    """S, tokens of a puzzle; for the planes mixer, cells of the largest grid."""

    hidden_size: int = 512
    """D, numbers in the state of each slot."""

    layers: int = 2
    """Blocks in the network."""

    recursions: int = 3
    """T of the paper: latent recursions in one improvement cycle."""

    latent_steps: int = 6
    """n of the paper: updates of z in one latent recursion."""

    mixer: str = "attention"
    """How slots hear of each other: a key of ``MIXER_RULES``."""

    positions: str = "rope"
    """How attention is told where a slot is: none, rope or learned."""

    num_heads: int = 8
    """Heads of attention; other mixers ignore it."""

    expansion: float = 4.0
    """Width of the SwiGLU layer, as a multiple of ``hidden_size`` before the 2/3 of its gate."""

    inner_multiple: int = 256
    """The width of the SwiGLU layer is rounded up to a multiple of this."""

    board: tuple[int, int, int, int] | None = None
    """Rows and columns of the board, then those of a box.

    For the convolution and the planes it is the board of training, with boxes of one cell. Both
    take boards of other sizes as well, and so does the lattice: see ``boxes_of``.
    """

    candidates: int = 1
    """Candidates of a cell, if above 1.

    The tokens are then a lattice: each candidate is still possible (1) or ruled out (0).
    """

    halt_from: str = "first"
    """The slot that the halting head reads.

    ``first`` is the paper's, ``mean`` reads the mean of all slots. With ``min`` the head reads each
    slot, and the lowest logit decides.
    """

    puzzle_emb_dim: int = 0
    """Size of the learned vector of each puzzle; 0 is none.

    It fills the prefix, and zeros fill the rest of that. For the planes mixer it holds a vector for
    the puzzle and one for each symbol: (1 + vocab_size) * hidden_size numbers.
    """

    prefix_len: int = 0
    """P, slots before the tokens, for the puzzle embedding."""

    num_puzzles: int = 1
    """N, rows of the table of puzzle embeddings."""

    normed_swiglu: bool = False
    """Norm inside the SwiGLU layer, which keeps Muon stable at a high rate."""

    feeds_back_answer: bool = False
    """The answer of each recursion, and of each cycle, is the question of the next."""

    frozen_tokens: tuple[int, ...] = ()
    """Tokens of the question that no answer replaces, if ``feeds_back_answer``."""

    update_noise: float = 0.0
    """Standard deviation of the noise added to each update of z in training (arXiv 2605.21488)."""

    symmetries: int = 0
    """For the planes mixer: under how many symmetries a grid may be shown.

    The network is told under which it sees a grid.
    """

    lookup_channels: int = 0
    """For the planes mixer: channels of each way to look elsewhere in the grid; 0 is none."""

    line_lookup_channels: int = 0
    """For the planes mixer: channels of each way to look along a line of the grid; 0 is none."""

    rms_norm_eps: float = 1e-5
    """Added to the mean square in every norm."""

    rope_theta: float = 10000.0
    """Base of the wavelengths of rotary positions."""

    def __post_init__(self) -> None:
        """Raise ValueError as the class says."""
        _check_choice("mixer", self.mixer, tuple(MIXER_RULES))
        _check_choice("positions", self.positions, POSITIONS)
        _check_choice("halt_from", self.halt_from, HALT_FROM)
        _check_numbers(self)
        _check_board(self)
        _check_question(self)
        MIXER_RULES[self.mixer].check(self)
        _check_lattice(self)

    @property
    def length(self) -> int:
        """L: prefix slots and tokens together."""
        return self.prefix_len + self.seq_len

    @property
    def tokens_are_board(self) -> bool:
        """Whether the tokens of a puzzle are a board of cells (rows, columns) of any size."""
        return self.candidates == 1 and MIXER_RULES[self.mixer].any_board

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """The shape of a puzzle's tokens: (S,), or (rows, columns) if they are a board."""
        if self.board is not None and self.tokens_are_board:
            return self.board[:2]
        return (self.seq_len,)

    def candidates_of(self, tokens: int) -> int:
        """How many candidates a cell has on the board of a lattice of so many tokens.

        The config's board has the config's number. Any other is a square of n x n cells with n
        candidates each, n at least 2. Raises ValueError if there is no such board.
        """
        if tokens == self.seq_len:
            return self.candidates
        side = round(math.pow(tokens, 1 / 3))
        if side < 2 or side**3 != tokens:
            raise ValueError(f"{tokens} tokens are no lattice of n x n cells with n candidates")
        return side

    def on_board(self, side: int) -> "TRMConfig":
        """The same lattice network for boards of this side. Raises ValueError for another mixer."""
        if self.candidates == 1:
            raise ValueError(f"the {self.mixer} mixer keeps to the board that it is trained on")
        board = (side, side, *boxes_of(side))
        return replace(self, seq_len=side**3, board=board, candidates=side)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values, in the order of the file format."""
        fields: dict[str, Any] = {}
        for name, value in asdict(self).items():
            if name == "update_noise":
                fields |= RETIRED
            fields[name] = value
        return fields

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TRMConfig":
        """The config that ``to_dict`` of this or an earlier version described.

        Raises ValueError for unknown, missing, ambiguous or impossible fields.
        """
        values = _in_current_names(fields)
        known = set(cls.__dataclass_fields__) | set(RETIRED)
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown config field {unknown[0]!r}")
        missing = sorted({"vocab_size", "seq_len"} - set(values))
        if missing:
            raise ValueError(f"missing config field {missing[0]!r}")
        for name, only in RETIRED.items():
            value = values.pop(name, only)
            if value != only:
                raise ValueError(f"{name} is no longer supported: it must be {only}, not {value!r}")
        board = values.get("board")
        values["board"] = None if board is None else tuple(board)
        values["frozen_tokens"] = tuple(values.get("frozen_tokens", ()))
        return cls(**values)


def _in_current_names(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields by their current names. Raises ValueError for a field given under both names."""
    values: dict[str, Any] = {}
    for name, value in fields.items():
        current = FORMER_CONFIG_NAMES.get(name, name)
        if current in values:
            raise ValueError(f"config field {current!r} is given twice")
        values[current] = value
    return values


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def _check_numbers(config: TRMConfig) -> None:
    """Every number is of its type and within its bounds. A bool is no number here."""
    for name, bound in WHOLE.items():
        value = getattr(config, name)
        if type(value) is not int or not bound.least <= value <= bound.most:
            raise ValueError(
                f"{name} must be a whole number from {bound.least} to {bound.most}, not {value!r}"
            )
    for name, bound in REAL.items():
        value = getattr(config, name)
        if type(value) not in (int, float) or not bound.least < value <= bound.most:
            raise ValueError(
                f"{name} must be a number above {bound.least} and at most {bound.most:g}, "
                f"not {value!r}"
            )
    noise = config.update_noise
    if type(noise) not in (int, float) or not UPDATE_NOISE.least <= noise < UPDATE_NOISE.most:
        raise ValueError(
            f"update_noise must be a number from 0 to below {UPDATE_NOISE.most}, not {noise!r}"
        )
    for name in ("normed_swiglu", "feeds_back_answer"):
        if not isinstance(getattr(config, name), bool):
            raise ValueError(f"{name} must be true or false")


def _check_board(config: TRMConfig) -> None:
    board = config.board
    if board is None:
        return
    sides_are_right = all(
        type(side) is int and BOARD_SIDE.least <= side <= BOARD_SIDE.most for side in board
    )
    if len(board) != 4 or not sides_are_right:
        raise ValueError(
            f"board must be four whole numbers from {BOARD_SIDE.least} to {BOARD_SIDE.most}, "
            f"not {board!r}"
        )


def _check_question(config: TRMConfig) -> None:
    """The frozen tokens exist, and an answer that is fed back is one of plain tokens."""
    for token in config.frozen_tokens:
        if type(token) is not int or not 0 <= token < config.vocab_size:
            raise ValueError(
                f"frozen_tokens must be tokens of the {config.vocab_size}, "
                f"not {config.frozen_tokens!r}"
            )
    is_planes = config.mixer == "planes"
    if config.feeds_back_answer and (config.prefix_len or config.candidates > 1 or is_planes):
        raise ValueError("feeds_back_answer goes with neither a prefix nor a lattice nor planes")


def _check_lattice(config: TRMConfig) -> None:
    if config.candidates == 1:
        return
    if config.vocab_size != 2 or config.seq_len % config.candidates:
        raise ValueError(
            f"a lattice of {config.candidates} candidates a cell has 2 tokens and tiles "
            f"{config.seq_len}"
        )


def boxes_of(side: int) -> tuple[int, int]:
    """Rows and columns of a box on a square board of this side.

    A box is as near to a square as possible, and not higher than wide. On a board whose side is a
    prime number each row is a box.
    """
    heights = [height for height in range(1, math.isqrt(side) + 1) if side % height == 0]
    return heights[-1], side // heights[-1]


class MixerRules(NamedTuple):
    """What a mixer asks of the config.

    ``check`` raises ValueError for a config that does not suit the mixer. ``any_board`` says that
    tokens lie on a board, whose size may differ from that of the config.
    """

    check: Callable[[TRMConfig], None]
    any_board: bool = False


def _check_attention(config: TRMConfig) -> None:
    if config.hidden_size % (2 * config.num_heads):
        raise ValueError(
            f"hidden_size {config.hidden_size} does not split into {config.num_heads} heads "
            "of even size"
        )
    _check_prefix(config)


def _check_prefix(config: TRMConfig) -> None:
    """For tokens in a line: the puzzle embedding fills the prefix, and there is none without it."""
    _check_no_symmetries(config)
    if config.puzzle_emb_dim > config.prefix_len * config.hidden_size:
        raise ValueError(
            f"a prefix of {config.prefix_len} slots cannot hold {config.puzzle_emb_dim} values"
        )
    if config.prefix_len and not config.puzzle_emb_dim:
        raise ValueError("prefix_len needs puzzle_emb_dim: without an embedding there is no prefix")


def _check_no_symmetries(config: TRMConfig) -> None:
    if config.symmetries:
        raise ValueError("the planes mixer, and no other, needs symmetries")
    if config.lookup_channels:
        raise ValueError("the planes mixer, and no other, has lookup_channels")
    if config.line_lookup_channels:
        raise ValueError("the planes mixer, and no other, has line_lookup_channels")


def _check_candidates_mixer(config: TRMConfig) -> None:
    _check_prefix(config)
    _check_layout(config, is_lattice=True)


def _check_convolution(config: TRMConfig) -> None:
    _check_prefix(config)
    _check_layout(config, is_lattice=False)


def _check_planes(config: TRMConfig) -> None:
    if not config.symmetries:
        raise ValueError("the planes mixer, and no other, needs symmetries")
    whole = (1 + config.vocab_size) * config.hidden_size
    if config.puzzle_emb_dim not in (0, whole):
        raise ValueError(f"planes need a puzzle_emb_dim of 0 or {whole}")
    _check_layout(config, is_lattice=False)


def _check_layout(config: TRMConfig, *, is_lattice: bool) -> None:
    """For mixers with a board: its boxes tile it, and it has as many places as there are tokens."""
    if config.board is None or config.prefix_len:
        raise ValueError(f"the {config.mixer} mixer needs a board and has no prefix")
    if is_lattice != (config.candidates > 1):
        raise ValueError(
            f"the {config.mixer} mixer does not go with {config.candidates} candidates a cell"
        )
    rows, columns, box_rows, box_columns = config.board
    boxes_fit = rows % box_rows == 0 and columns % box_columns == 0
    if not boxes_fit or rows * columns * config.candidates != config.seq_len:
        raise ValueError(f"board {config.board} does not tile {config.seq_len} tokens")


MIXER_RULES = {
    "attention": MixerRules(_check_attention),
    "mlp": MixerRules(_check_prefix),
    "lattice": MixerRules(_check_candidates_mixer, any_board=True),
    "conv": MixerRules(_check_convolution, any_board=True),
    "planes": MixerRules(_check_planes, any_board=True),
}
"""The rules of each mixer. ``mixers.MIXERS`` has their classes by the same names."""
