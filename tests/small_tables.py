"""Small tables with a known truth, for the statistics of scenarios."""

from collections.abc import Mapping, Sequence

import pandas as pd

from terrawatt.analysis.table import Table, all_columns
from terrawatt.records import Float64Array


def table_of(scenarios: Mapping[str, Mapping[str, Float64Array | Sequence[float]]]) -> Table:
    """A table with a model for each name; its columns have one value a repetition."""
    frames = [
        pd.DataFrame({"Run": 1, "Group": group, "Model": name, **columns}).assign(
            Repetition=lambda frame: range(1, len(frame) + 1)
        )
        for group, (name, columns) in enumerate(scenarios.items(), start=1)
    ]
    frame = pd.concat(frames, ignore_index=True)
    columns = all_columns(["model", "epochs"], ["plug"])
    return Table(frame[[name for name in columns if name in frame]], columns)
