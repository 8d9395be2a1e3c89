"""A laboratory for whole runs: simulated plugs, a broker, a database, `terrawatt measure`, and the truth afterwards.

with lab.plug("zwave", broker) as plug:
    folder = lab.measure(plug, workload=lab.busy(3))
    lab.check_energies(folder, plug)
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr

from servers.mosquitto import Mosquitto
from terrawatt.analysis.energy import Energy
from terrawatt.power.simulator.dialects import DIALECTS
from terrawatt.power.simulator.meter import MeterFaults, MeterReading, MeterSettings
from terrawatt.power.simulator.profile import steps
from terrawatt.power.simulator.protocols import semantics_of, source_entry
from terrawatt.power.simulator.publisher import BrokerAccess, MqttSpeaker
from terrawatt.power.simulator.server import HttpSpeaker
from terrawatt.power.simulator.simulation import Simulation
from terrawatt.power.simulator.speaker import Speaker
from terrawatt.power.simulator.triggers import BusyFile
from terrawatt.power.simulator.truth import Noisy, Triggered
from terrawatt.records import Phase, Series, SeriesKey, Verdict, Window
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.collect import collect
from terrawatt.summary.energies import source_results
from terrawatt.summary.gather import gather
from terrawatt.units import ns_to_s

IDLE_W, NOISE_W = 40.0, 0.5
WORK = steps([(1.3, 150.0), (0.4, 100.0), (0.9, 130.0)])  # of the plugs while they are busy
HOST = "lab"
INTERVAL_S = 0.2
PATIENCE_S = 60.0
METER = MeterSettings(interval_s=INTERVAL_S, threshold_w=0.5, most_silence_s=1.0)

TOML = """
[experiment]
name = "faults"
results = "{folder}/results"
lock = "{folder}/lock"

[protocol]
cold_s = {cold_s}
idle_after_s = {idle_after_s}
warmup = 0
pause_s = 1.0
repetitions = {repetitions}

[sampling]
interval_s = {interval_s}
host = ["cpu"]
host_name = "lab"

[emissions]
enabled = false

[store]
{store}

{sources}
"""


class Heard:
    """A speaker that also keeps every reading that it tells."""

    def __init__(self, speaker: Speaker) -> None:
        self.readings: list[MeterReading] = []
        self.inner = speaker

    @property
    def where(self) -> str:
        return self.inner.where

    @property
    def sent(self) -> int:
        return self.inner.sent

    def start(self) -> None:
        self.inner.start()

    def say(self, reading: MeterReading) -> None:
        self.readings.append(reading)
        self.inner.say(reading)

    def close(self) -> None:
        self.inner.close()


@dataclass(slots=True)
class Plug:
    """A simulated plug, and how it is read.

    Attributes:
        name: of the source.
        simulation: the running plug.
        heard: what it has told.
        entry: its TOML.
        power: what it draws, but for the noise.
    """

    name: str
    simulation: Simulation
    heard: Heard
    entry: str
    power: Triggered

    def net_j(self, window: Window) -> float:
        """What the workload truly added in a window."""
        drawn_j = self.power.energy_j(window.end_ns) - self.power.energy_j(window.start_ns)
        return drawn_j - IDLE_W * window.duration_s

    def fail(self, *faults: str, clock_jump_s: float = 0.0) -> None:
        """Let something go wrong from now on: `silent`, `stuck`, `restart`, `clock_jump`."""
        meter, now_s = self.simulation.meter, ns_to_s(time.time_ns() - self.power.start_ns)
        after: dict[str, Any] = {f"{fault}_after_s": now_s for fault in faults}
        meter.settings = replace(meter.settings, faults=MeterFaults(clock_jump_s=clock_jump_s, **after))


@dataclass
class Lab:
    """One folder with everything."""

    folder: Path
    plugs: list[Plug] = field(default_factory=list)
    runs: list["subprocess.Popen[str]"] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    is_busy: Callable[[], bool] | None = None  # instead of the flag's file

    @property
    def flag(self) -> Path:
        """The file that makes the plugs busy."""
        return self.folder / "busy"

    def plug(
        self,
        protocol: str,
        broker: Mosquitto | None = None,
        *,
        options: Mapping[str, object] | None = None,
        token: str | None = None,
        **settings: Any,
    ) -> Plug:
        """A plug that draws more while the flag is there; it runs until the lab is closed.

        Args:
            protocol: also its name.
            broker: None: it answers over HTTP.
            options: further keys of its source.
            token: what it asks for.
            settings: of its meter.
        """
        meter = replace(METER, semantics=semantics_of(protocol), **settings)
        speaker, address = self._speaker(protocol, broker, protocol, token)
        heard = Heard(speaker)
        power = Triggered(IDLE_W, WORK, self.is_busy or BusyFile(self.flag), time.time_ns())
        noisy = Noisy(power, NOISE_W, seed=len(self.plugs))
        simulation = Simulation(noisy, meter, heard, self.folder / f"truth-{protocol}.csv")
        simulation.start()
        # Its clock is ours, and its readings are on their way for no time.
        keys = {"resolution_w": meter.resolution_w, "timing_s": meter.interval_s, **(options or {})}
        made = Plug(
            protocol, simulation, heard, source_entry(protocol, protocol, address or speaker.where, keys), power
        )
        self.plugs.append(made)
        return made

    def _speaker(self, protocol: str, broker: Mosquitto | None, name: str, token: str | None) -> tuple[Speaker, str]:
        if broker is None:
            return HttpSpeaker(protocol, token=SecretStr(token) if token else None), ""
        url = f"mqtt{'s' if broker.ca_file else ''}://{broker.host}:{broker.port}"
        user, password = broker.user, broker.password
        access = BrokerAccess(
            url, SecretStr(user) if user else None, SecretStr(password) if password else None, broker.ca_file
        )
        return MqttSpeaker(access, DIALECTS[protocol], name), url

    def busy(self, duration_s: float) -> tuple[str, ...]:
        """A workload that makes the plugs busy for a while."""
        flag = shlex.quote(str(self.flag))
        return ("sh", "-c", f"touch {flag}; sleep {duration_s}; rm {flag}")

    def busy_until(self, file: Path) -> tuple[str, ...]:
        """A workload that makes the plugs busy until a file is there."""
        flag, there = shlex.quote(str(self.flag)), shlex.quote(str(file))
        return ("sh", "-c", f"touch {flag}; until [ -e {there} ]; do sleep 0.1; done; rm {flag}")

    def config(
        self,
        sources: Sequence[str],
        *,
        store: str = 'url = "sqlite"',
        cold_s: float = 3.0,
        idle_after_s: float = 0.0,
        repetitions: int = 2,
        interval_s: float = INTERVAL_S,
    ) -> Path:
        """Write terrawatt.toml."""
        path = self.folder / "terrawatt.toml"
        path.write_text(
            TOML.format(
                folder=self.folder,
                sources="\n".join(sources),
                store=store,
                cold_s=cold_s,
                idle_after_s=idle_after_s,
                repetitions=repetitions,
                interval_s=interval_s,
            )
        )
        return path

    def start(self, *command: str, options: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Start `terrawatt measure` with the last settings, in a session of its own."""
        arguments = (sys.executable, "-m", "terrawatt", "measure", "--config", str(self.folder / "terrawatt.toml"))
        process = subprocess.Popen(
            [*arguments, *options, *(("--", *command) if command else ())],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(self.folder)} | self.environment,
            start_new_session=True,
        )
        self.runs.append(process)
        return process

    def measure(self, *command: str, patience_s: float = 2 * PATIENCE_S) -> RunFolder:
        """Carry out `terrawatt measure`, which must succeed."""
        process = self.start(*command)
        out, err = process.communicate(timeout=patience_s)
        assert (process.returncode, err) == (0, ""), out + err
        return self.last_run()

    def last_run(self) -> RunFolder:
        """The newest run's folder."""
        results = self.folder / "results/faults"
        return RunFolder(max(results.glob("run_*"), key=lambda path: int(path.name.removeprefix("run_"))))

    def terrawatt(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another command of terrawatt, whatever becomes of it."""
        return subprocess.run(
            [sys.executable, "-m", "terrawatt", *arguments],
            capture_output=True,
            text=True,
            env=os.environ | self.environment,
            cwd=self.folder,
            timeout=2 * PATIENCE_S,
            check=False,
        )

    def close(self) -> None:
        """End everything."""
        for process in self.runs:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        for plug in self.plugs:
            plug.simulation.close()


def repetitions(folder: RunFolder) -> list[Phase]:
    """The windows that were measured."""
    return [phase for phase in read_phases(folder.phases) if phase.name == "repetition"]


def energies(folder: RunFolder, source: str) -> Sequence[Energy]:
    """What the summary says of each repetition."""
    found = source_results(collect(folder), repetitions(folder))[source].energies
    return [found[number] for number in sorted(found)]


def stored(folder: RunFolder, source: str, field_name: str = "power_w") -> Series:
    """The readings of a source in the run's own store."""
    with SqliteStore(folder.telemetry, read_only=True) as store:
        return store.read(SeriesKey.of("power", field_name, host=HOST, source=source))


def check_energies(folder: RunFolder, *plugs: Plug, at_most: float = 0.25) -> None:
    """The intervals of 95 % hold the truth, and say something: none is wider than a share of it on either side.

    Of many intervals some may miss it, by a little: one, or every fifth, and the truth is never further away than twice
    the half-width.
    """
    misses = []
    for plug in plugs:
        for phase, energy in zip(repetitions(folder), energies(folder, plug.name), strict=True):
            truth_j, net = plug.net_j(phase.window), energy.net
            what = f"{plug.name}, repetition {phase.repetition}: true {truth_j:.2f} J, found {net}"
            assert net.half_width_j <= at_most * abs(truth_j), what
            off_j = abs(net.energy_j - truth_j)
            assert off_j <= 2 * net.half_width_j, what
            misses += [what] if off_j > net.half_width_j else []
    assert len(misses) <= 1 + len(plugs) * len(repetitions(folder)) / 5, misses


def check_nothing_lost(folder: RunFolder, plug: Plug) -> int:
    """What is stored is what was told from the first stored reading to the last, in the same order; how much it is."""
    kept = stored(folder, plug.name)
    kept_w = kept.value[np.isfinite(kept.value)]
    told_w = np.array([reading.power_w for reading in plug.heard.readings for _ in range(reading.copies)])
    assert 10 < len(kept_w) <= len(told_w)
    # Sequences of noisy readings are alike at one place only.
    places = np.lib.stride_tricks.sliding_window_view(told_w, len(kept_w))
    assert (np.abs(places - kept_w).max(axis=1) < 1e-9).sum() == 1
    return len(kept_w)


def verdicts(folder: RunFolder, source: str = "") -> list[Verdict]:
    """Those of all repetitions; of one source only, where it is given."""
    every = [verdict for row in gather([folder.path]).rows for verdict in row.verdicts]
    return [verdict for verdict in every if not source or f"({source})" in str(verdict.column)]


def source_names(folder: RunFolder) -> list[str]:
    """Those in the manifest."""
    return [source.name for source in read_manifest(folder.manifest).sources]


def eventually(is_so: Callable[[], object], what: str) -> None:
    """Wait until something holds; fail when it never does."""
    end_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end_s, f"never happened: {what}"
        time.sleep(0.01)
