"""What the executables in `experiments/` do: the argument lists of Qanat and of the seed's script become commands.

Qanat starts `execute` for each scenario with its options and `--storage_path FOLDER` (docs/with-qanat.md).
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from terrawatt.cli.app import main

if TYPE_CHECKING:
    from terrawatt.experiment.lock import Holder

_STORAGE = ("--storage_path", "--storage-path")
_POLL_S = 0.5


def execute(argv: Sequence[str]) -> None:
    """One scenario under the protocol; scenarios that Qanat starts at once wait for each other.

    They also wait to begin at all: reading a pack to check it would disturb another one's measurement.
    """
    from terrawatt.experiment.lock import MachineLock

    folder, _ = _taken(argv, _STORAGE)
    progress = ["--progress-file", str(Path(folder) / "progress.txt")] if folder else []
    with MachineLock(Path(tempfile.gettempdir()) / "terrawatt-qanat.lock") as turn:
        turn.acquire(_pause)
        if folder:
            turn.note(Path(folder))
        main(["run", *argv, "--wait", *progress])


def make_summary(argv: Sequence[str]) -> None:
    """The table, the figures and the report of a run."""
    folder, others = _taken(argv, _STORAGE)
    main(["summary", *([folder] if folder else []), *others])


def make_report(argv: Sequence[str]) -> None:
    """The figures and the report of a run, from its table where there is one."""
    folder, others = _taken(argv, _STORAGE)
    has_table = folder is not None and (Path(folder) / "summary" / "output_all.csv").exists()
    make_summary([*argv, *(["--file", "True"] if has_table and not _has(others, ("--file", "-f")) else [])])


def stats_summary(script: Path, argv: Sequence[str]) -> None:
    """The summary of runs of the project that holds the script, from whatever folder it is called."""
    project = script.absolute().parents[2]
    settings = project / "terrawatt.toml"
    places = ["--config", str(settings)] if settings.exists() else ["--results", str(project / "results")]
    main(["summary", *argv, *([] if _has(argv, ("--config", "--results")) else places)])


def _taken(argv: Sequence[str], names: Sequence[str]) -> tuple[str | None, list[str]]:
    """The value of an option, None where it is not given, and the other arguments."""
    value, others = None, list(argv)
    for position, argument in enumerate(argv):
        name, equals, behind = argument.partition("=")
        if name in names and (equals or position + 1 < len(argv)):
            value = behind if equals else argv[position + 1]
            del others[position : position + (1 if equals else 2)]
            break
    return value, others


def _has(argv: Sequence[str], names: Sequence[str]) -> bool:
    return any(argument.partition("=")[0] in names for argument in argv)


def _pause(_holder: "Holder | None") -> None:
    time.sleep(_POLL_S)
