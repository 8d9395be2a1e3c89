"""`terrawatt doctor`."""

import json
from pathlib import Path
from typing import Any

import pytest

from servers.meter import MeterServer, Reply
from terrawatt.cli.app import main
from terrawatt.cli.doctor import wrapped
from terrawatt.experiment.doctor import examine
from terrawatt.experiment.doctor.judge_noise import NoiseFacts

SHELLY = Reply(json.dumps({"apower": 8.9, "aenergy": {"total": 6.532}}).encode())
TOML = """
[experiment]
results = "results"
lock = "lock"

[sampling]
interval_s = 1.0

[[sources]]
name = "plug"
kind = "shelly"
url = "{url}"
timeout_s = 0.8
accuracy = [{{ plus_minus_percent = 1.0 }}]
"""


@pytest.fixture(autouse=True)
def _quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs the tests is not quiet, and what it does is not what is tested here."""
    quiet = NoiseFacts(
        cpus=8,
        busy_percent=1.0,
        steal_percent=0.0,
        load_1min=0.1,
        governors=("performance",),
        has_turbo=False,
        swap_used_bytes=0.0,
        is_swapping=False,
    )
    monkeypatch.setattr(examine, "noise_between", lambda *_: quiet)
    monkeypatch.setattr(examine, "LEAST_S", 0.0)
    monkeypatch.setattr(examine, "ENOUGH_READINGS", 1)


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    return int(ended.value.code or 0)


def settings(folder: Path, url: str) -> str:
    path = folder / "terrawatt.toml"
    path.write_text(TOML.format(url=url))
    return str(path)


def test_a_fit_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MeterServer(lambda _: SHELLY) as server:
        assert code_of("--config", settings(tmp_path, server.url)) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")][:-1] == [
        "versions",
        "sources",
        "clocks",
        "store",
        "noise",
        "host",
        "results",
    ]
    assert any(line.split()[:4] == ["good", "plug", "8.9", "W,"] for line in lines)
    assert any(line.split()[:3] == ["good", "plug", "agrees"] for line in lines)
    assert any(line.split()[:3] == ["good", "idle", "CPU"] for line in lines)
    assert "good" in lines[-1]
    assert "bad" not in lines[-1]
    assert said.err == ""
    assert not (tmp_path / "results").exists()


def test_a_source_that_does_not_answer_makes_measuring_unwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with MeterServer(lambda _: Reply(status=500)) as server:
        config = settings(tmp_path, server.url)
        assert code_of("--config", config) == 3
        said = capsys.readouterr()
        assert "it answers with HTTP 500" in said.out
        assert "→ see docs/connect-your-plug.md, and try: terrawatt power read plug" in said.out
        assert said.err == "terrawatt: error: measuring now would be unwise: plug; see above\n"
        assert code_of("--json", "--config", config) == 3
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["is_unwise"] is True
    (bad,) = [finding for finding in found["findings"] if finding["level"] == "bad"]
    assert (bad["section"], bad["name"]) == ("sources", "plug")
    assert bad["advice"]


def test_results_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MeterServer(lambda _: SHELLY) as server:
        config = settings(tmp_path, server.url)
        assert code_of("--results", "/proc/self/results", "--config", config) == 3
    assert "/proc/self: no store can be made" in capsys.readouterr().out


def test_looking_takes_some_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("--watch", "0") == 2
    assert "--watch 0" in capsys.readouterr().err


def test_lines_fit_behind_their_indent() -> None:
    lines = wrapped("give accuracy in terrawatt.toml, from the data sheet", "→ ", 60, 30)
    assert lines == ["→ give accuracy in", "  terrawatt.toml, from the", "  data sheet"]
    assert wrapped("give accuracy in terrawatt.toml", "→ ", None, 30) == ["→ give accuracy in terrawatt.toml"]
