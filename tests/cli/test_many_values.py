from pathlib import Path

import pytest

from terrawatt.cli.app import main
from terrawatt.cli.many_values import repeated
from terrawatt.summary import summarise_table as module

CSV = "Method,Window size,AUC,Energy (plug),Duration\n0,5,0.8,10,1\n0,5,0.8,11,1\n1,5,0.9,20,2\n1,7,0.9,21,2\n"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table in the working folder; figures are tested elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "write_report", lambda _content, folder, look, executor=None: folder / "report.html")
    path = tmp_path / "change.csv"
    path.write_text(CSV)
    return path


def terrawatt(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["summary", *arguments])
    return int(ended.value.code or 0)


def test_each_value_gets_its_option() -> None:
    given = [
        "--table",
        "t.csv",
        "--factors",
        "A",
        "B b",
        "--performance",
        "C",
        "--out",
        "x",
        "y",
        "--",
        "z",
        "--factors",
    ]
    assert repeated(given) == [
        *("--table", "t.csv", "--factors", "A", "--factors", "B b", "--performance", "C", "--out", "x", "y"),
        *("--", "z", "--factors"),
    ]


def test_a_table_is_summarised_beside_the_user(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = terrawatt("--table", str(table), "--factors", "Method", "Window size", "--performance", "AUC")
    assert code == 0
    assert "Method 1 · Window size 7" in " ".join(capsys.readouterr().out.split())
    assert (table.parent / "summary_change" / "output_all.csv").is_file()


def test_a_zero_everywhere_ends_with_exit_code_3(table: Path) -> None:
    table.write_text("m,Energy (plug)\na,0\nb,0\n")
    assert terrawatt("--table", str(table), "--factors", "m") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--factors", "Method"], "belong to --table"),
        ([], "no run is given"),
        (["3", "--table", "change.csv", "--factors", "Method"], "either runs or --table"),
        (["--table", "change.csv"], "no factor is named"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    arguments: list[str], message: str, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terrawatt(*arguments) == 2
    assert message in capsys.readouterr().err
