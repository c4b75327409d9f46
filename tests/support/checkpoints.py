"""Checkpoints as the public code saves them, of networks that have learned nothing."""

import torch
from torch import Tensor

from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel

PREFIX = "_orig_mod.model.inner."
CONFIG = TRMConfig(
    vocab_size=12,
    seq_len=900,
    hidden_size=32,
    layers=2,
    recursions=3,
    latent_steps=4,
    puzzle_emb_dim=32,
    prefix_len=16,
    num_puzzles=50,
)


def official_state(config: TRMConfig = CONFIG, prefix: str = PREFIX) -> dict[str, Tensor]:
    """A state dict as the public code saves it, with its wrappers' prefixes before the names.

    The starts are in bf16. No value is zero.
    """
    torch.manual_seed(0)
    state = TinyRecursiveModel(config).state_dict()
    state = {
        name: torch.randn_like(value) * value.std().clamp(min=0.1).nan_to_num(0.1)
        for name, value in state.items()
    }
    state |= {name: state[name].bfloat16() for name in ("H_init", "L_init")}
    return {prefix + name: value for name, value in state.items()}
