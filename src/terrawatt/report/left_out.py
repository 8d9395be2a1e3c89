"""Columns that an analysis does not use, in words."""

from collections.abc import Iterable

from terrawatt.analysis.statistics import LeftOut, left_out_by_reason
from terrawatt.report.language import recorded


def left_out_words(left_out: Iterable[LeftOut]) -> str:
    """The columns by the reason why they are left out; empty where none is."""
    return "; ".join(f"{recorded(reason)}: {', '.join(names)}" for reason, names in left_out_by_reason(left_out))
