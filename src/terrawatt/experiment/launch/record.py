"""`launch.json` of a launched sweep: all that a job needs to measure its part, and which jobs were submitted.

A part is one repetition of one scenario. Parts are numbered from 1 in the order of the plan; each has a folder
`group_<part>` of its own, with manifest, phases and series, since parts of one scenario may be measured at once on
several machines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from terrawatt.config import Settings
from terrawatt.errors import ConfigError, RunFolderError
from terrawatt.experiment.scenario_run import OnFailure
from terrawatt.records import Order, Scenario
from terrawatt.runs.atomic import write_bytes
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.plan import Entry
from terrawatt.runs.status import State, read_status

FORMAT_VERSION = 1
FILE_NAME = "launch.json"
_GIVEN = ("experiment", "protocol", "emissions")  # the sections over which options of the command line stand


@dataclass(frozen=True, slots=True)
class Launch:
    """A launched sweep.

    Attributes:
        working_folder: in which each job works; on a disk that all nodes share.
        settings: those in force where it was launched, without secrets.
        scenarios: all of them.
        order: of the parts.
        seed: of a random order.
        entries: the parts, in order.
        max_jobs: how many are measured at once, at most.
        cluster: what the engine is told of each job, name -> value.
        data, options, on_failure: as in `Request`.
        jobs: part -> the job that was submitted for it last.
    """

    working_folder: str
    settings: Mapping[str, Any]
    scenarios: tuple[Scenario, ...]
    order: Order
    seed: int
    entries: tuple[Entry, ...]
    max_jobs: int
    cluster: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    on_failure: OnFailure = OnFailure.CONTINUE
    jobs: Mapping[int, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION


_adapter = TypeAdapter(Launch)


def is_launched(run_path: Path) -> bool:
    """Whether a run's folder is that of a launched sweep."""
    return (run_path / FILE_NAME).exists()


def write_launch(run_path: Path, launch: Launch) -> None:
    """Write it, atomically."""
    write_bytes(run_path / FILE_NAME, _adapter.dump_json(launch, indent=2) + b"\n")


def read_launch(run_path: Path) -> Launch:
    """Read it.

    Raises:
        RunFolderError: it is not there, damaged, or of a newer format.
    """
    path = run_path / FILE_NAME
    try:
        launch = _adapter.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise RunFolderError(f"{path}: not a launched sweep ({detail})") from error
    if launch.format_version > FORMAT_VERSION:
        raise RunFolderError(
            f"{path}: format {launch.format_version}, but this version reads up to {FORMAT_VERSION}; update terrawatt"
        )
    return launch


def part_folder(run_path: Path, part: int) -> RunFolder:
    """The folder of a part."""
    return RunFolder(run_path / f"group_{part}")


def is_done(run_path: Path, part: int) -> bool:
    """Whether a part was measured to its end, without a failure."""
    try:
        return read_status(part_folder(run_path, part).status).state is State.DONE
    except RunFolderError:
        return False


def without_secrets(settings: Settings) -> dict[str, Any]:
    """The settings as values, for a file; secrets stay in the environment and in files of their own."""
    return settings.model_dump(mode="json", exclude={"store": {"user", "password", "token"}})


def settings_on(launch: Launch, host: str) -> Settings:
    """The settings of a job on one node: those of the launch, secrets of its environment, its own meters.

    Raises:
        ConfigError: the settings name meters of nodes, but none of this one.
    """
    in_force = Settings(**launch.settings)
    sections = {name: type(getattr(in_force, name)).model_validate(launch.settings[name]) for name in _GIVEN}
    if in_force.hosts and in_force.host_of(host) is None:
        raise ConfigError(
            f"this is {host}, and [hosts] names {', '.join(in_force.hosts)}: each node needs its own meter; "
            f"add [[hosts.{host}.sources]]"
        )
    return in_force.model_copy(update=sections).on_host(host)
