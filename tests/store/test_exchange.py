"""Files for other programs: Parquet and CSV come back exactly, whatever was in the store."""

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrawatt.errors import StoreError
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.exchange import COLUMNS, Format, read, write
from terrawatt.store.facts import facts_of
from terrawatt.store.sqlite import SqliteStore

POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
keys = st.builds(
    lambda measurement, field, tags: SeriesKey(measurement, field, tuple(sorted(tags.items()))),
    names,
    names,
    st.dictionaries(names, names, max_size=2),
)
contents = st.dictionaries(keys, st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.floats(), max_size=8), max_size=4)


@settings(max_examples=60, deadline=None)
@given(content=contents, form=st.sampled_from([Format.PARQUET, Format.CSV]))
def test_what_is_exported_and_imported_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, content: dict, form: Format
) -> None:
    folder = tmp_path_factory.mktemp("exchange")
    file = folder / f"series.{form}"
    with SqliteStore(folder / "one.sqlite") as one, SqliteStore(folder / "two.sqlite") as two:
        count = one.write(Sample(key, t_ns, v) for key, rows in content.items() for t_ns, v in rows.items())
        with file.open("wb") as binary:
            assert write(one, binary, form) == count
        assert two.write(read(file)) == count
        for key, rows in content.items():
            first, second = one.read(key), two.read(key)
            assert second.t_ns.tolist() == first.t_ns.tolist() == sorted(rows)
            np.testing.assert_array_equal(second.value.view(np.int64), first.value.view(np.int64))


@pytest.fixture
def store(tmp_path: Path):
    with SqliteStore(tmp_path / "telemetry.sqlite") as opened:
        opened.write([Sample(POWER, 10, 1.5), Sample(POWER, 20, float("nan")), Sample(POWER, 40, 3.0)])
        yield opened


def exported(store: SqliteStore, path: Path, form: Format) -> Path:
    with path.open("wb") as file:
        write(store, file, form)
    return path


def test_a_csv_says_what_it_holds(store: SqliteStore, tmp_path: Path) -> None:
    with exported(store, tmp_path / "series.csv", Format.CSV).open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        list(COLUMNS),
        ["power", "power_w", '{"host": "lab", "source": "plug"}', "10", "1.5"],
        ["power", "power_w", '{"host": "lab", "source": "plug"}', "20", ""],
        ["power", "power_w", '{"host": "lab", "source": "plug"}', "40", "3.0"],
    ]


def test_a_parquet_opens_elsewhere_with_gaps_as_nulls(store: SqliteStore, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(exported(store, tmp_path / "series.parquet", Format.PARQUET))
    assert table.column_names == list(COLUMNS)
    assert table.column("t_ns").to_pylist() == [10, 20, 40]
    assert table.column("value").to_pylist() == [1.5, None, 3.0]


def test_line_protocol_is_influxdbs(store: SqliteStore, tmp_path: Path) -> None:
    assert exported(store, tmp_path / "series.line", Format.LINE).read_text() == (
        "power,host=lab,source=plug power_w=1.5 10\n"
        "power,host=lab,source=plug power_w_missing=1.0 20\n"
        "power,host=lab,source=plug power_w=3.0 40\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.csv", "t_s,power_w\n1,2\n", r"a\.csv: no column measurement, field, tags, t_ns, value; needed are"),
        ("a.csv", "", r"a\.csv: no column measurement"),
        (
            "a.csv",
            f"{','.join(COLUMNS)}\npower,power_w,{{}},1,2\npower,power_w,{{}},x,2\n",
            r"a\.csv, line 3: not a rea",
        ),
        ("a.csv", f"{','.join(COLUMNS)}\npower,power_w,{{,1,2\n", r"a\.csv, line 2: not a reading"),
        ("a.csv", f"{','.join(COLUMNS)}\npower,power_w,[],1,2\n", r"a\.csv, line 2: not a reading"),
        ("a.csv", f'{",".join(COLUMNS)}\npower,power_w,"{{""a"": 1}}",1,2\n', r"a\.csv, line 2: not a reading"),
        ("a.csv", f"{','.join(COLUMNS)}\npower\n", r"a\.csv, line 2: not a reading"),
        ("a.csv", f"{','.join(COLUMNS)}\n,power_w,{{}},1,2\n", r"a\.csv, line 2: not a reading"),
        ("a.csv", b"\xff\xfe", r"a\.csv: not a CSV in UTF-8"),
        ("a.parquet", "nothing of the kind", r"a\.parquet: not a file of Parquet"),
    ],
)
def test_what_is_no_such_file_is_one_clear_line(tmp_path: Path, name: str, content: str | bytes, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StoreError, match=what) as caught:
        list(read(path))
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match=r"nothing\.csv: cannot be read \(No such file"):
        list(read(tmp_path / "nothing.csv"))


def test_a_series_in_numbers(store: SqliteStore) -> None:
    facts = facts_of(store.read(POWER))
    assert (facts.readings, facts.failed, facts.first_ns, facts.last_ns) == (3, 1, 10, 40)
    assert facts.longest_gap_s == pytest.approx(30e-9)
    empty = facts_of(store.read(SeriesKey.of("cpu", "usage_user")))
    assert (empty.readings, empty.failed, empty.first_ns, empty.longest_gap_s) == (0, 0, None, None)
