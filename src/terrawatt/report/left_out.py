"""Columns that an analysis does not use, in words."""

from collections.abc import Iterable

from terrawatt.analysis.statistics import LeftOut, left_out_by_reason
from terrawatt.report.language import recorded, typeset


def left_out_words(left_out: Iterable[LeftOut]) -> str:
    """The columns by the reason why they are left out; empty where none is."""
    found = left_out_by_reason(left_out)
    return typeset("; ".join(f"{recorded(reason)}: {', '.join(map(recorded, names))}" for reason, names in found))
