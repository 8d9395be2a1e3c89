"""`terrawatt data split` and `terrawatt data labels`: make a split, and see how a split spreads the labels."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.bars import progress_bar
from terrawatt.cli.options import parse_integer
from terrawatt.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from terrawatt.data.distribution import Distribution
    from terrawatt.data.inventory import Inventory
    from terrawatt.data.splitting import Made, Method

SourceArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="A pack, an archive, a table (metadata.parquet of v2), or a folder of the lists train, val, test.",
    ),
]
LabelsOption = Annotated[
    int | None, typer.Option("--labels", metavar="19|43", parser=parse_integer, help="Which labels; default 19.")
]
VersionOption = Annotated[
    str | None, typer.Option("--version", metavar="v1|v2", help="An archive's version, where a folder holds both.")
]
ListsOption = Annotated[Path | None, typer.Option("--splits", metavar="DIR", help="Lists of an archive of v1.")]
MetadataOption = Annotated[
    Path | None,
    typer.Option(
        "--metadata",
        metavar="FILE",
        help="v2's table: of an archive of v2; also tells tile and country of the patches of a pack, and of v1.",
    ),
]
TableOption = Annotated[
    Path | None, typer.Option("--table", metavar="FILE.csv", help="Labels by part: counts, prevalences, deviations.")
]
FigureOption = Annotated[
    Path | None, typer.Option("--figure", metavar="FILE", help="The same as a figure: .svg, .png, .pdf or .html.")
]


def split(
    source: SourceArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The split's file (Parquet); must not exist.")],
    stratified: Annotated[
        bool, typer.Option("--stratified", help="Every label as frequent in each part as in the whole (default).")
    ] = False,
    random: Annotated[bool, typer.Option("--random", help="By chance alone.")] = False,
    official: Annotated[
        bool, typer.Option("--official", help="The source's own split: v1's lists, v2's column.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="tile|country", help="Whole tiles or countries: none is in two parts."),
    ] = None,
    sizes: Annotated[
        tuple[float, float, float] | None,
        typer.Option("--sizes", metavar="A B C", help="Shares of train, validation, test; default 0.6 0.2 0.2."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="S", parser=parse_integer, help="Seed of chance; default 0.")
    ] = None,
    labels: LabelsOption = None,
    version: VersionOption = None,
    splits: ListsOption = None,
    metadata: MetadataOption = None,
    table: TableOption = None,
    figure: FigureOption = None,
) -> None:
    """Divide patches into train, validation and test, and keep the split as a small file for `--split`."""
    from terrawatt.data.splitfile import require_new, write_split
    from terrawatt.data.splitting import make_split

    method = _method(stratified, random, official, by, sizes, seed, labels)
    _check_outputs(table, figure)
    require_new(out)
    inventory = _inventory(source, version, splits, metadata)
    made = make_split(inventory, method, metadata)
    write_split(made.split, out)
    typer.echo(f"{out}: {_sizes(made)}")
    for line in _remarks(made, method):
        typer.echo(line)
    if made.inventory.masks:
        n_classes = method.labels if method.labels in made.inventory.masks else 19
        _show(_distribution(made.inventory, made.split.parts, n_classes), table, figure)
    elif table is not None or figure is not None:
        typer.echo(f"{source} has no labels: neither table nor figure was made", err=True)


def labels(
    source: SourceArgument,
    split_file: Annotated[
        Path | None, typer.Option("--split", metavar="FILE", help="A split of it; default: its own.")
    ] = None,
    missing_share: Annotated[
        float, typer.Option("--missing-share", metavar="X", help="Share of the split that the source may lack.")
    ] = 0.0,
    n_classes: LabelsOption = None,
    version: VersionOption = None,
    splits: ListsOption = None,
    metadata: MetadataOption = None,
    table: TableOption = None,
    figure: FigureOption = None,
) -> None:
    """Show how a split spreads the labels: of each part counts, prevalence, and how far that is from the whole."""
    from terrawatt.data.chosen import parts_in
    from terrawatt.data.splitfile import read_split

    _check_outputs(table, figure)
    chosen = read_split(split_file) if split_file is not None else None
    inventory = _inventory(source, version, splits, metadata)
    parts = inventory.parts if chosen is None else parts_in(inventory, chosen, missing_share)
    _show(_distribution(inventory, parts, _n_classes(n_classes)), table, figure)


def _n_classes(given: int | None) -> int:
    if given not in (None, 19, 43):
        raise UsageError(f"--labels {given}: must be 19 or 43")
    return given or 19


def _method(
    stratified: bool,
    random: bool,
    official: bool,
    by: str | None,
    sizes: tuple[float, float, float] | None,
    seed: int | None,
    labels: int | None,
) -> "Method":
    """The method that options name.

    Raises:
        UsageError: two methods, or an option that the method has no use for.
    """
    from terrawatt.data.places import COUNTRY, TILE
    from terrawatt.data.splitting import DEFAULT_SIZES, OFFICIAL, RANDOM, STRATIFIED, Method, checked_sizes

    n_classes = _n_classes(labels)
    chosen = [name for name, given in ((STRATIFIED, stratified), (RANDOM, random), (OFFICIAL, official)) if given]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]} and --{chosen[1]}: give one of them")
    how = chosen[0] if chosen else STRATIFIED
    if by not in (None, TILE, COUNTRY):
        raise UsageError(f"--by {by}: must be {TILE} or {COUNTRY}")
    if how == OFFICIAL and (
        unused := [name for name, given in (("by", by), ("sizes", sizes), ("seed", seed)) if given is not None]
    ):
        raise UsageError(f"--{unused[0]}: the official split is as it is; leave it out, or leave out --official")
    if seed is not None and seed < 0:
        raise UsageError(f"--seed {seed}: must be at least 0")
    return Method(how, checked_sizes(sizes or DEFAULT_SIZES), seed or 0, n_classes, by)


def _check_outputs(table: Path | None, figure: Path | None) -> None:
    """See that table and figure can be written, before anything is read."""
    from terrawatt.report.label_distribution import figure_form

    if figure is not None:
        figure_form(figure)
    for file in (table, figure):
        if file is not None and not file.parent.is_dir():
            raise UsageError(f"{file.parent} is not a folder; make it first")


def _inventory(source: Path, version: str | None, splits: Path | None, metadata: Path | None) -> "Inventory":
    from terrawatt.data.inventory import open_inventory

    counting = partial(progress_bar, "Reading labels")
    return open_inventory(source, version=version, splits=splits, metadata=metadata, counting=counting)


def _distribution(inventory: "Inventory", parts: "NDArray[np.int8]", n_classes: int) -> "Distribution":
    from terrawatt.data.distribution import distribution

    return distribution(inventory.labels(n_classes), parts, n_classes)


def _sizes(made: "Made") -> str:
    from terrawatt.data.packformat import SPLITS

    total = len(made.inventory)
    sizes = ((part, made.split.size(part)) for part in SPLITS)
    return ", ".join(f"{part} {size} ({100 * size / total:.2f} %)" for part, size in sizes)


def _remarks(made: "Made", method: "Method") -> list[str]:
    from terrawatt.data.splitting import OFFICIAL

    found = [f"digest: {made.split.digest[:12]}"]
    if made.groups:
        word = "tiles" if method.by == "tile" else "countries"
        found.append(f"{word}: " + ", ".join(f"{part} {n}" for part, n in made.groups.items()))
    if made.unplaced:
        why = "without a split of their own" if method.how == OFFICIAL else f"whose {method.by} is not known"
        found.append(f"{made.unplaced} patches {why} are in no part")
    if made.inventory.left_out:
        found.append(f"{made.inventory.left_out} patches with snow, cloud or no class are in no part")
    return found


def _show(found: "Distribution", table: Path | None, figure: Path | None) -> None:
    from terrawatt.cli.data_split_tables import print_distribution, write_csv
    from terrawatt.report.label_distribution import distribution_figure, figure_form
    from terrawatt.runs.atomic import write_bytes

    print_distribution(found)
    if table is not None:
        write_csv(found, table)
        typer.echo(f"table: {table}")
    if figure is not None:
        write_bytes(figure, distribution_figure(found, figure_form(figure)))
        typer.echo(f"figure: {figure}")
