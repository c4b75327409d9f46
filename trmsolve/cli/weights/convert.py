"""``trmsolve weights convert``: weights out of a checkpoint of the public code."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from trmsolve.cli import options
from trmsolve.cli.output import put
from trmsolve.errors import UsageError, WeightsError

if TYPE_CHECKING:
    import torch

RISK = (
    "{name} is a pickle, a format that may carry code. It is read by a loader that runs none of it; still, convert "
    "only what comes from people you trust."
)
SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
FLAGS = {
    "recursions": "--recursions",
    "latent_steps": "--latent-steps",
    "num_heads": "--heads",
    "positions": "--positions",
}
SHAPES = "What shapes do not show"


def convert(
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="CKPT", help=escape("A file, a name, or hf://USER/REPO[@REV][/FILE].")
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(help="sudoku, maze or arc.", show_default="told by the number of tokens"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The file to write.", show_default="CKPT.safetensors"),
    ] = None,
    table: Annotated[
        str,
        typer.Option(
            help="The table of puzzles: keep its rows, their mean alone, or drop them for zeros."
        ),
    ] = "keep",
    dtype: Annotated[str, typer.Option(help="keep, fp32 or bf16: how values are stored.")] = "keep",
    part: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Which network, if the file holds several.", show_default=False
        ),
    ] = None,
    recursions: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="T", help="Of a cycle.", show_default="3", rich_help_panel=SHAPES
        ),
    ] = None,
    latent_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Of a recursion.",
            show_default="sudoku 6, else 4",
            rich_help_panel=SHAPES,
        ),
    ] = None,
    positions: Annotated[
        str | None,
        typer.Option(
            help="rope or none, of attention.", show_default="rope", rich_help_panel=SHAPES
        ),
    ] = None,
    heads: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Of attention.", show_default="8", rich_help_panel=SHAPES
        ),
    ] = None,
    allow_large: options.AllowLarge = False,
    offline: options.Offline = False,
) -> None:
    """Make weights of a checkpoint that the paper's public code, or one like it, has saved.

    Nothing in the checkpoint is ever run. Every name and shape is checked. What shapes do not show
    is taken from the options, else from all_config.yaml or config.json beside it, else from the
    paper. Values are kept to the bit.
    """
    from trmsolve.cli.weights.smoke import TASKS
    from trmsolve.weights.convert import TABLES, Checkpoint, Said, is_pickled
    from trmsolve.weights.convert import convert as write

    for name, value, known in (
        ("table", table, TABLES),
        ("task", task, TASKS),
        ("positions", positions, ("rope", "none", "learned")),
    ):
        if value is not None and value not in known:
            raise UsageError(f"--{name} {value} is not known: use {', '.join(known)}")
    stored = _dtype(dtype)
    path, out = _source(checkpoint, out, offline, allow_large)
    if is_pickled(path):
        options.say(RISK.format(name=path.name))
    said = Said(recursions, latent_steps, positions, heads)
    opened = Checkpoint.open(path, task, said, part, allow_large=allow_large)
    config = opened.config
    about = write(opened, out, table=table, dtype=stored)
    if about.task == "arc" and table == "keep":
        _bring_names(path, out, config.num_puzzles)
    shape = f"T = {config.recursions}, n = {config.latent_steps}, {config.mixer}, positions {config.positions}"
    options.say(f"{about.task}, {shape}, hidden size {config.hidden_size}, {config.layers} layers")
    if opened.assumed:
        taken = ", ".join(f"{FLAGS[name]} {getattr(config, name)}" for name in opened.assumed)
        options.say(f"as in the paper, since nothing beside the checkpoint says otherwise: {taken}")
    put(str(out))


def _dtype(named: str) -> "torch.dtype | None":
    from trmsolve.device import DTYPES

    if named not in ("keep", *DTYPES):
        raise UsageError(f"--dtype {named} is not known: use keep, {', '.join(DTYPES)}")
    return DTYPES.get(named)


def _source(named: str, out: Path | None, offline: bool, allow_large: bool) -> tuple[Path, Path]:
    """The checkpoint on the disk, fetched if it has to be, and the file to write.

    Raises UsageError if that exists.
    """
    from trmsolve.files import sha256
    from trmsolve.hub.address import is_address
    from trmsolve.hub.transfer import find
    from trmsolve.weights.catalog import address_of, public_of
    from trmsolve.weights.kind import check_kind

    public = public_of(named)
    if public is None and not is_address(named):
        check_kind(source := Path(named))
        return source, _free(out or source.with_name(_weights_name(source.name)))
    address = address_of(named)
    target = _free(out or Path(_weights_name(Path(address.path or address.repo).name)))
    path = find(address, offline=offline, allow_large=allow_large, pickled=True, note=options.say)
    if (
        public is not None
        and public.sha256 is not None
        and (found := sha256(path)) != public.sha256
    ):
        raise WeightsError(
            f"{path} is not the file that is known as {public.name}: its sha256 is {found}"
        )
    return path, target


def _free(path: Path) -> Path:
    if path.exists():
        raise UsageError(f"{path} exists: name another file with --out")
    return path


def _bring_names(source: Path, out: Path, rows: int) -> None:
    """What says which row of the table is which task goes where the weights go, and replaces nothing.

    The table has so many ``rows``. Raises WeightsError for a file that cannot be read or is too
    large.
    """
    from trmsolve.arc.paper.known import IDENTIFIERS, PUZZLES, longest_identifiers
    from trmsolve.files import read_small, reason, write_atomically
    from trmsolve.weights.kind import LONGEST_PUZZLES

    for name, limit in ((IDENTIFIERS, longest_identifiers(rows)), (PUZZLES, LONGEST_PUZZLES)):
        theirs, ours = source.with_name(name), out.with_name(name)
        if theirs.is_file() and not ours.exists():
            try:
                content = read_small(theirs, limit)
            except OSError as error:
                raise WeightsError(f"{theirs} cannot be read: {reason(error)}") from None
            write_atomically(ours, content)
            options.say(f"{ours} names the rows of its table")


def _weights_name(name: str) -> str:
    stem = name[: -len(Path(name).suffix)] if Path(name).suffix in SUFFIXES else name
    return f"{stem.removesuffix('.safetensors')}{'.converted' if stem.endswith('.safetensors') else ''}.safetensors"
