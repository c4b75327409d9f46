"""The solving commands, one a puzzle."""

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.puzzles.words import Words
from trmsolve.solve.effort import VIEWS

HELP = """Solve {plural} and watch the model think.

Answers go to standard output, everything else to standard error. If the rules accept no answer,
the puzzle is written as it was read; with --format line, an empty line is written.

Keys in a terminal: space pauses and goes on, the right arrow steps, + and - change the speed, ?
explains the figures, and q ends.

Examples:
trmsolve {name} {example}
trmsolve {name} {example} --show-steps --views 8

Exit codes:
0  every answer is verified
1  {failure}
2  some input or option is invalid
3  the weights are missing, damaged or made for another task
4  weights from hf:// cannot be downloaded
5  the output cannot be written, or a worker process was ended, for example for lack of memory
130  interrupted
141  the reader of the output has left
"""


def make_command(words: Words) -> Callable[..., None]:
    """The command that solves the puzzles with these words, for Typer."""

    def command(  # noqa: PLR0913 (its parameters are the options)
        files: Annotated[
            list[str] | None, typer.Argument(metavar="FILE", help=words.files_help)
        ] = None,
        accept_detours: Annotated[
            bool, typer.Option("--accept-detours", help=words.detours_help)
        ] = False,
        start: options.Start = None,
        goal: options.Goal = None,
        signs: options.Signs = None,
        show_steps: options.ShowSteps = False,
        json: options.Json = False,
        form: options.Form = "input",
        out: options.Out = None,
        keep_unverified: options.KeepUnverified = False,
        quiet: options.Quiet = False,
        pace: options.Pace = None,
        trace: options.Trace = None,
        save: options.Save = None,
        verbose: options.Verbose = False,
        weights: options.Weights = None,
        offline: options.Offline = False,
        allow_large: options.AllowLarge = False,
        cycles: Annotated[
            int | None,
            typer.Option(
                metavar="N",
                min=1,
                help=words.cycles_help,
                show_default=str(words.default_cycles),
                rich_help_panel=options.TRY,
            ),
        ] = None,
        views: options.Views = VIEWS,
        noise: options.Noise = words.default_noise,
        backend: options.Backend = "auto",
        device: options.Device = "auto",
        dtype: options.Dtype = "auto",
        workers: options.Workers = None,
        threads: options.ThreadsEach = None,
        batch_size: options.BatchSize = None,
        seed: options.Seed = 0,
    ) -> None:
        from trmsolve.cli.solving import Share, Wishes, solve
        from trmsolve.puzzles.registry import get_task

        wishes = Wishes(
            form="json" if json else form,
            show_steps=show_steps,
            quiet=quiet,
            pace=pace,
            verbose=verbose,
            keep_unverified=keep_unverified,
            out=out,
            trace=trace,
            save=save,
        )
        code = solve(
            get_task(words.name).marked(start, goal, signs),
            files,
            wishes,
            Share(batch_size, workers),
            weights=weights,
            offline=offline,
            allow_large=allow_large,
            cycles=cycles,
            views=views,
            noise=noise,
            backend=backend,
            device=device,
            dtype=dtype,
            threads=threads,
            seed=seed,
            accept_detours=accept_detours,
        )
        raise typer.Exit(code)

    command.__doc__ = HELP.format(
        plural=words.plural,
        failure=words.failure_help,
        name=words.name,
        example=words.example_file,
    )
    if not words.detours_help:
        _drop_parameters(command, "accept_detours")
    if not words.has_marks:
        _drop_parameters(command, "start", "goal", "signs")
    return command


def _drop_parameters(command: Callable[..., None], *names: str) -> None:
    """Hide parameters from Typer, so that they keep their defaults."""
    signature = inspect.signature(command)
    kept = [one for one in signature.parameters.values() if one.name not in names]
    command.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
