"""One part of a launched sweep, measured on the node that the engine chose: a job of its own."""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from terrawatt.errors import ProtocolError, TerrawattError
from terrawatt.experiment.beginning import Circumstances, first_manifest
from terrawatt.experiment.launch.record import Launch, is_done, part_folder, read_launch, settings_on
from terrawatt.experiment.ledger import Ledger
from terrawatt.experiment.lock import MachineLock, RunLock
from terrawatt.experiment.preflight import check_space
from terrawatt.experiment.progress import Lines, Progress
from terrawatt.experiment.record import Recorder
from terrawatt.experiment.request import Outcome, Request
from terrawatt.experiment.runner import check, waiting, with_folder
from terrawatt.experiment.session import Prepared, carry_out
from terrawatt.experiment.sitting import Sitting
from terrawatt.experiment.waiting import Wakeup
from terrawatt.records import Order
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import write_manifest
from terrawatt.runs.plan import Entry
from terrawatt.runs.status import RepetitionStatus, RunStatus, State, read_status, write_status


def prepare_part(folder: RunFolder, entry: Entry) -> None:
    """Make the folder of a part, as one that waits for its turn."""
    folder.path.mkdir(exist_ok=True)
    write_status(folder.status, RunStatus(State.PENDING, (RepetitionStatus(entry.repetition),)))


def measure_part(run_path: str, part: int) -> None:
    """What a job does: measure its part from the beginning, whatever an earlier attempt left of it.

    A job that a node's failure or a preemption ended is started again by the engine, and so comes here again.

    Raises:
        ProtocolError: its repetition failed, so the job has failed.
        TerrawattError: as `runner.run`.
    """
    run = Path(run_path)
    launch = read_launch(run)
    if is_done(run, part):
        return  # the engine began it again after its end
    os.chdir(launch.working_folder)
    with Lines(sys.stdout) as progress:
        outcome = _carry_out(launch, part_folder(run, part), launch.entries[part - 1], progress)
    if outcome.failures:
        raise ProtocolError("; ".join(outcome.failures))


def _carry_out(launch: Launch, folder: RunFolder, entry: Entry, progress: Progress) -> Outcome:
    settings = settings_on(launch, socket.gethostname())
    request = Request(
        settings=settings,
        scenarios=(launch.scenarios[entry.scenario - 1],),
        data=launch.data,
        on_failure=launch.on_failure,
        wait=True,  # for what an earlier attempt has left running
        options=launch.options,
    )
    remark = check(request)
    check_space(folder.path)
    with Wakeup() as wakeup, MachineLock(settings.experiment.lock) as lock:
        lock.acquire(waiting(wakeup, progress))
        lock.note(folder.path)
        if remark:
            progress.say(remark)
        try:
            with RunLock(folder):
                return carry_out(_prepared(request, launch.order, folder, entry), progress, wakeup)
        except (TerrawattError, OSError) as error:
            raise with_folder(error, folder) from error


def _prepared(request: Request, order: Order, folder: RunFolder, entry: Entry) -> Prepared:
    number = 1 if order is Order.SEQUENTIAL else entry.block
    return Prepared(
        request=request,
        run=folder,
        recorders=[_fresh(folder, entry)],
        order=order,
        sittings=[Sitting(1, number, entry.block, (entry.repetition,))],
        ledger=Ledger(1, request.settings.protocol.min_window_s),
        begin=_writer(folder, request),
    )


def _writer(folder: RunFolder, request: Request) -> Callable[[Circumstances], None]:
    def begin(now: Circumstances) -> None:
        write_manifest(folder.manifest, first_manifest(folder, request.scenarios[0], now))

    return begin


def _fresh(folder: RunFolder, entry: Entry) -> Recorder:
    """A part that begins; what an earlier attempt left is removed, and the log says so."""
    before = read_status(folder.status).state
    for path in (folder.manifest, folder.times, folder.heartbeat, *folder.path.glob(f"{folder.telemetry.name}*")):
        path.unlink(missing_ok=True)
    for path in (folder.output, folder.emissions):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    prepare_part(folder, entry)
    folder.phases.write_text("", encoding="utf-8")
    recorder = Recorder(folder, None)
    if before is not State.PENDING:
        recorder.log(f"measured again: an earlier attempt was {before}; what it left is discarded")
    return recorder
