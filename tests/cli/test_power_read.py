"""`terrawatt power read`."""

import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from servers.meter import MeterServer, Question, Reply
from servers.mosquitto import Mosquitto
from terrawatt.cli.app import main
from terrawatt.cli.power_read import Tally
from terrawatt.records import Sample, Semantics, SeriesKey, SourceDescription
from terrawatt.telemetry.observe import Look

TOML = """
[[sources]]
name = "plug"
kind = "shelly"
url = "{url}"
timeout_s = 5
"""
ROW = re.compile(r"\d\d:\d\d:\d\d\.\d\d\d +(\S+) +(\S+) +(\S+)")


def settings(folder: Path, url: str) -> str:
    path = folder / "terrawatt.toml"
    path.write_text(TOML.format(url=url))
    return str(path)


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["power", "read", *arguments])
    return int(ended.value.code or 0)


def test_readings_are_printed_as_they_come(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counted_wh = [0.0]

    def count(_: Question) -> Reply:
        counted_wh[0] += 1.0
        return Reply(json.dumps({"apower": 8.9, "aenergy": {"total": counted_wh[0]}}).encode())

    with MeterServer(count) as server:
        config = settings(tmp_path, server.url)
        assert code_of("plug", "-n", "3", "--interval", "0.02", "--config", config) == 0
    head, *rows, power, counter = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0] == "time"
    assert head.endswith("plug (W)  plug counter (J)      mean (W)")
    cells = [match.groups() for row in rows if (match := ROW.fullmatch(row))]
    assert [cell[:2] for cell in cells] == [("8.900", "3600.000"), ("8.900", "7200.000"), ("8.900", "10800.000")]
    assert cells[0][2] == "–"
    assert float(cells[1][2]) > 0
    assert power == "plug: readings 3, mean 8.9 W, least 8.9 W, most 8.9 W"
    assert counter == "plug counter: readings 3, counted 7200 J"


def test_a_source_that_sends_by_itself_is_read_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "terrawatt.toml"
    is_read = threading.Event()
    with Mosquitto(tmp_path) as broker:
        config.write_text(
            '[[sources]]\nname = "plug"\nkind = "mqtt"\ndevice = "plain"\ntopic = "lab/power"\n'
            f'broker = "mqtt://{broker.host}:{broker.port}"\n'
        )

        def publish() -> None:
            while not is_read.wait(0.05):
                broker.publish("lab/power", "42.5")

        publisher = threading.Thread(target=publish)
        publisher.start()
        try:
            assert code_of("plug", "-n", "2", "--config", str(config)) == 0
        finally:
            is_read.set()
            publisher.join()
    assert "plug: readings 2, mean 42.5 W" in capsys.readouterr().out


def test_no_reading_at_all_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MeterServer(lambda _: Reply(status=500)) as server:
        config = settings(tmp_path, server.url)
        assert code_of("plug", "-n", "2", "--interval", "0.02", "--config", config) == 1
    said = capsys.readouterr()
    assert said.out.count("no reading: http://127.0.0.1") == 2
    assert "without a reading: 2" in said.out
    assert "plug: no reading at all" in said.err


def test_ctrl_c_ends_it_with_what_was_read(tmp_path: Path) -> None:
    with MeterServer(lambda _: Reply(b'{"apower": 8.9}')) as server:
        command = [sys.executable, "-m", "terrawatt", "power", "read", "plug", "--interval", "0.05"]
        with subprocess.Popen(
            [*command, "--config", settings(tmp_path, server.url)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as reading:
            assert reading.stdout is not None
            lines = [reading.stdout.readline() for _ in range(3)]
            reading.send_signal(signal.SIGINT)
            rest, errors = reading.communicate(timeout=30)
    assert [line.split()[1] for line in lines[1:]] == ["8.900", "8.900"]
    assert "plug: readings" in rest
    assert "plug counter: no reading" in rest
    assert errors == ""
    assert reading.returncode == 0


def test_an_unknown_source_is_answered_with_near_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = settings(tmp_path, "http://127.0.0.1:9")
    assert code_of("plugg", "--config", config) == 2
    assert "there is no source 'plugg'. Did you mean plug?" in capsys.readouterr().err
    assert code_of("plug", "--interval", "0", "--config", config) == 2


def test_a_message_with_readings_of_several_times_has_a_line_for_each() -> None:
    power, energy = (SeriesKey.of("power", field, source="plug") for field in ("power_w", "energy_j"))
    tally = Tally(
        (
            SourceDescription("plug", "mqtt", Semantics.MEAN, (), power),
            SourceDescription("plug counter", "mqtt", Semantics.COUNTER, (), energy),
        )
    )
    samples = (Sample(power, 0, 5.0), Sample(energy, 0, 100.0), Sample(energy, 2_000_000_000, 150.0))
    rows = [line.split()[1:] for line in tally.lines(Look(0, samples))]
    assert rows == [["5.000", "100.000", "–"], ["·", "150.000", "25.000"]]
    rows = [line.split()[1:] for line in tally.lines(Look(0, (Sample(energy, 3_000_000_000, float("nan")),)))]
    assert rows == [["·", "–", "–"]]
    assert next(tally.lines(Look(0, (Sample(energy, 4_000_000_000, 10.0),)))).split()[1:] == ["·", "10.000", "–"]
    assert list(tally.ending())[1] == "plug counter: readings 3, began again: 1"
