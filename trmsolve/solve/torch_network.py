"""A network that torch runs: found, placed on a device, and ready to be asked."""

from pathlib import Path

from trmsolve.device import choose_placement
from trmsolve.solve.network import Loaded, LoadOptions
from trmsolve.weights.catalog import resolve
from trmsolve.weights.file import fingerprint, load_model


def load_torch(name: str, options: LoadOptions) -> Loaded:
    """The network for a task. Raises WeightsError and UsageError as ``solver.load`` says."""
    placement = choose_placement(options.device, options.dtype, options.threads)
    large = options.allow_large
    path = resolve(
        options.weights, name, offline=options.offline, allow_large=large, note=options.note
    )
    model = load_model(path, name, placement.dtype, placement.device, allow_large=large)
    if options.compiled:
        model.L_level.compile(dynamic=True)  # the batch shrinks and grows
    return Loaded(model, placement, path, label(path))


def label(path: Path) -> str:
    """The name of a file and enough of its fingerprint to tell it from another in a record."""
    return f"{path.name}@{fingerprint(path)[:12]}"
