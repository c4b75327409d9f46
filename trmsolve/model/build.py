"""Which class of network a config asks for."""

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
