"""Where each file of a run lies, and how run folders are numbered and found."""

import re
from dataclasses import dataclass
from pathlib import Path

from terrawatt.errors import RunFolderError

_RUN = re.compile(r"^run_(\d+)$")
_GROUP = re.compile(r"^group_(\d+)$")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one scenario: `run_<N>`, or `run_<N>/group_<i>` where a run has several.

    A run with several is a sweep: its plan, its series and its log lie in `run_<N>` itself.
    """

    path: Path

    @property
    def times(self) -> Path:
        """`times.txt`: the boundaries, as the older scripts wrote them."""
        return self.path / "times.txt"

    @property
    def phases(self) -> Path:
        """`phases.jsonl`: every phase with its window."""
        return self.path / "phases.jsonl"

    @property
    def output(self) -> Path:
        """`output/`: what the workload leaves, by repetition."""
        return self.path / "output"

    @property
    def emissions(self) -> Path:
        """`emissions/`: CodeCarbon's file of each repetition."""
        return self.path / "emissions"

    @property
    def telemetry(self) -> Path:
        """`telemetry.sqlite`: the series, in the embedded store; of a sweep's group the whole run's."""
        own = self.path / "telemetry.sqlite"
        return own if own.exists() or not self.plan.exists() else self.run_path / own.name

    @property
    def forwarded(self) -> Path:
        """`forwarded.json`: how far the series were sent on to a database, beside them."""
        return self.telemetry.with_name("forwarded.json")

    @property
    def plan(self) -> Path:
        """`plan.json`: of a sweep, which repetition of which scenario comes when; one for the whole run."""
        return self.run_path / "plan.json"

    @property
    def heartbeat(self) -> Path:
        """`heartbeat.json`: that a run is under way, and how far it is; in the folder of the whole run."""
        return self.path / "heartbeat.json"

    @property
    def manifest(self) -> Path:
        """`manifest.json`: what was run, on what, with what."""
        return self.path / "manifest.json"

    @property
    def status(self) -> Path:
        """`status.json`: the state of each repetition."""
        return self.path / "status.json"

    @property
    def log(self) -> Path:
        """`log.txt`: what the workload printed, and what the runner did."""
        return self.path / "log.txt"

    @property
    def group(self) -> int | None:
        """The number of the group, or None for a run of one scenario."""
        found = _GROUP.match(self.path.name)
        return int(found[1]) if found else None

    @property
    def run_path(self) -> Path:
        """The folder of the whole run."""
        return self.path.parent if self.group is not None else self.path

    @property
    def run_id(self) -> int | None:
        """The number of the run; None where the folder has another name."""
        found = _RUN.match(self.run_path.name)
        return int(found[1]) if found else None

    def emissions_of(self, repetition: int) -> Path:
        """CodeCarbon's file of one repetition."""
        return self.emissions / f"emissions_{repetition}.csv"

    def output_of(self, repetition: int, name: str) -> Path:
        """One file of one repetition, e.g. `probabilities.npy`."""
        return self.output / f"repetition_{repetition}_{name}"


def create_run(results: Path, experiment: str, groups: int = 1) -> list[RunFolder]:
    """Make the next run folder, `results/<experiment>/run_<N>`, with its groups when there are several.

    Numbers are taken by `mkdir`, so that two processes never get the same one.

    Raises:
        RunFolderError: the results folder cannot be written.
    """
    parent = results / experiment
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number = max((identity for identity in map(_run_number, parent.iterdir()) if identity is not None), default=0)
        while True:
            number += 1
            try:
                (parent / f"run_{number}").mkdir()
                break
            except FileExistsError:
                continue
        return prepare_run(parent / f"run_{number}", groups)
    except OSError as error:
        raise RunFolderError(
            f"{error.filename or parent}: cannot make a run folder ({error.strerror}); "
            "choose another with --results or experiment.results"
        ) from error


def prepare_run(run_path: Path, groups: int = 1) -> list[RunFolder]:
    """The scenario folders of a run, made where they are missing."""
    paths = [run_path] if groups == 1 else [run_path / f"group_{index}" for index in range(1, groups + 1)]
    folders = [RunFolder(path) for path in paths]
    for folder in folders:
        folder.output.mkdir(parents=True, exist_ok=True)
        folder.emissions.mkdir(exist_ok=True)
    return folders


def find_run(run: str, results: Path, experiment: str) -> Path:
    """The folder of a run given as a number of `results/<experiment>`, `3` or with its group `3/1`, or as a path.

    Raises:
        RunFolderError: there is none.
    """
    number, _, group = run.partition("/")
    if number.isdigit() and (group.isdigit() or "/" not in run):
        path = results / experiment / f"run_{number}"
        if path.is_dir():
            return _group_of(path, group) if group else path
        known = sorted(filter(None, map(_run_number, path.parent.glob("run_*"))))
        raise RunFolderError(
            f"{path}: no such run; "
            + (f"there are {', '.join(map(str, known))}" if known else f"{path.parent} holds no run yet")
        )
    path = Path(run)
    if not path.is_dir():
        raise RunFolderError(f"{run}: no such folder; give a run's number or its folder")
    return path


def scenario_folders(run_path: Path) -> list[RunFolder]:
    """The folders of a run's scenarios, by number: its groups, or itself."""
    groups = [(int(found[1]), path) for path in run_path.glob("group_*") if (found := _GROUP.match(path.name))]
    return [RunFolder(path) for _, path in sorted(groups)] or [RunFolder(run_path)]


def all_runs(parent: Path) -> list[Path]:
    """The runs of an experiment, by number; none where there is no folder."""
    numbered = [(number, path) for path in parent.glob("run_*") if (number := _run_number(path)) is not None]
    return [path for _, path in sorted(numbered)]


def _group_of(run_path: Path, group: str) -> Path:
    """The folder of one of a run's groups.

    Raises:
        RunFolderError: there is none.
    """
    path = run_path / f"group_{group}"
    if path.is_dir():
        return path
    known = ", ".join(str(folder.group) for folder in scenario_folders(run_path) if folder.group is not None)
    raise RunFolderError(f"{path}: no such group; " + (f"there are {known}" if known else f"{run_path} has no groups"))


def _run_number(path: Path) -> int | None:
    found = _RUN.match(path.name)
    return int(found[1]) if found else None
