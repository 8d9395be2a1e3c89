import sys
from pathlib import Path

import pytest

from terrawatt.cli import app
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest
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
