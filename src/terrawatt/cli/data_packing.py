"""What `terrawatt data pack` and `import` do and print."""

import time
from pathlib import Path

import typer

from terrawatt.cli.bars import progress_bar
from terrawatt.data.bands import RESOLUTIONS, RGB_RESOLUTIONS
from terrawatt.data.packer import Packing, PackResult, pack_archive
from terrawatt.data.packreport import REPORT
from terrawatt.data.patch import Archive
from terrawatt.data.space import readable_bytes
from terrawatt.errors import UsageError

BANDS = {"all": RESOLUTIONS, "rgb": RGB_RESOLUTIONS}

_WORDS = {
    "missing": "listed but not on disk",
    "broken": "broken",
    "duplicates": "there twice",
    "without_labels": "without labels in the table",
}


def pack_and_tell(archive: Archive, destination: Path, *, skip_broken: bool, bands: str, processes: int | None) -> None:
    """Pack an archive, with progress, and say in a line what was packed and in another what was not."""
    if bands not in BANDS:
        raise UsageError(f"--bands {bands}: there are all and rgb")
    how = Packing(BANDS[bands], skip_broken, processes=processes)
    begin_s = time.monotonic()
    with progress_bar("Packing", len(archive.entries)) as advance:
        result = pack_archive(archive, destination, how, progress=advance)
    _tell(archive, result, time.monotonic() - begin_s)


def _tell(archive: Archive, result: PackResult, duration_s: float) -> None:
    size = readable_bytes(result.n_bytes)
    rate = (result.patches - result.resumed) / duration_s if duration_s else 0
    typer.echo(
        f"{result.path}: {result.patches:,} patches of BigEarthNet {archive.version}, {size}, in {duration_s:.1f} s "
        f"({rate:,.0f} patches/s, {result.processes} {'process' if result.processes == 1 else 'processes'})"
    )
    if result.resumed:
        typer.echo(f"{result.resumed:,} of them had been packed before an interruption")
    for skipped in result.report.broken:
        typer.echo(f"left out: {skipped.reason}", err=True)
    if left_out := [f"{count:,} {_WORDS[kind]}" for kind, count in result.report.counts.items() if count]:
        typer.echo(f"not packed: {', '.join(left_out)}; named in {result.path / REPORT}")
    if not any(entry.split for entry in archive.entries):
        typer.echo("no patch has a split, so that there is nothing to train on; give the lists with --splits DIR")
