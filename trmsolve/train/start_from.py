"""The weights that a run begins with: found by name, and fitted to what the run learns."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from trmsolve.errors import UsageError
from trmsolve.hub.address import is_address
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.base import SizedTrainingData, TrainingData
from trmsolve.train.options import TrainOptions
from trmsolve.weights.catalog import resolve
from trmsolve.weights.file import load_model, read_info


def found_weights(options: TrainOptions, note: Callable[[str], None]) -> Path | None:
    """The file of the weights that the options name; None if the run begins with none.

    Raises WeightsError if there is no such file.
    """
    if options.start_from is None:
        return None
    return resolve(options.start_from, options.task, offline=options.offline, note=note)


def travelling_name(weights: str | Path | None) -> str | None:
    """The name for the record of a run, which may travel: without the folders of this machine."""
    if weights is None:
        return None
    if is_address(str(weights)):
        return str(weights)
    return Path(weights).name


def network_to_begin_with(
    path: Path, training_data: TrainingData, wanted: TRMConfig, note: Callable[[str], None]
) -> TinyRecursiveModel:
    """The network of the file ``path``. It may have another depth: shapes do not depend on that.

    Its table of puzzle embeddings is taken as it is if it is of the same puzzles. Else the rows of
    puzzles that it knows are taken, and each new puzzle begins as the mean of all. Lookups that it
    has not are added. Raises WeightsError for a file that cannot be read, and UsageError for other
    shapes than ``wanted``.
    """
    model = load_model(path, training_data.name, torch.float32, torch.device("cpu"))
    same_data = read_info(path).training.get("examples") == training_data.facts()["examples"]
    has_table = wanted.puzzle_emb_dim and model.config.puzzle_emb_dim
    if has_table and training_data.name == "arc" and not same_data:
        assert isinstance(training_data, SizedTrainingData)
        model, known = training_data.with_table(model, path)
        note(
            f"{path} was trained on other tasks: {known} of the {wanted.num_puzzles} rows of the "
            "table keep their embedding, and each other one starts with the mean of all"
        )
    as_deep = replace(model.config, recursions=wanted.recursions, latent_steps=wanted.latent_steps)
    if as_deep.candidates > 1 and wanted.candidates > 1:  # the parameters fit every board
        as_deep = as_deep.on_board(wanted.candidates)
    looking = _with_missing_lookups(as_deep, wanted)
    if looking != wanted:
        raise UsageError(
            f"{path} has shapes that differ from the recipe: use the recipe that it was "
            "trained with"
        )
    if looking == as_deep:
        return model
    note(f"{path} has no lookups of every wanted kind: the missing ones start without effect")
    return _grown(model, looking)


def _with_missing_lookups(config: TRMConfig, wanted: TRMConfig) -> TRMConfig:
    """The config with the lookups that only ``wanted`` has."""
    return replace(
        config,
        lookup_channels=config.lookup_channels or wanted.lookup_channels,
        line_lookup_channels=config.line_lookup_channels or wanted.line_lookup_channels,
    )


def _grown(model: TinyRecursiveModel, config: TRMConfig) -> TinyRecursiveModel:
    """The network with the additional lookups of ``config``, which answers as before.

    New lookups begin with an output of zero.
    """
    grown = new_model(config, torch.float32)
    own = model.state_dict()
    grown.load_state_dict({name: own.get(name, new) for name, new in grown.state_dict().items()})
    return grown
