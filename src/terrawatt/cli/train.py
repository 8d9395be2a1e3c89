"""`terrawatt train`: one training and its test predictions, without measuring."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.options import ConfigOption, parse_positive
from terrawatt.cli.scenario_options import Given, takes_scenario

if TYPE_CHECKING:
    from terrawatt.training.group import Group
    from terrawatt.training.options import TrainingOptions


@takes_scenario
def train(
    scenario: Given,
    out: Annotated[Path, typer.Option("--out", help="Folder of the outputs; made when missing.", file_okay=False)],
    repetition: Annotated[
        int | None,
        typer.Option("--repetition", parser=parse_positive, metavar="N", help="Number in the outputs' names."),
    ] = None,
    verify: Annotated[bool, typer.Option(help="Compare the pack's checksums first.")] = True,
    config: ConfigOption = None,
) -> None:
    """Train a model on a pack, validate it each epoch, and write its predictions of the test split."""
    start_ns = time.time_ns()
    from terrawatt.config import load
    from terrawatt.training.options import from_parameters

    options = replace(from_parameters(scenario), verify=verify)
    if options.data is None:
        options = replace(options, data=load(config).data.pack)

    from terrawatt.training.group import Group

    group = Group.from_environment()
    if group.size == 1 and options.nproc > 1:
        from terrawatt.training.launch import launch

        launch(options, out, repetition=repetition, start_ns=start_ns)
    else:
        _train(options, out, repetition, start_ns, group)
    if group.is_first:
        typer.echo(f"outputs: {out}")


def _train(options: "TrainingOptions", out: Path, repetition: int | None, start_ns: int, group: "Group") -> None:
    """Train in this process, alone or as one of those that torchrun started."""
    from terrawatt.training.allocator import tune_allocator

    if options.allocator == "tuned":
        tune_allocator()  # before torch takes memory
    from terrawatt.runs.reporting import PhaseReporter
    from terrawatt.training.workload import run

    run(
        replace(options, nproc=group.size) if options.nproc == 1 else options,
        out,
        repetition=repetition,
        phases=PhaseReporter.from_environment(),
        start_ns=start_ns,
        say=typer.echo,
        group=group,
    )
