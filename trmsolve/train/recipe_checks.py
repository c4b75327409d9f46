"""What the fields of a recipe may be: choices, numbers and their bounds.

A recipe is checked by the names of its fields, so that this module needs nothing of ``recipes``.
"""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trmsolve.train.recipes import Recipe

OPTIMIZERS = ("muon", "adamw", "adam_atan2")
LOSSES = ("softmax", "stablemax")
_FROM_ONE = ("batch_size", "max_cycles")
_FROM_ZERO = ("batch_cells", "most_cells", "derivations")
_NOT_NEGATIVE = (
    "lr",
    "weight_decay",
    "head_lr",
    "head_weight_decay",
    "table_lr",
    "table_weight_decay",
    "halt_weight",
    "conflict_weight",
    "temperature",
)
_FRACTIONS = (
    "exploration",
    "warmup",
    "final_lr",
    "ema",
    "smoothing",
    "guess_prob",
    "teacher_forcing",
    "elimination_threshold",
    "drop_inconsistent",
    "reveal_prob",
)


def check_recipe(recipe: "Recipe") -> None:
    """Raise ValueError for what cannot be trained."""
    _check_choice("optimizer", recipe.optimizer, OPTIMIZERS)
    _check_choice("loss", recipe.loss, LOSSES)
    for name in _FROM_ONE:
        _check_whole(name, getattr(recipe, name), lowest=1)
    for name in _NOT_NEGATIVE:
        _check_number(name, getattr(recipe, name))
    for name in _FRACTIONS:
        _check_number(name, getattr(recipe, name), highest=1)
    for name in _FROM_ZERO:
        _check_whole(name, getattr(recipe, name), lowest=0)
    if recipe.warmup == 1 or recipe.ema == 1:
        raise ValueError(
            "warmup and ema must be below 1: otherwise the learning rate never "
            "decays and the average never changes"
        )
    _check_clip(recipe.clip)
    if type(recipe.ema_warmup) is not bool:
        raise ValueError(f"ema_warmup must be true or false, not {recipe.ema_warmup!r}")
    for stage in recipe.curriculum:
        _check_stage(stage)


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def _check_whole(name: str, value: object, lowest: int) -> None:
    # By type and not by isinstance: True is an int to that.
    if type(value) is not int or value < lowest:
        raise ValueError(f"{name} must be an integer of at least {lowest}, not {value!r}")


def _check_number(name: str, value: Any, highest: float = math.inf) -> None:
    allowed = type(value) in (int, float) and 0 <= value <= highest and value != math.inf
    if not allowed:
        bounds = "of at least 0" if highest == math.inf else f"from 0 to {highest:g}"
        raise ValueError(f"{name} must be a number {bounds}, not {value!r}")


def _check_clip(clip: Any) -> None:
    if clip is None:
        return
    if type(clip) not in (int, float) or not 0 < clip < math.inf:
        raise ValueError(f"clip must be a number above 0, or null for no clipping, not {clip!r}")


def _check_stage(stage: tuple[float, int, int]) -> None:
    if len(stage) != 3 or not 0 < stage[0] <= 1 or min(stage[1:]) < 0:
        raise ValueError(
            f"a stage of the curriculum is (until, recursions, latent steps), not {stage!r}"
        )
