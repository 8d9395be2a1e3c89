from pathlib import Path

import pytest

from terrawatt.analysis.scenarios import scenario_rows
from terrawatt.analysis.table import ColumnKind
from terrawatt.errors import AnalysisError, UsageError
from terrawatt.records import Severity
from terrawatt.summary.measurements import Roles, read_measurements
from terrawatt.summary.record import read_record
from terrawatt.summary.summarise_table import summarise_table
from terrawatt.summary.tables import read_table

ROLES = Roles(("Method", "Window size"), ("AUC",))
LAB = """Method,Window size,AUC,Energy (plug),Energy (CodeCarbon),Duration,Operator,Threads
0,5,0.8,0.0,8.2,0.12,ann,4
0,5,0.8,2500.5,8.3,0.13,bob,4
1,5,0.9,5000.0,1200,30.5,ann,4
1,5,0.9,5100.0,1210,30.6,ann,4
2,7,0.7,0,1.5,0.01,ann,4
"""


def written(folder: Path, content: str = LAB, name: str = "lab.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_rows_with_equal_factors_are_repetitions_of_one_scenario(tmp_path: Path) -> None:
    table = read_measurements([written(tmp_path)], ROLES).table
    assert [scenario.label for scenario in scenario_rows(table)] == [
        "Method 0 · Window size 5",
        "Method 1 · Window size 5",
        "Method 2 · Window size 7",
    ]
    assert table.of_kind(ColumnKind.ENERGY) == ["Energy (plug)"]
    assert table.of_kind(ColumnKind.PERFORMANCE) == ["AUC"]
    assert table.unit("Energy (CodeCarbon)") == "J"
    assert list(table.frame["Repetition"]) == [1, 2, 3, 4, 5]


def test_an_energy_of_zero_is_below_the_reach_of_the_meter_and_missing(tmp_path: Path) -> None:
    found = read_measurements([written(tmp_path)], ROLES)
    assert found.table.frame["Energy (plug)"].isna().tolist() == [True, False, False, False, True]
    (verdict,) = found.verdicts[(None, None, 1)]
    assert (verdict.code, verdict.severity, verdict.column) == ("below-reach", Severity.UNUSABLE, "Energy (plug)")
    assert found.unusable == {(None, None, 1), (None, None, 5)}
    assert "below the reach" in found.table.frame["Verdict"][0]
    assert found.table.frame["Verdict"][1] == ""
    assert found.notes[0].startswith("Energy (plug): 2 of 5 are 0 J")
    assert found.notes[1].startswith("Energy (plug): of 1 scenarios the meter saw a part only")


def test_constant_and_unused_columns_are_named(tmp_path: Path) -> None:
    notes = read_measurements([written(tmp_path)], Roles((*ROLES.factors, "Threads"), ("AUC",))).notes
    assert "columns without a role, not used: Operator" in notes
    assert "the same in all rows: Threads (4)" in notes


def test_the_order_of_columns_and_the_kind_of_csv_do_not_matter(tmp_path: Path) -> None:
    lines = [line.split(",") for line in LAB.splitlines()]
    french = "\ufeff" + "\r\n".join(";".join(reversed(cells)).replace(".", ",") for cells in lines)
    first = read_measurements([written(tmp_path)], ROLES)
    second = read_measurements([written(tmp_path, french, "french.csv")], ROLES)
    assert first.table.frame.equals(second.table.frame[list(first.table.frame.columns)])
    assert list(first.table.frame.columns) == list(second.table.frame.columns)


def test_decimal_factors_of_a_french_table_are_numbers_and_words_stay_words(tmp_path: Path) -> None:
    path = written(tmp_path, "lr;name;Energy (plug)\n0,01;a,b;5\n0,1;c;6\n")
    frame = read_measurements([path], Roles(("lr", "name"))).table.frame
    assert frame["lr"].tolist() == [0.01, 0.1]
    assert frame["name"].tolist() == ["a,b", "c"]


def test_energies_and_durations_of_other_names(tmp_path: Path) -> None:
    path = written(tmp_path, "m,joules,secs,model\na,5,1,x\nb,0,2,y\nb,6,3,y\n")
    found = read_measurements([path], Roles(("m", "model"), (), ("joules",), "secs"))
    assert found.table.of_kind(ColumnKind.ENERGY) == ["Energy (joules)"]
    assert found.table.frame["Duration"].tolist() == [1.0, 2.0, 3.0]
    assert found.unusable == {(None, None, 2)}
    assert found.notes[0].startswith("Energy (joules): 1 of 3 are 0 J: below the reach of the meter")


def test_several_tables_stand_under_each_other_with_their_names_as_a_factor(tmp_path: Path) -> None:
    other = written(tmp_path, "Method,Window size,Score,Energy (plug)\n0,5,1.5,77\n", "other.csv")
    found = read_measurements([written(tmp_path), other], Roles(ROLES.factors, ("AUC", "Score")))
    assert found.table.frame["Table"].tolist() == ["lab"] * 5 + ["other"]
    assert found.table.frame["AUC"].isna().tolist() == [False] * 5 + [True]
    assert len(scenario_rows(found.table)) == 4


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (Roles(("Metod",), ("AUC",)), "lab.csv: no column 'Metod'. Did you mean Method?"),
        (Roles(("Method",), ("F1",)), "lab.csv: no column 'F1'. Known: Method, Window size"),
        (Roles(("Method",), ("Operator",)), "line 2, column 'Operator': 'ann' is not a number"),
    ],
)
def test_a_column_that_is_not_there_or_no_score_is_refused_by_name(roles: Roles, message: str, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError) as refused:
        read_measurements([written(tmp_path)], roles)
    assert message in str(refused.value)


def test_a_table_without_energy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="name it with --energy"):
        read_measurements([written(tmp_path, "Method,Duration\n1,2\n")], Roles(("Method",)))


@pytest.mark.parametrize("roles", [Roles(()), Roles(("Method",), ("Method",))])
def test_roles_that_cannot_be_meant_are_wrong_usage(roles: Roles, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_measurements([written(tmp_path)], roles)


def test_the_summary_writes_a_table_that_file_true_reads_again(tmp_path: Path) -> None:
    result = summarise_table([written(tmp_path)], ROLES, tmp_path / "out", figures=False, command="terrawatt summary")
    assert not result.is_unusable
    again = read_table(result.files.csv)
    assert again.frame["Energy (plug)"].isna().sum() == 2
    record = read_record(result.files.json)
    assert record is not None
    assert record.title == "lab"
    assert [entry.is_unusable for entry in record.repetitions] == [True, True]


def test_a_table_whose_every_energy_is_zero_is_unusable(tmp_path: Path) -> None:
    zeros = written(tmp_path, "m,Energy (plug)\na,0\nb,0\n")
    assert summarise_table([zeros], Roles(("m",)), tmp_path / "out", figures=False).is_unusable
