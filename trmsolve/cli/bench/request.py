"""The options of ``trmsolve bench`` as one value, and which of them contradict each other."""

from collections.abc import Mapping
from dataclasses import dataclass

from trmsolve.errors import UsageError

REFUSED = {
    "--profile": (),
    "--against-paper": (
        "--train",
        "--recipe",
        "--weights",
        "--seconds",
        "--batch-size",
        "--compile",
    ),
    "--gpu": ("--train", "--dtype", "--threads", "--batch-size", "--compile"),
    "--energy": ("--train", "--recipe", "--compile"),
}
"""What cannot be combined with each mode."""


@dataclass(frozen=True)
class Request:
    """The options that say what is measured, where and for how long."""

    task: str
    recipe: str | None
    train: bool
    seconds: float
    weights: str | None
    offline: bool
    allow_large: bool
    compile_: str
    device: str
    dtype: str
    threads: int | None
    batch_size: int | None


def check(request: Request, modes: Mapping[str, bool], names_seconds: bool) -> str | None:
    """The mode that is asked for; None is the plain measurement.

    Raises UsageError for options that contradict each other.
    """
    chosen = [mode for mode, is_on in modes.items() if is_on]
    if len(chosen) > 1:
        raise UsageError(f"{chosen[0]} cannot be combined with {chosen[1]}: omit one of them")
    if request.task == "arc":
        _check_arc(request, chosen)
        return None
    given = _given(request, names_seconds)
    if request.weights is not None and (request.train or request.recipe is not None):
        raise UsageError("--weights cannot be combined with --train or --recipe: omit one of them")
    if not chosen:
        return None
    for option in REFUSED[chosen[0]]:
        if given[option]:
            raise UsageError(f"{option} cannot be combined with {chosen[0]}: omit one of them")
    return chosen[0]


def _given(request: Request, names_seconds: bool) -> dict[str, bool]:
    """Which options say something else than the default."""
    return {
        "--train": request.train,
        "--recipe": request.recipe is not None,
        "--weights": request.weights is not None,
        "--seconds": names_seconds,
        "--batch-size": request.batch_size is not None,
        "--compile": request.compile_ != "auto",
        "--dtype": request.dtype != "auto",
        "--threads": request.threads is not None,
    }


def _check_arc(request: Request, modes: list[str]) -> None:
    if modes:
        raise UsageError(f"{modes[0]} is not for arc: use --task sudoku or --task maze")
    if request.weights is not None or request.train or request.recipe is not None:
        raise UsageError(
            "bench --task arc measures how tasks are learned from nothing: "
            "omit --weights, --train and --recipe"
        )
    contradicts = {
        "--compile": request.compile_ not in ("auto", "off"),
        "--device": request.device not in ("auto", "cpu"),
        "--dtype": request.dtype not in ("auto", "fp32"),
        "--threads": request.threads not in (None, 1),
        "--batch-size": request.batch_size is not None,
    }
    for option, does in contradicts.items():
        if does:
            raise UsageError(f"bench --task arc measures one core in fp32: omit {option}")
