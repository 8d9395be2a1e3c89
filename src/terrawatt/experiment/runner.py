"""A run: its scenarios under the protocol, each in a folder of its own.

Lock → checks → run folder → CodeCarbon and sampler → manifests and plan → sitting after sitting → checksums. Whatever
ends a run, its folder can be read and says how far it came; `experiment.resume` goes on from there.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from terrawatt.errors import ProtocolError, TerrawattError
from terrawatt.experiment import precision
from terrawatt.experiment.beginning import Circumstances, first_manifest
from terrawatt.experiment.ledger import Ledger
from terrawatt.experiment.lock import Holder, MachineLock, RunLock
from terrawatt.experiment.plan import ordered
from terrawatt.experiment.preflight import check_command, check_space, check_store, discard_unused, make_folders
from terrawatt.experiment.progress import Progress
from terrawatt.experiment.record import Recorder
from terrawatt.experiment.request import Outcome as Outcome
from terrawatt.experiment.request import Request as Request
from terrawatt.experiment.session import Prepared, carry_out
from terrawatt.experiment.sitting import sittings
from terrawatt.experiment.waiting import Wakeup
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import write_manifest
from terrawatt.runs.plan import Plan, write_plan

_LOCK_POLL_S = 0.5
_SEED_BITS = 32  # of an order that is drawn


def run(request: Request, progress: Progress) -> Outcome:
    """Carry out a run. It belongs to the main thread, where signals arrive.

    Raises:
        UsageError: a command does not exist.
        ProtocolError: another run holds the machine, the disk is full, the sampler does not start or is gone for good.
        RunFolderError: the run's folder cannot be made, or holds a run already.
        ConfigError: the database's address is wrong, or CodeCarbon does not know the country.
        StoreError: the database refuses: user, password, token, database or certificate are wrong.
        StoppedError: a stop signal came; the folder says how far the run came.
    """
    settings = request.settings
    remark = check(request)
    with progress, Wakeup() as wakeup, MachineLock(settings.experiment.lock) as lock:
        lock.acquire(waiting(wakeup, progress) if request.wait else None)
        check_space(request.storage_path or settings.experiment.results)
        folders = make_folders(
            request.storage_path, settings.experiment.results, settings.experiment.name, len(request.scenarios)
        )
        run_folder = RunFolder(request.storage_path or folders[0].run_path)
        lock.note(run_folder.path.absolute())
        if remark:
            progress.say(remark)
        try:
            with RunLock(run_folder):
                return carry_out(_prepared(request, run_folder, folders), progress, wakeup)
        except (TerrawattError, OSError) as error:
            log_is_needed = any(str(folder.log) in str(error) for folder in (*folders, run_folder))
            if not log_is_needed and discard_unused(folders, given=request.storage_path is not None):
                raise
            raise with_folder(error, run_folder) from error


def check(request: Request) -> str:
    """See that a request can be carried out, before anything is locked or made.

    Returns:
        A remark for the user; empty when all is well.

    Raises:
        TerrawattError: as `run`.
    """
    remark = check_store(request.settings)
    precision.check(request.settings.protocol, len(request.scenarios))
    for program in dict.fromkeys(scenario.command[:1] for scenario in request.scenarios):
        check_command(program)
    return remark


def waiting(wakeup: Wakeup, progress: Progress) -> Callable[[Holder | None], None]:
    """Lets time pass while another run holds the lock; tells the user once who it is."""
    told: list[Holder | None] = []

    def pause(holder: Holder | None) -> None:
        if not told:
            told.append(holder)
            progress.say(f"waiting for {f'process {holder.pid}, {holder.run}' if holder else 'another run'} to end")
        wakeup.wait(_LOCK_POLL_S)
        wakeup.check()

    return pause


def with_folder(error: TerrawattError | OSError, run_folder: RunFolder) -> TerrawattError:
    """The error with the folder that holds what was measured."""
    kept = f"what was measured before is in {run_folder.path}"
    if isinstance(error, TerrawattError):
        return type(error)(f"{error}; {kept}")
    where = f"{error.filename}: " if error.filename else ""
    return ProtocolError(f"{where}{error.strerror or error}; {kept}")


def _prepared(request: Request, run_folder: RunFolder, folders: Sequence[RunFolder]) -> Prepared:
    """A run that begins: its order, and manifests and plan before anything is measured."""
    protocol = request.settings.protocol
    seed = secrets.randbits(_SEED_BITS) if protocol.order_seed is None else protocol.order_seed
    count = protocol.planned_repetitions
    if len(folders) > 1:
        protocol = protocol.model_copy(update={"order_seed": seed})
        request = replace(request, settings=request.settings.model_copy(update={"protocol": protocol}))
    plan = Plan(request.order, seed, ordered(len(folders), count, request.order, seed))

    def begin(now: Circumstances) -> None:
        for folder, scenario in zip(folders, request.scenarios, strict=True):
            write_manifest(folder.manifest, first_manifest(folder, scenario, now))
        if len(folders) > 1:  # it comes last: a run with a plan can be resumed
            write_plan(folders[0].plan, plan)

    return Prepared(
        request=request,
        run=run_folder,
        recorders=[Recorder(folder, count) for folder in folders],
        order=plan.order,
        sittings=sittings(plan.entries, plan.order, {}),
        ledger=Ledger(len(plan.entries), protocol.min_window_s),
        begin=begin,
    )
