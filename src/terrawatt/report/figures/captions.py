"""Sentences that captions of several figures share."""

from collections.abc import Iterable

from terrawatt.analysis.pca import PcaResult
from terrawatt.analysis.statistics import LeftOut
from terrawatt.report.language import say
from terrawatt.report.left_out import left_out_words


def left_out_sentence(left_out: Iterable[LeftOut]) -> str:
    """Which columns an analysis did not use, and why; empty when it used all."""
    words = left_out_words(left_out)
    return say("Columns left out – {words}.", words=words) if words else ""


def components_sentence(found: PcaResult) -> str:
    """What went into principal components."""
    return say(
        "{n_names} standardised quantities of {n_rows} repetitions.", n_names=len(found.names), n_rows=len(found.rows)
    )


def component_title(found: PcaResult, component: int) -> str:
    """The title of a component's axis; components count from 0."""
    return say(
        "PC{component} ({explained:.1f} % of the variance)",
        component=component + 1,
        explained=100 * found.explained[component],
    )
