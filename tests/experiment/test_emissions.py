import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from terrawatt.config import EmissionsSettings
from terrawatt.errors import ConfigError
from terrawatt.experiment import emissions
from terrawatt.experiment.emissions import EmissionsTracker


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[EmissionsTracker]:
    (tmp_path / "scratch").mkdir()
    with EmissionsTracker(EmissionsSettings(country="FRA"), "flying", tmp_path / "scratch") as entered:
        yield entered


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_each_window_gets_a_file_of_one_row(tracker: EmissionsTracker, tmp_path: Path) -> None:
    for number in (1, 2):
        tracker.start()
        time.sleep(0.3)
        assert tracker.stop(tmp_path / f"emissions_{number}.csv") == ""
    for number in (1, 2):
        (row,) = rows(tmp_path / f"emissions_{number}.csv")
        assert float(row["duration"]) >= 0.3
        assert float(row["energy_consumed"]) > 0
        assert (row["country_iso_code"], row["tracking_mode"], row["project_name"]) == ("FRA", "machine", "flying")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["emissions_1.csv", "emissions_2.csv", "scratch"]


def test_the_manifest_says_what_tracked(tracker: EmissionsTracker) -> None:
    description = tracker.description()
    assert description["tool"].startswith("codecarbon 3")
    assert (description["enabled"], description["country_name"]) == (True, "France")
    json.dumps(description)


def test_the_manifest_holds_the_intensity_that_codecarbon_takes(tracker: EmissionsTracker, tmp_path: Path) -> None:
    tracker.start()
    time.sleep(0.1)
    assert tracker.stop(tmp_path / "emissions_1.csv") == ""
    (row,) = rows(tmp_path / "emissions_1.csv")
    intensity = tracker.description()["intensity"]
    expected = 1000 * float(row["emissions"]) / float(row["energy_consumed"])
    assert intensity["g_per_kwh"] == pytest.approx(expected, rel=1e-6)
    assert intensity["origin"].startswith("FRA by codecarbon")
    assert intensity["is_yearly_mean"]


def test_an_intensity_of_the_settings_comes_first_also_without_codecarbon(tmp_path: Path) -> None:
    number = EmissionsSettings(enabled=False, intensity=56, intensity_uncertainty_percent=5)
    assert EmissionsTracker(number, "flying", tmp_path).description()["intensity"] == {
        "g_per_kwh": 56.0,
        "u_percent": 5.0,
        "origin": "emissions.intensity",
    }
    file = EmissionsSettings(enabled=False, intensity="grid.csv")
    assert EmissionsTracker(file, "flying", tmp_path).description()["intensity"]["file"] == str(Path.cwd() / "grid.csv")


def test_a_tracker_that_dies_is_a_reason_and_no_error(tracker: EmissionsTracker, tmp_path: Path) -> None:
    tracker.start()
    assert tracker._process is not None
    tracker._process.kill()
    assert tracker.stop(tmp_path / "emissions_1.csv") == "CodeCarbon's process has ended"
    tracker.start()
    assert tracker.stop(tmp_path / "emissions_2.csv") == "CodeCarbon's process has ended"
    assert not list(tmp_path.glob("*.csv"))


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> EmissionsTracker:
    """A tracker over a process that answers once, then does what its environment says."""
    program = """
import json, os, sys, time
sys.stdin.readline()
print(json.dumps({"version": "3", "country_name": "France"}), flush=True)
for line in sys.stdin:
    exec(os.environ["THEN"])
"""
    monkeypatch.setattr(emissions, "_COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(emissions, "_ANSWER_TIMEOUT_S", 0.5)
    return EmissionsTracker(EmissionsSettings(), "flying", tmp_path)


def test_a_tracker_that_says_nothing_is_given_up(child: EmissionsTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEN", "time.sleep(0)")
    with child:
        child.start()
        assert child.stop(Path("never.csv")) == "CodeCarbon gave no answer in 0.5 s"


def test_the_reason_is_what_it_said_last(child: EmissionsTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEN", "raise ValueError('no power')")
    with child:
        child.start()
        assert child.stop(Path("never.csv")) == "CodeCarbon's process has ended: ValueError: no power"


def test_a_file_that_was_not_written_is_a_reason(child: EmissionsTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THEN", "print('{}', flush=True)")
    with child:
        child.start()
        assert child.stop(Path("never.csv")) == "CodeCarbon wrote 0 rows instead of one"


def test_an_unknown_country_is_refused(tmp_path: Path) -> None:
    tracker = EmissionsTracker(EmissionsSettings(country="XYZ"), "flying", tmp_path)
    with pytest.raises(ConfigError, match=r"emissions\.country: CodeCarbon knows no country XYZ"), tracker:
        pass
    assert tracker._process is not None
    assert tracker._process.returncode == 0


def test_nothing_is_started_when_it_is_switched_off(tmp_path: Path) -> None:
    with EmissionsTracker(EmissionsSettings(enabled=False), "flying", tmp_path) as tracker:
        tracker.start()
        assert tracker.stop(tmp_path / "emissions_1.csv") == "emissions.enabled is false"
        description = tracker.description()
        assert description["enabled"] is False
        assert description["intensity"]["missing"].endswith("emissions.enabled is false")
    assert list(tmp_path.iterdir()) == []


def test_nothing_reaches_for_the_network(tmp_path: Path) -> None:
    """A user's settings that would send data are overruled; a socket in the process would end it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import socket\ndef refuse(*_, **__): raise RuntimeError('network')\n"
        "socket.socket.connect = refuse\nsocket.create_connection = refuse\n"
    )
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "CODECARBON_SAVE_TO_API": "true",
        "CODECARBON_OUTPUT_METHODS": "csv,api",
        "CODECARBON_EMISSIONS_ENDPOINT": "http://192.0.2.1",
        "CODECARBON_ELECTRICITYMAPS_API_TOKEN": "token",
    }
    requests = [{"country": "FRA", "interval_s": 1.0, "project": "p"}, {"start": "e.csv"}, {"stop": True}]
    ended = subprocess.run(
        (sys.executable, "-m", "terrawatt.experiment.emissions_process"),
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=True,
    )
    assert [json.loads(line).keys() for line in ended.stdout.splitlines()][1:] == [{}.keys(), {}.keys()]
    assert "network" not in ended.stderr
    assert len(rows(tmp_path / "e.csv")) == 1
