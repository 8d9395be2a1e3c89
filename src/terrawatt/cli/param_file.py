"""Parameter files of the command line: text in, scenarios out."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from terrawatt.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from terrawatt.records import Scalar, Scenario

CONFIRM_ABOVE = 100_000  # scenarios: more are taken only when that is meant

_OURS = ("command", "output", "repetition")  # what these stand for is not the file's to say


def expanded(param_file: Path, known: Sequence[str] | None) -> "Sequence[Mapping[str, Scalar]]":
    """The scenarios of a parameter file: option -> value.

    Args:
        param_file: the file.
        known: the names that options may have; None: any.

    Raises:
        ConfigError: it cannot be read, or a line is wrong.
    """
    from terrawatt.experiment.grid import expand

    try:
        text = param_file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{param_file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{param_file}: not a text in UTF-8 ({error.reason})") from error
    return expand(text, str(param_file), known)


def confirm(scenarios: int, file: str, *, yes: bool) -> None:
    """Ask whether so many scenarios are meant.

    Raises:
        UsageError: they are not, or nobody can be asked.
    """
    if scenarios <= CONFIRM_ABOVE or yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{file}: {scenarios} scenarios; give --yes if that is meant, as there is no terminal to ask")
    if not typer.confirm(f"{file}: {scenarios} scenarios. Go on?", err=True):
        raise UsageError(f"{file}: {scenarios} scenarios were not meant; nothing was done")


def command_scenarios(
    param_file: Path, command: Sequence[str], label: str | None, seed: int | None, *, yes: bool = False
) -> "list[Scenario]":
    """The scenarios of any command: wherever `{name}` stands in an argument, the scenario's value takes its place.

    Args:
        param_file: its options may have any names; one that is called `seed` is the seed of repetition 1.
        command: argv with the names.
        label: of the command in the table.
        seed: of repetition 1, where the file names none.
        yes: very many scenarios are meant.

    Raises:
        ConfigError: the file is wrong, or one of its options stands nowhere in the command.
        UsageError: the seed is given twice, or very many scenarios are not meant.
    """
    grid = expanded(param_file, None)
    confirm(len(grid), str(param_file), yes=yes)
    return [
        _command_scenario(parameters, f"{param_file}, scenario {number}", command, label, seed)
        for number, parameters in enumerate(grid, start=1)
    ]


def _command_scenario(
    parameters: "Mapping[str, Scalar]", where: str, command: Sequence[str], label: str | None, seed: int | None
) -> "Scenario":
    from terrawatt.records import Scenario

    if "seed" in parameters:
        if seed is not None:
            raise UsageError(f"--seed is given, and stands in {where} too; leave one of them out")
        seed = _whole(parameters["seed"], where)
    filled = list(command)
    for name, value in parameters.items():
        if name in _OURS:
            raise ConfigError(f"{where}: {name} is a name of terrawatt's own; give the option another")
        if not any(f"{{{name}}}" in argument for argument in command):
            raise ConfigError(f"{where}: {{{name}}} stands nowhere in the command, so {name} would change nothing")
        if name != "seed":
            filled = [argument.replace(f"{{{name}}}", str(value)) for argument in filled]
    return Scenario({"command": label or shlex.join(command), **parameters}, tuple(filled), seed)


def _whole(value: "Scalar", where: str) -> int:
    if isinstance(value, bool | str) or value != int(value):
        raise ConfigError(f"{where}: seed is {value!r}, not a whole number")
    return int(value)
