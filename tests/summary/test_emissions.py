import pytest

from terrawatt.runs.layout import prepare_run
from terrawatt.summary.emissions import emissions_cells

HEADER = "timestamp,emissions,energy_consumed"


@pytest.fixture
def folder(tmp_path):
    return prepare_run(tmp_path / "run_1")[0]


def test_each_repetition_has_its_file_by_number_whatever_the_order_of_the_folder(folder):
    for repetition in (10, 2, 1):
        folder.emissions_of(repetition).write_text(f"{HEADER}\nnow,{repetition}e-6,{repetition}e-3\n")
    for repetition in (1, 2, 10):
        cells = emissions_cells(folder, {}, repetition, 1)
        assert cells.values["Emissions"] == pytest.approx(repetition * 1e-6)
        assert cells.values["Energy (CodeCarbon)"] == pytest.approx(repetition * 3600)
        assert cells.verdicts == ()


@pytest.mark.parametrize(
    "text",
    [f"{HEADER}\nnow,1e-6,1e-3", f"\ufeff{HEADER}\r\nnow,1e-6,1e-3\r\n", f"{HEADER}\nnow,9,9\nlater,1e-6,1e-3\n"],
    ids=["no final newline", "BOM and CR LF", "several lines: the last"],
)
def test_files_as_they_come(folder, text):
    folder.emissions_of(1).write_bytes(text.encode())
    assert emissions_cells(folder, {}, 1, 1).values["Emissions"] == 1e-6


def test_several_executions_share_them(folder):
    folder.emissions_of(1).write_text(f"{HEADER}\nnow,4e-6,4e-3\n")
    assert emissions_cells(folder, {}, 1, 4).values == pytest.approx({"Emissions": 1e-6, "Energy (CodeCarbon)": 3600})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no line of values"),
        (HEADER, "holds no line of values"),
        (f"{HEADER}\nnow,,1e-3", "is not a number"),
        (f"{HEADER}\nnow,nan,1e-3", "is not a number"),
        ("timestamp,emissions\nnow,1e-6", "is not a number"),
        ("\x00\xff", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_empty_with_a_reason(folder, text, reason):
    folder.emissions_of(1).write_bytes(text.encode("latin-1"))
    cells = emissions_cells(folder, {}, 1, 1)
    assert cells.values == {}
    assert [verdict.column for verdict in cells.verdicts] == ["Emissions", "Energy (CodeCarbon)"]
    assert reason in cells.verdicts[0].message


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "CodeCarbon left no file"),
        ({"enabled": False}, "emissions.enabled is false"),
        ({"missing": {"1": "no answer in 20 s"}}, "no answer in 20 s"),
        ({"missing": {"2": "no answer in 20 s"}}, "CodeCarbon left no file"),
    ],
)
def test_a_missing_file_is_explained(folder, settings, reason):
    assert emissions_cells(folder, settings, 1, 1).verdicts[0].message == reason
