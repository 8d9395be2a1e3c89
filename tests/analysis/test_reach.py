import numpy as np
import pandas as pd

from terrawatt.analysis.reach import below_reach, below_reach_verdict
from terrawatt.analysis.table import Table, all_columns
from terrawatt.analysis.verdict import verdict_text
from terrawatt.records import Severity, Verdict

COLUMNS = all_columns((), ["plug", "other"])


def test_what_the_column_verdict_says_is_found_again() -> None:
    plug, other = (below_reach_verdict(f"Energy ({source})") for source in ("plug", "other"))
    failed = Verdict("failed-repetition", Severity.UNUSABLE, "failed: exit code 1")
    gap = Verdict("gap", Severity.DOUBTFUL, "3 s without readings", "", "Energy (plug)")
    texts = [
        verdict_text(found) for found in ([plug], [other], [plug, other], [failed, plug, gap], [gap], [failed], [])
    ]
    frame = pd.DataFrame({"Energy (plug)": np.nan, "Verdict": texts}, index=range(len(texts)))
    found = below_reach(Table(frame, COLUMNS), "Energy (plug)")
    assert found.tolist() == [True, False, True, True, False, False, False]


def test_a_table_without_verdicts_has_no_such_row() -> None:
    table = Table(pd.DataFrame({"Energy (plug)": [1.0, np.nan]}), COLUMNS)
    assert not below_reach(table, "Energy (plug)").any()
