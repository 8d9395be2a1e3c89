"""Slurm: a job array, at most so many of its jobs at once, each with a node for itself alone (submitit).

No energy of another job is then in a measurement, exit codes are true, and nothing of ours keeps running on a node.
"""

import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from terrawatt.errors import ProtocolError, UsageError
from terrawatt.experiment.launch.part import measure_part, prepare_part
from terrawatt.experiment.launch.record import (
    Launch,
    is_done,
    part_folder,
    read_launch,
    without_secrets,
    write_launch,
)
from terrawatt.experiment.plan import ordered
from terrawatt.experiment.preflight import check_command, check_space, check_store, make_folders
from terrawatt.experiment.request import Request

LOG_FOLDER = "launch"
_SEED_BITS = 32
_USUAL_ARRAY = 1001  # Slurm's default
_LIMIT_MIN = 1440  # of a job, where --slurm time=… says nothing else


def launch(request: Request, max_jobs: int, cluster: Mapping[str, str], say: Callable[[str], None]) -> Path:
    """Make the run's folder, and submit a job for each repetition of each scenario, in the order of the protocol.

    Args:
        request: what is run.
        max_jobs: how many jobs run at once, at most.
        cluster: options of sbatch for each job, name -> value.
        say: tells the user a line.

    Returns:
        The run's folder, which the nodes must see at the same place.

    Raises:
        UsageError: the number of repetitions is not fixed, or the time limit is no number of minutes.
        ProtocolError: there is no Slurm here, or it refuses.
        TerrawattError: as `runner.run` before a run.
    """
    protocol = request.settings.protocol
    if protocol.until_ci_percent:
        raise UsageError("--until-ci cannot be launched: repetitions are jobs, which do not know of each other")
    _time_min(cluster)
    _check_slurm()
    if remark := check_store(request.settings):
        say(remark)
    for program in dict.fromkeys(scenario.command[:1] for scenario in request.scenarios):
        check_command(program)
    results = request.settings.experiment.results
    check_space(request.storage_path or results)
    seed = secrets.randbits(_SEED_BITS) if protocol.order_seed is None else protocol.order_seed
    entries = ordered(len(request.scenarios), protocol.repetitions, request.order, seed)
    folders = make_folders(request.storage_path, results, request.settings.experiment.name, len(entries))
    run_path = (request.storage_path or folders[0].run_path).absolute()
    if len(entries) == 1:  # which is a group here, too
        for path in (folders[0].output, folders[0].emissions):
            path.rmdir()
    record = Launch(
        working_folder=str(Path.cwd()),
        settings=without_secrets(request.settings),
        scenarios=request.scenarios,
        order=request.order,
        seed=seed,
        entries=entries,
        max_jobs=max_jobs,
        cluster=cluster,
        data=request.data,
        options=request.options,
        on_failure=request.on_failure,
    )
    for part, entry in enumerate(entries, start=1):
        prepare_part(part_folder(run_path, part), entry)
    write_launch(run_path, record)
    try:
        _submit(run_path, record, range(1, len(entries) + 1), say)
    except ProtocolError:
        if request.storage_path is None and not read_launch(run_path).jobs:
            shutil.rmtree(run_path)  # made above; nothing will come into it
        raise
    return run_path


def relaunch(run_path: Path, say: Callable[[str], None]) -> None:
    """Submit again what failed, was cancelled or never ran; what is queued or runs stays as it is.

    Raises:
        RunFolderError: it is no launched sweep.
        ProtocolError: there is no Slurm here, or it refuses.
    """
    record = read_launch(run_path)
    _check_slurm()
    queued = _queued()
    left = [part for part in range(1, len(record.entries) + 1) if not is_done(run_path, part)]
    under_way = [part for part in left if record.jobs.get(part) in queued]
    again = [part for part in left if part not in under_way]
    say(f"{len(record.entries) - len(left)} of {len(record.entries)} jobs are done, {len(under_way)} queued or running")
    if again:
        _submit(run_path.absolute(), record, again, say)


def _submit(run_path: Path, record: Launch, parts: Sequence[int], say: Callable[[str], None]) -> None:
    """Submit parts in arrays, each of which begins when the one before has ended, and write down their jobs."""
    import submitit

    size = _largest_array()
    jobs: dict[int, str] = {}
    arrays: list[str] = []
    try:
        executor = submitit.SlurmExecutor(run_path / LOG_FOLDER)
        for start in range(0, len(parts), size):
            some = parts[start : start + size]
            executor.update_parameters(**_parameters(run_path, record, after=arrays[-1:]))
            with executor.batch():
                submitted = [executor.submit(measure_part, str(run_path), part) for part in some]
            jobs |= {part: job.job_id for part, job in zip(some, submitted, strict=True)}
            arrays.append(jobs[some[0]].partition("_")[0])
    except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
        raise ProtocolError(f"Slurm refuses the jobs of {run_path}: {' '.join(str(error).split())}") from error
    finally:
        write_launch(run_path, replace(record, jobs={**record.jobs, **jobs}))
    numbers = ",".join(arrays)
    say(f"{len(parts)} jobs submitted as {numbers}, at most {record.max_jobs} at once; logs in {run_path / LOG_FOLDER}")
    say(f"look: squeue --job {numbers}; cancel: scancel {numbers.replace(',', ' ')}")
    say(f"then submit again what is left: terrawatt run --resume {run_path}")


def _parameters(run_path: Path, record: Launch, after: Sequence[str]) -> dict[str, Any]:
    """What submitit is told of an array."""
    others = {name: value for name, value in record.cluster.items() if name != "time"}
    dependency = {"dependency": f"afterany:{after[0]}"} if after else {}
    return {
        "job_name": f"terrawatt-{run_path.name}",
        "time": _time_min(record.cluster),
        "exclusive": True,
        "array_parallelism": record.max_jobs,
        "additional_parameters": {"requeue": True, **dependency, **others},
    }


def _time_min(cluster: Mapping[str, str]) -> int:
    """How long a job may last, min.

    Raises:
        UsageError: it is not given in whole minutes.
    """
    given = cluster.get("time", str(_LIMIT_MIN))
    if not given.isdigit():
        raise UsageError(f"--slurm time={given}: give whole minutes")
    return int(given)


def _largest_array() -> int:
    """How many jobs an array may have."""
    asked = _ask("scontrol", "show", "config")
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", asked, re.MULTILINE)
    return max(int(found[1]), 1) if found else _USUAL_ARRAY


def _check_slurm() -> None:
    """See that jobs can be submitted.

    Raises:
        ProtocolError: there is no Slurm here, or no submitit.
    """
    missing = [program for program in ("sbatch", "srun", "squeue", "scontrol") if shutil.which(program) is None]
    if missing:
        raise ProtocolError(f"no {missing[0]} here: --launcher slurm works where Slurm's commands are")
    try:
        import submitit  # noqa: F401
    except ImportError as error:
        raise ProtocolError("--launcher slurm needs submitit: pip install 'terrawatt[slurm]'") from error


def _queued() -> set[str]:
    """The jobs that wait or run."""
    return set(_ask("squeue", "--noheader", "--array", "--me", "--format=%i").split())


def _ask(*command: str) -> str:
    """What a command of Slurm prints.

    Raises:
        ProtocolError: it fails.
    """
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise ProtocolError(f"{command[0]} fails: {' '.join(asked.stderr.split())}")
    return asked.stdout
