"""Tables for papers, from tables of a known content."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from terrawatt.analysis.table import Table
from terrawatt.records import Scalar
from terrawatt.report.export.latex import LONG, latex_table
from terrawatt.report.export.markdown import markdown_table
from terrawatt.report.export.scenarios import paper_table
from terrawatt.summary.tables import build_table


def make(*models: str, **changes: Scalar | None) -> Table:
    """A table of three repetitions of each model: 2970, 3000 and 3030 J, with a common uncertainty of 30 J."""
    rows = [
        {
            "Run": 1,
            "Group": group,
            "Repetition": number,
            "Model": model,
            "Batch size": 64,
            "Energy (plug)": 3000.0 + 30 * (number - 2),
            "u Energy (plug)": 40.0,
            "u common Energy (plug)": 30.0,
            "Duration": 59.0 + number,
            "Recall": None,
            **changes,
        }
        for group, model in enumerate(models, start=1)
        for number in (1, 2, 3)
    ]
    return build_table(rows, ["model", "batch"], ["plug"])


def test_a_scenario_has_its_settings_means_and_standard_uncertainties() -> None:
    shown = paper_table(make("a", "b"))
    assert [(column.title, column.unit) for column in shown.columns] == [
        ("Model", ""),
        ("n", ""),
        ("Net energy, plug", "kJ"),
        ("Duration", "s"),
    ]
    # Energy: sqrt(30²/3 + 30²) = 34.6 J; duration: 1/sqrt(3) = 0.58 s.
    assert shown.rows == [("a", "3", "3.000(35)", "61.00(58)"), ("b", "3", "3.000(35)", "61.00(58)")]


def test_one_scenario_is_called_by_its_name_and_one_repetition_has_its_own_uncertainty() -> None:
    table = make("a")
    one = Table(table.frame.iloc[:1].reset_index(drop=True), table.columns)
    assert paper_table(one).rows == [("a", "1", "2.970(40)", "60.00")]


def test_what_is_missing_is_a_dash_and_estimates_are_named() -> None:
    table = make("a", "b")
    table.frame.loc[3:, "Energy (plug)"] = float("nan")
    shown = paper_table(table, ["plug"])
    assert shown.rows[1] == ("b", "0 of 3", "", "61.00(58)")
    assert shown.remarks[-1] == "Estimated, not measured: plug."
    assert r"b & 0 of 3 & {--} & 61.00(58) \\" in latex_table(shown, "x")
    assert "| b | 0 of 3 | – | 61.00(58) |" in markdown_table(shown, "x")


def test_the_latex_table_has_formats_that_hold_its_numbers() -> None:
    written = latex_table(paper_table(make("a", "b")), "Made by a test.")
    assert written.startswith("% Made by a test.\n")
    assert r"\begin{tabular}{l S[table-format=1] S[table-format=1.3(2)] S[table-format=2.2(2)]}" in written
    assert r"{Model} & {n} & {Net energy, plug} & {Duration} \\" in written
    assert r" &  & {(\unit{kJ})} & {(\unit{s})} \\" in written
    assert r"a & 3 & 3.000(35) & 61.00(58) \\" in written


def test_a_long_table_goes_over_pages() -> None:
    written = latex_table(paper_table(make(*(f"m{i}" for i in range(LONG + 1)))), "x")
    assert r"\begin{longtable}" in written
    assert r"\begin{table}" not in written
    assert written.count(r" \\") == LONG + 1 + 3  # and the caption, the titles, the units


@pytest.mark.parametrize("name", ["<script>x</script>", "a & b_%#$^~{}\\", "Éléphant µ² – CO₂", "a\nb | c"])
def test_names_are_one_cell_whatever_is_in_them(name: str) -> None:
    shown = paper_table(make(name, "b"))
    row = next(line for line in latex_table(shown, "x").splitlines() if "3.000(35)" in line)
    assert len(re.findall(r"(?<!\\)&", row)) == 3
    line = next(line for line in markdown_table(shown, "x").splitlines() if "3.000(35)" in line)
    assert len(re.findall(r"(?<!\\)\|", line)) == 5


@pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="apt-get install texlive-science texlive-latex-recommended"
)
def test_latex_takes_the_tables(tmp_path: Path) -> None:
    nasty = ("<b>x</b>", "a & b_%#$^~{}\\", "Éléphant µ² – CO₂ ±", "a\nb | c")
    (tmp_path / "short.tex").write_text(latex_table(paper_table(make(*nasty)), "x"), encoding="utf-8")
    long = latex_table(paper_table(make(*(f"m{i}" for i in range(60)))), "x", "tab:long")
    (tmp_path / "long.tex").write_text(long, encoding="utf-8")
    (tmp_path / "main.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{textcomp,booktabs,siunitx,longtable}"
        r"\begin{document}\input{short}\input{long}\end{document}"
    )
    command = ("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex")
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]
