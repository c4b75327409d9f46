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

MIXERS = ("attention", "mlp", "pool")
POSITIONS = ("none", "rope", "learned")


@dataclass(frozen=True)
class TRMConfig:
    """The architecture; nothing else decides a shape. Defaults are the paper's Sudoku network with attention.

    ``board`` = (rows, columns, box rows, box columns) is read by the ``pool`` mixer only. ``puzzle_emb_dim`` > 0 puts
    ``prefix_len`` slots before the tokens, filled with a learned vector per puzzle id (zeros where it is shorter).
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
    board: tuple[int, int, int, int] | None = None
    puzzle_emb_dim: int = 0
    prefix_len: int = 0
    num_puzzles: int = 1
    normed_swiglu: bool = False
    random_start: bool = False
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0

    def __post_init__(self) -> None:
        """Raise ValueError where fields contradict each other, so that a bad config never reaches an allocation."""
        if self.mixer not in MIXERS:
            raise ValueError(f"mixer must be one of {', '.join(MIXERS)}, not {self.mixer!r}")
        if self.positions not in POSITIONS:
            raise ValueError(f"positions must be one of {', '.join(POSITIONS)}, not {self.positions!r}")
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
        }
        for name, (value, bound) in sizes.items():
            least = 0 if name in ("puzzle_emb_dim", "prefix_len") else 1
            if type(value) is not int or not least <= value <= bound:
                raise ValueError(f"{name} must be a whole number from {least} to {bound}, not {value!r}")
        for name, low, high in (("expansion", 0, 64), ("rms_norm_eps", 0, 1), ("rope_theta", 1, 1e9)):
            value = getattr(self, name)
            if type(value) not in (int, float) or not low < value <= high:
                raise ValueError(f"{name} must be a number above {low} and at most {high:g}, not {value!r}")
        for name in ("normed_swiglu", "random_start"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false")
        if self.mixer == "attention" and (self.hidden_size % (2 * self.num_heads)):
            raise ValueError(f"hidden_size {self.hidden_size} does not split into {self.num_heads} heads of even size")
        if self.puzzle_emb_dim > self.prefix_len * self.hidden_size:
            raise ValueError(f"a prefix of {self.prefix_len} slots cannot hold {self.puzzle_emb_dim} values")
        if self.prefix_len and not self.puzzle_emb_dim:
            raise ValueError("prefix_len needs puzzle_emb_dim: without an embedding there is no prefix")
        if self.mixer == "pool":
            if self.board is None or self.prefix_len:
                raise ValueError("the pool mixer needs a board and has no prefix")
            if len(self.board) != 4 or any(type(side) is not int or side < 1 for side in self.board):
                raise ValueError(f"board must be four whole numbers, not {self.board!r}")
            rows, columns, box_rows, box_columns = self.board
            if rows * columns != self.seq_len or rows % box_rows or columns % box_columns:
                raise ValueError(f"board {self.board} does not tile {self.seq_len} tokens")

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
    """What one improvement cycle says: ``logits`` (B, S, V) and ``halt`` (B, 2), its halt and continue logits."""

    logits: Tensor
    halt: Tensor


def trunc_normal(*shape: int, std: float, generator: torch.Generator | None = None) -> Tensor:
    """A normal cut at two sigma, widened so that the standard deviation after the cut is ``std`` (flax's LeCun)."""
    tail = math.sqrt(2 / math.pi) * math.exp(-2.0) * 2  # 2 * (pdf(-2) + pdf(2)) of the standard normal
    inside = math.erf(math.sqrt(2.0))
    wide = std / math.sqrt(1 - tail / inside)
    return nn.init.trunc_normal_(torch.empty(shape), std=wide, a=-2 * wide, b=2 * wide, generator=generator)


def rms_norm(h: Tensor, eps: float) -> Tensor:
    """Scale the last dimension to unit mean square, without a learned gain, computed in float32."""
    wide = h.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(h.dtype)


class Linear(nn.Module):
    """A matrix kept in float32 and cast to the activations' dtype at each call."""

    def __init__(self, fan_in: int, fan_out: int, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(trunc_normal(fan_out, fan_in, std=fan_in**-0.5))
        self.bias = nn.Parameter(torch.zeros(fan_out)) if bias else None

    def forward(self, h: Tensor) -> Tensor:
        return F.linear(h, self.weight.to(h.dtype), None if self.bias is None else self.bias.to(h.dtype))


class Embedding(nn.Module):
    """Learned rows, for tokens or for positions."""

    def __init__(self, rows: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding_weight = nn.Parameter(trunc_normal(rows, hidden_size, std=hidden_size**-0.5))


class PuzzleEmbedding(nn.Module):
    """One learned vector per puzzle id. Its gradient is sparse: a batch touches few rows of a table of a million."""

    def __init__(self, num_puzzles: int, dim: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(num_puzzles, dim))

    def forward(self, puzzle_ids: Tensor) -> Tensor:
        return F.embedding(puzzle_ids, self.weights, sparse=True)


class SwiGLU(nn.Module):
    """down(silu(gate) * up); the normed form sigmoid(gate) * rms(gate * up) keeps Muon stable at a high rate."""

    def __init__(self, dim: int, config: TRMConfig) -> None:
        super().__init__()
        inner = -(-round(config.expansion * dim * 2 / 3) // 256) * 256
        self.gate_up_proj = Linear(dim, 2 * inner)
        self.down_proj = Linear(inner, dim)
        self.normed, self.eps = config.normed_swiglu, config.rms_norm_eps

    def forward(self, h: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(h).chunk(2, dim=-1)
        inner = torch.sigmoid(gate) * rms_norm(gate * up, self.eps) if self.normed else F.silu(gate) * up
        mixed: Tensor = self.down_proj(inner)
        return mixed


class Rotary(nn.Module):
    """Rotary positions over the whole sequence, prefix included, in the rotate-half convention."""

    def __init__(self, head_dim: int, length: int, theta: float) -> None:
        super().__init__()
        frequencies = theta ** -(torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
        angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies).repeat(1, 2)[:, None, :]
        # Kept out of the state dict: they follow from the config.
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        cos, sin = self.get_buffer("cos").float(), self.get_buffer("sin").float()
        first, second = h.float().chunk(2, dim=-1)
        return (h.float() * cos + torch.cat((-second, first), dim=-1) * sin).to(h.dtype)


class Attention(nn.Module):
    """Full attention without a mask: every slot sees every other."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.heads = config.num_heads
        self.qkv_proj = Linear(config.hidden_size, 3 * config.hidden_size)
        self.o_proj = Linear(config.hidden_size, config.hidden_size)

    def forward(self, h: Tensor, rotary: Rotary | None) -> Tensor:
        q, k, v = self.qkv_proj(h).unflatten(-1, (3, self.heads, -1)).unbind(2)  # each (B, L, heads, D / heads)
        if rotary is not None:
            q, k = rotary(q), rotary(k)
        mixed = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        out: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(2))
        return out


class Pool(nn.Module):
    """Each token hears the averages of its row, its column, its box and the board.

    The layout of the board is built in, what the groups mean is learned. Equal under every exchange of rows, columns,
    bands and stacks, so those need not be learned.
    """

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        assert config.board is not None
        self.rows, self.columns, self.box_rows, self.box_columns = config.board
        self.value_proj = Linear(config.hidden_size, 4 * config.hidden_size)
        self.o_proj = nn.ModuleList(Linear(config.hidden_size, config.hidden_size) for _ in range(4))

    def forward(self, h: Tensor) -> Tensor:
        bands, stacks = self.rows // self.box_rows, self.columns // self.box_columns
        values = F.silu(self.value_proj(h)).unflatten(1, (bands, self.box_rows, stacks, self.box_columns))
        row, column, box, board = values.chunk(4, dim=-1)
        heard = [
            out(group.mean(axes, keepdim=True))
            for out, group, axes in zip(
                self.o_proj, (row, column, box, board), ((3, 4), (1, 2), (2, 4), (1, 2, 3, 4)), strict=True
            )
        ]
        out: Tensor = (heard[0] + heard[1] + heard[2] + heard[3]).flatten(1, 4)
        return out


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
            self.pool = Pool(config)
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
        for _ in range(self.config.latent_steps):
            z = self.L_level(z + (y + x), self.rotary)
        y = self.L_level(y + z, self.rotary)
        return State(y, z)

    def deep_recursion(self, x: Tensor, y: Tensor, z: Tensor) -> State:
        """``T`` latent recursions, of which only the last one is learned from."""
        with torch.no_grad():
            for _ in range(self.config.recursions - 1):
                y, z = self.latent_recursion(x, y, z)
        return self.latent_recursion(x, y, z)

    def forward(self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None) -> tuple[State, Prediction]:
        """One improvement cycle: the next state, cut off from the gradient, and what it predicts.

        ``tokens`` (B, S) integers below V, ``puzzle_ids`` (B,) integers below N (default 0).
        """
        y, z = self.deep_recursion(self.embed(tokens, puzzle_ids), *state)
        logits = self.lm_head(y)[:, self.config.prefix_len :]
        halt = self.q_head(y[:, 0]).float()
        return State(y.detach(), z.detach()), Prediction(logits, halt)

    def parameter_count(self) -> int:
        """Parameters of the network, the table of puzzle embeddings not counted (as the paper counts)."""
        return sum(p.numel() for name, p in self.named_parameters() if not name.startswith("puzzle_emb."))
