"""Slurm: a job array, at most so many of its jobs at once, each with a node for itself alone (submitit).

No energy of another job is then in a measurement, exit codes are true, and nothing of ours keeps running on a node.
"""

import secrets
import shutil
import subprocess
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from terrawatt.errors import ProtocolError, UsageError
from terrawatt.experiment.launch.part import measure_part
from terrawatt.experiment.launch.record import Launch, is_done, read_launch, without_secrets, write_launch
from terrawatt.experiment.plan import ordered
from terrawatt.experiment.preflight import check_command, check_space, check_store, make_folders
from terrawatt.experiment.request import Request

LOG_FOLDER = "launch"
_SEED_BITS = 32
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
        UsageError: the number of repetitions is not fixed.
        ProtocolError: there is no Slurm here, or it refuses.
        TerrawattError: as `runner.run` before a run.
    """
    protocol = request.settings.protocol
    if protocol.until_ci_percent:
        raise UsageError("--until-ci cannot be launched: repetitions are jobs, which do not know of each other")
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
    write_launch(run_path, record)
    _submit(run_path, record, range(1, len(entries) + 1), say)
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
    """Submit parts as one array, and write down their jobs."""
    import submitit

    logs = run_path / LOG_FOLDER
    time_min = record.cluster.get("time", str(_LIMIT_MIN))
    if not time_min.isdigit():
        raise UsageError(f"--slurm time={time_min}: give minutes")
    others = {name: value for name, value in record.cluster.items() if name != "time"}
    try:
        executor = submitit.SlurmExecutor(logs)
        executor.update_parameters(
            job_name=f"terrawatt-{run_path.name}",
            time=int(time_min),
            exclusive=True,
            array_parallelism=record.max_jobs,
            additional_parameters={"requeue": True, **others},
        )
        with warnings.catch_warnings():  # sacct is not asked
            warnings.simplefilter("ignore")
            with executor.batch():
                jobs = [executor.submit(measure_part, str(run_path), part) for part in parts]
    except submitit.core.utils.FailedSubmissionError as error:
        raise ProtocolError(f"Slurm refuses the jobs of {run_path}: {' '.join(str(error).split())}") from error
    numbers = {part: job.job_id for part, job in zip(parts, jobs, strict=True)}
    write_launch(run_path, replace(record, jobs={**record.jobs, **numbers}))
    main = numbers[parts[0]].partition("_")[0]
    say(f"{len(parts)} jobs submitted as {main}, at most {record.max_jobs} at once; logs in {logs}")
    say(
        f"look: squeue --job {main}; cancel: scancel {main}; then again what is left: terrawatt run --resume {run_path}"
    )


def _check_slurm() -> None:
    """See that jobs can be submitted.

    Raises:
        ProtocolError: there is no Slurm here, or no submitit.
    """
    missing = [program for program in ("sbatch", "srun", "squeue") if shutil.which(program) is None]
    if missing:
        raise ProtocolError(f"no {missing[0]} here: --launcher slurm works where Slurm's commands are")
    try:
        import submitit  # noqa: F401
    except ImportError as error:
        raise ProtocolError("--launcher slurm needs submitit: pip install 'terrawatt[slurm]'") from error


def _queued() -> set[str]:
    """The jobs that wait or run."""
    asked = subprocess.run(
        ["squeue", "--noheader", "--array", "--me", "--format=%i"], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise ProtocolError(f"squeue fails: {' '.join(asked.stderr.split())}")
    return set(asked.stdout.split())
