"""Reads the golden files: numbers the paper's public code produced."""

import json
from dataclasses import dataclass

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from tests.support.paths import GOLDEN_FOLDER
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.names import strip_prefixes

FOLDER = GOLDEN_FOLDER
NAMES = sorted(
    path.name.removesuffix(".golden.safetensors") for path in FOLDER.glob("*.golden.safetensors")
)


@dataclass
class Golden:
    """One fixture: the model with its weights, and the numbers to reproduce."""

    model: TinyRecursiveModel
    numbers: dict[str, Tensor]
    hyperparameters: dict[str, float]

    def batch(self, prefix: str) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs, labels and puzzle ids as int64."""
        names = ("inputs", "labels", "puzzle_identifiers")
        return tuple(self.numbers[f"{prefix}.{name}"].long() for name in names)  # type: ignore[return-value]


def load_golden(name: str) -> Golden:
    path = FOLDER / f"{name}.golden.safetensors"
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    public = json.loads(metadata["config"])
    config = TRMConfig(
        vocab_size=public["vocab_size"],
        seq_len=public["seq_len"],
        hidden_size=public["hidden_size"],
        layers=public["L_layers"],
        recursions=public["H_cycles"],
        latent_steps=public["L_cycles"],
        mixer="mlp" if public["mlp_t"] else "attention",
        positions=public["pos_encodings"],
        num_heads=public["num_heads"],
        expansion=public["expansion"],
        puzzle_emb_dim=public["puzzle_emb_ndim"],
        prefix_len=public["puzzle_emb_len"],
        num_puzzles=public["num_puzzle_identifiers"],
    )
    model = TinyRecursiveModel(config, getattr(torch, public["forward_dtype"]))
    weights = load_file(FOLDER / f"{name}.weights.safetensors")
    model.load_state_dict(
        {strip_prefixes(key): value for key, value in weights.items()}, strict=True
    )
    return Golden(model, load_file(path), json.loads(metadata["train_hp"]))
