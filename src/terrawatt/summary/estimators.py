"""Two sources of one device (`same_as`), e.g. a plug's power and its energy counter, against each other."""

from collections.abc import Mapping, Sequence

from terrawatt.analysis.agreement import agreement, agreement_verdict
from terrawatt.analysis.energy import Energy
from terrawatt.records import SourceDescription, Verdict
from terrawatt.summary.cells import Cells

# One device makes both numbers out of the same samples: its error is in both, and not in their difference.
_SHARED = ("meter",)


def agreement_cells(
    sources: Sequence[SourceDescription],
    energies: Mapping[str, Mapping[int, Energy]],
    repetitions: Sequence[int],
) -> list[Cells]:
    """For each repetition the verdicts on the gross energies of sources that are one device; no columns.

    Args:
        sources: of the run.
        energies: source -> repetition -> its energy; without those of which it has no series.
        repetitions: their numbers.
    """
    pairs = [(energies.get(source.same_as, {}), energies.get(source.name, {})) for source in sources if source.same_as]
    return [Cells(verdicts=tuple(_verdicts(pairs, number))) for number in repetitions]


def _verdicts(pairs: Sequence[tuple[Mapping[int, Energy], Mapping[int, Energy]]], repetition: int) -> list[Verdict]:
    found = []
    for first, second in pairs:
        if repetition not in first or repetition not in second:
            continue
        one, other = first[repetition], second[repetition]
        verdict = agreement_verdict(
            agreement(one.gross, other.gross, _SHARED), (one.source, other.source), f"Energy ({one.source})"
        )
        found += [verdict] if verdict is not None else []
    return found
