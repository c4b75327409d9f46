"""The smallest network of planes, for tests of everything that uses one."""

import torch
from torch import Tensor

from trmsolve.model.config import TRMConfig
from trmsolve.model.planes import PlanesBatch, PlanesModel

SIZE = 16

PLANES = TRMConfig(
    vocab_size=11,
    seq_len=900,
    hidden_size=SIZE,
    layers=1,
    recursions=1,
    latent_steps=2,
    mixer="planes",
    positions="none",
    board=(30, 30, 1, 1),
    expansion=2.0,
    inner_multiple=16,
    halt_from="mean",
    puzzle_emb_dim=12 * SIZE,
    num_puzzles=3,
    symmetries=8,
)
"""The smallest network that takes ARC tasks; other tests use it too."""


GRIDS = TRMConfig(
    vocab_size=11,
    seq_len=900,
    hidden_size=16,
    layers=2,
    recursions=1,
    latent_steps=1,
    mixer="planes",
    positions="none",
    board=(30, 30, 1, 1),
    puzzle_emb_dim=12 * 16,
    symmetries=8,
)
"""A small network for grids of ARC, without lookups."""


def batch(tokens: Tensor, planes: int = 11) -> PlanesBatch:
    """Grids (B, rows, columns) of the first puzzle, with so many planes, as they are."""
    number = len(tokens)
    palette = torch.arange(planes).expand(number, -1)
    zeros = torch.zeros(number, dtype=torch.long)
    return PlanesBatch(tokens, palette, zeros, zeros)


def network(config: TRMConfig = PLANES, seed: int = 0) -> PlanesModel:
    """With something to say of halting, and puzzles that are not alike."""
    torch.manual_seed(seed)
    model = PlanesModel(config).eval().requires_grad_(False)
    torch.nn.init.normal_(model.q_head.weight)
    if model.puzzle_emb is not None:
        torch.nn.init.normal_(model.puzzle_emb.weights)
    return model
