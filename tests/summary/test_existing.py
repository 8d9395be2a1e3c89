"""Tables that were written by others, or by another version: brought into this form, or refused with the reason."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from run_folders import Recipe
from terrawatt.errors import AnalysisError
from terrawatt.summary.overview import overview
from terrawatt.summary.summarise import SummaryResult, summarise
from terrawatt.summary.tables import read_table

MakeRun = Callable[..., Path]

OLDER = """CPU,Memory,Energy (plug),Temperature,\
Reads,Accuracy,Recall,Duration,Emissions,Energy (CodeCarbon),Batch size,\
Epochs,Learning rate,Model
500,-3,2000.5,40,12,0.91,0.51,60,1e-5,1200,100,25,0.001,S-CNN-All
500,-3,2010.5,40,12,0.91,0.51,60,1e-5,1200,100,25,0.001,S-CNN-All
500,-3,4000.5,40,12,0.93,0.61,90,2e-5,2200,100,25,0.001,InceptionV3-FromScratch
500,-3,4010.5,40,12,0.93,0.61,90,2e-5,2200,100,25,0.001,InceptionV3-FromScratch
500,-3,2020.5,40,12,0.91,0.51,60,1e-5,1200,100,25,0.001,S-CNN-All
"""


def again(csv: Path) -> SummaryResult:
    return summarise([csv], csv.parent, from_file=True, figures=False)


def put(folder: Path, text: str) -> Path:
    path = folder / "output_all.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_table_of_the_older_scripts_is_numbered_and_named_as_today(tmp_path: Path) -> None:
    result = again(put(tmp_path, OLDER))
    frame = result.table.frame
    assert list(frame["Repetition"]) == [1, 2, 1, 2, 3]
    assert list(frame["Model"].unique()) == ["s-cnn-all", "inception-v3-scratch"]
    assert [(row.label, row.n) for row in overview(result)] == [("s-cnn-all", 3), ("inception-v3-scratch", 2)]
    assert any("table is that of the older scripts" in note for note in result.notes)


def test_a_model_that_no_registry_knows_keeps_its_name(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, OLDER.replace("S-CNN-All", "My net")))
    assert list(table.frame["Model"].unique()) == ["My net", "inception-v3-scratch"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_spreadsheet_with_decimal_commas_is_the_same_table(make_run: MakeRun, tmp_path: Path, delimiter: str) -> None:
    first = summarise([make_run(1, Recipe())], tmp_path / "out", figures=False)
    saved = tmp_path / "saved.csv"
    texts = pd.read_csv(first.files.csv, dtype=str, keep_default_na=False)
    numeric = [name for name in texts if name not in ("Model", "Verdict")]
    texts[numeric] = texts[numeric].map(lambda cell: cell.replace(".", ","))
    saved.write_bytes(texts.to_csv(index=False, sep=delimiter).encode("utf-8-sig"))
    pd.testing.assert_frame_equal(read_table(saved).frame, first.table.frame)


def test_points_and_commas_together_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "Repetition;Duration;Recall\n1;60,5;0.5\n")
    with pytest.raises(AnalysisError, match="decimals with comma and with point"):
        read_table(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Repetition,Duration,Energy (plug) (kWh)", r"'Energy \(plug\) \(kWh\)': energies are in J"),
        ("Repetition,Duration,Duration", "two columns are called 'Duration'"),
    ],
)
def test_a_column_that_can_be_misread_is_refused(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        read_table(put(tmp_path, f"{header}\n1,60,3\n"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"table_version": 1',
            '"table_version": 9',
            "table version 9, but this version reads up to 1; update terrawatt",
        ),
        ('"table_version": 1', '"table_version": 0', "no table version 0; compute it again"),
        ('"unit": "J"', '"unit": "kWh"', r"column 'Energy \(plug\)' is in kWh, and this version computes in J"),
    ],
)
def test_a_table_of_another_version_or_unit_is_refused_with_the_reason(
    make_run: MakeRun, tmp_path: Path, old: str, new: str, message: str
) -> None:
    files = summarise([make_run(1, Recipe())], tmp_path / "out", figures=False).files
    text = files.json.read_text(encoding="utf-8")
    assert old in text
    files.json.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(AnalysisError, match=message):
        again(files.csv)
