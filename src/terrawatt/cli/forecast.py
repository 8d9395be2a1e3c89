"""`terrawatt plan FILE`: what a sweep takes, from earlier runs or a pilot."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from terrawatt.cli.param_file import confirm, expanded
from terrawatt.cli.run_options import RunOptions
from terrawatt.cli.scenario_options import NAMES, Given
from terrawatt.errors import UsageError

if TYPE_CHECKING:
    from terrawatt.config import Settings
    from terrawatt.records import Scalar
    from terrawatt.runs.manifest import Manifest
    from terrawatt.summary.past import Kind
    from terrawatt.training.options import TrainingOptions

_PILOT_COLD_S, _PILOT_IDLE_S = 30.0, 15.0


def tell_forecast(
    options: RunOptions, given: Given, param_file: Path | None, *, pilot: bool, yes: bool, as_json: bool
) -> None:
    """Print what a sweep takes.

    Raises:
        ConfigError: the parameter file or the settings are wrong.
        UsageError: a value is wrong, or the size of the plan is not confirmed.
        TerrawattError: as `experiment.runner.run`, for the pilot.
    """
    from terrawatt.summary.forecast import forecast
    from terrawatt.summary.forecast_wording import forecast_lines
    from terrawatt.summary.past import kind_of, past_scenarios

    kinds = _kinds(given, param_file, yes=yes)
    settings = options.settings()
    if pilot:
        _measure_pilot(options, settings, kinds)
    parameters = [(_telling(training.parameters()), count) for training, count in kinds]
    wanted: set[Kind] = {kind_of(one) for one, _ in parameters}
    past, notes = past_scenarios(_runs(settings), wanted, _Likeness(settings, kinds).why_not)
    found = forecast(parameters, settings.protocol, settings.protocol.order, past, notes)
    if as_json:
        typer.echo(found.as_json())
        return
    for line in forecast_lines(found):
        typer.echo(line)


def _telling(parameters: "Mapping[str, Scalar]") -> "dict[str, Scalar]":
    """The parameters on which cost depends."""
    from terrawatt.summary.past import INDIFFERENT

    return {name: value for name, value in parameters.items() if name not in INDIFFERENT}


def _kinds(given: Given, param_file: Path | None, *, yes: bool) -> "list[tuple[TrainingOptions, int]]":
    """The trainings that differ in what makes a difference, and how many scenarios each stands for."""
    from terrawatt.experiment.grid import Grid
    from terrawatt.summary.past import INDIFFERENT
    from terrawatt.training.options import from_parameters

    if param_file is None:
        return [(from_parameters(given), 1)]
    grid = expanded(param_file, NAMES)
    if not isinstance(grid, Grid):
        raise TypeError("a parameter file gives a grid")
    confirm(len(grid), str(param_file), yes=yes)
    for parameters in grid.examples():
        if twice := sorted(given.keys() & parameters.keys()):
            raise UsageError(f"--{twice[0]} is given, and stands in {param_file} too; leave one of them out")
        try:
            from_parameters({**given, **parameters})
        except UsageError as error:
            raise UsageError(f"{param_file}: {error}") from error
    counts: dict[object, tuple[TrainingOptions, int]] = {}
    seen: set[TrainingOptions] = set()
    for parameters, count in grid.distinct(tuple(INDIFFERENT)):
        training = from_parameters({**given, **parameters})
        if training in seen:
            raise UsageError(f"{param_file}: {training.model} stands in it twice, written in two ways; leave one out")
        seen.add(training)
        key = tuple(_telling(training.parameters()).items())
        counts[key] = (training, counts[key][1] + count if key in counts else count)
    return list(counts.values())


def _runs(settings: "Settings") -> list[Path]:
    """The run folders of the experiment, by number."""
    from terrawatt.runs.layout import RunFolder

    parent = settings.experiment.results / settings.experiment.name
    numbered = [(number, path) for path in parent.glob("run_*") if (number := RunFolder(path).run_id) is not None]
    return [path for _, path in sorted(numbered)]


class _Likeness:
    """Whether earlier runs were measured as the plan will be: on this machine, with this pack."""

    def __init__(self, settings: "Settings", kinds: "Sequence[tuple[TrainingOptions, int]]") -> None:
        import socket

        self._host = settings.sampling.host_name or socket.gethostname()
        packs = {training.data or settings.data.pack for training, _ in kinds}
        self._index = _index_of(packs.pop()) if len(packs) == 1 else None

    def why_not(self, manifest: "Manifest") -> str:
        """Why a run says nothing of the plan; empty where it does."""
        if manifest.host != self._host:
            return f"they are of the machine {manifest.host}, and this is {self._host}"
        if self._index is not None and manifest.data.get("index_sha256") not in (None, self._index):
            return "they trained on other data"
        return ""


def _index_of(pack: Path | None) -> str | None:
    """The checksum of a pack's index; None where there is none, or no pack yet."""
    from terrawatt.data.pack import Pack
    from terrawatt.errors import TerrawattError

    try:
        return str(Pack.open(pack).fingerprint()["index_sha256"]) if pack is not None else None
    except TerrawattError:
        return None


def _measure_pilot(options: RunOptions, settings: "Settings", kinds: "Sequence[tuple[TrainingOptions, int]]") -> None:
    """One repetition of one epoch of each kind, under a short protocol, in a run folder of its own.

    Where the first epoch computes features for the others, there is a second one, which tells what the others take.
    """
    from terrawatt.cli.run import prepared_scenarios
    from terrawatt.cli.run_options import shown
    from terrawatt.experiment.runner import run
    from terrawatt.records import Order
    from terrawatt.summary.past import kind_of

    protocol = settings.protocol
    short = protocol.model_copy(
        update={
            "cold_s": min(protocol.cold_s, _PILOT_COLD_S),
            "idle_after_s": min(protocol.idle_after_s, _PILOT_IDLE_S),
            "warmup": min(protocol.warmup, 1),
            "repetitions": 1,
            "until_ci_percent": 0.0,
            "pause_s": 0.0,
            "min_window_s": 0.0,
            "order": Order.SEQUENTIAL,
        }
    )
    pilot_settings = settings.model_copy(update={"protocol": short})
    first = {
        kind_of(training.parameters()): replace(training, epochs=1 if training.cache_features == "none" else 2)
        for training, _ in reversed(kinds)
    }
    scenarios, fingerprint = prepared_scenarios(settings, list(reversed(first.values())))
    outcome = run(options.request(pilot_settings, scenarios, fingerprint), shown(options))
    typer.echo(f"pilot: {outcome.run_path}", err=True)
