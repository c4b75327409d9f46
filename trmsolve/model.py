"""The Tiny Recursive Model: one small network applied again and again to its own answer.

Source: "Less is More: Recursive Reasoning with Tiny Networks" (arXiv 2510.04871). The forward pass reproduces the
numerics of the paper's public code, and its parameters carry that code's names, so public checkpoints load as they are.

Names follow the paper: ``x`` is the embedded question, ``y`` the answer state, ``z`` the latent state, ``T`` the number
of recursions, ``n`` the latent steps inside one. Parameter names follow the public code, where y is ``H``, z is ``L``.
Shape letters: B batch, P prefix slots, S tokens of the puzzle, L = P + S, D hidden size, V vocabulary, N puzzles.

This file knows no puzzle, no file and no halting policy: it turns a state into the next one and reads out of it.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trmsolve.layers import (
    Attention,
    Embedding,
    LatticePool,
    Linear,
    Pool,
    PuzzleEmbedding,
    Rotary,
    SwiGLU,
    rms_norm,
    trunc_normal,
)

MIXERS = ("attention", "mlp", "pool", "lattice")
POSITIONS = ("none", "rope", "learned")
HALT_FROM = ("first", "mean")


@dataclass(frozen=True)
class TRMConfig:
    """The architecture; nothing else decides a shape. Defaults are the paper's Sudoku network with attention.

    ``board`` = (rows, columns, box rows, box columns) is read by the ``pool`` and ``lattice`` mixers.
    ``puzzle_emb_dim`` > 0 puts ``prefix_len`` slots before the tokens, filled with a learned vector per puzzle id (and
    zeros where it is shorter).
    ``candidates`` > 1 says that the tokens are a lattice: for every cell so many candidates, each still possible (1) or
    ruled out (0). ``halt_from`` is the slot the halting head reads: the first, as in the paper, or the mean of all.
    ``random_start`` draws the first state anew for each puzzle; an update of z keeps the share ``damping`` of the old z
    and gets noise of standard deviation ``update_noise`` in training (both arXiv 2605.21488).
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
    random_start: bool = False
    damping: float = 0.0
    update_noise: float = 0.0
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0

    def __post_init__(self) -> None:
        """Raise ValueError where fields contradict each other, so that a bad config never reaches an allocation."""
        if self.mixer not in MIXERS:
            raise ValueError(f"mixer must be one of {', '.join(MIXERS)}, not {self.mixer!r}")
        if self.positions not in POSITIONS:
            raise ValueError(f"positions must be one of {', '.join(POSITIONS)}, not {self.positions!r}")
        if self.halt_from not in HALT_FROM:
            raise ValueError(f"halt_from must be one of {', '.join(HALT_FROM)}, not {self.halt_from!r}")
        sizes = {
            "vocab_size": (self.vocab_size, 1 << 16),
            "seq_len": (self.seq_len, 1 << 14),
            "hidden_size": (self.hidden_size, 1 << 13),
            "layers": (self.layers, 64),
            "recursions": (self.recursions, 64),
            "latent_steps": (self.latent_steps, 64),
            "num_heads": (self.num_heads, 128),
            "num_puzzles": (self.num_puzzles, 1 << 22),
            "puzzle_emb_dim": (self.puzzle_emb_dim, 1 << 20),
            "prefix_len": (self.prefix_len, 1 << 10),
            "inner_multiple": (self.inner_multiple, 1 << 13),
            "candidates": (self.candidates, 1 << 10),
        }
        for name, (value, bound) in sizes.items():
            least = 0 if name in ("puzzle_emb_dim", "prefix_len") else 1
            if type(value) is not int or not least <= value <= bound:
                raise ValueError(f"{name} must be a whole number from {least} to {bound}, not {value!r}")
        for name, low, high in (("expansion", 0, 64), ("rms_norm_eps", 0, 1), ("rope_theta", 1, 1e9)):
            value = getattr(self, name)
            if type(value) not in (int, float) or not low < value <= high:
                raise ValueError(f"{name} must be a number above {low} and at most {high:g}, not {value!r}")
        for name, high in (("damping", 1), ("update_noise", 10)):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 <= value < high:
                raise ValueError(f"{name} must be a number from 0 to below {high}, not {value!r}")
        for name in ("normed_swiglu", "random_start"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false")
        if self.mixer == "attention" and (self.hidden_size % (2 * self.num_heads)):
            raise ValueError(f"hidden_size {self.hidden_size} does not split into {self.num_heads} heads of even size")
        if self.puzzle_emb_dim > self.prefix_len * self.hidden_size:
            raise ValueError(f"a prefix of {self.prefix_len} slots cannot hold {self.puzzle_emb_dim} values")
        if self.prefix_len and not self.puzzle_emb_dim:
            raise ValueError("prefix_len needs puzzle_emb_dim: without an embedding there is no prefix")
        if self.mixer in ("pool", "lattice"):
            if self.board is None or self.prefix_len:
                raise ValueError(f"the {self.mixer} mixer needs a board and has no prefix")
            if (self.mixer == "lattice") != (self.candidates > 1):
                raise ValueError(f"the {self.mixer} mixer does not go with {self.candidates} candidates a cell")
            if len(self.board) != 4 or any(type(side) is not int or side < 1 for side in self.board):
                raise ValueError(f"board must be four whole numbers, not {self.board!r}")
            rows, columns, box_rows, box_columns = self.board
            if rows * columns * self.candidates != self.seq_len or rows % box_rows or columns % box_columns:
                raise ValueError(f"board {self.board} does not tile {self.seq_len} tokens")
        if self.candidates > 1 and (self.vocab_size != 2 or self.seq_len % self.candidates):
            raise ValueError(f"a lattice of {self.candidates} candidates a cell has 2 tokens and tiles {self.seq_len}")

    @property
    def length(self) -> int:
        """L: prefix slots and tokens together."""
        return self.prefix_len + self.seq_len

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TRMConfig":
        """The config ``to_dict`` described. Raises ValueError for unknown, missing or impossible fields."""
        if unknown := sorted(set(fields) - set(cls.__dataclass_fields__)):
            raise ValueError(f"unknown config field {unknown[0]!r}")
        if missing := sorted({"vocab_size", "seq_len"} - set(fields)):
            raise ValueError(f"missing config field {missing[0]!r}")
        board = fields.get("board")
        return cls(**{**fields, "board": tuple(board) if board is not None else None})


class State(NamedTuple):
    """What is carried from one improvement cycle to the next: answer ``y`` and latent ``z``, each (B, L, D)."""

    y: Tensor
    z: Tensor


class Prediction(NamedTuple):
    """What one improvement cycle says: ``logits`` (B, S, V) and ``halt`` (B, 2), its halt and continue logits.

    Where tokens are a lattice, the second of ``halt`` is the logit that the lattice has lost its solution.
    """

    logits: Tensor
    halt: Tensor


class Block(nn.Module):
    """Mix between tokens, then within each; normed after each residual sum."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.eps, self.mixer = config.rms_norm_eps, config.mixer
        if config.mixer == "attention":
            self.self_attn = Attention(config)
        elif config.mixer == "mlp":
            self.mlp_t = SwiGLU(config.length, config)
        else:
            self.pool = Pool(config) if config.mixer == "pool" else LatticePool(config)
        self.mlp = SwiGLU(config.hidden_size, config)

    def forward(self, h: Tensor, rotary: Rotary | None) -> Tensor:
        if self.mixer == "attention":
            h = rms_norm(h + self.self_attn(h, rotary), self.eps)
        elif self.mixer == "mlp":  # over the tokens of one channel, and normed over them too
            h = h.transpose(1, 2)
            h = rms_norm(h + self.mlp_t(h), self.eps).transpose(1, 2)
        else:
            h = rms_norm(h + self.pool(h), self.eps)
        return rms_norm(h + self.mlp(h), self.eps)


class Level(nn.Module):
    """The one network: a few blocks, shared by the updates of z and of y."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(config.layers))

    def forward(self, h: Tensor, rotary: Rotary | None) -> Tensor:
        for layer in self.layers:
            h = layer(h, rotary)
        return h


class TinyRecursiveModel(nn.Module):
    """TRM. ``dtype`` is that of the activations; parameters stay in the dtype they are loaded or made in."""

    def __init__(self, config: TRMConfig, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.config, self.dtype = config, dtype
        # Depth decides no shape: training may begin with less of it.
        self.recursions, self.latent_steps = config.recursions, config.latent_steps
        self.embed_tokens = Embedding(config.vocab_size, config.hidden_size)
        self.embed_pos = Embedding(config.length, config.hidden_size) if config.positions == "learned" else None
        self.puzzle_emb = PuzzleEmbedding(config.num_puzzles, config.puzzle_emb_dim) if config.puzzle_emb_dim else None
        head_dim = config.hidden_size // config.num_heads
        uses_rotary = config.positions == "rope" and config.mixer == "attention"
        self.rotary = Rotary(head_dim, config.length, config.rope_theta) if uses_rotary else None
        self.L_level = Level(config)
        self.lm_head = Linear(config.hidden_size, config.vocab_size)
        self.q_head = Linear(config.hidden_size, 2, bias=True)
        with torch.no_grad():  # never halt before having learned to
            self.q_head.weight.zero_()
            assert self.q_head.bias is not None
            self.q_head.bias.fill_(-5.0)
        # Drawn once, saved, never trained.
        self.register_buffer("H_init", trunc_normal(config.hidden_size, std=1.0).to(dtype))
        self.register_buffer("L_init", trunc_normal(config.hidden_size, std=1.0).to(dtype))

    def initial_state(self, batch: int, generator: torch.Generator | None = None) -> State:
        """The state before the first cycle, (B, L, D) each: the learned start, or a random one if trained for it."""
        shape = (batch, self.config.length, self.config.hidden_size)
        y, z = self.get_buffer("H_init"), self.get_buffer("L_init")
        if self.config.random_start:
            return State(*(trunc_normal(*shape, std=1.0, generator=generator).to(y.device, self.dtype) for _ in "yz"))
        return State(y.to(self.dtype).expand(shape).clone(), z.to(self.dtype).expand(shape).clone())

    def embed(self, tokens: Tensor, puzzle_ids: Tensor | None = None) -> Tensor:
        """Tokens (B, S) and puzzle ids (B,) -> x (B, L, D)."""
        x = F.embedding(tokens, self.embed_tokens.embedding_weight.to(self.dtype))
        if self.puzzle_emb is not None:
            if puzzle_ids is None:
                puzzle_ids = torch.zeros(len(tokens), dtype=torch.long, device=tokens.device)
            prefix = self.puzzle_emb(puzzle_ids).to(self.dtype)
            slots = self.config.prefix_len * self.config.hidden_size
            prefix = F.pad(prefix, (0, slots - prefix.shape[-1]))
            x = torch.cat((prefix.unflatten(-1, (-1, self.config.hidden_size)), x), dim=1)
        if self.embed_pos is not None:
            x = 0.707106781 * (x + self.embed_pos.embedding_weight.to(self.dtype))
        return math.sqrt(self.config.hidden_size) * x

    def latent_recursion(self, x: Tensor, y: Tensor, z: Tensor) -> State:
        """Think ``n`` times about question and answer, then improve the answer once."""
        for _ in range(self.latent_steps):
            z = self._damped(z, self.L_level(z + (y + x), self.rotary))
        y = self.L_level(y + z, self.rotary)
        return State(y, z)

    def _damped(self, old: Tensor, new: Tensor) -> Tensor:
        """The update of z as it is, or mixed with the old z and, in training, noise: restarts then end differently."""
        damping, noise = self.config.damping, self.config.update_noise
        if damping:
            new = damping * old + (1 - damping) * new
        return new + noise * torch.randn_like(new) if noise and self.training else new

    def deep_recursion(self, x: Tensor, y: Tensor, z: Tensor) -> State:
        """``T`` latent recursions, of which only the last one is learned from."""
        with torch.no_grad():
            for _ in range(self.recursions - 1):
                y, z = self.latent_recursion(x, y, z)
        return self.latent_recursion(x, y, z)

    def forward(self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None) -> tuple[State, Prediction]:
        """One improvement cycle: the next state, cut off from the gradient, and what it predicts.

        ``tokens`` (B, S) integers below V, ``puzzle_ids`` (B,) integers below N (default 0).
        """
        y, z = self.deep_recursion(self.embed(tokens, puzzle_ids), *state)
        logits = self.lm_head(y)[:, self.config.prefix_len :]
        halt = self.q_head(y[:, 0] if self.config.halt_from == "first" else y.mean(1)).float()
        return State(y.detach(), z.detach()), Prediction(logits, halt)

    def parameter_count(self) -> int:
        """Parameters of the network, the table of puzzle embeddings not counted (as the paper counts)."""
        return sum(p.numel() for name, p in self.named_parameters() if not name.startswith("puzzle_emb."))
