"""Executions that were too short for a meter: an energy of exactly 0 is missing, not free."""

import numpy as np
from numpy.typing import NDArray

from terrawatt.analysis.table import Table
from terrawatt.records import Severity, Verdict

_MESSAGE = "0 J in the table: below the reach of the meter, not free"
_ADVICE = "repeat the workload inside one window until the meter sees it, or use a meter that reads more often"


def below_reach_verdict(column: str) -> Verdict:
    """What is to be said of an energy of 0."""
    return Verdict("below-reach", Severity.UNUSABLE, _MESSAGE, _ADVICE, column)


def below_reach(table: Table, column: str) -> NDArray[np.bool_]:
    """(n,), which rows of an energy are missing because they were 0: the column `Verdict` says so."""
    if "Verdict" not in table.frame:
        return np.zeros(len(table.frame), dtype=bool)
    return np.array([_says_so(str(text), column) for text in table.frame["Verdict"]], dtype=bool)


def _says_so(text: str, column: str) -> bool:
    about, found, _ = text.partition(f": {_MESSAGE}")
    clause = about.rpartition("; ")[2].removeprefix(f"{Severity.UNUSABLE}: ")
    return bool(found) and column in clause.split(", ")
