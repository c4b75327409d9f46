"""``trmsolve weights pull`` and ``push``: weights from the Hugging Face Hub, and to it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.streams import put, put_text, say
from trmsolve.errors import UsageError, WeightsError
from trmsolve.puzzles.known import known_names

if TYPE_CHECKING:
    from trmsolve.hub.transfer import Pulled

FILE_NAMES = tuple(f"{name}.safetensors" for name in ("model", *known_names(), "arc"))
"""The names that a weights file may have in a folder."""


def pull(
    address: Annotated[
        str,
        typer.Argument(
            metavar="hf://USER/REPO[@REV][/FILE]", help="An address on the hub, or a short name."
        ),
    ],
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the path.")] = False,
) -> None:
    """Download the current weights of an address, check them, and print the path of the file.

    Afterwards --weights with this address uses the same file without contacting the hub, until the
    next pull. A damaged download is discarded: the previous file stays in use.

    \b
    Examples:
    trmsolve weights pull hf://user/repo

    \b
    Exit codes
    0  the file is downloaded and intact
    3  the file does not exist, is not accessible, or is damaged
    4  the hub cannot be reached, or --offline is set
    5  the file or the output cannot be written
    141  the reader of the output has left
    """  # noqa: D301 (click reads the character \b)
    from trmsolve.hub import transfer
    from trmsolve.weights.card import parameters
    from trmsolve.weights.catalog import address_of
    from trmsolve.weights.file import read_info
    from trmsolve.weights.remote import weights_request

    request = weights_request(
        address_of(address),
        offline=offline,
        allow_large=allow_large,
        note=None if quiet else say,
    )
    pulled = transfer.pull(request)
    if not quiet:
        info = read_info(pulled.path)
        say(
            f"{info.task or 'no task recorded'}, {parameters(info.config):,} parameters, "
            f"{_commits(pulled)}"
        )
    put(str(pulled.path))


def _commits(pulled: "Pulled") -> str:
    """The commit that was pulled, and the one before it if that is another."""
    now = pulled.commit[:12]
    if pulled.previous in (None, pulled.commit):
        return f"commit {now}"
    return f"was {str(pulled.previous)[:12]}, now {now}"


def push(  # noqa: PLR0913
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of a training run, or a weights file.")
    ],
    address: Annotated[str, typer.Argument(metavar="hf://USER/REPO")],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show what would be pushed, without connecting to the network."
        ),
    ] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Make the repository private.")
    ] = False,
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="TEXT", help="Commit message.")
    ] = "Weights of a Tiny Recursive Model",
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
) -> None:
    """Publish weights with a model card that shows their scores, and print the URL.

    The files are model.safetensors, config.json, README.md, and the eval.*.json files beside the
    weights that contain measurements of them. Log in first with: hf auth login.

    \b
    Examples:
    trmsolve weights push runs/sudoku hf://user/repo --dry-run

    \b
    Exit codes
    0  the weights are published
    2  you are not logged in, may not write there, or the address is not just a repository
    3  the weights are missing or damaged
    4  the hub cannot be reached, or --offline is set
    5  the output cannot be written
    141  the reader of the output has left
    """  # noqa: D301 (click reads the character \b)
    from trmsolve.hub import transfer
    from trmsolve.hub.address import Address
    from trmsolve.weights.card import package
    from trmsolve.weights.file import check_whole

    goal = Address.parse(address)
    path = weights_in(folder)
    transfer.check_goal(goal)
    check_whole(path, allow_large=allow_large)
    files = package(path, goal.repo)
    if dry_run:
        for name, payload in files.items():
            put(f"{len(payload):>12,}  {name}")
        put_text("\n" + files["README.md"].decode())
        return
    put(transfer.push(files, goal, private=private, message=message, offline=offline))


def weights_in(folder: Path) -> Path:
    """The weights file in a run's folder, or the file itself.

    Raises WeightsError if the folder has none, UsageError if it has several.
    """
    if not folder.is_dir():
        return folder
    found = [name for name in FILE_NAMES if (folder / name).is_file()]
    if not found:
        raise WeightsError(f"{folder} contains none of {', '.join(FILE_NAMES)}")
    if len(found) > 1:
        raise UsageError(f"{folder} contains {' and '.join(found)}: give the file to push")
    return folder / found[0]
