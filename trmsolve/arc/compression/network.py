"""The network that turns the latents of a task into all of its grids.

Four layers let tensors of all ranks hear each other, and every tensor look over its own axes. All
of it treats colours and examples alike, and rows, columns and directions as a turned or mirrored
task would have them, so that whatever tells them apart has to be in
the latents, and is paid for (arXiv 2512.06104).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from trmsolve.arc.compression.directions import direction_matrices
from trmsolve.arc.compression.latents import Latents
from trmsolve.arc.compression.lines import Lines, look_along
from trmsolve.arc.compression.operations import (
    Axes,
    exchanged,
    normalized,
    softmax_groups,
    softmax_over_axes,
)
from trmsolve.arc.compression.ranks import (
    DIRECTIONS,
    RANKS,
    SCANNED,
    TIED_RANKS,
    channels,
    tied,
)
from trmsolve.arc.compression.weights import (
    IN_AND_OUT,
    LAYERS,
    ParameterVector,
    Weights,
    softmax_columns,
    stacked,
)

PARTS_OF_LAYERS = (" in ", " out ", "lines bias")
"""What the names of weights have in them that differ from layer to layer."""

BLACK_PACE = 100.0
"""How fast the odds of black against all colours are learned."""


@dataclass(frozen=True)
class Prediction:
    """The predictions of copies of the network for all grids of a task, inputs and outputs.

    Attributes:
        colours: Logits (copies, examples, colours, rows, columns, 2) against black, whose logit is
            0.
        rows: Scores (copies, examples, rows, 2): high for rows that the grid has.
        columns: Scores (copies, examples, columns, 2), likewise.
        cost: What the latents cost, in nats, for each copy.
    """

    colours: Tensor
    rows: Tensor
    columns: Tensor
    cost: Tensor


class CompressionNetwork:
    """One or more copies of the network for one task.

    A small task keeps a core busy with starting operations. Copies that compute together share that
    cost; otherwise they have nothing to do with each other.

    Args:
        cells: (rows, columns, examples): 1 for cells that the grids of an example may have.
        colours: How many colours the task has besides black; at least 1.
        sizes_known: Whether ``cells`` are the grids exactly, so that means are taken over them.
        weights: Weights that each copy begins with.
        seeds: For each copy the seed of its latents.
    """

    def __init__(
        self,
        cells: Tensor,
        colours: int,
        sizes_known: bool,
        weights: Sequence[Weights],
        seeds: Sequence[int],
    ) -> None:
        rows, columns, examples = cells.shape
        self.sizes = {"d": DIRECTIONS, "x": rows, "y": columns, "e": examples, "c": colours}
        self.axes = Axes(self.sizes, cells if sizes_known else None)
        self.latents = Latents(self.axes)
        latents = [self.latents.initial(seed) for seed in seeds]
        self.parameters = ParameterVector({**stacked(latents), **stacked(weights)})
        self.lines = {}
        for rank in SCANNED:
            of_each = cells[..., None].expand(-1, -1, -1, colours if "c" in rank else 1)
            live = of_each.reshape(rows * columns, -1).contiguous().numpy()
            self.lines[rank] = Lines(rows, columns, live)

    def predict(self, noise: Tensor) -> Prediction:
        """Draw the latents of all copies once, and explain the task by them.

        ``noise`` is normal and has the shape of the latents' means.
        """
        weights = self._by_layer()
        sample = self.latents.draw(self.parameters.views, noise)
        tensors = self._embedded(sample.latents)
        for layer in range(LAYERS):
            now = {name: matrices[layer] for name, matrices in weights.items()}
            tensors = self._exchanged(tensors, "up", now)
            tensors = {rank: self._looked(rank, tensors[rank], now) for rank in RANKS}
            tensors = self._exchanged(tensors, "down", now)
            tensors = {rank: normalized(tensor) for rank, tensor in tensors.items()}
        return self._read_out(tensors, sample.cost)

    def noise(self, generators: Sequence[torch.Generator]) -> Tensor:
        """Noise for ``predict``, from a generator for each copy."""
        shape = self.parameters.views["means"].shape[1:]
        return torch.stack([torch.randn(shape, generator=one) for one in generators])

    def _by_layer(self) -> dict[str, tuple[Tensor, ...]]:
        """The matrices of each layer, by part and rank; weights without layers are left out."""
        weights = {}
        views = self.parameters.views
        for name, tensor in views.items():
            if any(part in name for part in PARTS_OF_LAYERS):
                weights[name] = tensor.unbind(1)
        for rank in TIED_RANKS:
            name = f"softmax out {rank}"
            weights[name] = views[name].index_select(3, softmax_columns(rank)).unbind(1)
        for rank in RANKS:
            if "d" in rank:
                own = tied(rank)
                matrices = direction_matrices(views[f"directions {own}"], rank, own)
                weights[f"directions {rank}"] = matrices.unbind(1)
        return weights

    def _embedded(self, latents: dict[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of all ranks, (copies, channels, cells), from their latents."""
        views = self.parameters.views
        tensors = {}
        for rank, latent in latents.items():
            bias = views[f"latents bias {tied(rank)}"]
            tensors[rank] = torch.baddbmm(bias, views[f"latents {tied(rank)}"], latent)
        return tensors

    def _exchanged(
        self, tensors: dict[str, Tensor], way: str, weights: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Each tensor with what it hears of those of lower or of higher rank."""
        said = [weights[f"{way} in {tied(rank)}"] @ tensors[rank] for rank in RANKS]
        heard = exchanged(self.axes, way == "up", said)
        results = {}
        for rank, message in zip(RANKS, heard, strict=True):
            out = weights[f"{way} out {tied(rank)}"]
            results[rank] = torch.baddbmm(tensors[rank], out, normalized(message))
        return results

    def _looked(self, rank: str, tensor: Tensor, weights: dict[str, Tensor]) -> Tensor:
        """One tensor after it has looked along its own axes."""
        own = tied(rank)

        def inside(part: str, tensor: Tensor) -> Tensor:
            return weights[f"{part} in {own}"] @ tensor

        def added(part: str, tensor: Tensor, change: Tensor) -> Tensor:
            return torch.baddbmm(tensor, weights[f"{part} out {own}"], change)

        shape = self.axes.shapes[rank]
        groups = softmax_groups(rank)
        compared = softmax_over_axes(inside("softmax", tensor), shape, groups)
        tensor = added("softmax", tensor, compared)
        if rank in SCANNED:
            looking = torch.baddbmm(
                weights[f"lines bias {own}"], weights[f"lines in {own}"], tensor
            )
            tensor = added("lines", tensor, normalized(look_along(looking, self.lines[rank])))
        if "d" in rank:
            by_direction = normalized(tensor).view(len(tensor), channels(rank) * DIRECTIONS, -1)
            mixed = weights[f"directions {rank}"] @ by_direction
            tensor = tensor + mixed.view(tensor.shape)
        return added("hidden", tensor, functional.silu(inside("hidden", tensor)))

    def _read_out(self, tensors: dict[str, Tensor], cost: Tensor) -> Prediction:
        views = self.parameters.views
        rows, columns, examples, colours = (self.sizes[axis] for axis in "xyec")
        logits = views["colours"] @ tensors["xyec"] + BLACK_PACE * views["colours bias"]
        logits = logits.view(-1, IN_AND_OUT, rows, columns, examples, colours)
        row_scores = torch.baddbmm(views["extent bias"], views["extent"], tensors["xe"])
        column_scores = torch.baddbmm(views["extent bias"], views["extent"], tensors["ye"])
        return Prediction(
            colours=logits.permute(0, 4, 5, 2, 3, 1),
            rows=row_scores.view(-1, IN_AND_OUT, rows, examples).permute(0, 3, 2, 1),
            columns=column_scores.view(-1, IN_AND_OUT, columns, examples).permute(0, 3, 2, 1),
            cost=cost,
        )
