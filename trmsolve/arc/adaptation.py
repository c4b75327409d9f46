"""What adapting to a task takes, whatever the network: a budget, and embeddings for new tasks."""

from dataclasses import dataclass, replace

from trmsolve.model.build import new_model
from trmsolve.model.network import TinyRecursiveModel


@dataclass(frozen=True)
class Budget:
    """How long a network may learn a task."""

    seconds: float

    steps: int | None = None
    """If given, exactly so many optimizer steps are made, and ``seconds`` do not matter.

    The same steps give the same network on every machine of one kind.
    """


def new_puzzles(
    model: TinyRecursiveModel, number: int, update_noise: float = 0.0
) -> TinyRecursiveModel:
    """A copy of the network with embeddings for ``number`` unknown puzzles.

    Each embedding is the mean of those that the network knows. With ``update_noise`` in training,
    the copy does not learn a few grids by heart.
    """
    tensors = {name: tensor.float().clone() for name, tensor in model.state_dict().items()}
    if model.puzzle_emb is not None:
        tensors["puzzle_emb.weights"] = (
            tensors["puzzle_emb.weights"].mean(0, keepdim=True).repeat(number, 1)
        )
    fresh = new_model(
        replace(model.config, num_puzzles=number, update_noise=update_noise), model.dtype
    )
    fresh.load_state_dict(tensors)
    return fresh.to(model.get_buffer("H_init").device)
