"""`terrawatt summary` takes tables that are small, flat, full of holes, large, or oddly named: page and exports too."""

import csv
import html
import io
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from run_folders import PLUG, Recipe
from terrawatt.config import ExperimentSettings
from terrawatt.records import Semantics, SeriesKey
from terrawatt.report.look import Look
from terrawatt.report.verdicts import without_unusable
from terrawatt.summary.export import Export, export
from terrawatt.summary.overview import overview
from terrawatt.summary.summarise import SummaryResult, summarise

NASTY = (
    "<script>alert(1)</script>",
    "</script><b>",
    "a & b_%#$^~{}\\",
    "Éléphant 日本 😀 µ²",
    "a\nb | c",
    "'\"`",
    "=SUM(A1)",
    "NaN",
    "{{ 7 * 7 }}",
    "x" * 300,
)


def make(models: tuple[str, ...], n: int = 3, *, spread: float = 1.0) -> pd.DataFrame:
    """A table of n repetitions of each model; without spread all values are equal."""
    rng = np.random.default_rng(1)

    def about(value: float, sd: float) -> float:
        return value + spread * float(rng.normal(0, sd))

    rows = [
        {
            "Run": 1,
            "Group": group,
            "Block": 1,
            "Repetition": number,
            "Model": model,
            "Learning rate": 0.001,
            "Energy (plug)": about(2000 + 100 * spread * group, 30),
            "u Energy (plug)": 60.0,
            "u common Energy (plug)": 40.0,
            "Energy gross (plug)": about(4000, 30),
            "Emissions": about(1e-5, 1e-7),
            "Energy (CodeCarbon)": about(1200, 20),
            "Duration": about(60, 1),
            "Accuracy": about(0.9, 0.01),
            "Recall": about(0.5, 0.01),
            "micro_f1": about(0.6, 0.01),
            "Verdict": "",
        }
        for group, model in enumerate(models, start=1)
        for number in range(1, n + 1)
    ]
    return pd.DataFrame(rows)


def summarised(frame: pd.DataFrame, folder: Path, *, figures: bool = True) -> SummaryResult:
    """The summary of a table, its page and its exports; all warnings are errors here.

    The page holds its pictures in any case; what other files of a figure are made from is one SVG, whatever the table.
    """
    path = folder / "output_all.csv"
    path.write_text(frame.to_csv(index=False), encoding="utf-8")
    result = summarise([path], folder, from_file=True, figures=figures, look=Look(formats=("svg",)))
    written = export(result, (Export.LATEX, Export.MARKDOWN, Export.BIBTEX), [], ExperimentSettings())
    assert all(one.stat().st_size > 0 for one in written)
    return result


def page(result: SummaryResult) -> str:
    assert result.report is not None
    return result.report.read_text(encoding="utf-8")


def test_one_scenario(tmp_path: Path) -> None:
    result = summarised(make(("a",), 5), tmp_path)
    (row,) = overview(result)
    assert (row.label, row.n) == ("a", 5)
    assert row.energy_j.expanded is not None
    assert "Results by scenario" in page(result)


@pytest.mark.parametrize("models", [("a",), ("a", "b")])
def test_one_repetition_has_its_own_uncertainty_and_no_spread(tmp_path: Path, models: tuple[str, ...]) -> None:
    result = summarised(make(models, 1), tmp_path)
    rows = overview(result)
    assert [row.n for row in rows] == [1] * len(models)
    assert all(row.energy_j.u == 60.0 and "one repetition" in row.energy_j.reason for row in rows)
    assert all(row.duration_s.sd is None for row in rows)
    assert "Results by scenario" in page(result)


def test_values_that_are_all_equal(tmp_path: Path) -> None:
    result = summarised(make(("a", "b"), 5, spread=0), tmp_path)
    assert [row.energy_j.mean for row in overview(result)] == [2000.0, 2000.0]
    assert "too few quantities that vary" in page(result)


def test_columns_without_a_number_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    frame = make(("a", "b"), 4)
    frame[["Energy (plug)", "u Energy (plug)", "Recall"]] = math.nan
    result = summarised(frame, tmp_path)
    assert [(row.n, row.energy_j.mean) for row in overview(result)] == [(0, None), (0, None)]
    assert all(row.accuracy.n == 4 for row in overview(result))
    assert "Columns without any value: " in page(result)


def test_a_table_without_a_single_number(tmp_path: Path) -> None:
    frame = make(("a", "b"), 3)
    frame.loc[:, "Energy (plug)":"micro_f1"] = math.nan  # type: ignore[misc]  # pandas slices by labels
    result = summarised(frame, tmp_path)
    assert [row.n for row in overview(result)] == [0, 0]


def test_infinite_values_are_missing(tmp_path: Path) -> None:
    frame = make(("a", "b"), 4)
    frame.loc[frame["Model"] == "a", "Energy (plug)"] = math.inf
    result = summarised(frame, tmp_path)
    assert [row.energy_j.mean is None for row in overview(result)] == [True, False]


def test_five_hundred_scenarios(tmp_path: Path) -> None:
    result = summarised(make(tuple(f"model {i}" for i in range(500)), 2), tmp_path, figures=False)
    assert len(overview(result)) == 500
    assert r"\begin{longtable}" in (tmp_path / "scenarios.tex").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_of_five_hundred_scenarios_is_of_a_size_to_be_sent(tmp_path: Path) -> None:
    result = summarised(make(tuple(f"model {i}" for i in range(500)), 3), tmp_path)
    assert result.report is not None
    assert result.report.stat().st_size < 5e6


def test_names_are_shown_as_they_are_and_never_run(tmp_path: Path) -> None:
    result = summarised(make(NASTY, 3), tmp_path)
    assert list(result.table.frame["Model"].unique()) == [name.strip() for name in NASTY]
    text = page(result)
    for name in NASTY:
        assert html.escape(name, quote=False) in text or html.escape(name) in text.replace("&#34;", "&quot;").replace(
            "&#39;", "&#x27;"
        )
    assert "<script>alert(1)</script>" not in text
    assert "</script><b>" not in text
    assert text.count("<script") == text.count("</script>")


def test_names_come_back_from_the_csv_of_a_summary(tmp_path: Path) -> None:
    result = summarised(make(NASTY, 1), tmp_path, figures=False)
    content = result.table.frame.to_csv(index=False, lineterminator="\r\n")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["Model"] for row in rows] == [name.strip() for name in NASTY]


def test_columns_of_others_are_settings(tmp_path: Path) -> None:
    frame = make(("a", "b"), 4)
    frame["Room, <b>"] = ["x", "y"] * 4
    frame["é"] = 1
    result = summarised(frame, tmp_path)
    assert sorted(row.label for row in overview(result)) == [
        "a · Room, <b> x",
        "a · Room, <b> y",
        "b · Room, <b> x",
        "b · Room, <b> y",
    ]
    assert "Room, <b>" not in page(result)


def test_runs_with_other_columns_have_empty_cells(tmp_path: Path) -> None:
    first, second = make(("a",), 3), make(("b",), 3)
    second["Run"], second["Energy (rapl)"] = 2, 900.0
    second = second.drop(columns=["Energy (plug)", "u Energy (plug)", "u common Energy (plug)"])
    result = summarised(pd.concat([first, second], ignore_index=True), tmp_path)
    frame = without_unusable(result.table, result.verdicts).frame
    assert frame["Energy (rapl)"].isna().tolist() == [True] * 3 + [False] * 3
    assert frame["Energy (plug)"].isna().tolist() == [False] * 3 + [True] * 3


def test_runs_of_other_sources_and_settings_share_one_table(make_run: Callable[..., Path], tmp_path: Path) -> None:
    counter = replace(
        PLUG,
        name="meter",
        semantics=Semantics.COUNTER,
        series=SeriesKey.of("power", "energy_j", host="lab", source="meter"),
    )
    counts = ((counter.series, lambda t, is_busy: 40.0 * t + max(0, min(t, 260) - 60) * 50.0),)
    first = make_run(1, Recipe())
    second = make_run(2, Recipe(sources=(counter,), extra=counts, parameters=(("model", "x"), ("dropout", 0.5))))
    result = summarise([first, second], tmp_path / "out", figures=False)
    frame = result.table.frame
    assert frame["dropout"].isna().tolist() == [True] * 3 + [False] * 3
    assert frame["Energy (plug)"].isna().tolist() == [False] * 3 + [True] * 3
    assert frame["Energy (meter)"].isna().tolist() == [True] * 3 + [False] * 3
    # 50 W above idle for 60 s, whether counted in J or read in W
    assert frame["Energy (plug)"][:3].to_numpy() == pytest.approx(3000, rel=0.02)
    assert frame["Energy (meter)"][3:].to_numpy() == pytest.approx(3000, rel=0.02)
