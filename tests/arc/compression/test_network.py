"""A task with colours, examples or directions exchanged is explained in the same way, exchanged.

The network's weights stay, and everything that belongs to one task is permuted: its cells, the
parameters of its latents and their noise.
"""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from trmsolve.arc.compression.kernels import STEPS
from trmsolve.arc.compression.network import CompressionNetwork, Prediction
from trmsolve.arc.compression.ranks import RANKS, dimension
from trmsolve.arc.compression.weights import Weights, new_weights

pytestmark = pytest.mark.usefixtures("one_thread")

LATENT_PARAMETERS = ("means", "detail", "capacity")

VECTORS = [(int(down), int(right)) for down, right in STEPS]

ROWS, COLUMNS, EXAMPLES, COLOURS = 4, 3, 3, 2

ALL_CELLS = torch.ones(ROWS, COLUMNS, EXAMPLES)

SOME_CELLS = torch.ones(ROWS, COLUMNS, EXAMPLES)
SOME_CELLS[3:, :, 1] = 0
SOME_CELLS[1:, 2:, 1] = 0
SOME_CELLS[:, 2:, 2] = 0
"""Cells of three examples; those of the second have an angle."""

RECTANGLES = torch.ones(ROWS, COLUMNS, EXAMPLES)
RECTANGLES[3:, :, 1] = 0
RECTANGLES[:, 2:, 1:] = 0


@dataclass(frozen=True)
class Moved:
    """How axes are exchanged: the new order of each, and whether rows become columns."""

    orders: dict[str, list[int]]
    transposed: bool = False

    def tensor(self, tensor: Tensor, rank: str) -> Tensor:
        """A tensor (channels, axes...) of some rank, moved; that of rows becomes one of columns."""
        for axis, order in self.orders.items():
            if axis in rank:
                tensor = tensor.index_select(dimension(rank, axis), torch.tensor(order))
        if self.transposed and "x" in rank and "y" in rank:
            tensor = tensor.transpose(dimension(rank, "x"), dimension(rank, "y"))
        return tensor

    def source(self, rank: str) -> str:
        """The rank whose tensor becomes that of this rank."""
        if not self.transposed:
            return rank
        return exchanged_letters(rank)


def exchanged_letters(rank: str) -> str:
    if "x" in rank and "y" in rank:
        return rank
    return rank.translate(str.maketrans("xy", "yx"))


@dataclass(frozen=True)
class Explained:
    """All that one copy of the network takes to explain a task; nothing has an axis of copies."""

    cells: Tensor
    sizes_known: bool
    weights: Weights
    noise: Tensor

    def network(self) -> CompressionNetwork:
        return CompressionNetwork(self.cells, COLOURS, self.sizes_known, [self.weights], [0])

    def predict(self) -> Prediction:
        with torch.no_grad():
            return self.network().predict(self.noise[None])

    def moved(self, how: Moved) -> "Explained":
        """The same with everything of the task moved, and the weights as they are."""
        cells = how.tensor(self.cells[None], "xye")[0]
        weights = dict(self.weights)
        for name in ("means", "detail"):
            weights[name] = self._moved_latents(weights[name], how)
        order = [RANKS.index(how.source(rank)) for rank in RANKS]
        weights["capacity"] = weights["capacity"][:, order]
        noise = self._moved_latents(self.noise, how)
        return Explained(cells.contiguous(), self.sizes_known, weights, noise)

    def _moved_latents(self, latents: Tensor, how: Moved) -> Tensor:
        network = self.network()
        views = {}
        parts = latents.split(network.latents.counts, dim=1)
        for rank, part in zip(RANKS, parts, strict=True):
            views[rank] = part.view(-1, *network.axes.shapes[rank])
        moved = [how.tensor(views[how.source(rank)], how.source(rank)) for rank in RANKS]
        return torch.cat([part.flatten(1) for part in moved], dim=1)


def explained(cells: Tensor, sizes_known: bool, seed: int = 0) -> Explained:
    """Random weights, latents and noise; latents say some things with noise and others without."""
    generator = torch.Generator().manual_seed(seed)
    weights = new_weights(seed)
    network = CompressionNetwork(cells, COLOURS, sizes_known, [weights], [seed])
    for name in LATENT_PARAMETERS:
        shape = network.parameters.views[name].shape[1:]
        weights[name] = 0.3 * torch.randn(shape, generator=generator)
    weights["capacity"] -= 0.3
    weights["colours bias"] = torch.tensor([[0.001], [-0.001]])
    return Explained(cells, sizes_known, weights, network.noise([generator])[0])


def moved_prediction(prediction: Prediction, how: Moved) -> Prediction:
    """The prediction with its examples, colours, rows and columns moved."""

    def moved(tensor: Tensor, axes: str) -> Tensor:
        for axis, order in how.orders.items():
            if axis in axes:
                tensor = tensor.index_select(axes.index(axis), torch.tensor(order))
        return tensor

    colours = moved(prediction.colours, "_ecxy")
    rows = moved(prediction.rows, "_ex")
    columns = moved(prediction.columns, "_ey")
    if how.transposed:
        colours = colours.transpose(3, 4)
        rows, columns = columns, rows
    return Prediction(colours, rows, columns, prediction.cost)


def assert_moves_along(task: Explained, how: Moved) -> None:
    """The prediction for the moved task is the prediction for the task, moved."""
    before = task.predict()
    expected = moved_prediction(before, how)
    found = task.moved(how).predict()
    for name in ("colours", "rows", "columns", "cost"):
        one, other = getattr(found, name), getattr(expected, name)
        torch.testing.assert_close(one, other, rtol=1e-3, atol=5e-3)
    assert before.colours.std() > 0.1, "the prediction says something"


def directions(a: int, b: int, c: int, d: int) -> list[int]:
    """For each direction the one that a symmetry, its own inverse, carries to it."""
    return [VECTORS.index((a * down + b * right, c * down + d * right)) for down, right in VECTORS]


UPSIDE_DOWN = Moved({"x": [3, 2, 1, 0], "d": directions(-1, 0, 0, 1)})
LEFT_TO_RIGHT = Moved({"y": [2, 1, 0], "d": directions(1, 0, 0, -1)})
TRANSPOSED = Moved({"d": directions(0, 1, 1, 0)}, transposed=True)

KINDS = [
    pytest.param(ALL_CELLS, True, id="all cells"),
    pytest.param(SOME_CELLS, True, id="some cells"),
    pytest.param(SOME_CELLS, False, id="sizes unknown"),
]


@pytest.mark.parametrize(("cells", "sizes_known"), KINDS)
def test_colours_but_black_are_alike(cells: Tensor, sizes_known: bool) -> None:
    assert_moves_along(explained(cells, sizes_known), Moved({"c": [1, 0]}))


@pytest.mark.parametrize(("cells", "sizes_known"), KINDS)
def test_examples_are_alike(cells: Tensor, sizes_known: bool) -> None:
    assert_moves_along(explained(cells, sizes_known), Moved({"e": [2, 0, 1]}))


@pytest.mark.parametrize("how", [UPSIDE_DOWN, LEFT_TO_RIGHT], ids=["rows", "columns"])
@pytest.mark.parametrize(
    ("cells", "sizes_known"),
    [
        pytest.param(ALL_CELLS, True, id="all cells"),
        # Means over known cells are for grids that begin at the first row and column.
        pytest.param(SOME_CELLS, False, id="sizes unknown"),
    ],
)
def test_mirrored_tasks_are_alike(cells: Tensor, sizes_known: bool, how: Moved) -> None:
    assert_moves_along(explained(cells, sizes_known), how)


@pytest.mark.parametrize(
    ("cells", "sizes_known"),
    [
        pytest.param(ALL_CELLS, True, id="all cells"),
        # With an angle, the mean of the rows' means is not that of the columns' means.
        pytest.param(RECTANGLES, True, id="rectangles"),
        pytest.param(SOME_CELLS, False, id="sizes unknown"),
    ],
)
def test_transposed_tasks_are_alike(cells: Tensor, sizes_known: bool) -> None:
    assert_moves_along(explained(cells, sizes_known), TRANSPOSED)


def test_inputs_and_outputs_are_alike_at_first() -> None:
    weights = {**new_weights(0), "colours bias": torch.zeros(2, 1)}
    network = CompressionNetwork(ALL_CELLS, COLOURS, True, [weights], [0])
    with torch.no_grad():
        colours = network.predict(network.noise([torch.Generator()])).colours
    assert torch.equal(colours[..., 0], colours[..., 1])


def test_weights_are_copied() -> None:
    weights = new_weights(0)
    copies = {name: tensor.clone() for name, tensor in weights.items()}
    network = CompressionNetwork(ALL_CELLS, COLOURS, True, [weights], [0])
    with torch.no_grad():
        network.parameters.values.add_(1.0)
    assert all(torch.equal(weights[name], copies[name]) for name in weights)
    for name, view in network.parameters.views.items():
        if name in weights:
            assert torch.equal(view[0], copies[name] + 1), "a view follows the vector"


# Copies


def two_copies(cells: Tensor, sizes_known: bool) -> tuple[CompressionNetwork, list[Explained]]:
    """A network of two copies, and what each of them takes."""
    seeds = (2, 3)
    tasks = [explained(cells, sizes_known, seed) for seed in seeds]
    weights = [task.weights for task in tasks]
    return CompressionNetwork(cells, COLOURS, sizes_known, weights, seeds), tasks


def sum_of_all(prediction: Prediction) -> Tensor:
    """For each copy a sum in which every number that it says has a weight of its own."""
    total = 1e-4 * prediction.cost
    for part in (prediction.colours, prediction.rows, prediction.columns):
        numbers = part.flatten(1)
        generator = torch.Generator().manual_seed(9)
        total = total + numbers @ torch.randn(numbers.shape[1], generator=generator)
    return total


def gradients(network: CompressionNetwork, total: Tensor) -> Weights:
    """The gradients of a number for all parameters."""
    views = network.parameters.views
    found = torch.autograd.grad(total, list(views.values()), retain_graph=True)
    return dict(zip(views, found, strict=True))


@pytest.mark.parametrize(("cells", "sizes_known"), KINDS)
def test_copies_explain_a_task_as_each_does_alone(cells: Tensor, sizes_known: bool) -> None:
    both, tasks = two_copies(cells, sizes_known)
    prediction = both.predict(torch.stack([task.noise for task in tasks]))
    slopes = gradients(both, sum_of_all(prediction).sum())
    for copy, task in enumerate(tasks):
        alone = task.network()
        expected = alone.predict(task.noise[None])
        for name in ("colours", "rows", "columns", "cost"):
            found = getattr(prediction, name)[copy]
            torch.testing.assert_close(found, getattr(expected, name)[0], rtol=1e-5, atol=1e-4)
        slopes_alone = gradients(alone, sum_of_all(expected).sum())
        # Rounding grows on the way back through four layers; "test_operations" looks closer.
        largest = max(float(slope.abs().max()) for slope in slopes_alone.values())
        for name, slope in slopes_alone.items():
            torch.testing.assert_close(slopes[name][copy], slope[0], rtol=1e-3, atol=1e-3 * largest)
    assert not torch.equal(prediction.colours[0], prediction.colours[1])


def test_no_parameter_of_a_copy_has_a_share_in_another() -> None:
    both, tasks = two_copies(SOME_CELLS, True)
    total = sum_of_all(both.predict(torch.stack([task.noise for task in tasks])))
    for copy, other in ((0, 1), (1, 0)):
        for slope in gradients(both, total[copy]).values():
            assert not slope[other].any()


def test_every_copy_has_the_latents_and_the_noise_of_its_seed() -> None:
    seeds = (3, 4)
    weights = [new_weights(0)] * 2
    both = CompressionNetwork(ALL_CELLS, COLOURS, True, weights, seeds)
    noise = both.noise([torch.Generator().manual_seed(seed) for seed in seeds])
    assert noise.shape == both.parameters.views["means"].shape
    for copy, seed in enumerate(seeds):
        alone = CompressionNetwork(ALL_CELLS, COLOURS, True, [new_weights(0)], [seed])
        means = [network.parameters.views["means"] for network in (both, alone)]
        assert torch.equal(means[0][copy], means[1][0])
        assert torch.equal(noise[copy], alone.noise([torch.Generator().manual_seed(seed)])[0])
    assert not torch.equal(noise[0], noise[1])
