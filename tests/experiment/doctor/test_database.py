"""The doctor and a real InfluxDB."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers.influxdb import InfluxServer, User
from terrawatt.config import Settings
from terrawatt.experiment.doctor.finding import Finding, Level
from terrawatt.experiment.doctor.judge_clocks import judge_clock
from terrawatt.experiment.doctor.judge_sources import judge_source
from terrawatt.experiment.doctor.judge_store import judge_database
from terrawatt.experiment.doctor.read_database import observe_external, read_database
from terrawatt.experiment.doctor.read_sources import source_facts

LAB = User("lab", "a secret of the lab", {"terrawatt": "ALL"})
PLUG = {
    "name": "plug",
    "kind": "external",
    "measurement": "mqtt_consumer",
    "field": "value",
    "tags": {"topic": "zwave/plug"},
    "accuracy": [{"plus_minus_percent": 1.0}],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A server that wants a password."""
    with InfluxServer(tmp_path_factory.mktemp("influxdb"), databases=("terrawatt",), users=(LAB,)) as started:
        yield started


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A server that lets everybody in."""
    with InfluxServer(tmp_path_factory.mktemp("influxdb"), databases=("terrawatt",)) as started:
        yield started


def settings(url: str, **further: Any) -> Settings:
    return Settings.model_validate({"store": {"url": url, "timeout_s": 5}, **further})


def database_finding(found: Settings) -> Finding:
    facts, _ = read_database(found)
    (finding,) = judge_database(facts)
    return finding


def as_lab(monkeypatch: pytest.MonkeyPatch, password: str = LAB.password) -> None:
    monkeypatch.setenv("TERRAWATT_STORE__USER", LAB.name)
    monkeypatch.setenv("TERRAWATT_STORE__PASSWORD", password)


def test_a_database_that_can_be_written_tells_its_time(server: InfluxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    as_lab(monkeypatch)
    facts, clock = read_database(settings(server.url("terrawatt")))
    (finding,) = judge_database(facts)
    assert finding.level is Level.GOOD
    assert "can be read and written" in finding.what
    assert judge_clock(clock).level is Level.GOOD


def test_a_wrong_password_is_bad_and_shown_nowhere(server: InfluxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    as_lab(monkeypatch, "another secret")
    finding = database_finding(settings(server.url("terrawatt")))
    assert finding.level is Level.BAD
    assert "another secret" not in f"{finding}"


def test_a_database_that_is_not_there_is_bad(open_server: InfluxServer) -> None:
    finding = database_finding(settings(open_server.url("nothing")))
    assert finding.level is Level.BAD


def test_a_database_that_does_not_answer_is_doubtful_unless_it_is_needed(tmp_path: Path) -> None:
    server = InfluxServer(tmp_path, databases=("terrawatt",))  # never started
    url = server.url("terrawatt")
    assert database_finding(settings(url)).level is Level.DOUBTFUL
    external = settings(url, sampling={"interval_s": "external"}, sources=[PLUG])
    assert database_finding(external).level is Level.BAD
    (observed,) = observe_external(external, "lab")
    assert observed.failure()


def test_series_that_somebody_else_writes_are_looked_at(open_server: InfluxServer) -> None:
    now_ns = time.time_ns()
    lines = [
        f"mqtt_consumer,host=lab,topic=zwave/plug value={40 + 0.5 * i} {now_ns - round((20 - i) * 1e9)}"
        for i in range(20)
    ]
    lines.append(f"cpu,host=lab,cpu=cpu-total usage_user=1.0 {now_ns}")
    open_server.write("\n".join(lines), "terrawatt")
    external = settings(
        open_server.url("terrawatt"), sampling={"interval_s": "external", "host": ["cpu"]}, sources=[PLUG]
    )
    (observed,) = observe_external(external, "lab")
    (facts,) = source_facts(observed, now_ns=now_ns, watched_s=0.0, sampling_interval_s=0.0)
    assert (facts.value, facts.n_readings, facts.resolution_w) == ("49.5 W", 20, 0.5)
    assert facts.interval_s == pytest.approx(1.0)
    assert facts.silence_s == pytest.approx(1.0)
    assert {finding.level for finding in judge_source(facts)} == {Level.GOOD}
    other = dict(PLUG, tags={"topic": "zwave/other"})
    (missing,) = observe_external(
        settings(open_server.url("terrawatt"), sampling={"interval_s": "external", "host": ["cpu"]}, sources=[other]),
        "lab",
    )
    assert "zwave/other" in missing.failure()
