"""The options of the protocol and the run folder, which `terrawatt run` and `terrawatt measure` share.

A command takes them all as one argument named `options`:

    @takes_run_options
    def measure(options: RunOptions, command: …) -> None: ...

What is not given comes from the settings.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from terrawatt.cli.option_groups import takes_groups
from terrawatt.cli.options import parse_integer, parse_number, parse_positive, parse_share
from terrawatt.errors import ProtocolError, UsageError

if TYPE_CHECKING:
    from terrawatt.config import Section, Settings
    from terrawatt.experiment.progress import Progress
    from terrawatt.experiment.runner import Outcome, Request
    from terrawatt.records import Scenario

AnySection = TypeVar("AnySection", bound="Section")

_PROTOCOL = "Protocol (default: terrawatt.toml)"
_FOLDER = "Run folder"
_RUN = "Run"
_LAUNCH = "Many machines (docs/with-slurm.md)"


def _seconds(name: str, text: str) -> Any:
    return typer.Option(name, metavar="SECONDS", parser=parse_number, help=text, rich_help_panel=_PROTOCOL)


def _count(name: str, text: str) -> Any:
    return typer.Option(name, metavar="N", parser=parse_positive, help=text, rich_help_panel=_PROTOCOL)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was given on the command line; None: not given."""

    repetitions: Annotated[
        int | None,
        typer.Option(
            "--repetitions", "-n", metavar="N", parser=parse_positive, help="Measured.", rich_help_panel=_PROTOCOL
        ),
    ] = None
    until_ci: Annotated[
        float | None,
        typer.Option(
            "--until-ci",
            metavar="PERCENT",
            parser=parse_share,
            help="Repeat until the 95 % interval of the net energy is ± so narrow, e.g. 2%.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = None
    min_repetitions: Annotated[int | None, _count("--min-repetitions", "With --until-ci: at least (5 or more).")] = None
    max_repetitions: Annotated[int | None, _count("--max-repetitions", "With --until-ci: at most.")] = None
    order: Annotated[
        str | None,
        typer.Option(
            "--order",
            metavar="blocks|interleaved|sequential",
            help="Of the repetitions of several scenarios.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = None
    order_seed: Annotated[
        int | None,
        typer.Option(
            "--order-seed",
            metavar="N",
            parser=parse_integer,
            help="Of the random order inside blocks; default: drawn.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = None
    warmup: Annotated[
        int | None,
        typer.Option(
            "--warmup", metavar="N", parser=parse_integer, help="Discarded executions.", rich_help_panel=_PROTOCOL
        ),
    ] = None
    cold: Annotated[float | None, _seconds("--cold", "Idle before.")] = None
    idle_after: Annotated[float | None, _seconds("--idle-after", "Idle after.")] = None
    pause: Annotated[float | None, _seconds("--pause", "Between repetitions.")] = None
    min_window: Annotated[
        float | None, _seconds("--min-window", "A shorter workload is repeated inside its window.")
    ] = None
    country: Annotated[
        str | None,
        typer.Option("--country", metavar="CODE", help="Of the electricity, e.g. FRA.", rich_help_panel=_PROTOCOL),
    ] = None
    name: Annotated[str | None, typer.Option("--name", help="Name of the experiment.", rich_help_panel=_FOLDER)] = None
    results: Annotated[
        Path | None,
        typer.Option("--results", metavar="DIR", help="Where experiments are kept.", rich_help_panel=_FOLDER),
    ] = None
    storage_path: Annotated[
        Path | None,
        typer.Option(
            "--storage-path",
            "--storage_path",
            metavar="DIR",
            help="The run's own folder, instead of the next run_<N>; as Qanat gives it.",
            rich_help_panel=_FOLDER,
        ),
    ] = None
    progress_file: Annotated[
        Path | None,
        typer.Option(
            "--progress-file",
            metavar="FILE",
            help="Also count the repetitions into a file, as Qanat reads it.",
            rich_help_panel=_FOLDER,
        ),
    ] = None
    on_failure: Annotated[
        str,
        typer.Option(
            "--on-failure",
            metavar="continue|stop",
            help="After a repetition that failed: go on, or stop the run.",
            rich_help_panel=_RUN,
        ),
    ] = "continue"
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="RUN",
            help="Go on with a run that was ended: its number or folder.",
            rich_help_panel=_RUN,
        ),
    ] = None
    accept_changes: Annotated[
        bool,
        typer.Option(
            "--accept-changes",
            help="With --resume: though machine, meters, code, data or settings changed.",
            rich_help_panel=_RUN,
        ),
    ] = False
    launcher: Annotated[
        str | None,
        typer.Option(
            "--launcher",
            metavar="slurm",
            help="Submit each repetition as a job with a node of its own.",
            rich_help_panel=_LAUNCH,
        ),
    ] = None
    max_jobs: Annotated[
        int | None,
        typer.Option(
            "--max-jobs", metavar="N", parser=parse_positive, help="At once; default: 1.", rich_help_panel=_LAUNCH
        ),
    ] = None
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            "--slurm", metavar="NAME=VALUE", help="An option of sbatch, e.g. partition=gpu.", rich_help_panel=_LAUNCH
        ),
    ] = None
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait for another measured run on this machine to end.", rich_help_panel=_RUN),
    ] = False
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Settings file; default: terrawatt.toml here or in a folder above.",
            dir_okay=False,
            rich_help_panel=_RUN,
        ),
    ] = None

    def settings(self, begun_with: Mapping[str, Mapping[str, Any]] | None = None) -> "Settings":
        """The settings in force: those of the file and the environment, with the options over them.

        Args:
            begun_with: of a run that goes on, the options with which it began: they stand between the two.

        Raises:
            ConfigError: the file or a variable is wrong.
            UsageError: an option's value is out of its range.
        """
        from terrawatt.config import load

        settings = load(self.config)
        began = {section: dict(values) for section, values in (begun_with or {}).items()}
        given = self.given()
        protocol = _overridden(settings.protocol, began.get("protocol", {}))
        self._check_repetitions(protocol.until_ci_percent > 0)
        return settings.model_copy(
            update={
                "protocol": _overridden(protocol, given["protocol"]),
                "experiment": _overridden(settings.experiment, {"name": self.name, "results": self.results}),
                "emissions": _overridden(settings.emissions, began.get("emissions", {}) | given["emissions"]),
            }
        )

    def given(self) -> dict[str, dict[str, Any]]:
        """What of protocol and emissions was given: section -> key -> value."""
        protocol = {
            "repetitions": self.repetitions,
            "until_ci_percent": None if self.until_ci is None else 100 * self.until_ci,
            "min_repetitions": self.min_repetitions,
            "max_repetitions": self.max_repetitions,
            "order": self.order,
            "order_seed": self.order_seed,
            "warmup": self.warmup,
            "cold_s": self.cold,
            "idle_after_s": self.idle_after,
            "pause_s": self.pause,
            "min_window_s": self.min_window,
        }
        sections: dict[str, dict[str, Any]] = {"protocol": protocol, "emissions": {"country": self.country}}
        return {
            section: {key: value for key, value in values.items() if value is not None}
            for section, values in sections.items()
        }

    def _check_repetitions(self, is_set_in_file: bool) -> None:
        """Their number is either given, or found out.

        Raises:
            UsageError: options contradict each other.
        """
        until = self.until_ci is not None or is_set_in_file
        if until and self.repetitions is not None:
            raise UsageError("--repetitions fixes their number; with --until-ci give --max-repetitions")
        if not until and (self.min_repetitions is not None or self.max_repetitions is not None):
            raise UsageError("--min-repetitions and --max-repetitions belong to --until-ci; give --repetitions")

    def request(
        self, settings: "Settings", scenarios: Sequence["Scenario"], data: Mapping[str, Any] | None = None
    ) -> "Request":
        """What the runner is asked for.

        Raises:
            UsageError: `--on-failure` is neither of its words.
        """
        from terrawatt.experiment.runner import Request
        from terrawatt.experiment.scenario_run import OnFailure

        if self.on_failure not in tuple(OnFailure):
            raise UsageError(f"--on-failure {self.on_failure}: give continue or stop")
        return Request(
            settings=settings,
            scenarios=tuple(scenarios),
            data=data or {},
            on_failure=OnFailure(self.on_failure),
            wait=self.wait,
            storage_path=self.storage_path,
            options=self.given(),
        )


def execute(options: RunOptions, request: "Request") -> None:
    """Run, say where the results are and what comes next.

    Raises:
        UsageError: an option is given that belongs to another one, which is not.
        ProtocolError: a repetition or a scenario failed.
    """
    from terrawatt.cli.launch import launch
    from terrawatt.experiment.runner import run

    if options.accept_changes:
        raise UsageError("--accept-changes belongs to --resume")
    if options.launcher is not None:
        launch(options, request)
        return
    if options.max_jobs is not None or options.slurm:
        raise UsageError("--max-jobs and --slurm belong to --launcher, which is not given")
    tell(options, run(request, shown(options)))


def shown(options: RunOptions) -> "Progress":
    """What the user sees; also the file of `--progress-file`."""
    from terrawatt.experiment.progress import choose
    from terrawatt.experiment.progress_file import ProgressFile

    progress = choose(sys.stdout)
    return ProgressFile(progress, options.progress_file) if options.progress_file else progress


def tell(options: RunOptions, outcome: "Outcome") -> None:
    """Say where the results are and what comes next.

    Raises:
        ProtocolError: a repetition or a scenario failed.
    """
    typer.echo(f"run folder: {outcome.run_path}")
    typer.echo(f"next: terrawatt summary {_as_summary_names_it(options, outcome.run_path)}")
    if outcome.failures:
        raise ProtocolError("; ".join(outcome.failures))


takes_run_options = takes_groups(options=RunOptions)


def _overridden(section: AnySection, given: Mapping[str, Any]) -> AnySection:
    """A section of the settings with the given values, checked like those of the file."""
    from pydantic import ValidationError

    values = {name: value for name, value in given.items() if value is not None}
    try:
        return type(section).model_validate(section.model_dump() | values)
    except ValidationError as error:
        detail = error.errors()[0]
        option = str(detail["loc"][0]).removesuffix("_s").removesuffix("_percent").replace("_", "-")
        raise UsageError(f"--{option} {detail['input']}: {detail['msg']}") from error


def _as_summary_names_it(options: RunOptions, run_path: Path) -> str:
    """A run as `terrawatt summary` finds it: by its number, or by its folder where options moved it elsewhere."""
    moved = options.storage_path or options.name or options.results or options.config
    number = run_path.name.removeprefix("run_")
    return shlex.quote(str(run_path)) if moved else number
