"""`terrawatt data`: look at BigEarthNet data, make synthetic data, pack it, verify, join and export packs."""

from pathlib import Path
from typing import Annotated

import typer

from terrawatt.cli import data_split
from terrawatt.cli.bars import progress_bar
from terrawatt.cli.options import parse_integer, parse_positive
from terrawatt.errors import DataError

app = typer.Typer(help="BigEarthNet data: what is there, synthetic archives, packs, splits.", no_args_is_help=True)

VersionOption = Annotated[
    str | None, typer.Option("--version", metavar="v1|v2", help="The archive's version, where a folder holds both.")
]
SplitsOption = Annotated[
    Path | None,
    typer.Option("--splits", metavar="DIR", help="v1: folder of the lists train, val, test (.csv, .csv.bz2)."),
]
MetadataOption = Annotated[
    Path | None,
    typer.Option("--metadata", metavar="FILE", help="v2, LMDB: the table; default: metadata.parquet in or beside SRC."),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Patches that are listed but not on disk are an error.")]

SkipBrokenOption = Annotated[
    bool, typer.Option("--skip-broken", help="Leave broken patches out, and list them, instead of stopping.")
]
BandsOption = Annotated[
    str, typer.Option("--bands", metavar="all|rgb", help="rgb: B04, B03, B02 alone, 54 % of the size.")
]
ProcessesOption = Annotated[
    int | None,
    typer.Option(
        "--processes", metavar="N", parser=parse_positive, help="At the same time; default: what is worth its start."
    ),
]


@app.command()
def info(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An archive, a part of one, or a pack.")],
    version: VersionOption = None,
    splits: SplitsOption = None,
    metadata: MetadataOption = None,
    check: Annotated[bool, typer.Option("--check", help="Read every pixel; a pack: compare all checksums.")] = False,
    strict: StrictOption = False,
) -> None:
    """Say what is in a folder: version, patches, splits, labels, missing and broken files."""
    from terrawatt.cli.data_tables import print_info
    from terrawatt.data.archive import open_archive, require_complete
    from terrawatt.data.info import describe_archive, describe_pack, is_pack
    from terrawatt.data.pack import Pack

    if is_pack(folder):
        pack = Pack.open(folder)
        with progress_bar("Checking", len(pack)) as advance:
            found = describe_pack(pack, check=check, progress=advance)
    else:
        archive = open_archive(folder, version=version, splits=splits, metadata=metadata)
        if strict:
            require_complete(archive)
        with progress_bar("Looking", len(archive.entries)) as advance:
            found = describe_archive(archive, check=check, progress=advance)
    print_info(found)
    if strict and found.problems:
        raise DataError(f"{folder}: {len(found.problems)} patches with missing or broken files")


@app.command()
def synth(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; must not exist, or be empty.")],
    version: Annotated[str, typer.Option("--version", metavar="v1|v2", help="Format of the archive.")] = "v1",
    patches: Annotated[int, typer.Option("--patches", metavar="N", parser=parse_positive)] = 300,
    seed: Annotated[int, typer.Option("--seed", metavar="S", parser=parse_integer)] = 0,
) -> None:
    """Write a synthetic archive in the format of BigEarthNet."""
    from terrawatt.data.synth import synthesise

    with progress_bar("Painting", patches) as advance:
        synthesise(folder, version=version, patches=patches, seed=seed, progress=advance)
    typer.echo(f"{folder}: {patches} synthetic patches in the format of BigEarthNet {version}")


@app.command()
def pack(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="An archive, a part of one, or an LMDB of rico-hdl.")],
    destination: Annotated[Path, typer.Argument(metavar="DST", help="The pack's folder; must not exist.")],
    version: VersionOption = None,
    splits: SplitsOption = None,
    metadata: MetadataOption = None,
    strict: StrictOption = False,
    skip_broken: SkipBrokenOption = False,
    bands: BandsOption = "all",
    processes: ProcessesOption = None,
) -> None:
    """Pack an archive for training; after an interruption the same command goes on."""
    from terrawatt.cli.data_packing import pack_and_tell
    from terrawatt.data.archive import open_archive, require_complete

    archive = open_archive(source, version=version, splits=splits, metadata=metadata)
    if strict:
        require_complete(archive)
    pack_and_tell(archive, destination, skip_broken=skip_broken, bands=bands, processes=processes)


@app.command()
def join(
    folders: Annotated[list[Path], typer.Argument(metavar="PACK", help="Packs, two at least.")],
    destination: Annotated[Path, typer.Argument(metavar="DST", help="The joined pack's folder; must not exist.")],
    other_statistics: Annotated[
        bool,
        typer.Option("--other-statistics", help="Join packs even where their bands cannot be those of one product."),
    ] = False,
) -> None:
    """Join packs that were made in parts, or on several machines, into one."""
    from terrawatt.data.join import join_packs
    from terrawatt.data.pack import Pack

    packs = [Pack.open(folder) for folder in folders]
    with progress_bar("Joining", sum(map(len, packs))) as advance:
        joined = join_packs(packs, destination, other_statistics=other_statistics, progress=advance)
    how = f"{joined.copied:,} of them copied" if joined.copied else "whose files they share"
    typer.echo(f"{destination}: {joined.patches:,} patches of {len(packs)} packs, {how}")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="PACK", help="A pack.")],
    destination: Annotated[Path, typer.Argument(metavar="DST", help="The LMDB's folder; must not exist.")],
) -> None:
    """Write a pack as rico-hdl's LMDB of safetensors, with a table of its labels; `pack` reads it back."""
    from terrawatt.data.lmdb_export import export_lmdb
    from terrawatt.data.pack import Pack
    from terrawatt.data.space import readable_bytes

    opened = Pack.open(folder)
    with progress_bar("Exporting", len(opened)) as advance:
        size = export_lmdb(opened, destination, progress=advance)
    typer.echo(f"{destination}: {len(opened):,} patches, {readable_bytes(size)}, and their labels in metadata.parquet")


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="PACK", help="A pack.")],
) -> None:
    """Compare every patch of a pack with its checksum."""
    from terrawatt.data.pack import Pack

    opened = Pack.open(folder)
    with progress_bar("Verifying", len(opened)) as advance:
        opened.verify(advance)
    typer.echo(f"{folder}: all {len(opened)} patches are as they were packed")


app.command()(data_split.split)
app.command()(data_split.labels)
