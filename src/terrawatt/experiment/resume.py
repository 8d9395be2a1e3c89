"""A run that goes on where it ended: what has ended is kept, what was under way is measured again.

Order and seeds are those of the plan. What is another one than when the run began is refused, or, where the user
accepts it, written into the manifests: from which repetition on which change.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from terrawatt.config import Settings
from terrawatt.errors import DifferentRunError, RunFolderError, TerrawattError
from terrawatt.experiment.beginning import Circumstances, first_manifest
from terrawatt.experiment.differences import Difference, differences
from terrawatt.experiment.ledger import Ledger
from terrawatt.experiment.lock import MachineLock, RunLock
from terrawatt.experiment.plan import ordered
from terrawatt.experiment.preflight import check_space
from terrawatt.experiment.progress import Progress
from terrawatt.experiment.record import Recorder
from terrawatt.experiment.request import Outcome, Request
from terrawatt.experiment.runner import check, waiting, with_folder
from terrawatt.experiment.scenario_run import WARM_UP_FOLDER
from terrawatt.experiment.session import Prepared, carry_out
from terrawatt.experiment.sitting import sittings
from terrawatt.experiment.waiting import Wakeup
from terrawatt.records import Order, Phase, PhaseName
from terrawatt.runs.atomic import sha256_once
from terrawatt.runs.heartbeat import read_heartbeat
from terrawatt.runs.integrity import check_files
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import Manifest, read_manifest, write_manifest
from terrawatt.runs.plan import Plan, read_plan
from terrawatt.runs.status import RepetitionStatus, State

_ENDED = (State.DONE, State.FAILED)


@dataclass(frozen=True, slots=True)
class BegunRun:
    """A run that was begun.

    Attributes:
        run: the folder of the whole run.
        folders: of its scenarios.
        manifests: of them.
        plan: its order.
    """

    run: RunFolder
    folders: tuple[RunFolder, ...]
    manifests: tuple[Manifest, ...]
    plan: Plan


def begun_run(path: Path) -> BegunRun:
    """Read what a run was to be.

    Args:
        path: its folder, or that of one of its groups.

    Raises:
        RunFolderError: it was ended before it began, or cannot be resumed.
    """
    given = RunFolder(path)
    run = RunFolder(given.run_path) if given.plan.exists() else given
    folders = tuple(scenario_folders(run.path))
    plan = _plan_of(run, len(folders)) if folders[0].path != run.path else None
    manifests = tuple(read_manifest(folder.manifest) for folder in folders)
    if not all(manifest.working_folder for manifest in manifests):
        raise RunFolderError(
            f"{run.path}: cannot be resumed: an older version made it, or it is a part of a program that measured "
            "itself; begin a new run"
        )
    if plan is None:
        count = manifests[0].protocol.planned_repetitions
        plan = Plan(Order.SEQUENTIAL, 0, ordered(1, count, Order.SEQUENTIAL, 0))
    return BegunRun(run, folders, manifests, plan)


def _plan_of(run: RunFolder, groups: int) -> Plan:
    if not run.plan.exists():
        raise RunFolderError(
            f"{run.path}: no {run.plan.name}: an older version made it, or it was ended before anything was measured; "
            "begin a new run"
        )
    plan = read_plan(run.plan)
    if (scenarios := max((entry.scenario for entry in plan.entries), default=0)) != groups:
        raise RunFolderError(f"{run.path}: {groups} groups, but its plan has {scenarios} scenarios; one is missing")
    return plan


def resume(begun: BegunRun, request: Request, progress: Progress, *, accept_changes: bool = False) -> Outcome:
    """Go on with a run. It belongs to the main thread, where signals arrive.

    Args:
        begun: the run.
        request: its scenarios, with the settings now in force.
        progress: what the user sees.
        accept_changes: go on though something is another one than when the run began.

    Raises:
        DifferentRunError: something is another one, and that is not accepted, or cannot be.
        ProtocolError: the run is being measured now; and as `runner.run`.
        TerrawattError: as `runner.run`.
    """
    request = replace(request, settings=_settings(begun, request.settings))
    remark = check(request)
    with progress, Wakeup() as wakeup, MachineLock(request.settings.experiment.lock) as lock:
        lock.acquire(waiting(wakeup, progress) if request.wait else None)
        check_space(begun.run.path)
        with RunLock(begun.run):
            lock.note(begun.run.path.absolute())
            prepared = _Resumption(begun, request, progress, accept_changes).prepare()
            if not prepared.sittings and all(map(_is_closed, prepared.recorders)):
                progress.say(f"{begun.run.path}: nothing is left: all repetitions have ended")
                return Outcome(begun.run.path, {one.folder.path: one.status for one in prepared.recorders})
            if remark:
                progress.say(remark)
            try:
                return carry_out(prepared, progress, wakeup)
            except DifferentRunError:
                raise
            except (TerrawattError, OSError) as error:
                raise with_folder(error, begun.run) from error


def _settings(begun: BegunRun, settings: Settings) -> Settings:
    """The settings in force, with what a run keeps: its name, the seed of its order, its machine's name in the series.

    On another machine the series so go on; that it is another one is a difference of its own.
    """
    first = begun.manifests[0]
    protocol, experiment, sampling = settings.protocol, settings.experiment, settings.sampling
    if protocol.order_seed is None:
        protocol = protocol.model_copy(update={"order_seed": first.protocol.order_seed})
    if not sampling.is_external:
        sampling = sampling.model_copy(update={"host_name": first.host})
    experiment = experiment.model_copy(update={"name": first.experiment})
    return settings.model_copy(update={"protocol": protocol, "experiment": experiment, "sampling": sampling})


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a scenario stays."""

    phases: tuple[Phase, ...]
    statuses: tuple[RepetitionStatus, ...]
    discarded: tuple[int, ...]  # repetitions that were under way

    @property
    def left(self) -> tuple[int, ...]:
        """The repetitions that are to be measured."""
        return tuple(entry.repetition for entry in self.statuses if entry.state not in _ENDED)


def kept(phases: Sequence[Phase], statuses: Sequence[RepetitionStatus]) -> Kept:
    """What stays of a scenario: repetitions that have ended, and of their sittings the idle periods and warm-ups.

    Args:
        phases: all that is recorded.
        statuses: of the repetitions.
    """
    ended = {entry.repetition for entry in statuses if entry.state in _ENDED}
    sat = {phase.sitting for phase in phases if phase.name == PhaseName.REPETITION and phase.repetition in ended}
    stays = tuple(
        phase
        for phase in phases
        if (phase.repetition in ended if phase.repetition is not None else phase.sitting in sat)
    )
    left = tuple(entry if entry.repetition in ended else RepetitionStatus(entry.repetition) for entry in statuses)
    recorded = {phase.repetition for phase in phases}
    under_way = (
        entry.repetition
        for entry in statuses
        if entry.state not in (*_ENDED, State.PENDING)
        or (entry.state is State.PENDING and entry.repetition in recorded)
    )
    return Kept(stays, left, tuple(under_way))


@dataclass(frozen=True, slots=True)
class _Resumption:
    begun: BegunRun
    request: Request
    progress: Progress
    accept_changes: bool

    def prepare(self) -> Prepared:
        """What is left; nothing is changed yet but that the files are no longer sealed, since they will change."""
        begun = self.begun
        recorders = [Recorder(folder, None) for folder in begun.folders]
        stays = [kept(recorder.phases, recorder.status.repetitions) for recorder in recorders]
        finished = set(_finished(begun.plan, stays))
        left = sittings(begun.plan.entries, begun.plan.order, _next_sittings(stays), finished)
        manifests = [read_manifest(folder.manifest) for folder in begun.folders]
        changed = _changed_files(begun.folders, manifests) if left else []
        sealed = [pair for pair in zip(begun.folders, manifests, strict=True) if pair[1].checksums] if left else []
        for folder, manifest in sealed:
            write_manifest(folder.manifest, replace(manifest, checksums={}))

        def abandon() -> None:
            for folder, manifest in sealed:
                write_manifest(folder.manifest, _sealed_again(folder, manifest, changed))

        def begin(now: Circumstances) -> None:
            self._compare(now, manifests, changed, stays)
            for recorder, what in zip(recorders, stays, strict=True):
                self._discard(recorder, what)

        return Prepared(
            request=self.request,
            run=begun.run,
            recorders=recorders,
            order=begun.plan.order,
            sittings=left,
            ledger=_ledger(begun, stays, len(finished)),
            begin=begin,
            goes_on=True,
            abandon=abandon,
        )

    def _compare(
        self, now: Circumstances, manifests: Sequence[Manifest], changed: Sequence[Difference], stays: Sequence[Kept]
    ) -> None:
        """See that all is as it was; record what is not, where that is accepted.

        Raises:
            DifferentRunError: it is not, and that is not accepted.
        """
        going_on = [
            (folder, manifest, what.left[0])
            for folder, manifest, what in zip(self.begun.folders, manifests, stays, strict=True)
            if what.left
        ]
        found = [
            [*differences(manifest, first_manifest(folder, manifest.scenario, now)), *changed]
            for folder, manifest, _ in going_on
        ]
        every = list(dict.fromkeys(difference for some in found for difference in some))
        fatal = [difference for difference in every if difference.is_fatal]
        path = self.begun.run.path
        if fatal:
            raise DifferentRunError(
                f"{path}: cannot be resumed with these changes, which one run cannot hold; undo them or begin a new "
                "run:",
                tuple(map(str, fatal)),
            )
        if every and not self.accept_changes:
            raise DifferentRunError(
                f"{path}: is not resumed, since these are not as when it began; undo them, or go on with "
                "--accept-changes, which makes them a factor in the table:",
                tuple(map(str, every)),
            )
        for (folder, _, first), differing in zip(going_on, found, strict=True):
            _record_changes(folder, differing, first)
        for difference in every:
            self.progress.say(f"changed since the run began: {difference}")

    def _discard(self, recorder: Recorder, what: Kept) -> None:
        """Take out what was under way, and what it left."""
        folder = recorder.folder
        for number in what.discarded:
            for file in (folder.emissions_of(number), *folder.output.glob(f"repetition_{number}_*")):
                file.unlink(missing_ok=True)
            recorder.forget_missing_emissions(number)
            scenario = "" if folder.path == self.begun.run.path else f"{folder.path.name}, "
            line = f"{scenario}repetition {number} was under way and is discarded; it is measured again"
            recorder.log(line)
            self.progress.say(line)
        shutil.rmtree(folder.path / WARM_UP_FOLDER, ignore_errors=True)
        if what.phases != recorder.phases or what.statuses != recorder.status.repetitions:
            recorder.keep(what.phases, replace(recorder.status, repetitions=what.statuses))


def _record_changes(folder: RunFolder, found: Sequence[Difference], first: int) -> None:
    """Write into a manifest what has changed from a repetition on."""
    if found:
        manifest = read_manifest(folder.manifest)
        changes = (*manifest.changes, *(difference.since(first) for difference in found))
        write_manifest(folder.manifest, replace(manifest, changes=changes))


def _finished(plan: Plan, stays: Sequence[Kept]) -> list[tuple[int, int]]:
    """Scenario and repetition of what is not to be measured: it has ended, or those before were enough."""
    left = [set(what.left) for what in stays]
    pairs = ((entry.scenario, entry.repetition) for entry in plan.entries)
    return [(scenario, repetition) for scenario, repetition in pairs if repetition not in left[scenario - 1]]


def _next_sittings(stays: Sequence[Kept]) -> dict[int, int]:
    """Scenario -> the number of its next sitting."""
    numbers = enumerate(stays, start=1)
    return {scenario: max((phase.sitting for phase in what.phases), default=0) + 1 for scenario, what in numbers}


def _changed_files(folders: Sequence[RunFolder], manifests: Sequence[Manifest]) -> list[Difference]:
    """Files that are not those that were measured."""
    found = []
    for folder, manifest in zip(folders, manifests, strict=True):
        integrity = check_files(folder, manifest)
        for state, names in (("changed", integrity.changed), ("missing", integrity.missing)):
            found += [Difference(_file(folder, name), "as measured", state) for name in names]
    return list(dict.fromkeys(found))


def _file(folder: RunFolder, name: str) -> str:
    """What a file is called among the differences; what groups share, once."""
    return f"files.{name.removeprefix('../')}" if name.startswith("../") else f"files.{folder.path.name}/{name}"


def _sealed_again(folder: RunFolder, manifest: Manifest, changed: Sequence[Difference]) -> Manifest:
    """The manifest as it was. To its store the sampler has added readings behind those that were sealed."""
    was_intact = _file(folder, manifest.store) not in {difference.what for difference in changed}
    if not (was_intact and manifest.store in manifest.checksums):
        return manifest
    store = {manifest.store: sha256_once(folder.path / manifest.store)}
    return replace(manifest, checksums={**manifest.checksums, **store})


def _ledger(begun: BegunRun, stays: Sequence[Kept], finished: int) -> Ledger:
    """The account so far."""
    failed = sum(entry.state is State.FAILED for what in stays for entry in what.statuses)
    ledger = Ledger(
        len(begun.plan.entries), begun.manifests[0].protocol.min_window_s, done=finished - failed, failed=failed
    )
    for scenario, what in enumerate(stays, start=1):
        for phase in what.phases:
            if phase.name == PhaseName.REPETITION:
                ledger.executed(scenario, phase.window.duration_s / phase.executions)
    try:
        beat = read_heartbeat(begun.run.heartbeat)
    except RunFolderError:
        return ledger
    if beat.energy_j > 0 and finished:
        ledger.carry_over(beat.energy_j, beat.done + beat.failed)
    return ledger


def _is_closed(recorder: Recorder) -> bool:
    """Whether nothing of a scenario is left to do."""
    return recorder.status.state in _ENDED and bool(read_manifest(recorder.folder.manifest).checksums)
