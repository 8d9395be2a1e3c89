"""Readers of single option values: a number or text as given -> the value meant, or one clear line.

A reader gets the option as it was written, for its message, and the value. Values arrive as texts from the command
line, as numbers from YAML, and as floats where whole numbers are meant from Qanat's ranges (`--epochs 10.0`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from terrawatt.errors import UsageError, did_you_mean
from terrawatt.records import Scalar

Reader = Callable[[str, Scalar], Any]

_TRUE = {"1", "1.0", "true", "yes", "on", ""}  # "": how Qanat writes a flag in its parameter files
_FALSE = {"0", "0.0", "false", "no", "off"}


def number(written: str, value: Scalar) -> float:
    """A finite number.

    Raises:
        UsageError: it is none.
    """
    try:
        read = float("" if isinstance(value, bool) else value)  # `true` in YAML is no number, though Python's True is 1
    except ValueError:
        raise UsageError(f"{written}: not a number") from None
    if read != read or read in (float("inf"), float("-inf")):
        raise UsageError(f"{written}: not a finite number")
    return read


def positive_number(written: str, value: Scalar) -> float:
    """A number above 0.

    Raises:
        UsageError: it is none.
    """
    read = number(written, value)
    if read <= 0:
        raise UsageError(f"{written}: must be above 0")
    return read


def share(written: str, value: Scalar) -> float:
    """A share from 0 to 1, also written in percent: `0.05`, `5%`.

    Raises:
        UsageError: it is none.
    """
    word = str(value).strip()
    is_percent = word.endswith("%")
    read = number(written, word.removesuffix("%") if is_percent else value) / (100 if is_percent else 1)
    if not 0 <= read <= 1:
        raise UsageError(f"{written}: must be a share from 0 to 1")
    return read


def positive_share(written: str, value: Scalar) -> float:
    """The same, above 0.

    Raises:
        UsageError: it is none.
    """
    read = share(written, value)
    if read == 0:
        raise UsageError(f"{written}: must be above 0")
    return read


def whole(least: int, most: int | None = None) -> Reader:
    """A reader of whole numbers from `least` to `most`, also written as `10.0` or `1e3`."""

    def read(written: str, value: Scalar) -> int:
        read = number(written, value)
        if not read.is_integer():
            raise UsageError(f"{written}: must be a whole number")
        if read < least:
            raise UsageError(f"{written}: must be at least {least}")
        if most is not None and read > most:
            raise UsageError(f"{written}: must be at most {most}")
        return int(read)

    return read


def flag(written: str, value: Scalar) -> bool:
    """A truth value: `1/0`, `True/False`, `yes/no`, `on/off`, in any case.

    Raises:
        UsageError: it is none.
    """
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise UsageError(f"{written}: write 1 or 0, True or False, yes or no")
    return word in _TRUE


def one_of(choices: tuple[str, ...], *, ending: str = "") -> Reader:
    """A reader of one of some words, in any case, with or without an ending; gives the word as it is in `choices`."""
    by_lower_case = {choice.lower(): choice for choice in choices}

    def read(written: str, value: Scalar) -> str:
        word = str(value).strip().lower().removesuffix(ending)
        if word not in by_lower_case:
            raise UsageError(f"{written}: unknown.{did_you_mean(word, choices)}")
        return by_lower_case[word]

    return read


def one_number_of(choices: tuple[int, ...]) -> Reader:
    """A reader of one of some whole numbers."""

    def read(written: str, value: Scalar) -> int:
        read = number(written, value)
        if read not in choices:
            raise UsageError(f"{written}: must be {' or '.join(map(str, choices))}")
        return int(read)

    return read


def path(_written: str, value: Scalar) -> Path:
    """A path."""
    return Path(str(value))


def text(_written: str, value: Scalar) -> str:
    """A text, without spaces around it."""
    return str(value).strip()
