"""The files of one run folder while its scenario is carried out: each is up to date whenever the runner dies."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from terrawatt.errors import RunFolderError
from terrawatt.records import Phase, PhaseName, Window
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest, seal, write_manifest
from terrawatt.runs.phases import append_phases, read_phases, write_phases
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, read_status, write_status
from terrawatt.runs.times import format_time, write_times

_OURS = frozenset({PhaseName.COLD, PhaseName.WARMUP, PhaseName.REPETITION, PhaseName.IDLE})


class Recorder:
    """Writes `phases.jsonl`, `times.txt`, `status.json` and `log.txt` of one scenario."""

    def __init__(self, folder: RunFolder, repetitions: int | None) -> None:
        """Begin with every repetition pending; the status is written. None: go on with what the folder holds.

        Raises:
            RunFolderError: what it holds cannot be read.
        """
        self.folder = folder
        self._phases: list[Phase] = []
        if repetitions is None:
            self.status = read_status(folder.status)
            self._phases = read_phases(folder.phases)
        else:
            self.status = RunStatus.pending(repetitions)
            write_status(folder.status, self.status)

    def log(self, message: str) -> None:
        """Append a line of the runner itself to the log, with the time."""
        with self.folder.log.open("a", encoding="utf-8") as file:
            file.write(f"[terrawatt {format_time(time.time_ns())}] {message}\n")

    @property
    def phases(self) -> tuple[Phase, ...]:
        """What is recorded."""
        return tuple(self._phases)

    @property
    def is_over(self) -> bool:
        """Whether each repetition has ended, well or not."""
        return all(entry.state in (State.DONE, State.FAILED) for entry in self.status.repetitions)

    def keep(self, phases: Sequence[Phase], status: RunStatus) -> None:
        """Go on with these phases and this status, and leave out the rest of what is recorded."""
        self._phases = list(phases)
        write_phases(self.folder.phases, phases)
        write_times(self.folder.times, self._phases)
        self.status = status
        write_status(self.folder.status, status)

    def add(self, phase: Phase, inner: Sequence[Phase] = ()) -> None:
        """Record a phase that has ended, and those that the workload reported inside it."""
        self._phases += (phase, *inner)
        append_phases(self.folder.phases, (phase, *inner))
        write_times(self.folder.times, self._phases)

    def set_repetition(self, status: RepetitionStatus) -> None:
        """Record the state of one repetition."""
        self.status = self.status.with_repetition(status)
        write_status(self.folder.status, self.status)

    def set_state(self, state: State, reason: str = "") -> None:
        """Record the state of the whole scenario."""
        self.status = self.status.with_state(state, reason)
        write_status(self.folder.status, self.status)

    def drop_pending(self) -> int:
        """Forget the repetitions that will not be made, since those before are enough. Returns how many."""
        planned = len(self.status.repetitions)
        self.status = self.status.without_pending()
        write_status(self.folder.status, self.status)
        return planned - len(self.status.repetitions)

    def conclusion(self) -> tuple[State, str]:
        """How the scenario ended when all its repetitions have: done, unless none succeeded; and what went wrong."""
        repetitions = self.status.repetitions
        failed = [entry for entry in repetitions if entry.state is not State.DONE]
        if not failed:
            return State.DONE, ""
        first = failed[0].result.reason if failed[0].result else ""
        reason = f"{len(failed)} of {len(repetitions)} repetitions failed; the first: {first}"
        return State.FAILED if len(failed) == len(repetitions) else State.DONE, reason

    def close(self, state: State, reason: str = "") -> None:
        """Record how the scenario ended, behind the checksums of its files.

        A repetition that was still under way is interrupted, whatever the reason.
        """
        for entry in self.status.repetitions:
            if entry.state is State.RUNNING:
                self.status = self.status.with_repetition(replace(entry, state=State.INTERRUPTED))
        self.seal()
        self.set_state(state, reason)

    def seal(self) -> None:
        """Write the checksums of the files into the manifest, where there is one."""
        if self.folder.manifest.exists():
            seal(self.folder, read_manifest(self.folder.manifest))

    def note_missing_emissions(self, repetition: int, reason: str) -> None:
        """Record in the manifest why there is no file of emissions of a repetition."""
        self.log(f"repetition {repetition}: no emissions: {reason}")
        manifest = read_manifest(self.folder.manifest)
        missing = {**manifest.emissions.get("missing", {}), str(repetition): reason}
        write_manifest(self.folder.manifest, replace(manifest, emissions={**manifest.emissions, "missing": missing}))

    def forget_missing_emissions(self, repetition: int) -> None:
        """Take such a reason out: the repetition is measured again."""
        manifest = read_manifest(self.folder.manifest)
        missing = dict(manifest.emissions.get("missing", {}))
        if missing.pop(str(repetition), None) is not None:
            emissions = {**manifest.emissions, "missing": missing}
            write_manifest(self.folder.manifest, replace(manifest, emissions=emissions))

    def reported(self, file: Path, repetition: int, window: Window) -> list[Phase]:
        """The phases that a workload reported of one repetition into a file.

        What cannot be true is left out and logged: a line that is no phase, one of the runner's own names, a window
        outside the repetition's.
        """
        try:
            phases = read_phases(file, repetition=repetition)
        except RunFolderError as error:
            self.log(f"the phases that the workload reported are left out: {error}")
            return []
        good = [phase for phase in phases if _is_possible(phase, repetition, window)]
        if left_out := len(phases) - len(good):
            self.log(f"{left_out} phases that the workload reported are left out: not of repetition {repetition}")
        return good


def _is_possible(phase: Phase, repetition: int, window: Window) -> bool:
    inside = window.start_ns <= phase.window.start_ns and phase.window.end_ns <= window.end_ns
    return inside and phase.repetition == repetition and phase.name not in _OURS
