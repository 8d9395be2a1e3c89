"""`--launcher slurm` of `terrawatt run` and `terrawatt measure`, and `--resume` of what was so launched."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from terrawatt.errors import UsageError

if TYPE_CHECKING:
    from terrawatt.cli.run_options import RunOptions
    from terrawatt.experiment.request import Request


def launch(options: "RunOptions", request: "Request") -> None:
    """Submit a run's repetitions, and say where they will be; they are not waited for.

    Raises:
        UsageError: another launcher than Slurm, or an option that is not NAME=VALUE.
        TerrawattError: as `experiment.launch.slurm.launch`.
    """
    if options.launcher != "slurm":
        raise UsageError(f"--launcher {options.launcher}: unknown; there is slurm")
    if options.progress_file is not None:
        raise UsageError("--progress-file belongs to a run that is waited for; leave out --launcher")
    cluster = _cluster(options.slurm or [])
    from terrawatt.experiment.launch import slurm

    run_path = slurm.launch(request, options.max_jobs or 1, cluster, typer.echo)
    typer.echo(f"run folder: {run_path}")


def relaunch(options: "RunOptions", run_path: Path) -> None:
    """Submit again what is left of a launched run.

    Raises:
        UsageError: an option that would change it.
        TerrawattError: as `experiment.launch.slurm.relaunch`.
    """
    changed = [name for section in options.given().values() for name in section]
    if changed or options.slurm or options.max_jobs is not None or options.accept_changes:
        raise UsageError(f"{run_path}: was launched; its jobs follow what {run_path.name}/launch.json says")
    from terrawatt.experiment.launch import slurm

    slurm.relaunch(run_path, typer.echo)


def _cluster(words: list[str]) -> dict[str, str]:
    """Options of sbatch by name, without dashes.

    Raises:
        UsageError: a word is not NAME=VALUE.
    """
    given = {}
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        if not (name and equals):
            raise UsageError(f"--slurm {word}: write NAME=VALUE, as --slurm partition=gpu")
        given[name] = value
    return given
