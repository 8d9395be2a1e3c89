"""Run folders of the older research scripts: which files they have, and what these say.

    times.txt        one time a line: start, end of the cold period, end of the warm-up = start of repetition 1,
                     end of repetition 1 = start of repetition 2, …
    group_info.yaml  Qanat's: the options of the scenario
    info.yaml        Qanat's, in the folder of the whole run: the commit
    codecarbon/ or emissions/   a CSV file a repetition, with its number in the name
    output/          what the workload left; files of a repetition have its number in the name

There is no manifest: where the series are is not in the folder (`summary.older`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from terrawatt.errors import AnalysisError, RunFolderError
from terrawatt.records import Phase, PhaseName, Scalar, Window
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.times import format_time, read_times

_FIRST_END = 4  # the line at which the first repetition ends
_NUMBER = re.compile(r"(\d+)(?!.*\d)")  # the last one in a name
_REAL = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


@dataclass(frozen=True, slots=True)
class OlderFolder(RunFolder):
    """A folder of the older scripts; its files are found by the repetition's number in their names.

    `is_single`: it has one repetition, of which files without a number are too.
    """

    is_single: bool = False

    @property
    def emissions(self) -> Path:
        """`codecarbon/`, or `emissions/`."""
        older = self.path / "codecarbon"
        return older if older.is_dir() else self.path / "emissions"

    def emissions_of(self, repetition: int) -> Path:
        """CodeCarbon's file of one repetition; a name that is not there where there is none."""
        return self._find(self.emissions, "*.csv", repetition) or self.emissions / f"emissions_{repetition}.csv"

    def output_of(self, repetition: int, name: str) -> Path:
        """One file of one repetition: its number, and the stem and suffix of `name`, stand in the file's name."""
        wanted = Path(name)
        found = self._find(self.output, f"*{wanted.stem}*{wanted.suffix}", repetition)
        return found or RunFolder.output_of(self, repetition, name)

    def _find(self, folder: Path, pattern: str, repetition: int) -> Path | None:
        files = sorted(folder.glob(pattern))
        if self.is_single and len(files) == 1:
            return files[0]
        return _numbered(files).get(repetition)


@dataclass(frozen=True, slots=True)
class OlderRun:
    """What the files of such a folder say.

    Attributes:
        phases: cold, warm-up, repetitions.
        parameters: the options of the scenario, by their names without dashes.
        command: of the workload; empty where it is not known.
        commit: of the repository; empty where it is not known.
    """

    phases: tuple[Phase, ...]
    parameters: Mapping[str, Scalar]
    command: str
    commit: str

    @property
    def repetitions(self) -> int:
        """How many there are."""
        return sum(phase.name == PhaseName.REPETITION for phase in self.phases)


def is_older(folder: RunFolder) -> bool:
    """Whether it is a folder of the older scripts."""
    return folder.times.exists() and not folder.manifest.exists()


def read_older(folder: OlderFolder) -> OlderRun:
    """Read times, options and commit of a folder.

    Raises:
        RunFolderError: no repetition has ended, or a file cannot be read; names it.
    """
    group = _mapping(folder.path / "group_info.yaml")
    info = _mapping(folder.run_path / "info.yaml")
    options = group.get("parameters")
    return OlderRun(
        phases=_phases(folder.times),
        parameters=_parameters(options if isinstance(options, Mapping) else {}),
        command=str(group.get("command") or ""),
        commit=str(info.get("commit_sha") or ""),
    )


def _phases(path: Path) -> tuple[Phase, ...]:
    """Cold, warm-up and repetitions, each from one line to the next."""
    try:
        times = read_times(path)
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{path}: cannot be read ({error})") from error
    if len(times) < _FIRST_END:
        raise RunFolderError(f"{path}: {len(times)} times, and a repetition has ended only with the fourth")
    windows = [_window(path, number, *pair) for number, pair in enumerate(pairwise(times), start=1)]
    cold, warmup, *repetitions = windows
    return (
        Phase(PhaseName.COLD, cold),
        Phase(PhaseName.WARMUP, warmup),
        *(Phase(PhaseName.REPETITION, window, number) for number, window in enumerate(repetitions, start=1)),
    )


def _window(path: Path, number: int, start_ns: int, end_ns: int) -> Window:
    try:
        return Window(start_ns, end_ns)
    except AnalysisError as error:
        raise RunFolderError(
            f"{path}: time {number + 1}, {format_time(end_ns)}, is not behind the one before it; "
            "was the clock set back during the run?"
        ) from error


def _mapping(path: Path) -> Mapping[str, Any]:
    """The mapping in a YAML file; empty where there is no file.

    Raises:
        RunFolderError: it cannot be read, or holds something else.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RunFolderError(f"{path}: cannot be read ({' '.join(str(error).split())})") from error
    if not isinstance(content, Mapping):
        raise RunFolderError(f"{path}: not a mapping, as Qanat writes it")
    return content


def _parameters(options: Mapping[Any, Any]) -> dict[str, Scalar]:
    """Options without dashes; numbers that stand as texts, or as `10.0`, become what they are."""
    return {str(name).lstrip("-"): _scalar(value) for name, value in options.items() if value is not None}


def _scalar(value: Any) -> Scalar:
    if isinstance(value, bool):
        return value
    text = str(value).strip()
    if not _REAL.match(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number


def _numbered(files: Iterable[Path]) -> dict[int, Path]:
    """Files by the repetition of which they are, counted from 1; where one has the number 0, that one is the first."""
    found = {int(number[1]): path for path in files if (number := _NUMBER.search(path.stem))}
    first = 1 if 0 in found else 0
    return {number + first: path for number, path in found.items()}


def unnumbered(folder: Path, suffixes: Sequence[str]) -> list[str]:
    """Files without a number in their names, which cannot be given to a repetition."""
    if not folder.is_dir():
        return []
    files = (path for path in folder.iterdir() if path.suffix in suffixes)
    return sorted(path.name for path in files if not _NUMBER.search(path.stem))
