"""Run folders whose repetitions take different powers: what comparisons and plans are made from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from run_folders import PLUG, REPETITION_S, T0, Recipe, S, make_scenario
from terrawatt.records import Sample
from terrawatt.runs.layout import RunFolder, prepare_run
from terrawatt.runs.manifest import read_manifest, write_manifest
from terrawatt.store.sqlite import SqliteStore

IDLE_W = 40.0


def with_powers(folder: RunFolder, powers_w: Sequence[float], recipe: Recipe | None = None) -> RunFolder:
    """A run folder with a repetition for each power, instead of all at 90 W."""
    recipe = replace(recipe or Recipe(), repetitions=len(powers_w), is_trained=False, has_emissions=False)
    make_scenario(folder, recipe)
    with SqliteStore(folder.telemetry) as store:
        for repetition, power_w in enumerate(powers_w, start=1):
            start_s = recipe.start_s(repetition)
            times = range(start_s + 1, start_s + REPETITION_S + 1)
            store.write(Sample(PLUG.series, T0 + t * S, power_w) for t in times)
    return folder


def make_scattered(results: Path, number: int, **powers_w: Sequence[float]) -> Path:
    """Make `results/conso/run_<number>`: model -> power of each repetition, one group a model; gives its path."""
    path = results / "conso" / f"run_{number}"
    for folder, (model, powers) in zip(prepare_run(path, len(powers_w)), powers_w.items(), strict=True):
        with_powers(folder, powers, Recipe(parameters=(("model", model), ("lr", 0.001))))
    return path


def change_manifest(folder: Path, **changes: object) -> None:
    """Replace attributes of a manifest."""
    manifest = RunFolder(folder).manifest
    write_manifest(manifest, replace(read_manifest(manifest), **changes))  # type: ignore[arg-type]
