"""What the runner does while it waits: look after the sampler, and tell the user where the run is."""

import math
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from terrawatt.config import ProtocolSettings
from terrawatt.errors import RunFolderError
from terrawatt.experiment.ledger import Ledger
from terrawatt.experiment.progress import Progress, Snapshot
from terrawatt.experiment.protocol import Step, StepKind
from terrawatt.experiment.sampling import SamplerWatch
from terrawatt.experiment.sitting import Sitting
from terrawatt.records import Order, PhaseName
from terrawatt.runs.heartbeat import Heartbeat, write_heartbeat
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import State
from terrawatt.telemetry.process import Latest
from terrawatt.units import ns_to_s

REFRESH_S = 1.0
_BEAT_S = 5.0  # a step that lasts longer beats the heart again and again
_STALE_S = 10.0  # an older reading is not "now"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sitting stands in its run.

    Attributes:
        sitting: what is measured.
        steps: of it.
        scenarios: how many the run has.
        title: the scenario in words.
        epochs: how many epochs the workload has, where the scenario says so.
        source: the main power source.
        protocol: which every scenario follows.
    """

    sitting: Sitting
    steps: tuple[Step, ...]
    scenarios: int
    title: str
    epochs: int | None
    source: str
    protocol: ProtocolSettings

    @property
    def blocks(self) -> int:
        """How many blocks the run has; 1 where its order knows none."""
        in_blocks = self.scenarios > 1 and self.protocol.order is not Order.SEQUENTIAL
        return self.protocol.planned_repetitions if in_blocks else 1

    def of_kind(self, step: Step) -> int:
        """How many steps of a step's kind there are; of repetitions, in the whole run of the scenario."""
        if step.kind is StepKind.REPETITION:
            return self.protocol.planned_repetitions
        return sum(other.kind is step.kind for other in self.steps)


class Monitor:
    """Sees one sitting through; `tick` is called whenever the runner looks up from waiting, and returns at once."""

    def __init__(
        self, place: Place, watch: SamplerWatch, progress: Progress, reported: Path, ledger: Ledger, heartbeat: Path
    ) -> None:
        """Prepare.

        Args:
            place: where the sitting stands.
            watch: over the sampler.
            progress: what the user sees.
            reported: the file in which the workload reports its phases.
            ledger: the account of the run; what this sitting takes is entered.
            heartbeat: the file that says how far the run is.
        """
        self._place = place
        self._watch = watch
        self._progress = progress
        self._epochs = EpochReader(reported)
        self._ledger = ledger
        self._heartbeat = heartbeat
        self.begin(0)

    def begin(self, index: int) -> None:
        """A step begins."""
        self._index = index
        self._begun_s, self._begun_ns = time.monotonic(), time.time_ns()
        self._drawn_s = -math.inf
        self.energy = RunningEnergy(self._place.source)
        self.energy.power_w = power_now_w(self._watch.latest(), self._place.source, self._begun_ns)
        self._beat()

    def executed(self, duration_s: float) -> None:
        """An execution has ended."""
        self._ledger.executed(self._place.sitting.scenario, duration_s)

    def ended(self, *, succeeded: bool) -> None:
        """The repetition that is the present step has ended."""
        self._ledger.ended(self._place.sitting.scenario, self.energy.energy_j, succeeded=succeeded)

    def spared(self, repetitions: int) -> None:
        """So many repetitions of the scenario are not needed any more."""
        self._ledger.done += repetitions

    def tick(self) -> None:
        """Look after the sampler; once a second, add up and draw.

        Raises:
            ProtocolError: the sampler is gone for good.
        """
        self._watch.check()
        now_s = time.monotonic()
        if now_s - self._drawn_s >= REFRESH_S:
            self._drawn_s = now_s
            self.energy.add(self._watch.latest(), time.time_ns())
            self._progress.show(self._snapshot())
            if now_s - self._beaten_s >= _BEAT_S:
                self._beat()

    def _beat(self) -> None:
        self._beaten_s = time.monotonic()
        write_heartbeat(self._heartbeat, self._whole())

    def _whole(self) -> Heartbeat:
        """Where the whole run is."""
        place, ledger, left = self._place, self._ledger, self._place.steps[self._index :]
        step = left[0]
        repetitions = [other.number for other in left if other.kind is StepKind.REPETITION]
        return Heartbeat(
            t_ns=time.time_ns(),
            host=socket.gethostname(),
            pid=os.getpid(),
            state=State.RUNNING,
            scenarios=place.scenarios,
            scenario=place.sitting.scenario,
            title=place.title,
            block=place.sitting.block,
            repetition=repetitions[0] if repetitions else 0,
            step=step.kind,
            step_start_ns=self._begun_ns,
            repetitions=ledger.repetitions,
            done=ledger.done,
            failed=ledger.failed,
            source=place.source,
            power_w=self.energy.power_w,
            energy_j=ledger.energy_j,
            left_s=ledger.left_s(place.sitting.scenario, left, time.monotonic() - self._begun_s),
            left_j=ledger.left_j(place.sitting.scenario, left),
        )

    def _snapshot(self) -> Snapshot:
        place, whole = self._place, self._whole()
        step = place.steps[self._index]
        return Snapshot(
            scenario=place.sitting.scenario,
            scenarios=place.scenarios,
            title=place.title,
            step=step,
            steps_of_kind=place.of_kind(step),
            elapsed_s=time.monotonic() - self._begun_s,
            epoch=self._epochs.last(),
            epochs=place.epochs,
            source=place.source,
            power_w=self.energy.power_w,
            energy_j=self.energy.energy_j,
            left_s=whole.left_s,
            sweep=whole,
            blocks=place.blocks,
        )


def power_now_w(latest: Latest | None, source: str, now_ns: int) -> float | None:
    """The last reading of a source; None: there is none, it failed, or it is old."""
    power_w = latest.power_w.get(source, math.nan) if latest else math.nan
    if latest is None or math.isnan(power_w) or ns_to_s(now_ns - latest.t_ns) > _STALE_S:
        return None
    return power_w


class RunningEnergy:
    """Gross energy for the eye: the readings of the main source, each taken until the next."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._last: tuple[int, float] | None = None
        self.power_w: float | None = None
        self.energy_j = 0.0

    def add(self, latest: Latest | None, now_ns: int) -> None:
        """Take the last readings into account; a missing or old one counts as none."""
        power_w = power_now_w(latest, self._source, now_ns)
        if latest is None or power_w is None:
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
