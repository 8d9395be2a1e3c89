from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import AnalysisError
from terrawatt.summary.delimited import as_numbers, read_delimited


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2.5\n3,4\n",
        "a;b\r\n1;2,5\r\n3;4\r\n",
        "a\tb\n1\t2.5\n\n3\t4\n",
        "\ufeffa,b\n1,2.5\n3,4",
        '"a", "b"\n"1","2,5"\n3,4\n',
        "a;b\n1;2,5\n3;4\n".encode("utf-16"),
    ],
)
def test_the_usual_kinds_of_table_are_read_alike(content: str | bytes, tmp_path: Path) -> None:
    table = read_delimited(written(tmp_path, content))
    assert table.header == ("a", "b")
    assert as_numbers(table, ["a", "b"]) == {"a": [1.0, 3.0], "b": [2.5, 4.0]}


def test_commas_in_names_stay_in_names_where_the_names_are_expected(tmp_path: Path) -> None:
    path = written(tmp_path, "Size, px;Energy, plug;Time, s\n1;2,5;3\n")
    assert read_delimited(path, ["Size, px"]).header == ("Size, px", "Energy, plug", "Time, s")
    quoted = written(tmp_path, '"Size, px","Energy; plug"\n1,2\n')
    assert read_delimited(quoted, ["Size, px"]).header == ("Size, px", "Energy; plug")


@pytest.mark.parametrize("cell", ["", "NA", "nan", "N/A", "null", " - "])
def test_a_cell_that_says_nothing_is_there_is_missing(cell: str, tmp_path: Path) -> None:
    table = read_delimited(written(tmp_path, f"a,b\n{cell},1\n"))
    assert as_numbers(table, ["a"]) == {"a": [None]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3: 1 cells, but the header has 2"),
        ("a;b\n1;2;3\n", "line 2: 3 cells, but the header has 2; a cell that holds a semicolon must stand in quotes"),
        ("a,a\n1,2\n", "line 1: two columns are called 'a'"),
        ("a,,c\n1,2,3\n", "line 1: column 2 has no name"),
        ("a\n1\n", "line 1: one column only"),
        ("a,b\n", "a header, and no row"),
        ("  \n", "the file is empty"),
        (b"a,b\n1,2\n\xe9,2\n", "line 3: not UTF-8"),
        (b"PK\x03\x04\x00\x00", "not a table in text"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError) as refused:
        read_delimited(written(tmp_path, content))
    assert message in str(refused.value)
    assert "t.csv" in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n3,much\n", "line 3, column 'b': 'much' is not a number"),
        ("a,b\n1,inf\n", "line 2, column 'b': 'inf' is not a number"),
        ("a;b\n1;1.234,5\n", "line 2, column 'b': '1.234,5' is not a number"),
        ("a;b\n1,5;2\n1;2.5\n", "line 2, column 'a' (1,5) and line 3, column 'b' (2.5)"),
    ],
)
def test_numbers_that_can_be_read_in_two_ways_are_refused(content: str, message: str, tmp_path: Path) -> None:
    table = read_delimited(written(tmp_path, content))
    with pytest.raises(AnalysisError) as refused:
        as_numbers(table, ["a", "b"])
    assert message in str(refused.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="no such file"):
        read_delimited(tmp_path / "none.csv")


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.sampled_from([(",", "."), (";", ",")])
)
def test_any_numbers_come_back(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], kind: tuple[str, str]
) -> None:
    delimiter, decimal = kind
    rows = [f"{number!r}".replace(".", decimal) + f"{delimiter}1" for number in numbers]
    path = written(tmp_path_factory.mktemp("t"), "\n".join([f"a{delimiter}b", *rows]))
    assert as_numbers(read_delimited(path), ["a"]) == {"a": numbers}
