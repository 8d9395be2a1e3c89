"""A run by its sittings: what was measured in one go, each with its own idle periods."""

from collections.abc import Callable, Sequence

from terrawatt.records import Phase, PhaseName, Window
from terrawatt.summary.cells import Cells
from terrawatt.summary.collect import RunData

CellsOf = Callable[[RunData, Sequence[Phase]], Sequence[Cells]]


def parted(run: RunData, repetitions: Sequence[Phase]) -> list[tuple[RunData, list[Phase]]]:
    """Each sitting with its repetitions."""
    return [
        (sitting, [phase for phase in repetitions if phase.sitting == sitting.sitting_numbers[0]])
        for sitting in run.sittings
    ]


def each_sitting(run: RunData, repetitions: Sequence[Phase], cells_of: CellsOf) -> list[Cells]:
    """The cells of each repetition, computed sitting by sitting, in the order of the repetitions."""
    found: dict[int | None, Cells] = {}
    for sitting, inside in parted(run, repetitions):
        numbers = (phase.repetition for phase in inside)
        found |= dict(zip(numbers, cells_of(sitting, inside), strict=True))
    return [found[phase.repetition] for phase in repetitions]


def neighbours(run: RunData) -> list[tuple[int, int]]:
    """Pairs of sittings that share the idle period between them."""
    after = _idle_periods(run, PhaseName.IDLE)
    before = _idle_periods(run, PhaseName.COLD)
    return [(after[window], sitting) for window, sitting in before.items() if window in after]


def _idle_periods(run: RunData, name: PhaseName) -> dict[Window, int]:
    """Window -> sitting."""
    return {phase.window: phase.sitting for phase in run.phases if phase.name == name}
