"""Whether a scenario has repetitions enough: the interval of its net energy, computed while it is being measured.

The energies are those of `terrawatt summary`, from the series so far and the baseline of the cold period (that of the
idle period after the repetitions is not measured yet). Only the scatter counts: what the meter and the idle level add
does not shrink with repetitions. `analysis.stopping` is the rule.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from terrawatt.analysis.baseline import baseline
from terrawatt.analysis.energy import Energy, energies
from terrawatt.analysis.signal import source_signal
from terrawatt.analysis.stopping import half_widths_so_far, may_stop
from terrawatt.config import ProtocolSettings
from terrawatt.errors import StoreError, UsageError
from terrawatt.experiment.protocol import gap_s
from terrawatt.records import Phase, PhaseName, SourceDescription, Window
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.phases import read_phases
from terrawatt.store.sqlite import SqliteStore
from terrawatt.units import NS_PER_S, s_to_ns

_MARGIN_NS = 600 * NS_PER_S  # readings so long after a sitting are read too: those just outside a window count


@dataclass(frozen=True, slots=True)
class Precision:
    """How well the mean net energy is known so far.

    Attributes:
        n: repetitions with a net energy.
        relative_half_width: of its interval; infinite where there is none.
        is_enough: whether the scenario may end.
        reason: why repetitions have no net energy, else empty.
    """

    n: int
    relative_half_width: float
    is_enough: bool
    reason: str = ""

    def in_words(self, target: float) -> str:
        """A line for the user."""
        width = f"{100 * self.relative_half_width:.2g} %" if math.isfinite(self.relative_half_width) else "?"
        without = f"; {self.reason}" if self.reason else ""
        return f"net energy ± {width} after {self.n} (asked: {100 * target:g} %{without})"


def check(protocol: ProtocolSettings, scenarios: int = 1) -> None:
    """See that the rule can be followed by so many scenarios.

    Raises:
        UsageError: without a cold period there is no net energy; or the least is more than the most.
    """
    if not protocol.until_ci_percent:
        return
    cold_s = protocol.cold_s if scenarios == 1 else min(protocol.cold_s, gap_s(protocol))
    if cold_s - protocol.latency_s <= 0:
        raise UsageError("--until-ci needs net energies, so a baseline: give a cold period with --cold")
    if protocol.min_repetitions > protocol.max_repetitions:
        raise UsageError(
            f"--min-repetitions {protocol.min_repetitions} is more than --max-repetitions {protocol.max_repetitions}"
        )


def watch(
    folder: RunFolder, sources: Sequence[SourceDescription], protocol: ProtocolSettings
) -> "PrecisionWatch | None":
    """What ends the repetitions of a scenario; None where their number is fixed.

    Raises:
        UsageError: there is no power source, so nothing whose interval could become narrow.
    """
    if not protocol.until_ci_percent:
        return None
    if not sources:
        raise UsageError("--until-ci needs a power source; name one in terrawatt.toml")
    return PrecisionWatch(folder, sources[0], protocol)


@dataclass(frozen=True, slots=True)
class PrecisionWatch:
    """Judges one scenario after each repetition.

    Attributes:
        folder: its run folder.
        source: the main power source.
        protocol: with `until_ci_percent` above 0.
    """

    folder: RunFolder
    source: SourceDescription
    protocol: ProtocolSettings

    @property
    def target(self) -> float:
        """The relative half-width that is asked for."""
        return self.protocol.until_ci_percent / 100

    def has_reading_after(self, t_ns: int) -> bool:
        """Whether the series has a reading at or after some time: then a window that ends there can be integrated."""
        with SqliteStore(self.folder.telemetry, read_only=True) as store:
            return len(store.read(self.source.series, t_ns + s_to_ns(self.source.latency_s or 0.0))) > 0

    def judge(self, done: Collection[int]) -> Precision:
        """The precision so far. A store that cannot be read now costs this look only.

        Args:
            done: the repetitions whose workload succeeded.
        """
        phases = read_phases(self.folder.phases)
        repetitions = [phase for phase in phases if phase.name == PhaseName.REPETITION and phase.repetition in done]
        try:
            found = [
                energy
                for cold in (phase for phase in phases if phase.name == PhaseName.COLD)
                if (inside := [phase for phase in repetitions if phase.sitting == cold.sitting])
                for energy in self._energies(cold.window, inside)
            ]
        except StoreError as error:
            return Precision(0, math.inf, is_enough=False, reason=str(error))
        values = np.array([energy.net.energy_j for energy in found if not energy.net.reason])
        reason = _reason(found)
        if not len(values):
            return Precision(0, math.inf, is_enough=False, reason=reason)
        widths = half_widths_so_far(values)
        stops = may_stop(widths, self.target, self.protocol.min_repetitions)
        return Precision(len(values), float(widths[-1]), bool(stops[-1]), reason)

    def _energies(self, cold: Window, repetitions: Sequence[Phase]) -> tuple[Energy, ...]:
        """Those of one sitting, with its own baseline."""
        last_ns = max(phase.window.end_ns for phase in repetitions)
        with SqliteStore(self.folder.telemetry, read_only=True) as store:
            series = store.read(self.source.series, cold.start_ns, last_ns + _MARGIN_NS)
        signal = source_signal(series, self.source)
        end_ns = cold.end_ns - s_to_ns(self.protocol.latency_s)
        idle = baseline(signal, Window(cold.start_ns, end_ns) if end_ns > cold.start_ns else None)
        windows = [phase.window for phase in repetitions]
        return energies(signal, self.source, windows, idle, [phase.executions for phase in repetitions])


def _reason(found: Sequence[Energy]) -> str:
    """Why energies are missing: how many, and the first reason."""
    reasons = [energy.net.reason for energy in found if energy.net.reason]
    return f"{len(reasons)} without: {reasons[0]}" if reasons else ""
