"""`--resume RUN` of `terrawatt run` and `terrawatt measure`: a run goes on where it was ended."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from terrawatt.cli.launch import relaunch
from terrawatt.cli.run_options import RunOptions, shown, tell
from terrawatt.errors import UsageError

if TYPE_CHECKING:
    from terrawatt.runs.manifest import Manifest


def resume(options: RunOptions, run: str) -> None:
    """Go on with a run, by its own scenarios and the options with which it began.

    Raises:
        UsageError: an option is given that makes a run.
        TerrawattError: as `experiment.resume.resume`.
    """
    from terrawatt.experiment.launch.record import is_launched
    from terrawatt.experiment.resume import begun_run
    from terrawatt.experiment.resume import resume as go_on
    from terrawatt.runs.layout import find_run

    if options.storage_path is not None:
        raise UsageError("--storage-path makes a new run; give the folder to --resume")
    experiment = options.settings().experiment
    run_path = find_run(run, experiment.results, experiment.name)
    if is_launched(run_path):
        relaunch(options, run_path)
        return
    begun = begun_run(run_path)
    settings = options.settings(begun.manifests[0].options)
    request = options.request(settings, [manifest.scenario for manifest in begun.manifests], _data(begun.manifests[0]))
    tell(options, go_on(begun, request, shown(options), accept_changes=options.accept_changes))


def _data(manifest: "Manifest") -> Mapping[str, Any]:
    """The fingerprint of the pack and splits that the scenarios read, as they are now; checksums are compared."""
    if "path" not in manifest.data:
        return manifest.data
    from terrawatt.cli.bars import progress_bar
    from terrawatt.data.pack import Pack
    from terrawatt.data.splitfile import read_provenance

    pack = Pack.open(Path(manifest.data["path"]))
    with progress_bar(f"Checking {pack.path}", len(pack)) as advance:
        pack.verify(advance)
    typer.echo(f"data: {pack.path}, {len(pack)} patches, checksums right")
    files = [split["file"] for split in manifest.data.get("split_files", ())]
    splits = {"split_files": [{"file": file, **read_provenance(Path(file))} for file in files]} if files else {}
    return {**pack.fingerprint(), **splits}
