"""Networks by their config, and a network with fresh embeddings for new puzzles."""

from dataclasses import replace

import torch

from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.model.planes import PlanesModel

MODELS: dict[str, type[TinyRecursiveModel]] = {"planes": PlanesModel}
"""The networks by their mixer, for mixers that need one of their own."""


def new_model(config: TRMConfig, dtype: torch.dtype = torch.float32) -> TinyRecursiveModel:
    """A network of this config with freshly drawn weights, whose activations have ``dtype``."""
    model = MODELS.get(config.mixer, TinyRecursiveModel)
    return model(config, dtype)


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
