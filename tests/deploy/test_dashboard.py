"""Every query of the dashboard runs in a real InfluxDB, with the series that our sampler and Telegraf write."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.influxdb import InfluxServer
from terrawatt.config import Settings, SourceSettings, StoreSettings
from terrawatt.experiment.forwarding import phase_samples
from terrawatt.records import Phase, Sample, Scenario, Window
from terrawatt.runs.manifest import Manifest
from terrawatt.store.influxdb import open_influx
from terrawatt.store.sqlite import SqliteStore
from terrawatt.telemetry.disk import DiskReader
from terrawatt.telemetry.process import SamplerProcess, SamplerReport
from terrawatt.telemetry.temperature import TemperatureReader

DASHBOARD = json.loads(
    (Path(__file__).parents[2] / "deploy/grafana/dashboards/terrawatt.json").read_text(encoding="utf-8")
)
S = 1_000_000_000
HOST = "lab"
# What Telegraf makes of each plug's messages: the field that is its power.
PLUGS = {
    "zwave/plug/50/0/value/66049": "value=42.5",
    "zigbee2mqtt/plug": "power=42.5,energy=1.5,voltage=230",
    "tele/plug/SENSOR": "ENERGY_Power=42.5,ENERGY_Total=3.7",
    "shelly/status/switch:0": "apower=42.5,aenergy_total=6532",
    "plug/sensor/power/state": "value=42.5",
}
OTHERS = {"zwave/plug/50/0/value/66561": "value=230", "zwave/plug/50/0/value/65537": "value=1.5"}  # V, kWh

PANELS = {
    f"{panel['title']} {target['refId']}": target["query"]
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}
VARIABLES = {variable["name"]: variable["query"] for variable in DASHBOARD["templating"]["list"]}
(ANNOTATION,) = DASHBOARD["annotations"]["list"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    folder = tmp_path_factory.mktemp("dashboard")
    with InfluxServer(folder) as server:
        report, samples = sampled(folder)
        samples += [*sensors(folder), *phase_samples(manifest(report), phases())]
        with open_influx(StoreSettings(url=server.url())) as database:
            database.write(samples)
        now = time.time_ns()
        server.write(
            "\n".join(
                f"mqtt_consumer,host={HOST},topic={topic} {fields} {now}" for topic, fields in (PLUGS | OTHERS).items()
            )
        )
        yield server


def sampled(folder: Path) -> tuple[SamplerReport, list[Sample]]:
    """What a real sampler records of this machine, with a meter of power and one of energy."""
    (folder / "counter.csv").write_text("t_s,energy_j\n" + "".join(f"{t / 10},{4.2 * t}\n" for t in range(600)))
    settings = Settings().model_copy(
        update={
            "sampling": Settings().sampling.model_copy(update={"interval_s": 0.2, "host_name": HOST}),
            "sources": (
                SourceSettings(name="estimate", kind="estimate"),
                SourceSettings(name="counter", kind="replay", file=str(folder / "counter.csv")),
            ),
        }
    )
    store_path = folder / "telemetry.sqlite"
    with SamplerProcess(settings, store_path, folder / "log.txt") as sampler:
        report = sampler.start()
        time.sleep(1.2)
    with SqliteStore(store_path, read_only=True) as store:
        series = [store.read(key) for key in store.keys()]  # noqa: SIM118
    return report, [Sample(s.key, int(t), float(v)) for s in series for t, v in zip(s.t_ns, s.value, strict=True)]


def sensors(folder: Path) -> Iterator[Sample]:
    """The series of a sensor and a disk, which a virtual machine may not have."""
    (folder / "temp1_input").write_text("41500\n")
    (folder / "stat").write_text("1000 7 8000 50 200 9 4000 60 0 70 110 0 0 0 0 0 0\n")
    readers = (
        TemperatureReader(HOST, "coretemp_package_id_0", folder / "temp1_input"),
        DiskReader(HOST, "nvme0n1", folder / "stat"),
    )
    now = time.time_ns()
    for reader in readers:
        for i in range(4):
            yield from (Sample(key, now - i * S, value) for key, value in zip(reader.keys, reader.read(), strict=True))
        reader.close()


def phases() -> list[Phase]:
    now = time.time_ns()
    return [Phase("cold", Window(now - 20 * S, now - 10 * S)), Phase("repetition", Window(now - 10 * S, now), 1)]


def manifest(report: SamplerReport) -> Manifest:
    return Manifest(
        experiment="conso",
        run="run_1",
        group=2,
        scenario=Scenario({}, ("true",)),
        protocol=Settings().protocol,
        sources=report.sources,
        host=report.host,
        host_series=report.host_series,
        missing=report.missing,
        store="telemetry.sqlite",
        created="",
        blocks=(1,),
        sampling_interval_s=0.2,
    )


def as_grafana_asks(query: str) -> str:
    """The query with Grafana's macros and variables replaced as it does for "All" of the last hour, at steps of 1 s."""
    now_ms = time.time_ns() // 1_000_000
    replaced = {
        "$timeFilter": f"time >= {now_ms - 3_600_000}ms and time <= {now_ms + 60_000}ms",
        "$__interval": "1s",
        "/^$host$/": "/^.*$/",
        "/^$plug$/": "/^.*$/",
    }
    for old, new in replaced.items():
        query = query.replace(old, new)
    assert not re.search(r"\$\w", query)
    return query


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_shows_something(server: InfluxServer, name: str) -> None:
    (result,) = server.query(as_grafana_asks(PANELS[name]))
    assert sum(len(series["values"]) for series in result["series"]) > 0
    assert any(value is not None for series in result["series"] for row in series["values"] for value in row[1:])


def test_every_query_bounds_its_time_and_fills_nothing_in() -> None:
    for query in PANELS.values():
        assert "$timeFilter" in query
        assert "GROUP BY time" not in query or query.endswith("fill(none)")


def test_each_series_is_told_apart_by_what_its_legend_names() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            tags = [word.removeprefix("$tag_") for word in target.get("alias", "").split() if word.startswith("$tag_")]
            assert all(f'"{tag}"' in target["query"].split("GROUP BY")[1] for tag in tags)


def test_phases_are_annotations_with_what_they_are(server: InfluxServer) -> None:
    (result,) = server.query(as_grafana_asks(ANNOTATION["query"]))
    (series,) = result["series"]
    rows = [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
    assert [(row[ANNOTATION["textColumn"]], row["repetition"]) for row in rows] == [("cold", None), ("repetition", "1")]
    assert [row["duration_s"] for row in rows] == pytest.approx([10, 10])
    assert set(ANNOTATION["tagsColumn"].split(",")) <= set(series["columns"])
    assert ANNOTATION["target"]["query"] == ANNOTATION["query"]


def test_the_choices_are_the_machines_and_the_plugs(server: InfluxServer) -> None:
    found = {name: server.query(query)[0]["series"] for name, query in VARIABLES.items()}
    assert {row[1] for series in found["host"] for row in series["values"]} == {HOST}
    assert {row[1] for series in found["plug"] for row in series["values"]} == set(PLUGS | OTHERS)


def test_the_power_of_every_plug_of_telegraf_is_shown(server: InfluxServer) -> None:
    shown = set()
    for query in PANELS.values():
        if "mqtt_consumer" in query:
            (result,) = server.query(as_grafana_asks(query))
            assert {series["values"][0][1] for series in result["series"]} == {42.5}, "only powers"
            shown |= {series["tags"]["topic"] for series in result["series"]}
    assert shown == set(PLUGS)
