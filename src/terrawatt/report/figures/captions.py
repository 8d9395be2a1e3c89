"""Sentences that captions of several figures share."""

from collections.abc import Iterable

from terrawatt.analysis.pca import PcaResult
from terrawatt.analysis.statistics import LeftOut, left_out_in_words


def left_out_sentence(left_out: Iterable[LeftOut]) -> str:
    """Which columns an analysis did not use, and why; empty when it used all."""
    words = left_out_in_words(left_out)
    return f"Columns left out – {words}." if words else ""


def components_sentence(found: PcaResult) -> str:
    """What went into principal components."""
    return f"{len(found.names)} standardised quantities of {len(found.rows)} repetitions."


def component_title(found: PcaResult, component: int) -> str:
    """The title of a component's axis; components count from 0."""
    return f"PC{component + 1} ({100 * found.explained[component]:.1f} % of the variance)"
