"""Where a run stands, read from its folder by somebody else than its runner: on this machine or over a shared disk."""

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from terrawatt.errors import RunFolderError
from terrawatt.experiment.launch.record import is_launched, part_folder, read_launch
from terrawatt.runs.heartbeat import Heartbeat, read_heartbeat
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.plan import read_plan
from terrawatt.runs.status import State, read_status
from terrawatt.units import NS_PER_S, ns_to_s

SILENT_AFTER_S = 60.0  # a heartbeat is due every 5 s, but not while the last readings of a run are awaited


class Life(StrEnum):
    """Whether somebody measures."""

    RUNNING = "running"
    SILENT = "silent"  # it should run, but has given no sign of life for a while
    GONE = "gone"  # it should run, but its process is not there
    UNKNOWN = "unknown"  # it was begun and not ended, and has no heartbeat
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    PENDING = "pending"


_SHOULD_RUN = (Life.RUNNING, Life.SILENT, Life.GONE)


@dataclass(frozen=True, slots=True)
class ScenarioStanding:
    """How far one scenario is; `group` None in a run of one."""

    group: int | None
    state: State
    done: int
    failed: int
    repetitions: int
    reason: str

    @classmethod
    def of(cls, folder: RunFolder) -> "ScenarioStanding":
        """As its folder says.

        Raises:
            RunFolderError: it has no status that can be read.
        """
        status = read_status(folder.status)
        states = [entry.state for entry in status.repetitions]
        done, failed = states.count(State.DONE), states.count(State.FAILED)
        return cls(folder.group, status.state, done, failed, len(states), status.reason)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands.

    Attributes:
        run: its folder.
        life: whether somebody measures.
        age_s: how old the last sign of life is; None without a heartbeat.
        order: of the repetitions; empty where there is no plan.
        heartbeat: the last one; None: there is none.
        scenarios: each by itself; of a launched sweep each part.
        parts: of a launched sweep: those that are measured now, or should be.
    """

    run: Path
    life: Life
    age_s: float | None
    order: str
    heartbeat: Heartbeat | None
    scenarios: tuple[ScenarioStanding, ...]
    parts: tuple["Standing", ...] = ()


def read_standing(run: Path) -> Standing:
    """Where the run of a folder stands now.

    Raises:
        RunFolderError: it is no run, or its files cannot be read.
    """
    if is_launched(run):
        return _launched(run)
    folder, now_ns = RunFolder(run), time.time_ns()
    scenarios = tuple(ScenarioStanding.of(one) for one in scenario_folders(run))
    order = str(read_plan(folder.plan).order) if folder.plan.exists() else ""
    if not folder.heartbeat.exists():
        return Standing(run, _life_of(scenarios), None, order, None, scenarios)
    beat = read_heartbeat(folder.heartbeat)
    is_there = beat.host != socket.gethostname() or _is_there(beat)
    return Standing(run, life(beat, now_ns, is_there=is_there), _age_s(beat, now_ns), order, beat, scenarios)


def under_way(runs: Sequence[Path]) -> list[Standing]:
    """Those of some runs that should be measured now, and are so or not; runs that cannot be read are left out."""
    found = []
    for run in runs:
        with suppress(RunFolderError):
            if is_launched(run) or _should_run(RunFolder(run)):
                found.append(read_standing(run))
    return [standing for standing in found if standing.life in _SHOULD_RUN]


def _launched(run: Path) -> Standing:
    """That of a sweep whose parts are jobs on many machines, each with a heartbeat of its own."""
    launch = read_launch(run)
    folders = [part_folder(run, part) for part in range(1, len(launch.entries) + 1)]
    scenarios = tuple(
        ScenarioStanding.of(one) if one.status.exists() else ScenarioStanding(one.group, State.PENDING, 0, 0, 1, "")
        for one in folders
    )
    parts = tuple(read_standing(one.path) for one in folders if one.heartbeat.exists() and _should_run(one))
    lives = {part.life for part in parts}
    found = next((one for one in _SHOULD_RUN if one in lives), None) or _life_of(scenarios)
    return Standing(run, found, None, str(launch.order), None, scenarios, parts)


def _should_run(folder: RunFolder) -> bool:
    return read_heartbeat(folder.heartbeat).state is State.RUNNING


def life(beat: Heartbeat, now_ns: int, *, is_there: bool) -> Life:
    """Whether somebody measures, by the last heartbeat.

    Args:
        beat: the last one.
        now_ns: the present moment, by this machine's clock.
        is_there: whether its process may be alive; True where that cannot be known, on another machine.
    """
    if beat.state is not State.RUNNING:
        return Life(beat.state)
    if not is_there:
        return Life.GONE
    return Life.SILENT if _age_s(beat, now_ns) > SILENT_AFTER_S else Life.RUNNING


def _age_s(beat: Heartbeat, now_ns: int) -> float:
    return max(ns_to_s(now_ns - beat.t_ns), 0.0)  # another machine's clock may be ahead


def _is_there(beat: Heartbeat) -> bool:
    """Whether the process of a heartbeat of this machine is alive, and not a later one of the same number."""
    try:
        process = psutil.Process(beat.pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() * NS_PER_S <= beat.t_ns
    except psutil.NoSuchProcess:
        return False


def _life_of(scenarios: Sequence[ScenarioStanding]) -> Life:
    """Without a heartbeat: as the scenarios were left, the worst of them."""
    states = {scenario.state for scenario in scenarios}
    if State.RUNNING in states:
        return Life.UNKNOWN
    order = (State.FAILED, State.INTERRUPTED, State.PENDING, State.DONE)
    return Life(next(state for state in order if state in states))
