import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.analysis.table import ColumnKind, all_columns
from terrawatt.errors import AnalysisError
from terrawatt.summary.tables import build_table, read_table

ROW = {
    "Run": 3,
    "Repetition": 1,
    "Model": "s-cnn-all",
    "Learning rate": 0.001,
    "Batch size": 100,
    "Seed": 7,
    "rgb": True,
    "Energy (plug)": 5000.25,
    "u Energy (plug)": 1 / 3,
    "Energy gross (plug)": 9000.0,
    "Duration": 60.0,
    "Parameters": 7_429_139,
    "Verdict": 'unusable: Energy (plug): "no", 5 s without',
}


def built(*rows):
    return build_table(rows, ["model", "lr", "batch", "seed", "rgb"], ["plug"])


def written(table, path, **options):
    table.frame.to_csv(path, index=False, lineterminator="\r\n", **options)
    return path


def test_all_columns_in_the_designs_order_also_those_without_a_value():
    table = built(ROW)
    assert list(table.frame) == list(all_columns(["model", "lr", "batch", "seed", "rgb"], ["plug"]))
    assert table.frame["Accuracy"].isna().all()
    assert table.frame["Temperature"].dtype == np.float64


def test_the_machine_is_a_column_where_rows_tell_it(tmp_path):
    table = built({**ROW, "Host": "node 1"}, {**ROW, "Host": "2"})
    assert list(table.frame)[:5] == ["Run", "Group", "Block", "Repetition", "Host"]
    again = read_table(written(table, tmp_path / "output_all.csv"))
    pd.testing.assert_frame_equal(again.frame, table.frame)
    assert again.hosts == ("node 1", "2")
    assert "Host" not in built(ROW).frame
    assert read_table(written(built(ROW), tmp_path / "output_all.csv")).hosts == ()


def test_types():
    frame = built(ROW, {**ROW, "Batch size": 200}).frame
    assert frame["Run"].dtype == frame["Batch size"].dtype == frame["Parameters"].dtype == np.int64
    assert frame["Learning rate"].dtype == frame["Energy (plug)"].dtype == np.float64
    assert frame["rgb"].dtype == np.bool_
    assert frame["Model"].tolist() == ["s-cnn-all"] * 2


def test_missing_values_are_none_or_nan_never_zero():
    frame = built(ROW, {"Repetition": 2, "Duration": None, "Energy (plug)": float("nan")}).frame
    last = frame.iloc[1]
    assert np.isnan(last["Energy (plug)"])
    assert np.isnan(last["Duration"])
    assert last["Seed"] is last["Model"] is last["rgb"] is last["Group"] is None
    assert last["Verdict"] == ""


def test_reading_back_gives_the_same_table(tmp_path):
    table = built(ROW, {"Repetition": 2, "Model": 'ümlaut, "quoted"\nline', "Verdict": ""}, {**ROW, "Repetition": 3})
    again = read_table(written(table, tmp_path / "output_all.csv"))
    pd.testing.assert_frame_equal(again.frame, table.frame)
    assert {name: column.kind for name, column in again.columns.items()} == {
        name: column.kind for name, column in table.columns.items()
    }


def test_order_and_byte_order_mark_do_not_matter(tmp_path):
    table = built(ROW, {**ROW, "Repetition": 2})
    path = tmp_path / "output_all.csv"
    shuffled = table.frame[sorted(table.frame, reverse=True)]
    path.write_bytes(("\ufeff" + shuffled.to_csv(index=False)).encode())
    again = read_table(path)
    pd.testing.assert_frame_equal(again.frame[list(table.frame)], table.frame)


def test_only_repetition_and_duration_are_needed(tmp_path):
    path = tmp_path / "output_all.csv"
    path.write_text("Duration,Repetition,Energy (plug),K\n1.5,1,20,x\n")
    table = read_table(path)
    assert table.frame["Duration"].tolist() == [1.5]
    assert table.frame["Energy (plug)"].tolist() == [20.0]
    assert table.frame["u Energy (plug)"].isna().all()
    assert table.columns["K"].kind is ColumnKind.FACTOR


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a table"),
        (b"Duration,Energy (plug)\n1,2\n", "no column Repetition; is it"),
        (b"a,b\n1,2\n", "no column Repetition, Duration"),
        (b"Repetition,Duration\n1,long\n", "column Duration: "),
        (b"Repetition,Duration\n1.5,2\n", "column Repetition: '1.5' is not a whole number"),
        (b"Repetition,Duration\n1,2\n3,4,5,6\n", "not a table"),
        (b"Repetition,Duration\n1,\xff\n", "not a table"),
    ],
)
def test_what_is_no_table_is_refused_and_named(tmp_path, content, message):
    path = tmp_path / "output_all.csv"
    path.write_bytes(content)
    with pytest.raises(AnalysisError, match=r"output_all\.csv") as raised:
        read_table(path)
    assert message in str(raised.value)


def test_a_missing_table_is_said(tmp_path):
    with pytest.raises(AnalysisError, match="no such file"):
        read_table(tmp_path / "output_all.csv")


words = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00", exclude_categories=("Cs", "Zs", "Cc")))
factors = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False),
                    st.booleans(), words)  # fmt: skip


@given(st.lists(st.tuples(factors, st.one_of(st.none(), st.floats(allow_infinity=False))), min_size=1, max_size=6))
def test_any_values_come_back_as_they_were(tmp_path_factory, cells):
    rows = [
        {"Repetition": i, "Duration": 1.0, "Model": factor, "Energy (plug)": energy}
        for i, (factor, energy) in enumerate(cells, start=1)
    ]
    table = built(*rows)
    again = read_table(written(table, tmp_path_factory.mktemp("table") / "output_all.csv"))
    pd.testing.assert_frame_equal(again.frame, table.frame)
