"""Commands whose help reads well, and whose options take their defaults from outside as well.

Paragraphs wrap, flags and arguments show no type, and choices are listed. Each option takes its
default from the environment, else from ``trmsolve.toml``; both are Click's own mechanisms.
"""

from typing import Any

from typer.core import TyperCommand, TyperGroup

from trmsolve.errors import UsageError

LIST_GAP = "  "
"""Two spaces in a line show that its paragraph is a list, of which each line stays."""


class HelpText:
    """What commands and groups have in common; it comes before Typer's class among the bases."""

    def __init__(self, *args: Any, help: str | None = None, **kwargs: Any) -> None:
        text = None if help is None else flowing(help)
        super().__init__(*args, help=text, **kwargs)  # type: ignore[call-arg]

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments, with what the help shows of them."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        prefix = _prefix(ctx)
        for param in params:
            _show_values(param)
            long = long_name(param)
            if long and not param.is_eager and param.envvar is None:
                param.envvar = f"{prefix}_{long}".replace("-", "_").upper()
                param.show_envvar = False  # the names follow one rule, and would double the help
        return params

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments. Raises UsageError for settings that no option has."""
        if ctx.default_map and not ctx.resilient_parsing:
            ctx.default_map = _by_parameter(self, ctx)
        parsed: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        return parsed


class Command(HelpText, TyperCommand):
    """A command with such a help."""


class Group(HelpText, TyperGroup):
    """A group of commands with such a help."""


def long_name(param: Any) -> str:
    """The longest name of an option without its dashes; "" for an argument."""
    names = [name.removeprefix("--") for name in param.opts if name.startswith("--")]
    return max(names, key=len, default="")


def flowing(text: str) -> str:
    """The text with each paragraph on one line, so that it wraps at any width; lists stay."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(_flowing_paragraph(paragraph) for paragraph in paragraphs)


def _flowing_paragraph(paragraph: str) -> str:
    lines = [line.strip() for line in paragraph.strip("\n").split("\n")]
    is_list = lines[0].startswith("\b") or lines[0].endswith(":")
    is_list = is_list or any(LIST_GAP in line for line in lines)
    return "\n".join(lines) if is_list else " ".join(lines)


def _prefix(ctx: Any) -> str:
    """The beginning of the names of environment variables, such as ``trmsolve_weights_info``."""
    names: list[str] = []
    while ctx.parent is not None:
        names.insert(0, ctx.info_name)
        ctx = ctx.parent
    return "_".join(("trmsolve", *names))


def _show_values(param: Any) -> None:
    """Have the help list choices, and show no type of flags and arguments."""
    if param.param_type_name == "argument":
        param.display_type_rich = _no_type
    elif param.metavar is None and getattr(param, "is_flag", False):
        param.metavar = ""
    elif param.metavar is None:
        described = getattr(param, "type_descriptor", None) or param.type
        choices = getattr(described, "choices", None)
        if choices:
            param.metavar = "|".join(choices)


def _no_type(ctx: Any) -> None:
    """Show no type beside an argument: its name in capitals says what it is."""


def _by_parameter(command: Any, ctx: Any) -> dict[str, Any]:
    """The settings of a command by the names of its parameters, not of its options.

    Raises UsageError for a name that is neither an option nor a command below this one.
    """
    options = {long_name(param): param.name for param in command.get_params(ctx)}
    below = set(getattr(command, "commands", ()))
    named = {}
    for key, value in ctx.default_map.items():
        is_table = isinstance(value, dict)
        if key in below and is_table:
            named[key] = value
        elif key and key in options and not is_table:
            named[options[key]] = value
        else:
            from trmsolve.cli.wrong_usage import did_you_mean

            near = did_you_mean(key, [*filter(None, options), *below])
            raise UsageError(f"trmsolve.toml: {ctx.command_path} has no setting {key}{near}")
    return named
