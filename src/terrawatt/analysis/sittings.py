"""What repetitions of several sittings have in common: their idle levels are known apart, their meter is the same."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from terrawatt.analysis.energy import Energy, EnergyValue

_OF_A_SITTING = "baseline"  # the component that only repetitions of one sitting share
_NEIGHBOURS = 0.5  # of the variance of an idle level, which is half that of the idle period before, half that after


def common_share(sittings: Sequence[int], neighbours: Collection[tuple[int, int]] = (), *, alone: float = 1.0) -> float:
    """The share of an idle level's variance that two repetitions have in common, on the mean over all pairs of them.

    With it the mean of n repetitions has the variance s²/n + share · u²: what a sitting has for itself is in s already.
    1 where all are of one sitting, 0 where each is of another.

    Args:
        sittings: the sitting of each repetition.
        neighbours: pairs of sittings that share the idle period between them.
        alone: the share of a single repetition: 0 where others of its scenario are in sittings of their own, but not
            here (not measured yet, or by another job).
    """
    n = len(sittings)
    if n < 2:
        return alone
    counts = Counter(sittings)
    same = sum(count * (count - 1) for count in counts.values()) / 2
    between = sum(counts[first] * counts[second] for first, second in neighbours)
    return (same + _NEIGHBOURS * between) / (n * (n - 1) / 2)


def with_common_share(energy: Energy, share: float) -> Energy:
    """The same energy, of whose idle level only a share of the variance is common to all repetitions."""
    return replace(energy, gross=_shared(energy.gross, share), net=_shared(energy.net, share))


def _shared(value: EnergyValue, share: float) -> EnergyValue:
    budget = tuple(
        replace(part, shared_u_j=part.shared_u_j * share**0.5) if part.name == _OF_A_SITTING else part
        for part in value.budget
    )
    return replace(value, budget=budget)
