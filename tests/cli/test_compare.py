import json
import subprocess
import sys

import pytest

from scattered_runs import change_manifest, make_scattered
from terrawatt.cli.app import main

LOW, HIGH = (84.0, 84.5, 83.5, 84.2, 83.8), (90.0, 90.5, 89.5, 90.2, 89.8)


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A working folder with settings; its results are in `results/conso`."""
    (tmp_path / "terrawatt.toml").write_text('[experiment]\nname = "conso"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


def terrawatt(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    printed = capsys.readouterr()
    return ended.value.code or 0, printed.out, printed.err


def test_compare_the_scenarios_of_a_run(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    code, out, err = terrawatt(capsys, "compare", 1)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["scenario", "n", "Energy", "(plug)", "(J)", "with", "common", "errors", "sd"]
    assert lines[1].startswith("a")
    assert any(line.startswith("a uses 12.") and "less than b" in line for line in lines)
    assert any(line.startswith("  ratio 0.8") and "Welch, 5 and 5 repetitions" in line for line in lines)


def test_compare_groups_and_runs_by_number(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    make_scattered(results, 2, a=LOW)
    code, out, _ = terrawatt(capsys, "compare", "1/2", "1/1")
    assert code == 0
    assert "b uses 13." in out
    assert "is missing" not in out
    code, out, _ = terrawatt(capsys, "compare", "1/1", 2)
    assert "no difference shown between run_1/group_1 and run_2" in out


def test_compare_as_json(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    code, out, _ = terrawatt(capsys, "compare", 1, "--json", "--all-pairs", "--column", "Energy gross (plug)")
    assert code == 0
    assert json.loads(out)["columns"][0]["verdicts"][0]["comparison"]["ratio"] == pytest.approx(84 / 90, rel=0.01)


def test_compare_where_nothing_can_be_compared_is_exit_code_3(results, capsys):
    make_scattered(results, 1, a=LOW[:2], b=HIGH)
    code, out, err = terrawatt(capsys, "compare", 1)
    assert code == 3
    assert "a has 2 usable repetitions, and 3 of each are needed" in out
    assert "nothing could be compared" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("compare", "1/1"), 2, "nothing to compare it with"),
        (("compare", "1", "--by", "day"), 2, "--by day: give scenario or run"),
        (("compare", "1", "--column", "Energie"), 2, "nothing that was measured is called so"),
        (("compare", "1/3"), 1, "no such group; there are 1, 2"),
        (("compare", "7"), 1, "no such run; there are 1"),
        (("plan", "--from", "1"), 2, "give the difference to find with --detect"),
        (("plan", "--detect", "5%"), 2, "give a run whose scatter is known with --from"),
        (("plan", "--from", "1", "-n", "2"), 2, "fewer than 3 show no scatter"),
        (("plan", "--from", "1", "--detect", "5%", "--scenario", "z"), 2, "the pilot has none of that name"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(results, capsys, arguments, code, message):
    make_scattered(results, 1, a=LOW, b=HIGH)
    found, out, err = terrawatt(capsys, *arguments)
    assert (found, out) == (code, "")
    assert err.startswith("terrawatt: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_unlike_runs_are_refused_with_what_differs(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    change_manifest(results / "conso" / "run_1" / "group_2", host="another")
    code, _, err = terrawatt(capsys, "compare", 1)
    assert code == 2
    assert "the runs differ in machine: host (lab, another); to compare them all the same: --accept-differences" in err
    code, out, _ = terrawatt(capsys, "compare", 1, "--accept-differences")
    assert code == 0
    assert "accepted: the runs differ in machine: host (lab, another)" in out


def test_plan_from_a_pilot(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    code, out, err = terrawatt(capsys, "plan", "--detect", "5%", "--from", 1, "--scenario", "b", "--repetitions", 10)
    assert (code, err) == (0, "")
    assert out.startswith("b: Energy (plug) scatters by ")
    assert "a difference of 5 % takes 3 repetitions of each scenario" in out
    assert "10 repetitions of each scenario find " in out
    code, out, _ = terrawatt(capsys, "plan", "--detect", "5%", "--from", 1, "--json")
    assert json.loads(out)["plans"][1]["needed"]["by_scatter"] == 3


def test_plan_from_a_pilot_that_says_nothing_is_exit_code_3(results, capsys):
    make_scattered(results, 1, a=LOW[:2])
    code, out, err = terrawatt(capsys, "plan", "--detect", "5%", "--from", 1)
    assert code == 3
    assert "a pilot needs at least 3" in out
    assert "the pilot says nothing" in err


def test_the_commands_import_nothing_heavy_before_they_run():
    program = (
        "import sys, terrawatt.cli.compare, terrawatt.cli.plan\n"
        "heavy = {'torch', 'numpy', 'pandas', 'pyarrow', 'pydantic', 'altair', 'rich.table', 'scipy'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_more_than_is_allowed_is_exit_code_4(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)  # b takes 13.7 % more
    code, out, err = terrawatt(capsys, "compare", 1, "--fail-above", "5%")
    assert code == 4
    assert "b: above the limit: Energy (plug) +12" in out
    assert "and up to +5 % are allowed" in err


def test_less_or_as_much_as_is_allowed_is_exit_code_0(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    code, out, err = terrawatt(capsys, "compare", 1, "--fail-above", "25%", "--fail-undecided")
    assert (code, err) == (0, "")
    assert "b: within the limit" in out
    code, out, _ = terrawatt(capsys, "compare", "1/2", "1/1", "--fail-above", "0%")
    assert code == 0
    assert "a: within the limit: Energy (plug) -1" in out


def test_what_is_undecided_is_told_and_fails_only_when_that_is_asked_for(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    code, out, _ = terrawatt(capsys, "compare", 1, "--fail-above", "13.7%")
    assert code == 0
    assert "b: undecided: Energy (plug) +12" in out
    code, _, err = terrawatt(capsys, "compare", 1, "--fail-above", "0.137", "--fail-undecided")
    assert code == 5
    assert "b: undecided" in err


def test_a_scenario_without_numbers_is_undecided(results, capsys):
    make_scattered(results, 1, a=LOW, b=LOW, c=HIGH[:2])
    code, out, _ = terrawatt(capsys, "compare", 1, "--fail-above", "50%")
    assert code == 0
    assert "c: undecided: c has 2 usable repetitions" in out
    assert terrawatt(capsys, "compare", 1, "--fail-above", "50%", "--fail-undecided")[0] == 5


def test_the_limits_are_in_the_json(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    code, out, _ = terrawatt(capsys, "compare", 1, "--fail-above", "5%", "--json")
    (limit,) = json.loads(out)["limits"]
    assert code == 4
    assert (limit["scenario"], limit["reference"], limit["decision"], limit["limit"]) == ("b", "a", "above", 0.05)
    assert 1.05 < limit["low"] < 90 / 84 * 1.1 < limit["high"] * 1.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fail-undecided",), "give what may be taken more with --fail-above"),
        (("--fail-above", "5%", "--all-pairs"), "leave out --all-pairs"),
        (("--fail-above", "5%", "--column", "Recall"), "Recall is a score, of which more is better"),
        (("--fail-above", "5"), "write 5% for percent"),
        (("--fail-above=-5%",), "is below 0"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_wrong_usage(results, capsys, arguments, message):
    make_scattered(results, 1, a=LOW, b=HIGH)
    code, _, err = terrawatt(capsys, "compare", 1, *arguments)
    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())


def test_a_comparison_in_french_has_french_words_and_numbers(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH, c=HIGH[:1])
    code, out, err = terrawatt(capsys, "compare", 1, "--lang", "fr", "--fail-above", "25%")
    assert (code, err) == (0, "")
    said = out.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "a consomme 12,0 % ± 1,5 % de moins que b (intervalle à 95 % : de 10,5 à 13,5 %)" in said
    assert "Welch, 5 et 5 répétitions ; dispersion seule : 0,8" in said
    assert "a et c : pas de comparaison : c a 1 répétition utilisable, et il en faut 3 de chaque côté" in said
    assert "b : dans la limite : Energy (plug) de +12 à +16 % par rapport à a ; jusqu’à +25 % sont permis" in said
    assert "note : run_1/group_1 : pas de série temp : pas de capteur sur cette machine" in said


def test_a_language_speaks_until_the_comparison_ends(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    _, out, _ = terrawatt(capsys, "compare", 1, "--lang", "FR", "--json")
    (found,) = json.loads(out)["columns"][0]["verdicts"]
    assert "de moins que b" in found["words"]
    assert isinstance(found["comparison"]["ratio"], float)
    assert "less than b" in terrawatt(capsys, "compare", 1)[1]


def test_an_unknown_language_is_wrong_usage(results, capsys):
    make_scattered(results, 1, a=LOW, b=HIGH)
    code, out, err = terrawatt(capsys, "compare", 1, "--lang", "de")
    assert (code, out) == (2, "")
    assert "language 'de' is unknown" in err
