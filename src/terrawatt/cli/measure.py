"""`terrawatt measure`: any command under the protocol."""

from pathlib import Path
from typing import Annotated

import typer

from terrawatt.cli.options import parse_integer
from terrawatt.cli.param_file import command_scenarios
from terrawatt.cli.resume import resume
from terrawatt.cli.run_options import RunOptions, execute, takes_run_options
from terrawatt.errors import UsageError


@takes_run_options
def measure(
    options: RunOptions,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Behind --: the program and its arguments.")
    ] = None,
    param_file: Annotated[
        Path | None,
        typer.Option(
            "--param-file",
            "--param_file",
            "-f",
            metavar="FILE",
            help="Many scenarios: where {name} stands in the command, the value of each takes its place.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether very many scenarios are meant.")] = False,
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

    if options.resume is not None:
        if command or param_file is not None or label is not None or seed is not None:
            raise UsageError("--resume goes on with the commands of the run; give no others")
        resume(options, options.resume)
        return
    if not command:
        raise UsageError("there is no command to run; give one behind --")
    if param_file is not None:
        scenarios = command_scenarios(param_file, command, label, seed, yes=yes)
    else:
        scenarios = [Scenario({"command": label or shlex.join(command)}, tuple(command), seed)]
    if "{seed}" in command and any(scenario.seed is None for scenario in scenarios):
        raise UsageError("the command holds {seed}: give --seed, the seed of repetition 1")
    execute(options, options.request(options.settings(), scenarios))
