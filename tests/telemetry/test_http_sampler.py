"""The real sampler and meters that are asked over HTTP."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from servers.meter import MeterServer, Question, Reply
from terrawatt.config import SamplingSettings, Settings, SourceSettings
from terrawatt.records import Series, SeriesKey
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.process import SamplerProcess

ENOUGH = 20  # questions
DEADLINE_S = 60.0


class Plug:
    """A Shelly whose counter goes on by 1 Wh with each question; after `ENOUGH` of them `is_asked` is set."""

    def __init__(self) -> None:
        self.n_asked = 0
        self.failing = range(0)
        self.is_asked = threading.Event()

    def __call__(self, _: Question) -> Reply:
        self.n_asked += 1
        if self.n_asked == ENOUGH:
            self.is_asked.set()
        if self.n_asked in self.failing:
            return Reply(status=500)
        return Reply(json.dumps({"apower": 8.9, "aenergy": {"total": float(self.n_asked)}}).encode())


def sampler(folder: Path, *entries: Mapping[str, Any]) -> SamplerProcess:
    settings = Settings(
        sampling=SamplingSettings(interval_s=0.05, host_name="lab", host=()),
        sources=tuple(SourceSettings.model_validate(entry) for entry in entries),
    )
    return SamplerProcess(settings, folder / "telemetry.sqlite", folder / "log.txt")


def series_of(folder: Path, field: str, source: str) -> Series:
    with SqliteStore(folder / "telemetry.sqlite", read_only=True) as store:
        return store.read(SeriesKey.of("power", field, host="lab", source=source))


def test_power_and_counter_are_kept_and_what_failed_is_a_gap(tmp_path: Path) -> None:
    plug = Plug()
    plug.failing = range(8, 12)
    with MeterServer(plug) as server:
        entry = {"name": "plug", "kind": "shelly", "url": server.url, "timeout_s": 5}
        with sampler(tmp_path, entry) as running:
            report = running.start()
            assert plug.is_asked.wait(DEADLINE_S)
    assert [source.name for source in report.sources] == ["plug", "plug counter"]
    power, counter = series_of(tmp_path, "power_w", "plug"), series_of(tmp_path, "energy_j", "plug counter")
    assert np.array_equal(power.t_ns, counter.t_ns)
    assert np.flatnonzero(np.isnan(power.value)).tolist() == [7, 8, 9, 10]
    assert set(power.value[np.isfinite(power.value)]) == {8.9}
    counted = counter.value[np.isfinite(counter.value)]
    assert counted[:7].tolist() == [3600.0 * n for n in range(1, 8)]
    assert counted[7] == 3600.0 * 12
    log = (tmp_path / "log.txt").read_text()
    assert log.count("source plug: no reading:") == 1
    assert log.count("source plug reads again") == 1


def test_a_meter_that_hangs_delays_no_other_and_its_password_is_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRAWATT_SOURCE_SLOW_PASSWORD", "hunter2")
    plug = Plug()
    with MeterServer(lambda _: Reply()) as hanging, MeterServer(plug) as server:

        def hang(_: Question) -> Reply:
            hanging.ended.wait()
            return Reply()

        hanging.answer = hang
        entries = (
            {"name": "plug", "kind": "shelly", "url": server.url, "timeout_s": 5},
            {"name": "slow", "kind": "tasmota", "url": hanging.url, "timeout_s": 0.5},
        )
        with sampler(tmp_path, *entries) as running:
            running.start()
            assert plug.is_asked.wait(DEADLINE_S)
    assert np.isfinite(series_of(tmp_path, "power_w", "plug").value).all()
    slow = series_of(tmp_path, "power_w", "slow").value
    assert len(slow) > 0
    assert np.isnan(slow).all()
    assert "hunter2" in hanging.asked[0].target
    log = (tmp_path / "log.txt").read_text()
    assert "no answer within 0.5 s" in log
    for file in tmp_path.iterdir():
        assert b"hunter2" not in file.read_bytes()
