"""The reference of every command, docs/reference/commands.md, from the program itself: `make reference`.

It reads the functions that typer reads, not what a version of typer makes of them.
"""

import inspect
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from typer.models import ArgumentInfo, OptionInfo

from terrawatt.cli.app import app

PAGE = Path(__file__).resolve().parents[1] / "docs/reference/commands.md"

HEAD = """# Commands

Written by the program (`make reference`); each command tells the same with `--help`. `--debug`, anywhere before `--`,
prints the traceback of an error. Exit codes: 0 done, 1 an error with one line, 2 wrong usage, 3 measured or
looked at, but the numbers should not be used; 130 when a signal ended `terrawatt run` or `terrawatt measure`.
"""

_METAVARS = {int: "INTEGER", float: "FLOAT", Path: "PATH", str: "TEXT"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument or option, as its row in the reference."""

    info: ArgumentInfo | OptionInfo
    names: tuple[str, ...]
    metavar: str
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether the command does not go without it."""
        return self.default is inspect.Parameter.empty


def reference() -> str:
    """The page, as Markdown."""
    sections = [f"{HEAD}", *("\n".join(_section(name, callback)) for name, callback in commands(app, "terrawatt"))]
    return "\n".join(sections)


def commands(program: typer.Typer, prefix: str) -> Iterator[tuple[str, Any]]:
    """Each command's full name and function, in the order of the program's help; hidden ones are left out."""
    for command in program.registered_commands:
        if not command.hidden and command.callback is not None:
            yield f"{prefix} {command.name or command.callback.__name__.replace('_', '-')}", command.callback
    for group in program.registered_groups:
        if group.typer_instance is not None:
            yield from commands(group.typer_instance, f"{prefix} {group.name}")


def parameters(callback: Any) -> list[Parameter]:
    """The arguments and options of a command's function, without hidden ones."""
    found = []
    for parameter in inspect.signature(callback, eval_str=True).parameters.values():
        kind, *annotations = typing.get_args(parameter.annotation)
        info = next((a for a in annotations if isinstance(a, ArgumentInfo | OptionInfo)), None)
        if info is not None and not info.hidden:
            found.append(_parameter(parameter.name, kind, info, parameter.default))
    return found


def _parameter(name: str, kind: Any, info: ArgumentInfo | OptionInfo, default: Any) -> Parameter:
    if isinstance(info, ArgumentInfo):
        return Parameter(info, (), info.metavar or name.upper(), default)
    # Inside Annotated the first declaration stands where a default would.
    declared = (info.default, *(info.param_decls or ()))
    names = tuple(d for d in declared if isinstance(d, str) and d.startswith("-")) or (f"--{name.replace('_', '-')}",)
    return Parameter(info, names, "" if kind is bool else info.metavar or _metavar(kind), default)


def _metavar(kind: Any) -> str:
    """The name of a type's values: `INTEGER`, or the choices."""
    kinds = [k for k in typing.get_args(kind) if k is not types.NoneType] or [kind]
    inner = typing.get_args(kinds[0])
    plain = inner[0] if inner else kinds[0]
    if isinstance(plain, type) and issubclass(plain, Enum):
        return "|".join(str(member.value) for member in plain)
    return _METAVARS.get(plain, "TEXT")


def _section(name: str, callback: Any) -> Iterator[str]:
    found = parameters(callback)
    arguments = [parameter for parameter in found if not parameter.names]
    options = [parameter for parameter in found if parameter.names]
    yield f"## {name}\n"
    yield f"{_visible(inspect.cleandoc(callback.__doc__ or '').split(chr(12))[0])}\n"
    yield f"```text\n{' '.join([name, '[OPTIONS]', *(_usage(argument) for argument in arguments)])}\n```\n"
    if arguments:
        yield "| argument | |\n|---|---|"
        yield from (f"| `{_cell(argument.metavar)}` | {_words(argument.info.help)} |" for argument in arguments)
        yield ""
    for panel in dict.fromkeys(option.info.rich_help_panel for option in options):
        yield f"| {_words(panel) or 'option'} | value | default | |\n|---|---|---|---|"
        yield from (_row(option) for option in options if option.info.rich_help_panel == panel)
        yield ""


def _usage(argument: Parameter) -> str:
    is_plain = argument.metavar.isupper() and argument.metavar.replace("_", "").isalnum()
    return argument.metavar if argument.is_required or not is_plain else f"[{argument.metavar}]"


def _row(option: Parameter) -> str:
    names = ", ".join(f"`{name}`" for declared in option.names for name in declared.split("/"))
    value = f"`{_cell(option.metavar)}`" if option.metavar else ""
    return f"| {names} | {value} | {_default(option)} | {_words(option.info.help)} |"


def _default(option: Parameter) -> str:
    """What stands where nothing is given; empty for switches and for what is looked up later."""
    if option.is_required:
        return "required"
    if isinstance(option.info.show_default, str):
        return _words(option.info.show_default)
    if option.default is None or isinstance(option.default, bool) or option.default in ("", [], ()):
        return ""
    values = option.default if isinstance(option.default, list | tuple) else [option.default]
    return _cell(", ".join(f"`{getattr(value, 'value', value)}`" for value in values))


def _visible(text: str) -> str:
    """Text in which `run_<N>` is no tag of HTML."""
    return text.replace("<", "&lt;")


def _words(text: object) -> str:
    """Words of a help text in a cell of a table."""
    return _visible(_cell(text))


def _cell(text: object) -> str:
    """Text in a cell of a table, in one line."""
    written = str(text) if isinstance(text, str) else ""
    return " ".join(written.replace("|", "\\|").split())


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(reference(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
