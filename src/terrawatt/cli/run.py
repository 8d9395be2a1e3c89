"""`terrawatt run`: one scenario, or those of a parameter file, under the protocol."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrawatt.cli.param_file import confirm, expanded
from terrawatt.cli.resume import resume
from terrawatt.cli.run_options import RunOptions, execute, takes_run_options
from terrawatt.cli.scenario_options import NAMES, Given, takes_scenario
from terrawatt.errors import UsageError

if TYPE_CHECKING:
    from terrawatt.config import Settings
    from terrawatt.records import Scenario
    from terrawatt.training.options import TrainingOptions


@takes_scenario
@takes_run_options
def run(
    scenario: Given,
    options: RunOptions,
    param_file: Annotated[
        Path | None,
        typer.Option(
            "--param-file", "--param_file", "-f", metavar="FILE", help="Many scenarios: Qanat's parameter file."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the scenarios and end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether very many scenarios are meant.")] = False,
) -> None:
    """Train and test models under the protocol: cold, warm-up, repetitions, idle; one scenario or those of a file."""
    if options.resume is not None:
        if scenario or param_file is not None or dry_run:
            raise UsageError("--resume goes on with the scenarios of the run; give no others")
        resume(options, options.resume)
        return
    trainings = _trainings(scenario, param_file, yes=yes)
    settings = options.settings()
    if dry_run:
        _list(trainings, settings.protocol.planned_repetitions)
        return
    scenarios, fingerprint = prepared_scenarios(settings, trainings)
    execute(options, options.request(settings, scenarios, fingerprint))


def prepared_scenarios(
    settings: "Settings", trainings: "Sequence[TrainingOptions]"
) -> "tuple[list[Scenario], Mapping[str, Any]]":
    """The scenarios of some trainings, whose pack has been checked, and its fingerprint.

    Raises:
        UsageError: there is no pack, or there are several.
        PackError: it is damaged, or does not serve a training.
    """
    from dataclasses import replace

    trainings = [replace(training, data=training.data or settings.data.pack) for training in trainings]
    fingerprint = _check_pack(_only_pack(trainings), trainings)
    return [training_scenario(training) for training in trainings], {**fingerprint, **_split_files(trainings)}


def _split_files(trainings: "Sequence[TrainingOptions]") -> dict[str, Any]:
    """The split files of some trainings and how they were made; nothing where the pack's own splits are used."""
    from terrawatt.data.splitfile import read_provenance

    paths = sorted({str(training.split.path.resolve()) for training in trainings if training.split is not None})
    return {"split_files": [{"file": path, **read_provenance(Path(path))} for path in paths]} if paths else {}


def training_scenario(training: "TrainingOptions") -> "Scenario":
    """The scenario that trains a model: its parameters, and the command that a repetition runs."""
    from terrawatt.records import Scenario

    # -P: terrawatt and what it imports are the installed packages, not what lies in the working folder.
    program = (sys.executable, "-P", "-m", "terrawatt", "train")
    places = ("--no-verify", "--seed", "{seed}", "--out", "{output}", "--repetition", "{repetition}")
    return Scenario(training.parameters(), (*program, *training.argv(), *places), training.seed)


def _trainings(given: Given, param_file: Path | None, *, yes: bool) -> "list[TrainingOptions]":
    """The training of each scenario: the options given, with those of the file."""
    from terrawatt.training.options import from_parameters

    if param_file is None:
        return [from_parameters(given)]
    trainings: dict[TrainingOptions, int] = {}  # each once, however it is written
    grid = expanded(param_file, NAMES)
    confirm(len(grid), str(param_file), yes=yes)
    for number, parameters in enumerate(grid, start=1):
        if twice := sorted(given.keys() & parameters.keys()):
            raise UsageError(f"--{twice[0]} is given, and stands in {param_file} too; leave one of them out")
        try:
            training = from_parameters({**given, **parameters})
        except UsageError as error:
            raise UsageError(f"{param_file}, scenario {number}: {error}") from error
        if (first := trainings.setdefault(training, number)) != number:
            raise UsageError(f"{param_file}: scenario {number} is the same as scenario {first}; leave one of them out")
    return list(trainings)


def _list(trainings: "Sequence[TrainingOptions]", repetitions: int) -> None:
    for number, training in enumerate(trainings, start=1):
        parameters = ", ".join(f"{name} {value}" for name, value in training.parameters().items())
        typer.echo(f"{number}: {parameters}")
    typer.echo(f"{len(trainings)} scenarios of {repetitions} repetitions; nothing was run")


def _only_pack(trainings: "Sequence[TrainingOptions]") -> Path:
    """The pack that all scenarios read."""
    packs = {training.data for training in trainings}
    if len(packs) > 1:
        raise UsageError("the scenarios of a run read one pack; make a run of each pack")
    if (pack := packs.pop()) is None:
        raise UsageError(
            "no data: give a pack with --data, or data.pack in terrawatt.toml (terrawatt data pack makes one)"
        )
    return pack


def _check_pack(path: Path, trainings: "Sequence[TrainingOptions]") -> Mapping[str, Any]:
    """See that the pack is undamaged and serves every scenario, before anything is measured; its fingerprint."""
    from terrawatt.cli.bars import progress_bar
    from terrawatt.data.pack import Pack
    from terrawatt.training.suitability import check_pack

    pack = Pack.open(path)
    for training in trainings:
        check_pack(training, pack)
    with progress_bar(f"Checking {path}", len(pack)) as advance:
        pack.verify(advance)
    typer.echo(f"data: {path}, {len(pack)} patches, checksums right")
    return pack.fingerprint()
