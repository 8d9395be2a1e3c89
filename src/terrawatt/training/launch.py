"""A training in several processes on this machine. Nothing of torch is imported here: the processes do that."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from terrawatt.records import Scalar
from terrawatt.training.options import TrainingOptions
from terrawatt.training.ranks import run_ranks

_FILE = "job.json"
_RENDEZVOUS = "rendezvous"  # a file of torch's, by which the processes find each other: no port can be taken


@dataclass(frozen=True, slots=True)
class Job:
    """What each of the processes is told.

    Attributes:
        parameters: of the training, as `from_parameters` reads them.
        out: folder of the outputs.
        repetition: number in the outputs' names.
        start_ns: when the setup began.
        parent: the process with which they die.
    """

    parameters: Mapping[str, Scalar]
    out: str
    repetition: int | None
    start_ns: int
    parent: int

    @classmethod
    def read(cls, folder: Path) -> Self:
        """That of a folder."""
        return cls(**json.loads((folder / _FILE).read_text(encoding="utf-8")))

    def write(self, folder: Path) -> None:
        """Into a folder."""
        (folder / _FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")


def launch(options: TrainingOptions, out: Path, *, repetition: int | None, start_ns: int) -> None:
    """Train in `options.nproc` processes, wait for them, and leave what `workload.run` leaves.

    Raises:
        UsageError, TrainingError: of the rank that failed first, by its number.
    """
    parameters: dict[str, Scalar] = {**options.settings(), "verify": options.verify}
    with tempfile.TemporaryDirectory(prefix="terrawatt-train-", ignore_cleanup_errors=True) as scratch:
        Job(parameters, str(out), repetition, start_ns, os.getpid()).write(Path(scratch))
        # -P: terrawatt and what it imports are the installed packages, not what lies in the working folder.
        program = (sys.executable, "-P", "-m", "terrawatt.training.rank", scratch)
        run_ranks([(*program, str(rank)) for rank in range(options.nproc)], Path(scratch))


def rendezvous(folder: Path) -> str:
    """Where the processes of a job find each other, as torch's `init_method`."""
    return (folder / _RENDEZVOUS).absolute().as_uri()
