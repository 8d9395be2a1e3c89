from pathlib import Path

import pytest

from terrawatt.cli.app import main

TOML = """
[experiment]
lock = "lock"

[sampling]
interval_s = 0.1
host = []

[[sources]]
name = "still"
kind = "replay"
file = "constant.csv"
after_end = "hold"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "constant.csv").write_text("t_s,power_w\n0,40\n1,40\n")
    path = tmp_path / "terrawatt.toml"
    path.write_text(TOML)
    return path


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["power", "calibrate", *arguments])
    return int(ended.value.code or 0)


def test_a_source_without_a_step_says_so(config, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert code_of("--hold", "0.6", "--repeats", "1") == 3
    said = capsys.readouterr()
    assert "still: not calibrated: the load step of" in said.out
    assert "no source could be calibrated" in said.err
    assert not (tmp_path / "calibration").exists()


def test_a_hold_must_last(config, capsys):
    assert code_of("--config", str(config), "--hold", "0") == 2
    assert "--hold 0" in capsys.readouterr().err
