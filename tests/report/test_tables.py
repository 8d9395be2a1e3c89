from collections.abc import Callable

import numpy as np
import pandas as pd

from terrawatt.analysis.statistics import describe, mean_with_uncertainty
from terrawatt.analysis.table import Table
from terrawatt.report.numbers import mean_and_half_width, mean_and_sd
from terrawatt.report.tables import PageTable, repetition_table, scenario_table

MakeTable = Callable[..., Table]


def labels(table: PageTable) -> list[str]:
    return [header.label for header in table.headers]


def texts(table: PageTable, row: int) -> list[str]:
    return [cell.text for cell in table.rows[row]]


def test_a_line_a_scenario_with_uncertainty_and_spread(make_table: MakeTable) -> None:
    table = make_table()
    found = scenario_table(table, ())
    assert labels(found) == [
        "Scenario",
        "n",
        "Net energy, plug (kJ): mean ± U",
        "Duration (s): mean (sd)",
        "Accuracy: mean (sd)",
        "Recall: mean (sd)",
        "Micro F1: mean (sd)",
        "Emissions (mg CO₂eq): mean (sd)",
    ]
    frame = table.frame.iloc[:3]
    energy = mean_with_uncertainty(frame["Energy (plug)"] / 1e3, frame["u Energy (plug)"] / 1e3)
    duration = describe(frame["Duration"])
    assert energy.mean is not None
    assert energy.expanded is not None
    assert duration.mean is not None
    assert duration.sd is not None
    assert texts(found, 0)[:4] == [
        "S-CNN-RGB",
        "3",
        mean_and_half_width(energy.mean, energy.expanded),
        mean_and_sd(duration.mean, duration.sd),
    ]
    assert float(found.rows[0][2].order) == np.float64(f"{energy.mean:.9g}")
    assert found.remarks == ()


def test_an_estimate_is_named_as_one(make_table: MakeTable) -> None:
    assert labels(scenario_table(make_table(), ("plug",)))[2] == "Net energy, plug (kJ), an estimate: mean ± U"


def test_values_that_are_missing_are_not_counted(make_table: MakeTable) -> None:
    table = make_table()
    table.frame.loc[0, ["Energy (plug)", "Duration"]] = None
    assert texts(scenario_table(table, ()), 0)[1] == "2 of 3"
    table.frame.loc[:2, ["Energy (plug)", "Duration"]] = None
    assert texts(scenario_table(table, ()), 0)[1:4] == ["0 of 3", "–", "–"]


def test_one_repetition_has_no_spread_and_says_so(make_table: MakeTable) -> None:
    found = scenario_table(make_table(n=1), ())
    assert texts(found, 0)[3].endswith(" (–)")
    assert "(–): one value has no standard deviation." in found.remarks
    assert any("its spread is not included (all scenarios)" in remark for remark in found.remarks)


def test_without_uncertainties_the_mean_stands_alone(make_table: MakeTable) -> None:
    table = make_table()
    frame = table.frame.drop(columns="u Energy (plug)")
    found = scenario_table(Table(frame, table.columns), ())
    assert "±" not in texts(found, 0)[2]
    assert found.remarks == ("Net energy, plug: the uncertainty of a repetition is unknown (all scenarios).",)


def test_a_reason_that_few_scenarios_share_names_them(make_table: MakeTable) -> None:
    table = make_table([f"m{i}" for i in range(5)], n=2)
    table.frame.loc[table.frame["Model"] != "m4", "u Energy (plug)"] = None
    (remark,) = scenario_table(table, ()).remarks
    assert remark == "Net energy, plug: the uncertainty of a repetition is unknown (m0; m1; m2; and 1 more)."


def test_a_table_without_any_score_or_energy(make_table: MakeTable) -> None:
    table = make_table()
    found = scenario_table(Table(table.frame[["Model", "Duration"]], table.columns), ())
    assert labels(found) == ["Scenario", "n", "Duration (s): mean (sd)"]


def test_a_line_a_repetition_without_empty_columns(make_table: MakeTable) -> None:
    table = make_table()
    table.frame.loc[5, "Verdict"] = "unusable: failed"
    found = repetition_table(table)
    assert len(found.rows) == 6
    assert "Temperature (°C·s)" not in labels(found)
    assert found.remarks == ("Columns without any value: Temperature.",)
    assert texts(found, 5)[-1] == "unusable: failed"
    assert [header.label for header in found.headers if header.is_text] == ["Model", "Verdict"]


def test_cells_have_no_more_digits_than_they_need(make_table: MakeTable) -> None:
    table = make_table(n=1)
    cells = [0.001, 12.0, 123456.789, pd.NA, None, True, 1.23456e-9]
    frame = pd.DataFrame({"Learning rate": pd.Series(cells, dtype=object)})
    found = repetition_table(Table(frame, table.columns))
    assert [row[0].text for row in found.rows] == ["0.001", "12", "123460", "", "", "True", "1.2346e-09"]


def test_an_empty_table(make_table: MakeTable) -> None:
    table = make_table()
    empty = Table(table.frame.iloc[:0], table.columns)
    assert scenario_table(empty, ()).rows == ()
    assert repetition_table(empty).rows == ()
