"""``trmsolve weights convert``: make weights from a checkpoint of the public code."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from trmsolve.cli import options
from trmsolve.cli.complete import complete_named_weights, complete_task
from trmsolve.cli.streams import put, say
from trmsolve.errors import UsageError, WeightsError

if TYPE_CHECKING:
    import torch

    from trmsolve.weights.convert import Checkpoint
    from trmsolve.weights.public import PublicCheckpoint

RISK = (
    "{name} is a pickle, a format that can contain code. The loader runs none of it, "
    "but convert only files from sources that you trust."
)
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
"""Suffixes of checkpoints, which the name of the weights does without."""

FLAGS = {
    "recursions": "--recursions",
    "latent_steps": "--latent-steps",
    "num_heads": "--heads",
    "positions": "--positions",
}
"""The options for fields of the config that shapes do not show."""

SHAPES = "Architecture (not visible in tensor shapes)"
"""The title of these options in the help."""


def convert(  # noqa: PLR0913
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="CKPT",
            help=escape("A file, a short name, or hf://USER/REPO[@REV][/FILE]."),
            autocompletion=complete_named_weights,
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            metavar="sudoku|maze|arc",
            help="The kind of puzzle.",
            show_default="derived from the number of tokens",
            autocompletion=complete_task,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file to write.", show_default="CKPT.safetensors"),
    ] = None,
    table: Annotated[
        Literal["keep", "mean", "drop"],
        typer.Option(help="Store all puzzle embeddings, only their mean, or zeros."),
    ] = "keep",
    dtype: Annotated[
        Literal["keep", "fp32", "bf16"], typer.Option(help="Number format of the stored values.")
    ] = "keep",
    part: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The network to convert, if the file contains several.",
            show_default=False,
        ),
    ] = None,
    recursions: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="T",
            help="Number of recursions per cycle.",
            show_default="3",
            rich_help_panel=SHAPES,
        ),
    ] = None,
    latent_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of latent steps per recursion.",
            show_default="6 for sudoku, otherwise 4",
            rich_help_panel=SHAPES,
        ),
    ] = None,
    positions: Annotated[
        Literal["rope", "none", "learned"] | None,
        typer.Option(
            help="Position encoding of attention.",
            show_default="rope",
            rich_help_panel=SHAPES,
        ),
    ] = None,
    heads: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of attention heads.",
            show_default="8",
            rich_help_panel=SHAPES,
        ),
    ] = None,
    allow_large: options.AllowLarge = False,
    offline: options.Offline = False,
) -> None:
    """Convert a checkpoint saved by the paper's public code, or similar code, to weights.

    No code in the checkpoint is ever run. Every tensor name and shape is checked. Tensor shapes do
    not determine the whole architecture: the rest is taken from the options, or from
    all_config.yaml, config.json or NAME.yaml beside the checkpoint, or from the paper, in this
    order. Values are preserved exactly.

    Weights of trmsolve are written anew with --table or --dtype: --table mean makes those of an ARC
    run small enough to pass on.

    \b
    Examples:
    trmsolve weights convert step_1000 --out mine.safetensors

    \b
    Exit codes
    0  the weights are written
    2  some option is invalid, or the file to write exists
    3  the checkpoint is missing, damaged, not safe to read or no Tiny Recursive Model
    4  the checkpoint cannot be downloaded
    5  the weights or the output cannot be written
    141  the reader of the output has left
    """  # noqa: D301 (click reads the character \b)
    from trmsolve.weights.architecture import ArchitectureHints
    from trmsolve.weights.checkpoint_file import describes_itself, is_pickled
    from trmsolve.weights.convert import Checkpoint, rewrite
    from trmsolve.weights.convert import convert as write

    _check_options(table, task, positions)
    stored = _dtype(dtype)
    path, out = _source(checkpoint, out, offline, allow_large)
    if describes_itself(path) and (table != "keep" or stored is not None):
        rewrite(path, out, table=table, dtype=stored, allow_large=allow_large)
        put(str(out))
        return
    if is_pickled(path):
        say(RISK.format(name=path.name))
    hints = ArchitectureHints(recursions, latent_steps, positions, heads)
    opened = Checkpoint.open(path, task, hints, part, allow_large=allow_large)
    write(opened, out, table=table, dtype=stored)
    if opened.task == "arc" and table == "keep":
        _copy_names(path, out, opened.config.num_puzzles)
    _say_what_it_is(opened)
    put(str(out))


def _check_options(table: str, task: str | None, positions: str | None) -> None:
    """Raise UsageError for a value that is none of those an option has."""
    from trmsolve.cli.weights.smoke import TASKS
    from trmsolve.weights.convert import TABLES

    for name, value, known in (
        ("table", table, TABLES),
        ("task", task, TASKS),
        ("positions", positions, ("rope", "none", "learned")),
    ):
        if value is not None and value not in known:
            raise UsageError(f"--{name} {value} is not known: use {', '.join(known)}")


def _say_what_it_is(opened: "Checkpoint") -> None:
    """Say what network the checkpoint holds, and what of it is assumed."""
    config = opened.config
    say(
        f"{opened.task}, T = {config.recursions}, n = {config.latent_steps}, {config.mixer}, "
        f"positions {config.positions}, hidden size {config.hidden_size}, {config.layers} layers"
    )
    if opened.assumed:
        taken = ", ".join(f"{FLAGS[name]} {getattr(config, name)}" for name in opened.assumed)
        say(f"assumed as in the paper, because no option or settings file gives them: {taken}")


def _dtype(named: str) -> "torch.dtype | None":
    """The dtype to store values in; None keeps each as it is. Raises UsageError."""
    from trmsolve.device import DTYPES

    if named not in ("keep", *DTYPES):
        raise UsageError(f"--dtype {named} is not known: use keep, {', '.join(DTYPES)}")
    return DTYPES.get(named)


def _source(named: str, out: Path | None, offline: bool, allow_large: bool) -> tuple[Path, Path]:
    """The checkpoint on the disk, which is fetched if needed, and the file to write.

    Raises UsageError if the file to write exists.
    """
    from trmsolve.hub.address import is_address
    from trmsolve.hub.transfer import find
    from trmsolve.weights.catalog import address_of, public_of
    from trmsolve.weights.kind import check_kind
    from trmsolve.weights.remote import checkpoint_request

    public = public_of(named)
    if public is None and not is_address(named):
        source = Path(named)
        check_kind(source)
        return source, _not_existing(out or source.with_name(_weights_name(source.name)))
    address = address_of(named)
    target = _not_existing(out or Path(_weights_name(Path(address.path or address.repo).name)))
    request = checkpoint_request(address, offline=offline, allow_large=allow_large, note=say)
    path = find(request)
    if public is not None:
        _check_known(path, public)
    return path, target


def _check_known(path: Path, public: "PublicCheckpoint") -> None:
    """Raise WeightsError if the file is not the public checkpoint, where its hash is known."""
    from trmsolve.files import sha256

    if public.sha256 is None:
        return
    found = sha256(path)
    if found != public.sha256:
        raise WeightsError(
            f"{path} is not the published file of {public.name}: its sha256 is {found}"
        )


def _not_existing(path: Path) -> Path:
    """The path. Raises UsageError if there is a file."""
    if path.exists():
        raise UsageError(f"{path} already exists: choose another file with --out")
    return path


def _copy_names(source: Path, out: Path, rows: int) -> None:
    """Copy the files that say which row of the table is which task, unless there are such files.

    The table has so many ``rows``. Raises WeightsError for a file that cannot be read or is too
    large.
    """
    from trmsolve.arc.paper.known import PUZZLES
    from trmsolve.arc.table import IDENTIFIERS, longest_identifiers
    from trmsolve.files import read_small, reason, write_atomically
    from trmsolve.weights.kind import LONGEST_PUZZLES

    for name, limit in ((IDENTIFIERS, longest_identifiers(rows)), (PUZZLES, LONGEST_PUZZLES)):
        theirs = source.with_name(name)
        ours = out.with_name(name)
        if not theirs.is_file() or ours.exists():
            continue
        try:
            content = read_small(theirs, limit)
        except OSError as error:
            raise WeightsError(f"{theirs} cannot be read: {reason(error)}") from None
        write_atomically(ours, content)
        say(f"copied {ours}, which names the rows of the table")


def _weights_name(name: str) -> str:
    """The name of the weights made from a checkpoint of this name.

    ``step_1.pt`` becomes ``step_1.safetensors``, and ``model.safetensors`` becomes
    ``model.converted.safetensors``.
    """
    suffix = Path(name).suffix
    stem = name.removesuffix(suffix) if suffix in SUFFIXES else name
    if stem.endswith(".safetensors"):
        return f"{stem.removesuffix('.safetensors')}.converted.safetensors"
    return f"{stem}.safetensors"
