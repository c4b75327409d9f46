"""The Tiny Recursive Model: one small network, applied again and again to its own answer.

Source: "Less is More: Recursive Reasoning with Tiny Networks" (arXiv 2510.04871). The forward pass
reproduces the numerics of the paper's public code, and parameters have the names of that code, so
that public checkpoints load as they are.

Names follow the paper: ``x`` is the embedded question, ``y`` the answer state, ``z`` the latent
state, T the number of recursions, n the latent steps inside one. In names of parameters, as in the
public code, y is ``H`` and z is ``L``. Shape letters:

    B batch          P prefix slots              D hidden size
    V vocabulary     S tokens of the puzzle      L = P + S slots
    N puzzles

For a convolution S and L are (rows, columns). For the networks of ``planes`` L is (K planes, rows,
columns), and K takes the place of V.

This file knows no puzzle, no file and no halting policy: it turns a state into the next one and
reads an answer from it.
"""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from trmsolve.model.config import MIXER_RULES, TRMConfig
from trmsolve.model.layers import (
    Embedding,
    Linear,
    PuzzleEmbedding,
    SwiGLU,
    in_slices,
    rms_norm,
    trunc_normal,
)
from trmsolve.model.line_lookups import LineLookups
from trmsolve.model.lookups import GridLookups
from trmsolve.model.mixers import MIXERS, Rotary
from trmsolve.model.rewriting import rewritten
from trmsolve.model.state import Prediction, State

__all__ = ["Block", "Level", "Prediction", "State", "TinyRecursiveModel"]

PUZZLE_TABLE = "puzzle_emb."
"""What the names of the parameters of the table of puzzle embeddings begin with."""


class Places(NamedTuple):
    """What blocks are told of where the slots are."""

    rotary: Rotary | None = None
    """For attention: positions along the sequence."""

    lookups: GridLookups | None = None
    """For planes: where else a cell may look."""

    line_lookups: LineLookups | None = None
    """For planes: where it may look along its lines."""


class Block(nn.Module):
    """Mix between slots, then compute within each; the sum is normed after both.

    ``number`` is that of the block in the network, from 0.
    """

    def __init__(self, config: TRMConfig, number: int = 0) -> None:  # noqa: ARG002 (for subclasses)
        super().__init__()
        self.eps = config.rms_norm_eps
        mixer = MIXERS[config.mixer]
        self.mixer_name = mixer.attribute
        self.add_module(mixer.attribute, mixer(config))
        self.mlp = SwiGLU(config.hidden_size, config)

    @property
    def mixer(self) -> nn.Module:
        """The part that mixes between slots."""
        return self.get_submodule(self.mixer_name)

    def forward(self, h: Tensor, places: Places) -> Tensor:
        """(B, L, D) -> (B, L, D)."""
        h = self.mixer(h, places.rotary)
        return in_slices(self.within_slots, h)

    def within_slots(self, h: Tensor) -> Tensor:
        """The second half, in which slots do not hear each other: (..., D) -> (..., D)."""
        return rms_norm(h + self.mlp(h), self.eps)


class Level(nn.Module):
    """The one network: a few blocks, which the updates of z and of y share."""

    def __init__(self, config: TRMConfig, block: type[Block] = Block) -> None:
        super().__init__()
        self.layers = nn.ModuleList(block(config, number) for number in range(config.layers))

    def forward(self, h: Tensor, places: Places) -> Tensor:
        """(B, L, D) -> (B, L, D)."""
        for layer in self.layers:
            h = layer(h, places)
        return h


class TinyRecursiveModel(nn.Module):
    """The network of the paper, with any mixer but that of ``planes``.

    ``dtype`` is that of the activations; parameters keep the dtype that they are loaded or made in.
    ``recursions`` and ``latent_steps`` begin as the config's. They decide no shape, so training may
    begin with fewer.
    """

    block: ClassVar[type[Block]] = Block

    def __init__(self, config: TRMConfig, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.config = config
        self.dtype = dtype
        self.recursions = config.recursions
        self.latent_steps = config.latent_steps
        # The order of what follows is that of the random draws, and of the optimizers' parameters.
        self.add_embedding()
        self.embed_pos: Embedding | None = None
        if config.positions == "learned":
            self.embed_pos = Embedding(config.length, config.hidden_size)
        self.puzzle_emb: PuzzleEmbedding | None = None
        if config.puzzle_emb_dim:
            self.puzzle_emb = PuzzleEmbedding(config.num_puzzles, config.puzzle_emb_dim)
        self.rotary = self._rotary()
        self.L_level = Level(config, self.block)
        self.lm_head = Linear(config.hidden_size, self.logits_per_slot)
        self.q_head = self._halting_head()
        # Drawn once, saved, never trained.
        y_start = trunc_normal(config.hidden_size, std=1.0).to(dtype)
        z_start = trunc_normal(config.hidden_size, std=1.0).to(dtype)
        self.register_buffer("H_init", y_start)
        self.register_buffer("L_init", z_start)

    def add_embedding(self) -> None:
        """Make what embeds a question."""
        self.embed_tokens = Embedding(self.config.vocab_size, self.config.hidden_size)

    @property
    def logits_per_slot(self) -> int:
        """V, how many logits the answer head gives for a slot."""
        return self.config.vocab_size

    def _rotary(self) -> Rotary | None:
        config = self.config
        if config.positions != "rope" or config.mixer != "attention":
            return None
        return Rotary(config.hidden_size // config.num_heads, config.length, config.rope_theta)

    def _halting_head(self) -> Linear:
        """A head that never halts before it has learned to."""
        head = Linear(self.config.hidden_size, 2, bias=True)
        with torch.no_grad():
            head.weight.zero_()
            assert head.bias is not None
            head.bias.fill_(-5.0)
        return head

    def initial_state(self, batch: int, spatial_shape: tuple[int, ...] | None = None) -> State:
        """The learned start, before the first cycle: (B, L, D) each.

        ``spatial_shape`` is the board of the tokens, for mixers that take any, where it is not the
        config's; for planes it is (K, rows, columns).
        """
        if not MIXER_RULES[self.config.mixer].any_board:
            slots: tuple[int, ...] = (self.config.length,)
        else:
            slots = spatial_shape or self.config.spatial_shape
        shape = (batch, *slots, self.config.hidden_size)
        y = self.get_buffer("H_init").to(self.dtype)
        z = self.get_buffer("L_init").to(self.dtype)
        return State(y.expand(shape).clone(), z.expand(shape).clone())

    def place(self, tokens: NDArray[np.int64]) -> Tensor:
        """The tokens as a tensor where the network is."""
        return torch.from_numpy(tokens).to(self.get_buffer("H_init").device)

    def without_gradient(self) -> AbstractContextManager[None]:
        """A context for computing only."""
        return torch.inference_mode()

    def embed(self, tokens: Tensor, puzzle_ids: Tensor | None = None) -> Tensor:
        """Tokens (B, S) and puzzle ids (B,) -> x (B, L, D)."""
        x = functional.embedding(tokens, self.embed_tokens.embedding_weight.to(self.dtype))
        if self.puzzle_emb is not None:
            if puzzle_ids is None:
                puzzle_ids = torch.zeros(len(tokens), dtype=torch.long, device=tokens.device)
            prefix = self._prefix(self.puzzle_emb(puzzle_ids))
            x = torch.cat((prefix, x), dim=1)
        if self.embed_pos is not None:
            x = 0.707106781 * (x + self.embed_pos.embedding_weight.to(self.dtype))
        return math.sqrt(self.config.hidden_size) * x

    def _prefix(self, vectors: Tensor) -> Tensor:
        """Puzzle embeddings (B, dim) -> (B, P, D), filled up with zeros."""
        size = self.config.hidden_size
        missing = self.config.prefix_len * size - vectors.shape[-1]
        filled: Tensor = functional.pad(vectors.to(self.dtype), (0, missing))
        return filled.view(-1, self.config.prefix_len, size)

    def latent_recursion(self, x: Tensor, y: Tensor, z: Tensor, places: Places) -> State:
        """Improve z n times from question, answer and z itself; then improve the answer once."""
        for _ in range(self.latent_steps):
            z = self._with_noise(self.L_level(z + (y + x), places))
        y = self.L_level(y + z, places)
        return State(y, z)

    def _with_noise(self, z: Tensor) -> Tensor:
        """In training add the config's noise to an update of z."""
        noise = self.config.update_noise
        if noise and self.training:
            return z + noise * torch.randn_like(z)
        return z

    def deep_recursion(self, x: Tensor, y: Tensor, z: Tensor, tokens: Tensor) -> State:
        """T latent recursions, of which only the last is learned from.

        ``x`` is the embedding of ``tokens``. A network that feeds back its answer goes on, after
        each recursion, from that as its question.
        """
        places = self.places(tokens)
        with torch.no_grad():
            for _ in range(self.recursions - 1):
                y, z = self.latent_recursion(x, y, z, places)
                if self.config.feeds_back_answer:
                    tokens = self.rewrite(tokens, self.lm_head(y))
                    x = self.embed(tokens)
        return self.latent_recursion(x, y, z, places)

    def places(self, tokens: Tensor) -> Places:  # noqa: ARG002 (for subclasses)
        """Where the slots of these tokens are."""
        return Places(rotary=self.rotary)

    def rewrite(self, tokens: Tensor, logits: Tensor) -> Tensor:
        """The likeliest answer to ``tokens``, in their shape; ``frozen_tokens`` stay."""
        answer: Tensor = rewritten(tokens, logits, self.config.frozen_tokens)
        return answer

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        """One improvement cycle: the next state, cut off from the gradient, and what it predicts.

        ``tokens`` (B, S), or (B, rows, columns) for a convolution, are integers below V;
        ``puzzle_ids`` (B,) are integers below N, 0 by default.
        """
        x = self.embed(tokens, puzzle_ids)
        y, z = self.deep_recursion(x, state.y, state.z, tokens)
        slots = y.flatten(1, -2)
        logits = self.lm_head(slots)
        of_tokens = logits[:, self.config.prefix_len :]
        return State(y.detach(), z.detach()), Prediction(of_tokens, self.halt(slots))

    def halt(self, slots: Tensor) -> Tensor:
        """The halting head: (B, L, D) -> (B, 2), from the slot or slots that the config names."""
        if self.config.halt_from == "min":
            each_slot: Tensor = self.q_head(slots)
            return each_slot.float().amin(1)
        read = slots[:, 0] if self.config.halt_from == "first" else slots.mean(1)
        logits: Tensor = self.q_head(read)
        return logits.float()

    @property
    def receptive_field(self) -> int:
        """How many cells away a convolution hears in one cycle: one for each use of a block."""
        uses_of_level = self.recursions * (self.latent_steps + 1)
        return self.config.layers * uses_of_level

    def network_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters by name, without the table of puzzle embeddings."""
        for name, parameter in self.named_parameters():
            if not name.startswith(PUZZLE_TABLE):
                yield name, parameter

    def table_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The table of puzzle embeddings by name; nothing if there is none."""
        for name, parameter in self.named_parameters():
            if name.startswith(PUZZLE_TABLE):
                yield name, parameter

    def parameter_count(self) -> int:
        """Parameters of the network; as in the paper, the table of puzzles is not counted."""
        return sum(parameter.numel() for _, parameter in self.network_parameters())
