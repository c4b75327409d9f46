"""``trmsolve weights pull`` and ``push``: weights from the Hugging Face Hub, and to it."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.output import put, put_text
from trmsolve.errors import UsageError, WeightsError
from trmsolve.puzzles import task_names

HELD = ("model", *task_names(), "arc")
"""What a weights file is called in a folder that holds one."""


def pull(
    address: Annotated[
        str, typer.Argument(metavar="hf://USER/REPO[@REV][/FILE]", help="Or a short name.")
    ],
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the path alone.")] = False,
) -> None:
    """Fetch what a revision names now, check it, pin it, and print the path of the file.

    From then on --weights with this address takes the same file, without asking anybody, until it
    is pulled again. A file that is damaged is not pinned: what was taken before stays.

    \b
    Exit codes
    0  the file is here and whole
    3  there is none, it is not given out, or it is damaged
    4  the hub cannot be reached, or is not to be
    """
    from trmsolve.hub import transfer as hub
    from trmsolve.weights.card import parameters
    from trmsolve.weights.catalog import address_of
    from trmsolve.weights.file import check_whole, read_info

    note = hub.silent if quiet else options.say
    check = partial(check_whole, allow_large=allow_large)
    pulled = hub.pull(
        address_of(address), offline=offline, allow_large=allow_large, note=note, check=check
    )
    info = read_info(pulled.path)
    commit = f"commit {pulled.commit[:12]}"
    if pulled.previous not in (None, pulled.commit):
        commit = f"was {str(pulled.previous)[:12]}, now {pulled.commit[:12]}"
    note(f"{info.task or 'no task named'}, {parameters(info.config):,} parameters, {commit}")
    put(str(pulled.path))


def push(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run's folder, or a weights file.")
    ],
    address: Annotated[str, typer.Argument(metavar="hf://USER/REPO")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be pushed; open no connection.")
    ] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Make the repository private.")
    ] = False,
    message: Annotated[
        str, typer.Option("--message", "-m", metavar="TEXT", help="What the commit says.")
    ] = "Weights of a Tiny Recursive Model",
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
) -> None:
    """Publish weights with a card that says what they scored, and print the url.

    Pushed are model.safetensors, config.json, README.md, and the eval.*.json files beside the
    weights that were measured on them. Log in first: hf auth login.

    \b
    Exit codes
    0  it is published
    2  nobody is logged in, or they may not write there, or it is no repository as a whole
    3  the weights are missing or damaged
    4  the hub cannot be reached, or is not to be
    """
    from trmsolve.hub import transfer as hub
    from trmsolve.weights.card import package
    from trmsolve.weights.file import check_whole

    goal, path = hub.Address.parse(address), weights_in(folder)
    hub.check_goal(goal)
    check_whole(path, allow_large=allow_large)
    files = package(path, goal.repo)
    if dry_run:
        for name, payload in files.items():
            put(f"{len(payload):>12,}  {name}")
        put_text("\n" + files["README.md"].decode())
    else:
        put(hub.push(files, goal, private=private, message=message, offline=offline))


def weights_in(folder: Path) -> Path:
    """The weights file in a run's folder, or the file itself. Raises WeightsError or UsageError."""
    if not folder.is_dir():
        return folder
    found = [path for name in HELD if (path := folder / f"{name}.safetensors").is_file()]
    if len(found) > 1:
        raise UsageError(
            f"{folder} holds {' and '.join(path.name for path in found)}: name the file to push"
        )
    if not found:
        raise WeightsError(
            f"{folder} holds none of {', '.join(f'{name}.safetensors' for name in HELD)}"
        )
    return found[0]
