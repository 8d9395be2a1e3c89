"""Kinds of option values that several commands share.

Qanat hands over numbers of a range as floats (`--epochs 10.0`) and flags as words (`--count True`): both are read
here, and what cannot be meant (`10.5` epochs) is refused as wrong usage.
"""

from pathlib import Path
from typing import Annotated

import typer

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def parse_integer(text: str | int) -> int:
    """An integer, also written as a float without a fraction: `10`, `10.0`, `1e3`."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an integer") from None
    if not number.is_integer():
        raise typer.BadParameter(f"{text!r} is not an integer")
    return int(number)


def parse_positive(text: str | int) -> int:
    """An integer above 0."""
    number = parse_integer(text)
    if number < 1:
        raise typer.BadParameter(f"{text!r} is not above 0")
    return number


def parse_flag(text: str | bool) -> bool:
    """A truth value written as `True/False/1/0/yes/no/on/off`, in any case."""
    word = str(text).strip().lower()
    if word in _TRUE or word == "1.0":
        return True
    if word in _FALSE or word == "0.0":
        return False
    raise typer.BadParameter(f"{text!r} is neither true nor false; write 1 or 0, True or False, yes or no")


def parse_number(text: str | float) -> float:
    """A finite number."""
    try:
        number = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise typer.BadParameter(f"{text!r} is not a finite number")
    return number


def parse_share(text: str | float) -> float:
    """A share between 0 and 1, also written in percent: `5%`, `5 %`, `0.05`."""
    word = str(text).strip()
    share = parse_number(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    if share >= 1 and not word.endswith("%"):
        raise typer.BadParameter(f"{text!r} is not a share below 1; write {word}% for percent")
    if not 0 < share < 1:
        raise typer.BadParameter(f"{text!r} is not between 0 and 100 %")
    return share


def parse_excess(text: str | float) -> float:
    """A share of 0 or more, also written in percent: `5%`, `0.05`, `150%`."""
    word = str(text).strip()
    share = parse_number(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    if share >= 1 and not word.endswith("%"):
        raise typer.BadParameter(f"{text!r} is not a share below 1; write {word}% for percent")
    if share < 0:
        raise typer.BadParameter(f"{text!r} is below 0")
    return share


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file; default: terrawatt.toml here or in a folder above.", dir_okay=False),
]
ResultsOption = Annotated[
    Path | None,
    typer.Option("--results", metavar="DIR", help="Folder of results; default: experiment.results.", file_okay=False),
]
NameOption = Annotated[
    str | None, typer.Option("--name", metavar="EXPERIMENT", help="Experiment; default: experiment.name.")
]
AcceptChangesOption = Annotated[
    bool, typer.Option("--accept-changes", help="Use runs whose files were changed since they were measured.")
]


def run_folders(runs: list[str], results: Path | None, name: str | None, config: Path | None) -> list[Path]:
    """The folders of runs that are given as numbers, with a group (`3/1`), or as folders.

    Raises:
        ConfigError: the settings are wrong.
        RunFolderError: there is no such run.
    """
    from terrawatt.config import load
    from terrawatt.runs.layout import find_run

    settings = load(config).experiment
    return [find_run(run, results or settings.results, name or settings.name) for run in runs]
