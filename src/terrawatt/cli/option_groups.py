"""Commands with many options take them as records: each field of a frozen dataclass is one option.

@takes_groups(options=RunOptions)
def measure(options: RunOptions, command: …) -> None: ...
"""

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from functools import wraps
from typing import Any


def takes_groups(**groups: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the fields of dataclasses as options; each of its parameters named here gets them together.

    Args:
        groups: parameter of the command -> dataclass whose fields are annotated as options, each with a default.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_options(*positional: Any, **arguments: Any) -> None:
            records = {
                name: group(**{field.name: arguments.pop(field.name) for field in fields(group)})
                for name, group in groups.items()
            }
            command(*positional, **records, **arguments)

        signature = inspect.signature(command, eval_str=True)
        own = [parameter for name, parameter in signature.parameters.items() if name not in groups]
        parameters = [*own, *(_parameter(field) for group in groups.values() for field in fields(group))]
        with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del with_options.__wrapped__
        return with_options

    return decorate


def _parameter(field: "Field[Any]") -> inspect.Parameter:
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
