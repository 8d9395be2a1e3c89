import subprocess
import sys

import pytest

from run_folders import Recipe, make_run
from terrawatt.cli.app import main
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest, seal
from terrawatt.runs.status import State
from terrawatt.summary import summarise as module
from terrawatt.summary.tables import read_table


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A working folder with settings; its results are in `results/conso`. Figures are tested elsewhere."""
    (tmp_path / "terrawatt.toml").write_text('[experiment]\nname = "conso"\n')
    monkeypatch.chdir(tmp_path)

    def report(content, folder, look, executor):
        (folder / "report.html").write_text(f"{content.command}\n{look.names} {look.formats} {look.theme}")
        return folder / "report.html"

    monkeypatch.setattr(module, "write_report", report)
    return tmp_path / "results"


def terrawatt(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["summary", *map(str, arguments)])
    printed = capsys.readouterr()
    return ended.value.code or 0, printed.out, printed.err


def test_figures_are_chosen_by_words_and_a_wrong_one_costs_no_summary(results, capsys):
    path = make_run(results, 3, Recipe())
    assert terrawatt(capsys, 3, "--figures", "frugality,time_line", "--format", "pdf", "--theme", "paper")[0] == 0
    report = path / "summary" / "report.html"
    assert report.read_text().endswith("('frugality', 'time_line') ('pdf',) paper")
    report.unlink()
    code, _, err = terrawatt(capsys, 3, "--figures", "frugalty")
    assert code == 2
    assert "Did you mean frugality" in err
    assert not report.exists()


def test_a_run_by_its_number(results, capsys):
    path = make_run(results, 3, Recipe())
    code, out, _ = terrawatt(capsys, 3)
    assert code == 0
    assert "Energy (plug)" in out
    assert "3000 ± " in out
    assert "results/conso/run_3/summary/report.html" in out
    assert (path / "summary" / "output_all.csv").is_file()


def test_several_runs_go_beside_them(results, capsys):
    for number in (1, 2, 5):
        make_run(results, number, Recipe())
    code, _, _ = terrawatt(capsys, 1, 2, results / "conso" / "run_5")
    assert code == 0
    assert (results / "conso" / "summary_1_2_5" / "output_all.csv").is_file()


def test_another_experiment_and_another_place(results, capsys, tmp_path):
    make_run(results, 1, Recipe()).parent.rename(results / "other")
    code, _, _ = terrawatt(capsys, 1, "--name", "other", "--results", results, "--out", tmp_path / "here")
    assert code == 0
    assert (tmp_path / "here" / "output_all.json").is_file()


@pytest.mark.parametrize("flag", ["True", "true", "1", "yes"])
def test_grouped_as_the_older_command_wrote_it(results, capsys, flag):
    make_run(results, 1, Recipe(), Recipe())
    assert terrawatt(capsys, 1, "-g", flag)[0] == 0


def test_grouped_where_there_are_no_groups_is_wrong_usage(results, capsys):
    make_run(results, 1, Recipe())
    code, _, err = terrawatt(capsys, 1, "--grouped", "True")
    assert code == 2
    assert "no group_<i> folders" in err


def test_what_is_no_flag_is_wrong_usage(results, capsys):
    code, _, err = terrawatt(capsys, 1, "--grouped", "maybe")
    assert code == 2
    assert "neither true nor false" in err


def test_file_false_is_false_and_file_true_reads_the_table(results, capsys):
    path = make_run(results, 1, Recipe())
    assert terrawatt(capsys, 1, "--file", "False")[0] == 0
    table = path / "summary" / "output_all.csv"
    (path / "manifest.json").unlink()  # the run itself is not looked at again
    assert terrawatt(capsys, 1, "--file", "True")[0] == 0
    assert terrawatt(capsys, table, "-f", "True")[0] == 0
    code, _, err = terrawatt(capsys, table)
    assert code == 2
    assert "--file True" in err


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("7", "no such run; there are 1"),
        ("nowhere", "no such folder"),
        (".", "no manifest.json, so no run of terrawatt"),
    ],
)
def test_what_is_no_run_is_one_clear_line(results, capsys, run, message):
    make_run(results, 1, Recipe())
    code, out, err = terrawatt(capsys, run)
    assert (code, out) == (1, "")
    assert err.startswith("terrawatt: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_missing_table_is_one_clear_line(results, capsys):
    make_run(results, 1, Recipe())
    code, _, err = terrawatt(capsys, 1, "--file", "True")
    assert code == 1
    assert "output_all.csv: no such file" in err


def test_what_was_left_out_is_told(results, capsys):
    make_run(results, 1, Recipe(states=(State.DONE, State.DONE, State.PENDING)))
    _, out, _ = terrawatt(capsys, 1)
    assert "note: run_1: interrupted: without repetitions 3, which have not ended" in out


def test_measured_but_unusable_is_exit_code_3_and_the_table_is_there(results, capsys):
    path = make_run(results, 1, Recipe(has_store=False))
    code, out, err = terrawatt(capsys, 1)
    assert code == 3
    assert "no repetition can be used" in err
    assert "table: " in out
    assert (path / "summary" / "output_all.csv").is_file()


def test_a_changed_file_is_refused_in_one_line_and_used_when_accepted(results, capsys):
    folder = RunFolder(make_run(results, 1, Recipe()))
    seal(folder, read_manifest(folder.manifest))
    folder.emissions_of(1).unlink()
    code, _, error = terrawatt(capsys, 1)
    assert code == 1
    assert error.count("\n") == 1
    assert "missing: emissions/emissions_1.csv" in error
    assert "--accept-changes" in error
    assert not (folder.path / "summary").exists()
    code, out, _ = terrawatt(capsys, 1, "--accept-changes")
    assert code == 0
    assert "note: run_1: used although not as it was measured (missing: emissions/emissions_1.csv)" in out


def test_an_intensity_of_the_command_line(results, capsys, tmp_path):
    path = make_run(results, 1, Recipe())
    for given in ("100", "grid.csv"):
        (tmp_path / "grid.csv").write_text("time,g_per_kwh\n2026-01-01,100\n2030-01-01,100\n")
        code, _, _ = terrawatt(capsys, 1, "--intensity", given)
        assert code == 0
        frame = read_table(path / "summary" / "output_all.csv").frame
        assert frame["Emissions (plug)"][0] == pytest.approx(5400 / 3.6e6 * 0.1)
    code, _, error = terrawatt(capsys, 1, "--intensity", "nowhere.csv")
    assert (code, error.count("\n"), "nowhere.csv" in error) == (1, 1, True)


def test_the_command_imports_nothing_heavy_before_it_runs():
    program = (
        "import sys, terrawatt.cli.summary\n"
        "heavy = {'torch', 'numpy', 'pandas', 'pyarrow', 'pydantic', 'altair', 'rich.table'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
