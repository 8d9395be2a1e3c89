"""What the runner does while it waits: look after the sampler, and tell the user where the run is."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from terrawatt.config import ProtocolSettings
from terrawatt.errors import RunFolderError
from terrawatt.experiment.progress import Progress, Snapshot
from terrawatt.experiment.protocol import remaining_s, steps
from terrawatt.experiment.sampling import SamplerWatch
from terrawatt.records import PhaseName
from terrawatt.runs.phases import read_phases
from terrawatt.telemetry.process import Latest
from terrawatt.units import ns_to_s

REFRESH_S = 1.0
_STALE_S = 10.0  # an older reading is not "now"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scenario stands in its run.

    Attributes:
        scenario, scenarios: which of how many, from 1.
        title: the scenario in words.
        epochs: how many epochs the workload has, where the scenario says so.
        source: the main power source.
        protocol: which every scenario follows.
    """

    scenario: int
    scenarios: int
    title: str
    epochs: int | None
    source: str
    protocol: ProtocolSettings


class Monitor:
    """Sees one scenario through; `tick` is called whenever the runner looks up from waiting, and returns at once."""

    def __init__(
        self, place: Place, watch: SamplerWatch, progress: Progress, reported: Path, history_s: list[float]
    ) -> None:
        """Prepare.

        Args:
            place: where the scenario stands.
            watch: over its sampler.
            progress: what the user sees.
            reported: the file in which the workload reports its phases.
            history_s: how long each execution of the run took; those of this scenario are appended to it.
        """
        self._place = place
        self._steps = steps(place.protocol)
        self._watch = watch
        self._progress = progress
        self._epochs = EpochReader(reported)
        self._history_s = history_s
        self._history_before = len(history_s)
        self.begin(0)

    def begin(self, index: int) -> None:
        """A step begins."""
        self._index = index
        self._begun_s = time.monotonic()
        self._drawn_s = -math.inf
        self.energy = RunningEnergy(self._place.source)

    def executed(self, duration_s: float) -> None:
        """An execution has ended."""
        self._history_s.append(duration_s)

    def tick(self) -> None:
        """Look after the sampler; once a second, add up and draw.

        Raises:
            ProtocolError: the sampler is gone for good.
        """
        self._watch.check()
        if time.monotonic() - self._drawn_s >= REFRESH_S:
            self._drawn_s = time.monotonic()
            self.energy.add(self._watch.latest(), time.time_ns())
            self._progress.show(self._snapshot())

    def _snapshot(self) -> Snapshot:
        place = self._place
        step = self._steps[self._index]
        elapsed_s = time.monotonic() - self._begun_s
        return Snapshot(
            scenario=place.scenario,
            scenarios=place.scenarios,
            title=place.title,
            step=step,
            steps_of_kind=sum(other.kind is step.kind for other in self._steps),
            elapsed_s=elapsed_s,
            epoch=self._epochs.last(),
            epochs=place.epochs,
            source=place.source,
            power_w=self.energy.power_w,
            energy_j=self.energy.energy_j,
            left_s=self._left_s(elapsed_s),
        )

    def _left_s(self, elapsed_s: float) -> float | None:
        """Time left: of this scenario by its own executions, of later ones by all of the run so far."""
        min_window_s = self._place.protocol.min_window_s
        own_s = self._history_s[self._history_before :] or self._history_s
        here_s = remaining_s(self._steps[self._index :], _mean(own_s), elapsed_s, min_window_s)
        later_s = remaining_s(self._steps, _mean(self._history_s), 0.0, min_window_s)
        if here_s is None or later_s is None:
            return None
        return here_s + later_s * (self._place.scenarios - self._place.scenario)


class RunningEnergy:
    """Gross energy for the eye: the readings of the main source, each taken until the next."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._last: tuple[int, float] | None = None
        self.power_w: float | None = None
        self.energy_j = 0.0

    def add(self, latest: Latest | None, now_ns: int) -> None:
        """Take the last readings into account; a missing or old one counts as none."""
        power_w = latest.power_w.get(self._source, math.nan) if latest else math.nan
        if latest is None or math.isnan(power_w) or ns_to_s(now_ns - latest.t_ns) > _STALE_S:
            self.power_w, self._last = None, None
            return
        if self._last is not None:
            last_ns, last_w = self._last
            self.energy_j += last_w * ns_to_s(latest.t_ns - last_ns)
        self.power_w, self._last = power_w, (latest.t_ns, power_w)


class EpochReader:
    """The last epoch of training that a workload reported; its file is read only when it has grown."""

    def __init__(self, reported: Path) -> None:
        self._reported = reported
        self._size = 0
        self._epoch: int | None = None

    def last(self) -> int | None:
        """The number of the epoch, or None when none was reported (or nothing that can be read)."""
        size = self._reported.stat().st_size if self._reported.exists() else 0
        if size != self._size:
            self._size = size
            self._epoch = self._read()
        return self._epoch

    def _read(self) -> int | None:
        try:
            phases = read_phases(self._reported)
        except RunFolderError:
            return None  # logged once the repetition has ended
        epochs = [phase.epoch for phase in phases if phase.name == PhaseName.TRAIN and phase.epoch is not None]
        return epochs[-1] if epochs else None


def _mean(durations_s: Sequence[float]) -> float | None:
    return fmean(durations_s) if durations_s else None
