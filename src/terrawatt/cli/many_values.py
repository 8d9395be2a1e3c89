"""Options that take several values after each other: `--factors Method "Window size" Threads`."""

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand

SEVERAL = ("--table", "--factors", "--performance", "--energy", "--export", "--figures", "--format")


class ManyValues(TyperCommand):
    """A command whose options `SEVERAL` take all values up to the next option, where a table is given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each of its values, as click reads them; its context has no public type."""
        return super().parse_args(ctx, repeated(args) if "--table" in args else args)


def repeated(arguments: Sequence[str], several: Sequence[str] = SEVERAL) -> list[str]:
    """`--factors A B` as `--factors A --factors B`; everything else as it is, and all after `--` too."""
    found: list[str] = []
    option, has_value = "", False
    for position, argument in enumerate(arguments):
        if argument == "--":
            return [*found, *arguments[position:]]
        if argument.startswith("--") or (argument.startswith("-") and argument[1:2].isalpha()):
            option, has_value = argument if argument in several else "", False
        elif option and has_value:
            found.append(option)
        elif option:
            has_value = True
        found.append(argument)
    return found
