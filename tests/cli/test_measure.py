import sys
from pathlib import Path

import pytest

from terrawatt.cli import app, param_file
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.status import State, read_status

PYTHON = (sys.executable, "-I", "-c")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "terrawatt.toml"
    path.write_text(
        f"[experiment]\nname = 'flying'\nresults = '{tmp_path}/results'\nlock = '{tmp_path}/lock'\n"
        "[protocol]\ncold_s = 0.2\nidle_after_s = 0\nwarmup = 0\nrepetitions = 1\n"
        "[sampling]\ninterval_s = 0.1\nhost = ['cpu']\n[emissions]\nenabled = false\n"
    )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "results/flying/run_1")


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main(["measure", *arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_a_command_is_measured_and_the_next_step_named(
    config: Path, folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call("--config", str(config), "--", *PYTHON, "print('a b')", capsys=capsys)
    assert (code, err) == (0, "")
    assert out.endswith(f"run folder: {folder.path}\nnext: terrawatt summary {folder.path}\n")
    manifest = read_manifest(folder.manifest)
    assert manifest.scenario.command == (*PYTHON, "print('a b')")
    assert manifest.scenario.parameters["command"] == f"{sys.executable} -I -c 'print('\"'\"'a b'\"'\"')'"


def test_the_settings_of_the_working_folder_need_no_folder_in_the_next_step(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(config.parent)
    assert call("--", "true", capsys=capsys)[1].endswith("next: terrawatt summary 1\n")


def test_options_stand_over_the_settings(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--name", "soaring", "--results", str(tmp_path / "other"), "--label", "nothing", "--seed", "3.0")
    protocol = ("-n", "2.0", "--warmup", "1", "--cold", "0.1", "--idle-after", "0.1", "--pause", "0.1")
    code, out, _ = call("--config", str(config), *options, *protocol, "--", "true", "{seed}", capsys=capsys)
    assert code == 0
    folder = RunFolder(tmp_path / "other/soaring/run_1")
    assert out.endswith(f"next: terrawatt summary {folder.path}\n")
    manifest = read_manifest(folder.manifest)
    assert manifest.scenario.parameters == {"command": "nothing"}
    assert manifest.scenario.seed == 3
    protocol_settings = manifest.protocol
    assert (protocol_settings.repetitions, protocol_settings.warmup) == (2, 1)
    assert (protocol_settings.cold_s, protocol_settings.idle_after_s, protocol_settings.pause_s) == (0.1, 0.1, 0.1)


def test_qanats_spelling_of_the_folder(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "run_9/group_0"
    assert call("--config", str(config), "--storage_path", str(given), "--", "true", capsys=capsys)[0] == 0
    assert read_manifest(given / "manifest.json").group == 0


def test_a_failure_is_exit_code_1_and_one_line(
    config: Path, folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call("--config", str(config), "--", *PYTHON, "raise SystemExit(4)", capsys=capsys)
    assert code == 1
    assert err == f"terrawatt: error: {folder.path}: 1 of 1 repetitions failed; the first: exit code 4\n"
    assert f"run folder: {folder.path}" in out
    assert read_status(folder.status).state is State.FAILED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--", "no-such-program", "--help"), "no-such-program: no such program, or not executable"),
        (("--", "true", "{seed}"), "the command holds {seed}: give --seed"),
        (("--warmup", "-1", "--", "true"), "--warmup -1: Input should be greater than or equal to 0"),
        (("--cold", "-1", "--", "true"), "--cold -1.0: Input should be greater than or equal to 0"),
        (("--name", "../up", "--", "true"), "--name ../up: "),
        (("--country", "fr", "--", "true"), "--country fr: "),
        (("--on-failure", "cry", "--", "true"), "--on-failure cry: give continue or stop"),
        (("--cold", "long", "--", "true"), "'long' is not a number"),
        (("--repetitions", "0", "--", "true"), "'0' is not above 0"),
        (("--repetitions", "1.5", "--", "true"), "'1.5' is not an integer"),
        (("--until-ci", "2", "--", "true"), "is not a share below 1"),
        (("--until-ci", "2%", "-n", "9", "--", "true"), "with --until-ci give --max-repetitions"),
        (("--until-ci", "2%", "--min-repetitions", "4", "--", "true"), "--min-repetitions 4: Input should be"),
        (("--until-ci", "2%", "--max-repetitions", "9", "--", "true"), "is more than --max-repetitions 9"),
        (("--until-ci", "2%", "--cold", "0", "--", "true"), "give a cold period with --cold"),
        (("--max-repetitions", "9", "--", "true"), "belong to --until-ci"),
        ((), "there is no command to run"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_leaves_nothing(
    config: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call("--config", str(config), *arguments, capsys=capsys)
    assert (code, out) == (2, "")
    assert message in err
    assert list(config.parent.iterdir()) == [config]


def test_a_file_in_place_of_the_results(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results").write_text("")
    code, out, err = call("--config", str(config), "--", "true", capsys=capsys)
    assert (code, out) == (1, "")
    assert "cannot make a run folder (Not a directory); choose another with --results" in err
    assert len(err.splitlines()) == 1


PARAMETERS = "varying_args: {groups: [{options: {text: a b, size: 1}}, {options: {text: c, size: 2.5}}]}"


@pytest.fixture
def parameters(tmp_path: Path) -> Path:
    path = tmp_path / "scenarios.yaml"
    path.write_text(PARAMETERS)
    return path


def test_a_command_is_measured_for_each_scenario_of_a_file(
    config: Path, folder: RunFolder, parameters: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--param-file", str(parameters), "--order", "interleaved", "-n", "2", "--label", "mine")
    command = ("sh", "-c", 'echo "$0 $1" >> "$2/said.txt"', "{text}", "--size={size}", "{output}", "{other}")
    code, _, err = call("--config", str(config), *options, "--", *command, capsys=capsys)
    assert (code, err) == (0, "")
    first, second = scenario_folders(folder.path)
    assert (first.output / "said.txt").read_text() == "a b --size=1\n" * 2
    assert (second.output / "said.txt").read_text() == "c --size=2.5\n" * 2
    manifest = read_manifest(second.manifest)
    assert manifest.scenario.parameters == {"command": "mine", "text": "c", "size": 2.5}
    assert manifest.scenario.command[-1] == "{other}"
    assert manifest.order == "interleaved"
    assert manifest.options["protocol"] == {"order": "interleaved", "repetitions": 2}


def test_a_seed_of_the_file_counts_up(
    config: Path, folder: RunFolder, parameters: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters.write_text("fixed_args: {options: {s: 1}}\nvarying_args: {range: {options: {seed: [4, 6, 1]}}}")
    options = ("-f", str(parameters), "-n", "2")
    command = ("sh", "-c", 'echo "$0" >> "$1/said.txt"', "{seed}", "{output}", "{s}")
    assert call("--config", str(config), *options, "--", *command, capsys=capsys)[0] == 0
    assert [(one.output / "said.txt").read_text() for one in scenario_folders(folder.path)] == ["4\n5\n", "5\n6\n"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (PARAMETERS, (), "{size} stands nowhere in the command"),
        ("fixed_args: {options: {output: 1}}", (), "output is a name of terrawatt's own"),
        ("fixed_args: {options: {seed: 1.5}}", (), "seed is 1.5, not a whole number"),
        ("fixed_args: {options: {seed: 1}}", ("--seed", "2"), "--seed is given, and stands in"),
        ("fixed_args: {options: {seed: 1, seed: 2}}", (), "stands twice"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(
    config: Path,
    parameters: Path,
    text: str,
    options: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parameters.write_text(text)
    command = ("true", "{text}", "{seed}", "{output}")
    code, _, err = call("--config", str(config), *options, "-f", str(parameters), "--", *command, capsys=capsys)
    assert code == 2
    assert message in err
    assert not (config.parent / "results").exists()


def test_a_run_goes_on_with_the_options_with_which_it_began(
    config: Path, folder: RunFolder, parameters: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("--config", str(config))
    options = (*common, "-f", str(parameters), "-n", "2", "--pause", "0.1", "--country", "DEU")
    fails = ("sh", "-c", 'test "$2" != 2 || { kill -TERM $PPID; sleep 60; }', "{text}", "{size}", "{repetition}")
    assert call(*options, "--", *fails, capsys=capsys)[0] == 130
    assert len(phases_of(folder)) < 4

    code, _, err = call(*common, "--resume", str(folder.path), "--pause", "0.2", capsys=capsys)
    assert code == 1
    assert err.splitlines()[1:] == ["  protocol.pause_s: 0.1, now 0.2"]
    code, _, err = call(*common, "--resume", str(folder.path), "--", "true", capsys=capsys)
    assert (code, err) == (2, "terrawatt: error: --resume goes on with the commands of the run; give no others\n")

    for one in scenario_folders(folder.path):  # the reason for the kill is gone
        text = one.manifest.read_text()
        one.manifest.write_text(text.replace("kill -TERM $PPID; sleep 60", "true"))
    code, out, err = call(*common, "--resume", str(folder.path), capsys=capsys)
    assert (code, err) == (0, "")
    assert "repetition 2 was under way and is discarded" in out
    assert sorted(phases_of(folder)) == [1, 1, 2, 2]
    assert call(*common, "--resume", str(folder.path), capsys=capsys)[1].startswith(f"{folder.path}: nothing is left")


def phases_of(folder: RunFolder) -> list[int | None]:
    """The numbers of the repetitions that were measured."""
    every = (phase for one in scenario_folders(folder.path) for phase in read_phases(one.phases))
    return [phase.repetition for phase in every if phase.name == "repetition"]


@pytest.mark.parametrize("options", [("--accept-changes",), ("--resume", "1", "--storage-path", "there")])
def test_options_of_a_resume_belong_to_it(
    config: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    command = () if "--resume" in options else ("--", "true")
    assert call("--config", str(config), *options, *command, capsys=capsys)[0] == 2


def test_very_many_scenarios_must_be_meant(
    config: Path, parameters: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(param_file, "CONFIRM_ABOVE", 1)
    command = ("--config", str(config), "-f", str(parameters), "--", "true", "{text}{size}")
    code, _, err = call(*command, capsys=capsys)
    assert (code, "2 scenarios; give --yes if that is meant" in err) == (2, True)
    assert not (config.parent / "results").exists()
    assert call("--yes", *command, capsys=capsys)[0] == 0
