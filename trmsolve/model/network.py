"""The Tiny Recursive Model: one small network applied again and again to its own answer.

Source: "Less is More: Recursive Reasoning with Tiny Networks" (arXiv 2510.04871). The forward pass
reproduces the numerics of the paper's public code, and its parameters carry that code's names, so
public checkpoints load as they are.

Names follow the paper: ``x`` is the embedded question, ``y`` the answer state, ``z`` the latent
state, ``T`` the number of recursions, ``n`` the latent steps inside one. Parameter names follow the
public code, where y is ``H``, z is ``L``. Shape letters: B batch, P prefix slots, S tokens of the
puzzle, L = P + S, D hidden size, V vocabulary, N puzzles. Where the mixer is a convolution, L
stands for (rows, columns) and so does S on the way in; of planes, L stands for (K planes, rows,
columns), and of each cell it is asked which plane: K takes the place of V.

This file knows no puzzle, no file and no halting policy: it turns a state into the next one and
reads out of it.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trmsolve.model.config import TRMConfig
from trmsolve.model.layers import Embedding, Linear, PuzzleEmbedding, SwiGLU, rms_norm, trunc_normal
from trmsolve.model.mixers import Attention, Convolution, LatticePool, Pool, Rotary
from trmsolve.model.planes import PlaneEmbedding, PlaneMixer, Scene


class State(NamedTuple):
    """What is carried from one improvement cycle to the next: answer ``y`` and latent ``z``, each (B, L, D)."""

    y: Tensor
    z: Tensor


class Prediction(NamedTuple):
    """What one improvement cycle says: ``logits`` (B, S, V) and ``halt`` (B, 2), its halt and continue logits.

    Where tokens are a lattice, the second of ``halt`` is the logit that the lattice has lost its
    solution.
    """

    logits: Tensor
    halt: Tensor


class Block(nn.Module):
    """Mix between tokens, then within each; normed after each residual sum."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.eps, self.mixer, self.compiled = config.rms_norm_eps, config.mixer, False
        if config.mixer == "attention":
            self.self_attn = Attention(config)
        elif config.mixer == "mlp":
            self.mlp_t = SwiGLU(config.length, config)
        elif config.mixer == "conv":
            self.conv = Convolution(config)
        elif config.mixer == "planes":
            self.planes = PlaneMixer(config)
        else:
            self.pool = Pool(config) if config.mixer == "pool" else LatticePool(config)
        self.mlp = SwiGLU(config.hidden_size, config)

    def forward(self, h: Tensor, rotary: Rotary | None) -> Tensor:
        if (
            self.mixer == "planes"
        ):  # what follows does not ask where a cell is: in a row it compiles for all sizes
            rows, mixed = h.reshape(-1, h.shape[-1]), self.planes(h).reshape(-1, h.shape[-1])
            settle_now = compiled_settle() if self.compiled else settle
            return settle_now(rows, mixed, self.mlp, self.eps).view(h.shape)
        if self.mixer == "attention":
            h = rms_norm(h + self.self_attn(h, rotary), self.eps)
        elif self.mixer == "mlp":  # over the tokens of one channel, and normed over them too
            h = h.transpose(1, 2)
            h = rms_norm(h + self.mlp_t(h), self.eps).transpose(1, 2)
        elif self.mixer == "conv":
            h = rms_norm(h + self.conv(h), self.eps)
        else:
            h = rms_norm(h + self.pool(h), self.eps)
        return rms_norm(h + self.mlp(h), self.eps)


def settle(h: Tensor, mixed: Tensor, mlp: SwiGLU, eps: float) -> Tensor:
    """(N, D) each: all of a block but the mixing."""
    h = rms_norm(h + mixed, eps)
    return rms_norm(h + mlp(h), eps)


@cache
def compiled_settle() -> Callable[[Tensor, Tensor, SwiGLU, float], Tensor]:
    """``settle``, compiled once for grids of all sizes and for all networks of the process."""
    return torch.compile(settle, dynamic=True)


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
    """TRM.

    ``dtype`` is that of the activations; parameters stay in the dtype they are loaded or made in.
    """

    def __init__(self, config: TRMConfig, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.config, self.dtype = config, dtype
        # Depth decides no shape: training may begin with less of it.
        self.recursions, self.latent_steps = config.recursions, config.latent_steps
        planes = config.mixer == "planes"
        self.embed_tokens = None if planes else Embedding(config.vocab_size, config.hidden_size)
        self.embed_planes = PlaneEmbedding(config) if planes else None
        self.embed_pos = (
            Embedding(config.length, config.hidden_size) if config.positions == "learned" else None
        )
        self.puzzle_emb = (
            PuzzleEmbedding(config.num_puzzles, config.puzzle_emb_dim)
            if config.puzzle_emb_dim
            else None
        )
        head_dim = config.hidden_size // config.num_heads
        uses_rotary = config.positions == "rope" and config.mixer == "attention"
        self.rotary = Rotary(head_dim, config.length, config.rope_theta) if uses_rotary else None
        self.L_level = Level(config)
        self.lm_head = Linear(config.hidden_size, 1 if planes else config.vocab_size)
        self.q_head = Linear(config.hidden_size, 2, bias=True)
        with torch.no_grad():  # never halt before having learned to
            self.q_head.weight.zero_()
            assert self.q_head.bias is not None
            self.q_head.bias.fill_(-5.0)
        # Drawn once, saved, never trained.
        self.register_buffer("H_init", trunc_normal(config.hidden_size, std=1.0).to(dtype))
        self.register_buffer("L_init", trunc_normal(config.hidden_size, std=1.0).to(dtype))

    def initial_state(
        self,
        batch: int,
        generator: torch.Generator | None = None,
        places: tuple[int, ...] | None = None,
    ) -> State:
        """The state before the first cycle, (B, L, D) each: the learned start, or a random one if trained for it.

        ``places`` is the board of a convolution's tokens, where it is not that of the config, or
        (K, rows, columns).
        """
        line = (
            places or self.config.places
            if self.config.mixer in ("conv", "planes")
            else (self.config.length,)
        )
        shape = (batch, *line, self.config.hidden_size)
        y, z = self.get_buffer("H_init"), self.get_buffer("L_init")
        if self.config.random_start:
            return State(
                *(
                    trunc_normal(*shape, std=1.0, generator=generator).to(y.device, self.dtype)
                    for _ in "yz"
                )
            )
        return State(y.to(self.dtype).expand(shape).clone(), z.to(self.dtype).expand(shape).clone())

    def embed(self, tokens: Tensor, puzzle_ids: Tensor | None = None) -> Tensor:
        """Tokens (B, S) and puzzle ids (B,) -> x (B, L, D)."""
        assert self.embed_tokens is not None
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

    def embed_scene(self, scene: Scene) -> Tensor:
        """X (B, K, rows, columns, D) of grids as planes."""
        assert self.embed_planes is not None
        slots = None
        if self.puzzle_emb is not None:
            slots = self.puzzle_emb(scene.puzzle_ids).unflatten(-1, (-1, self.config.hidden_size))
        x: Tensor = self.embed_planes(scene.tokens, scene.palette, scene.symmetries, slots)
        return x.to(self.dtype)

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

    def deep_recursion(self, x: Tensor, y: Tensor, z: Tensor, tokens: Tensor) -> State:
        """``T`` latent recursions, of which only the last one is learned from; x is the embedding of ``tokens``."""
        with torch.no_grad():
            for _ in range(self.recursions - 1):
                y, z = self.latent_recursion(x, y, z)
                if self.config.rewrites:
                    tokens = self.rewrite(tokens, self.lm_head(y))
                    x = self.embed(tokens)
        return self.latent_recursion(x, y, z)

    def rewrite(self, tokens: Tensor, logits: Tensor) -> Tensor:
        """The answer to the question ``tokens``, in its layout: the likeliest tokens for all that is not kept."""
        kept = torch.isin(
            tokens, torch.tensor(self.config.kept, dtype=tokens.dtype, device=tokens.device)
        )
        return torch.where(kept, tokens, logits.argmax(-1).view_as(tokens))

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        """One improvement cycle: the next state, cut off from the gradient, and what it predicts.

        ``tokens`` (B, S), or (B, rows, columns) for a convolution, integers below V, ``puzzle_ids``
        (B,) integers below N (default 0).
        """
        y, z = self.deep_recursion(self.embed(tokens, puzzle_ids), *state, tokens)
        slots = y.flatten(1, -2)
        logits = self.lm_head(slots)[:, self.config.prefix_len :]
        return State(y.detach(), z.detach()), Prediction(logits, self.halt(slots))

    def improve(self, state: State, scene: Scene) -> tuple[State, Prediction]:
        """As ``forward``, of planes: the logits (B, rows * columns, K) say of each cell which plane it is on."""
        y, z = self.deep_recursion(self.embed_scene(scene), *state, scene.tokens)
        logits = self.lm_head(y).squeeze(-1).flatten(2).transpose(1, 2)
        return State(y.detach(), z.detach()), Prediction(logits, self.halt(y.flatten(1, -2)))

    def halt(self, slots: Tensor) -> Tensor:
        """(B, L, D) -> (B, 2): the word of the first slot, or of all together, or of the most reluctant."""
        if self.config.halt_from == "min":
            most_reluctant: Tensor = self.q_head(slots).float().amin(1)
            return most_reluctant
        read = slots[:, 0] if self.config.halt_from == "first" else slots.mean(1)
        logits: Tensor = self.q_head(read).float()
        return logits

    @property
    def reach(self) -> int:
        """How many cells away a convolution hears in one cycle: one for each time that a block is applied."""
        return self.config.layers * self.recursions * (self.latent_steps + 1)

    def parameter_count(self) -> int:
        """Parameters of the network, the table of puzzle embeddings not counted (as the paper counts)."""
        return sum(
            p.numel() for name, p in self.named_parameters() if not name.startswith("puzzle_emb.")
        )
