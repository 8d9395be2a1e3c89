"""`terrawatt measure`: any command under the protocol."""

from typing import Annotated

import typer

from terrawatt.cli.options import parse_integer
from terrawatt.cli.run_options import RunOptions, execute, takes_run_options
from terrawatt.errors import UsageError


@takes_run_options
def measure(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="Behind --: the program and its arguments.")],
    options: RunOptions,
    label: Annotated[str | None, typer.Option("--label", help="Its name in the table; default: the command.")] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", parser=parse_integer, help="What {seed} stands for in repetition 1."),
    ] = None,
) -> None:
    """Measure a command: cold, warm-up, repetitions, idle, with power, host and emissions recorded.

    Arguments that are exactly {seed}, {output} or {repetition} are replaced. Write -- before the command.
    """
    import shlex

    from terrawatt.records import Scenario

    if "{seed}" in command and seed is None:
        raise UsageError("the command holds {seed}: give --seed, the seed of repetition 1")
    parameters = {"command": label or shlex.join(command)}
    scenario = Scenario(parameters=parameters, command=tuple(command), seed=seed)
    execute(options, options.request(options.settings(), [scenario]))
