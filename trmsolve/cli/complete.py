"""What a shell offers for the values of options while they are typed.

Nothing here imports torch or numpy: a shell asks at every press of the tab key. A file name is
completed by the shell itself where nothing here fits.
"""

from typing import Any

from trmsolve.puzzles.known import known_names, known_puzzles

DEVICES = ("auto", "cpu", "cuda", "mps")
RECIPES = ("laptop", "fast", "paper", "muon")
DATASETS = ("arc1-train", "arc1-eval", "arc2-train", "arc2-eval")


def complete_task(incomplete: str) -> list[str]:
    """The kinds of puzzles."""
    return _starting(incomplete, _tasks())


def complete_device(incomplete: str) -> list[str]:
    """The devices without their numbers."""
    return _starting(incomplete, DEVICES)


def complete_recipe(incomplete: str) -> list[str]:
    """The recipes of training."""
    return _starting(incomplete, RECIPES)


def complete_dataset(incomplete: str) -> list[str]:
    """The public sets of ARC tasks."""
    return _starting(incomplete, DATASETS)


def complete_weights(incomplete: str) -> list[str]:
    """The bundled weights."""
    return _starting(incomplete, _tasks())


def complete_named_weights(incomplete: str) -> list[str]:
    """The bundled weights, and the public checkpoints that have short names."""
    from trmsolve.weights.public import PUBLIC

    return _starting(incomplete, (*_tasks(), *(public.name for public in PUBLIC)))


def complete_difficulty(ctx: Any, incomplete: str) -> list[str]:
    """The difficulties of the task that was typed before, or of all."""
    from trmsolve.arc.generate.difficulties import DIFFICULTIES

    offered = {words.name: tuple(words.difficulties) for words in known_puzzles()}
    offered["arc"] = tuple(DIFFICULTIES)
    chosen = offered.get(ctx.params.get("task", "sudoku"), ())
    return _starting(incomplete, chosen)


def _tasks() -> tuple[str, ...]:
    return (*known_names(), "arc")


def _starting(incomplete: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
