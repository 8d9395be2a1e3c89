"""What the runner takes between two windows: from the end of one repetition to the start of the next, without pauses.

Runs of `true` with idle periods of 0 s and no warm-up, so that all that is left is the runner's own: phases, times and
status on the disk, CodeCarbon's file, the next sitting. The start of the workload itself lies inside its window.

    python benchmarks/between_windows.py [REPETITIONS]
"""

import io
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from terrawatt.config import EmissionsSettings, ExperimentSettings, ProtocolSettings, SamplingSettings, Settings
from terrawatt.experiment.progress import Lines
from terrawatt.experiment.runner import Request, run
from terrawatt.records import Order, Scenario, Window
from terrawatt.runs.layout import scenario_folders
from terrawatt.runs.phases import read_phases
from terrawatt.units import ns_to_s

REPETITIONS = 20
SCENARIOS = 4


def gaps_s(folder: Path, scenarios: int, order: Order, repetitions: int, *, emissions: bool) -> list[float]:
    """The times between the windows of one run, s."""
    settings = Settings(
        experiment=ExperimentSettings(results=folder / "results", lock=folder / "lock"),
        protocol=ProtocolSettings(
            cold_s=0, idle_after_s=0, warmup=0, repetitions=repetitions, order=order, order_seed=1
        ),
        sampling=SamplingSettings(interval_s=1.0),
        emissions=EmissionsSettings(enabled=emissions),
    )
    commands = tuple(Scenario({"number": number}, ("true",)) for number in range(scenarios))
    outcome = run(Request(settings, commands), Lines(io.StringIO()))
    windows = sorted(window for one in scenario_folders(outcome.run_path) for window in _windows(one.phases))
    return [ns_to_s(after.start_ns - before.end_ns) for before, after in pairwise(windows)]


def _windows(phases: Path) -> list[Window]:
    return [phase.window for phase in read_phases(phases) if phase.name == "repetition"]


def main(repetitions: int = REPETITIONS) -> None:
    """Print the table."""
    print(f"{'':42} {'median':>8} {'95 %':>8} {'most':>8}  (s, {repetitions} repetitions)")
    for emissions in (False, True):
        for scenarios, order in ((1, Order.SEQUENTIAL), (SCENARIOS, Order.BLOCKS)):
            with tempfile.TemporaryDirectory() as folder:
                found = gaps_s(Path(folder), scenarios, order, repetitions, emissions=emissions)
            name = f"{scenarios} scenario{'s in blocks' if scenarios > 1 else ''}"
            numbers = (np.median(found), np.quantile(found, 0.95), max(found))
            print(f"{name + (', with CodeCarbon' if emissions else ''):42} " + " ".join(f"{n:8.3f}" for n in numbers))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
