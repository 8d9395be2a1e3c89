"""Which series of a database are meant: hosts, sensors, disks and meters told apart."""

from dataclasses import replace

import pytest

from terrawatt.config import SamplingSettings
from terrawatt.errors import ConfigError, SourceError
from terrawatt.records import Semantics, SeriesKey, SourceDescription
from terrawatt.telemetry.external import find_series

TOPIC = "zwave/plug/50/0/value/66049"
PLUG = SourceDescription(
    "plug", "external", Semantics.ON_CHANGE, (), SeriesKey.of("mqtt_consumer", "value", topic=TOPIC)
)
NOW = "in the last 10 min"
SAMPLING = SamplingSettings(interval_s="external", disk="nvme0n1p3")


def of_host(host: str) -> list[SeriesKey]:
    """What Telegraf writes of one machine."""
    return [
        *(SeriesKey.of("cpu", field, host=host, cpu=cpu) for field in ("usage_user",) for cpu in ("cpu-total", "cpu0")),
        *(SeriesKey.of("mem", field, host=host) for field in ("available_percent", "used_percent")),
        *(SeriesKey.of("temp", "temp", host=host, sensor=s) for s in ("coretemp_package_id_0", "nvme_composite")),
        *(SeriesKey.of("diskio", "reads", host=host, name=name) for name in ("nvme0n1", "nvme0n1p3")),
    ]


def plug_of(host: str, topic: str = TOPIC) -> SeriesKey:
    return SeriesKey.of("mqtt_consumer", "value", host=host, topic=topic)


def test_every_quantity_and_the_plug_are_found() -> None:
    report = find_series([*of_host("lab"), plug_of("lab")], SAMPLING, [PLUG], NOW)
    assert report.host == "lab"
    assert report.missing == {}
    assert {name: str(key) for name, key in report.host_series.items()} == {
        "cpu": "cpu,cpu=cpu-total,host=lab usage_user",
        "mem_free": "mem,host=lab available_percent",
        "temp": "temp,host=lab,sensor=coretemp_package_id_0 temp",
        "reads": "diskio,host=lab,name=nvme0n1p3 reads",
    }
    assert report.sources == (replace(PLUG, series=plug_of("lab")),)


def test_several_hosts_are_refused_with_their_names_until_one_is_chosen() -> None:
    known = [*of_host("lab"), *of_host("server"), plug_of("server")]
    with pytest.raises(
        ConfigError, match=r"several hosts in the database in the last 10 min, choose one: lab, server$"
    ):
        find_series(known, SAMPLING, [PLUG], NOW)
    report = find_series(known, SAMPLING.model_copy(update={"host_name": "lab"}), [PLUG], NOW)
    assert {key.tag("host") for key in report.host_series.values()} == {"lab"}
    assert report.sources[0].series == plug_of("server"), "Telegraf of another machine may read the plug"
    with pytest.raises(ConfigError, match="no host 'lap' in the database in the last 10 min, but lab, server"):
        find_series(known, SAMPLING.model_copy(update={"host_name": "lap"}), [PLUG], NOW)


def test_the_machines_own_reader_of_a_plug_comes_first() -> None:
    known = [*of_host("lab"), plug_of("lab"), plug_of("server")]
    assert find_series(known, SAMPLING, [PLUG], NOW).sources[0].series == plug_of("lab")


def test_two_series_that_fit_are_refused_with_their_names() -> None:
    known = [*of_host("lab"), plug_of("lab"), plug_of("lab", "zwave/plug/50/0/value/65537")]
    vague = replace(PLUG, series=SeriesKey.of("mqtt_consumer", "value"))
    with pytest.raises(
        SourceError, match=r"sources\[plug\]: several series .* more tags: .*66049 value, .*65537 value"
    ):
        find_series(known, SAMPLING, [vague], NOW)


def test_a_plug_that_is_not_there_is_answered_with_what_is() -> None:
    known = [*of_host("lab"), plug_of("lab", "zwave/other/50/0/value/66049")]
    with pytest.raises(
        SourceError,
        match=r"no reading of mqtt_consumer,topic=\S+ value in the last 10 min; of this measurement there are .*other",
    ):
        find_series(known, SAMPLING, [PLUG], NOW)
    with pytest.raises(SourceError, match="it has none of this measurement"):
        find_series(of_host("lab"), SAMPLING, [PLUG], NOW)


@pytest.mark.parametrize(
    ("changes", "quantity", "reason"),
    [
        ({"host": ("mem",)}, "cpu", "sampling.host does not name 'cpu'"),
        (
            {"temp_sensor": "k10temp_tctl"},
            "temp",
            "no sensor 'k10temp_tctl' is in the database; set sampling.temp_sensor to one of coretemp",
        ),
        ({"disk": ""}, "reads", "several are in the database; set sampling.disk to one of nvme0n1, nvme0n1p3"),
        (
            {"disk": "/dev/sda"},
            "reads",
            "no name 'sda' is in the database; set sampling.disk to one of nvme0n1, nvme0n1p3",
        ),
    ],
)
def test_a_missing_quantity_has_its_reason(changes: dict[str, object], quantity: str, reason: str) -> None:
    report = find_series([*of_host("lab"), plug_of("lab")], SAMPLING.model_copy(update=changes), [PLUG], NOW)
    assert quantity not in report.host_series
    assert report.missing[quantity].startswith(reason)


def test_the_only_disk_needs_no_name() -> None:
    known = [key for key in [*of_host("lab"), plug_of("lab")] if key.tag("name") != "nvme0n1p3"]
    report = find_series(known, SAMPLING.model_copy(update={"disk": ""}), [PLUG], NOW)
    assert report.host_series["reads"].tag("name") == "nvme0n1"


def test_a_database_of_plugs_alone_serves_too() -> None:
    report = find_series([plug_of("gateway")], SAMPLING, [PLUG], NOW)
    assert report.host_series == {}
    assert report.missing["cpu"] == "the database has no reading of cpu usage_user in the last 10 min"


def test_a_processor_without_its_total_and_a_series_with_further_tags_are_told() -> None:
    known = [key for key in [*of_host("lab"), plug_of("lab")] if key.tag("cpu") != "cpu-total"]
    known.append(SeriesKey.of("mem", "available_percent", host="lab", dc="north"))
    report = find_series(known, SAMPLING, [PLUG], NOW)
    assert report.missing["cpu"] == "no cpu 'cpu-total' is in the database; there are cpu0"
    assert report.missing["mem_free"].startswith("several series of the database fit: mem,host=lab available_percent, ")
