"""What the user sees of a run: a live page in a terminal, else one line a phase or repetition.

Seeing must not disturb measuring: the page is drawn at most once a second, by the runner itself, without a thread.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from terrawatt.experiment import outlook
from terrawatt.experiment.protocol import Step, StepKind
from terrawatt.runs.heartbeat import Heartbeat
from terrawatt.units import format_duration, with_si_prefix

_BAR_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a run at one moment.

    Attributes:
        scenario, scenarios: which of how many, from 1.
        title: the scenario in words.
        step: what happens now; `steps_of_kind`: how many there are of its kind in the scenario.
        elapsed_s: how long the step has lasted.
        epoch, epochs: the last one that the workload reported; of how many, where the scenario says so.
        source: the main power source.
        power_w: its last reading; None: there is none now.
        energy_j: gross energy since the step began, a running sum for the eye; the table integrates exactly.
        left_s: time left of the run; None: not yet known.
        sweep: where the whole run is; None: not known.
        blocks: how many blocks it has; 1 where its order knows none.
    """

    scenario: int
    scenarios: int
    title: str
    step: Step
    steps_of_kind: int
    elapsed_s: float
    epoch: int | None
    epochs: int | None
    source: str
    power_w: float | None
    energy_j: float
    left_s: float | None
    sweep: Heartbeat | None = None
    blocks: int = 1


class Progress(Protocol):
    """Shows a run; a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """Something has happened that stays true."""
        ...

    def show(self, snapshot: Snapshot) -> None:
        """The state has changed."""
        ...


class Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def say(self, line: str) -> None:
        """Print the line, at once."""
        self._stream.write(line + "\n")
        self._stream.flush()

    def show(self, snapshot: Snapshot) -> None:
        """Nothing: only what stays true is printed."""


class Page:
    """A live page at the bottom of a terminal; what stays true scrolls by above it."""

    def __init__(self, stream: TextIO) -> None:
        self._live = Live(console=Console(file=stream), auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        """Print the line above the page."""
        self._live.console.print(Text(line))

    def show(self, snapshot: Snapshot) -> None:
        """Draw the page."""
        self._live.update(_page(snapshot), refresh=True)


def choose(stream: TextIO) -> Progress:
    """A page for a terminal, lines for everything else."""
    return Page(stream) if stream.isatty() else Lines(stream)


def facts(snapshot: Snapshot) -> list[tuple[str, str]]:
    """What a page says, name and value."""
    step, sweep = snapshot.step, snapshot.sweep
    phase = f"{step.kind} {step.number} of {snapshot.steps_of_kind}" if step.number else str(step.kind)
    lasted = format_duration(snapshot.elapsed_s)
    if step.duration_s is not None:
        lasted += f" of {format_duration(step.duration_s)}"
    lines = [
        ("scenario", f"{snapshot.scenario} of {snapshot.scenarios}: {snapshot.title}"),
        ("phase", f"{phase}, {lasted}"),
    ]
    if sweep is not None:
        lines.insert(0, ("repetitions", outlook.counts(sweep)))
    if sweep is not None and snapshot.blocks > 1:
        lines.insert(1, ("block", f"{sweep.block} of {snapshot.blocks}"))
    if snapshot.epoch is not None:
        lines.append(("epoch", f"{snapshot.epoch} of {snapshot.epochs or '?'} done"))
    power = "no reading" if snapshot.power_w is None else with_si_prefix(snapshot.power_w, "W")
    lines.append(("power", f"{power} now ({snapshot.source})"))
    if step.kind in (StepKind.REPETITION, StepKind.WARMUP):
        lines.append(("energy", f"{with_si_prefix(snapshot.energy_j, 'J')} gross so far in this {step.kind}"))
    if sweep is not None:
        return [*lines, ("so far", outlook.spent(sweep)), ("left", outlook.left(sweep))]
    left = "known after the first execution" if snapshot.left_s is None else format_duration(snapshot.left_s)
    return [*lines, ("time left", left)]


def _page(snapshot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in facts(snapshot):
        table.add_row(name, Text(value))
    if snapshot.sweep is not None:
        table.add_row("", bar(snapshot.sweep))
    return table


def bar(sweep: Heartbeat) -> ProgressBar:
    """How many repetitions of a run have ended, as a bar."""
    return ProgressBar(total=sweep.repetitions, completed=sweep.done + sweep.failed, width=_BAR_WIDTH)
