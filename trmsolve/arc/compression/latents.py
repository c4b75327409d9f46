"""The random latents that describe one task, and the bits that they cost.

Each number of a latent is sent over a noisy channel: its mean is learned, and its noise too. The
less noise, the more the number says, and the more it costs: the divergence of what is sent from
pure noise. Latents that say nothing cost nothing, so that the network describes a task with the
tensors of low rank wherever it can (arXiv 2512.06104).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trmsolve.arc.compression.operations import Axes, normalized
from trmsolve.arc.compression.ranks import RANKS
from trmsolve.arc.compression.weights import LATENT, Weights

FIRST_CAPACITY = 10_000.0
"""Nats that a channel of a tensor may carry at the beginning."""

LEAST_CAPACITY = 0.5
"""Nats that it may always carry: otherwise no gradient would open it again."""

PACE = 10.0
"""The capacity of a tensor is learned so many times faster than other parameters."""


@dataclass(frozen=True)
class Sample:
    """Latents as drawn once."""

    # Latents (copies, LATENT, cells) of each rank.
    latents: dict[str, Tensor]
    # What all of them cost together, in nats, for each copy.
    cost: Tensor


class Latents:
    """The latents of all ranks, in one tensor beside each other.

    Their parameters are ``initial``; they are kept with the weights.
    """

    def __init__(self, axes: Axes) -> None:
        self.counts = [math.prod(axes.shapes[rank]) for rank in RANKS]
        counts = torch.tensor(self.counts)
        # The rank of each latent, and how many numbers it has.
        self.rank_of = torch.repeat_interleave(torch.arange(len(RANKS)), counts)
        self.sizes = LATENT * counts.float()
        self.size_of = self.sizes[self.rank_of]

    def initial(self, seed: int) -> Weights:
        """Parameters of one copy to begin with: all latents open wide, and next to equal."""
        generator = torch.Generator().manual_seed(seed)
        total = sum(self.counts)
        return {
            "means": 0.01 * torch.randn(LATENT, total, generator=generator),
            "detail": torch.zeros(LATENT, total),
            "capacity": torch.zeros(LATENT, len(RANKS)),
        }

    def draw(self, weights: Weights, noise: Tensor) -> Sample:
        """Send all latents once.

        ``weights`` has those of ``initial`` for several copies, and ``noise`` is normal and of the
        shape of the means.
        """
        means = weights["means"].split(self.counts, dim=2)
        unit = torch.cat([normalized(mean) for mean in means], dim=2)
        capacity = PACE * weights["capacity"]  # of whole tensors, as logarithms
        opened = FIRST_CAPACITY * capacity.exp() + LEAST_CAPACITY
        scale = -torch.expm1(-2 * opened / self.sizes)
        nats = self._nats_of_each(weights["detail"], capacity)
        noise_scale = torch.exp(-nats)
        noise_variance = noise_scale.square()
        signal_variance = (1 - noise_variance).clamp(min=1e-12)
        received = signal_variance.sqrt() * unit + noise_scale * noise
        received = received * scale.index_select(2, self.rank_of)
        cost = 0.5 * (noise_variance + signal_variance * unit.square() - 1) + nats
        parts = received.split(self.counts, dim=2)
        return Sample(dict(zip(RANKS, parts, strict=True)), cost.sum(dim=(1, 2)))

    def _nats_of_each(self, detail: Tensor, capacity: Tensor) -> Tensor:
        """The capacity of each number, shared out among those of its tensor by ``detail``."""
        parts = detail.split(self.counts, dim=2)
        typical = torch.stack([part.mean(dim=2) for part in parts], dim=2)
        exponent = detail + (capacity - typical).index_select(2, self.rank_of)
        return (FIRST_CAPACITY * exponent.exp() + LEAST_CAPACITY) / self.size_of
