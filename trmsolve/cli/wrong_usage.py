"""Errors in arguments, told in one style: what is wrong, what is known, what was perhaps meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

NOT_A_CHOICE = re.compile(r"'(?P<value>.*?)' is not one of (?P<known>.*?)\.?")
NO_COMMAND = re.compile(r"No such command '(?P<name>.*?)'.*", re.DOTALL)


def describe(error: Any) -> str:
    """One line about an error of Typer's parser; it names the help unless it says what to do."""
    problem = _problem(error)
    if ": use " in problem or problem.endswith("?"):
        return problem
    command = error.ctx.command_path if error.ctx else "trmsolve"
    return f"{problem}; see {command} --help"


def _problem(error: Any) -> str:
    kind = type(error).__name__
    if kind == "NoSuchOption":
        near = did_you_mean(error.option_name, error.possibilities or ())
        return f"there is no option {error.option_name}{near}"
    if kind == "MissingParameter":
        return f"{_name(error)} is missing"
    message = str(error.message).strip().removeprefix("Value error, ")
    message = message.replace("Input should be", "the value must be")
    no_command = NO_COMMAND.fullmatch(message)
    if no_command is not None:
        name = no_command["name"]
        return f"there is no command {name}{did_you_mean(name, error.ctx.command.commands)}"
    no_choice = NOT_A_CHOICE.fullmatch(message)
    if no_choice is not None:
        return unknown(_name(error), no_choice["value"], re.findall(r"'(.*?)'", no_choice["known"]))
    if kind == "BadParameter":
        return f"{_name(error)}: {message.removesuffix('.')}"
    return message.removesuffix(".")


def unknown(option: str, value: str, known: Iterable[str]) -> str:
    """The sentence about a value that is none of those an option takes."""
    known = list(known)
    return f"{option} {value} is not known: use {', '.join(known)}{did_you_mean(value, known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of such a sentence, with the known word that is most like this one; "" if none is."""
    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _name(error: Any) -> str:
    """The long name of the option, or the argument as the help shows it."""
    if error.param is None:
        return str(error.param_hint or "an argument").strip("'\"")
    names = [name for name in error.param.opts if name.startswith("-")]
    if not names:
        return str(error.param.metavar or error.param.name).upper()
    return str(max(names, key=len))
