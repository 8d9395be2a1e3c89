"""One of the processes of a training: `python -m terrawatt.training.rank FOLDER RANK`, as `launch` starts it."""

import os
import sys
from pathlib import Path

from terrawatt.training.allocator import tune_allocator
from terrawatt.training.group import Group
from terrawatt.training.launch import Job, rendezvous
from terrawatt.training.options import from_parameters
from terrawatt.training.ranks import Failure, die_with


def main(folder: Path, rank: int) -> int:
    """Train as one rank of the job that lies in the folder; gives the exit code."""
    job = Job.read(folder)
    die_with(job.parent)
    try:
        _train(job, folder, rank)
    except Exception as error:
        failure = Failure.of(error)
        failure.write(folder, rank)
        return failure.exit_code
    return 0


def _train(job: Job, folder: Path, rank: int) -> None:
    if sys.platform == "linux":  # on one machine gloo needs no other network, and no name of the machine that resolves
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    from terrawatt.runs.reporting import PhaseReporter
    from terrawatt.training.workload import run

    options = from_parameters(job.parameters)
    if options.allocator == "tuned":
        tune_allocator()
    run(
        options,
        Path(job.out),
        repetition=job.repetition,
        phases=PhaseReporter.from_environment(),
        start_ns=job.start_ns,
        say=_say,
        group=Group(rank, options.nproc, rank, options.nproc, rendezvous(folder)),
    )


def _say(line: str) -> None:
    """Print at once: who reads the log of a long training shall see its epochs."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), int(sys.argv[2]))
    # Not sys.exit: after a failure torch's threads may wait for the others, and this process would never end.
    os._exit(code)
