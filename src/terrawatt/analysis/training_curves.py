"""How a training went, epoch by epoch: mean and 95 % t-interval over the repetitions of a scenario."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from terrawatt.analysis.statistics import describe

# What a training tells of an epoch -> the title of its axis; in the order in which they are shown.
QUANTITIES: Mapping[str, str] = {
    "train_loss": "Train loss (no unit)",
    "validation_loss": "Validation loss (no unit)",
    "validation_macro_f1": "Macro F1 (no unit)",
}


@dataclass(frozen=True, slots=True)
class EpochPoint:
    """One epoch over n repetitions; the interval is None for one repetition."""

    epoch: int
    n: int
    mean: float
    low: float | None
    high: float | None


def epoch_points(histories: Sequence[Sequence[float | None]]) -> tuple[EpochPoint, ...]:
    """The epochs that at least one repetition has a value of.

    Args:
        histories: of each repetition its values by epoch, from epoch 1 on; None where there is none.
    """
    points = []
    for position in range(max(map(len, histories), default=0)):
        given = [values[position] for values in histories if position < len(values)]
        found = describe(value for value in given if value is not None)
        if found.mean is not None:
            points.append(EpochPoint(position + 1, found.n, found.mean, found.low, found.high))
    return tuple(points)
