"""InfluxDB as a store, with a real server: what goes in comes out, and every refusal is one clear line."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servers.influxdb import InfluxServer
from terrawatt.config import StoreSettings
from terrawatt.errors import PartialWriteError, StoreError
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.influxdb import InfluxStore, open_influx
from terrawatt.store.influxql import FIRST_NS, LAST_NS
from terrawatt.store.interface import Store
from terrawatt.store.line_protocol import MISSING

POWER = SeriesKey.of("power", "power_w", host="lab", source="plug")
CPU = SeriesKey.of("cpu", "usage_user", host="lab", cpu="cpu-total")
T0 = 1_790_000_000_000_000_000

times = st.integers(T0, T0 + 10**15) | st.integers(FIRST_NS, LAST_NS)
readings = st.dictionaries(times, st.floats(), min_size=1, max_size=40)
names = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12)
keys = st.builds(
    lambda measurement, field, tags: SeriesKey(measurement, field, tuple(sorted(tags.items()))),
    names,
    names,
    st.dictionaries(names, names, max_size=3),
).filter(lambda key: sayable(key))


def sayable(key: SeriesKey) -> bool:
    """Whether the line protocol has a way to say a name; those that it has not are refused in a test below."""
    parts = [key.measurement, key.field, *(part for tag in key.tags for part in tag)]
    return not (
        any(part.endswith("\\") or not part.isprintable() for part in parts)
        or key.measurement.startswith("#")
        or key.field.endswith(MISSING)
        or "time" in (key.field, *dict(key.tags))
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=keys, rows=readings)
def test_what_is_written_is_read_exactly_and_in_order(server: InfluxServer, key: SeriesKey, rows: dict) -> None:
    with open_influx(StoreSettings(url=server.url("exact"))) as store:
        store.create_database()
        server.query('DROP DATABASE "exact"; CREATE DATABASE "exact"')
        assert store.write([Sample(key, t_ns, value) for t_ns, value in rows.items()]) == len(rows)
        series = store.read(key, FIRST_NS, LAST_NS)
        assert store.keys() == [key]
        assert store.keys_between(FIRST_NS, LAST_NS) == {key: len(rows)}
    expected = sorted(rows)
    assert series.t_ns.dtype == np.int64
    assert series.t_ns.tolist() == expected
    finite = [rows[t_ns] if np.isfinite(rows[t_ns]) else np.nan for t_ns in expected]
    np.testing.assert_array_equal(series.value, np.array(finite, dtype=np.float64))


def written(store: InfluxStore, key: SeriesKey, rows: dict[int, float]) -> None:
    store.write([Sample(key, T0 + t_ns, value) for t_ns, value in rows.items()])


def read(store: InfluxStore, key: SeriesKey) -> dict[int, float]:
    series = store.read(key, T0, T0 + 10**12)
    return dict(zip((series.t_ns - T0).tolist(), series.value.tolist(), strict=True))


def test_bounds_are_included_and_necessary(influx: InfluxStore) -> None:
    written(influx, POWER, dict.fromkeys(range(10), 1.0))
    assert influx.read(POWER, T0 + 3, T0 + 5).t_ns.tolist() == [T0 + 3, T0 + 4, T0 + 5]
    with pytest.raises(StoreError, match="a series is only read between two times"):
        influx.read(POWER, T0)
    with pytest.raises(StoreError, match="a series is only read between two times"):
        influx.read(POWER, end_ns=T0)


def test_it_is_a_store(influx: InfluxStore) -> None:
    store: Store = influx
    assert store.keys() == []
    assert len(store.read(POWER, T0, T0 + 1)) == 0


def test_hosts_are_told_apart_and_a_series_with_more_tags_is_another(influx: InfluxStore) -> None:
    other = SeriesKey.of("power", "power_w", host="lab2", source="plug")
    plain = SeriesKey.of("power", "power_w", host="lab")
    bare = SeriesKey.of("power", "power_w")
    for value, key in enumerate((POWER, other, plain, bare)):
        written(influx, key, {0: float(value)})
    for value, key in enumerate((POWER, other, plain, bare)):
        assert read(influx, key) == {0: float(value)}
    assert set(influx.keys()) == {POWER, other, plain, bare}
    assert read(influx, SeriesKey.of("power", "power_w", source="plug")) == {}


def test_a_failed_reading_is_a_gap_and_no_number(server: InfluxServer, influx: InfluxStore) -> None:
    written(influx, POWER, {0: 1.0, 1: np.nan, 2: np.inf, 3: 4.0})
    found = read(influx, POWER)
    assert list(found) == [0, 1, 2, 3]
    assert np.isnan([found[1], found[2]]).all()
    assert influx.keys() == [POWER]
    database = str(influx).rpartition("/")[2]
    assert server.count("power", "power_w", database) == 2
    assert server.count("power", f"power_w{MISSING}", database) == 2


def test_series_that_only_ever_failed_are_there(influx: InfluxStore) -> None:
    written(influx, POWER, {0: np.nan, 5: np.nan})
    assert influx.keys() == [POWER]
    assert np.isnan(list(read(influx, POWER).values())).tolist() == [True, True]


def test_writing_again_changes_nothing_and_a_late_number_replaces_a_gap(influx: InfluxStore) -> None:
    for _ in range(3):
        written(influx, POWER, {0: 1.0, 1: np.nan})
    written(influx, POWER, {0: 2.0, 1: 3.0})
    assert read(influx, POWER) == {0: 2.0, 1: 3.0}


def test_telegrafs_whole_numbers_are_read_as_floats(server: InfluxServer, influx: InfluxStore) -> None:
    database = str(influx).rpartition("/")[2]
    server.write(f"mem,host=lab total=16674344960i,used_percent=17.5 {T0}\n", database)
    assert read(influx, SeriesKey.of("mem", "total", host="lab")) == {0: 16674344960.0}
    assert read(influx, SeriesKey.of("mem", "used_percent", host="lab")) == {0: 17.5}


def test_a_field_of_text_is_one_clear_line(server: InfluxServer, influx: InfluxStore) -> None:
    server.write(f'system,host=lab uptime_format="3 days" {T0}\n', str(influx).rpartition("/")[2])
    with pytest.raises(StoreError, match=r"system,host=lab uptime_format: holds no numbers") as caught:
        read(influx, SeriesKey.of("system", "uptime_format", host="lab"))
    assert "\n" not in str(caught.value)


def test_fields_that_hold_whole_numbers_are_named_and_all_others_are_kept(
    server: InfluxServer, influx: InfluxStore
) -> None:
    database = str(influx).rpartition("/")[2]
    server.write(f"mem,host=lab total=1i,used=2i {T0}\ndiskio,name=sda reads=7i {T0}\n", database)
    total, used, free, reads = (
        SeriesKey.of("mem", "total", host="lab"),
        SeriesKey.of("mem", "used", host="lab"),
        SeriesKey.of("mem", "used_percent", host="lab"),
        SeriesKey.of("diskio", "reads", host="lab", name="nvme0n1"),
    )
    samples = [Sample(key, T0 + t_ns, 5.5) for t_ns in range(1, 4) for key in (total, used, free, reads, POWER)]
    with pytest.raises(PartialWriteError) as caught:
        influx.write(samples)
    assert caught.value.refused == 9
    message = "9 points refused: diskio reads, mem total, mem used: kept there as integer, so floats are refused"
    assert message in str(caught.value)
    assert read(influx, POWER) == read(influx, free) == {1: 5.5, 2: 5.5, 3: 5.5}
    assert read(influx, total) == {0: 1.0}


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (SeriesKey.of("a\nb", "f"), "line break"),
        (SeriesKey.of("m", "f", host="lab\\"), "backslash"),
        (SeriesKey.of("m", "f", host=""), "empty"),
        (SeriesKey.of("#m", "f"), "comment"),
        (SeriesKey.of("m", "f_missing"), "that a reading failed"),
        (SeriesKey.of("m", "time"), "name of the time"),
    ],
)
def test_what_the_protocol_cannot_say_is_refused_and_the_rest_written(
    influx: InfluxStore, key: SeriesKey, why: str
) -> None:
    with pytest.raises(PartialWriteError, match=f"1 points refused: .*cannot be kept in InfluxDB, .*{why}") as caught:
        influx.write([Sample(key, T0, 1.0), Sample(POWER, T0, 2.0)])
    assert "\n" not in str(caught.value)
    assert read(influx, POWER) == {0: 2.0}


def test_a_hundred_thousand_points_go_and_come(server: InfluxServer, influx: InfluxStore) -> None:
    count = 100_000
    samples = (Sample(POWER, T0 + t_ns, t_ns / 7) for t_ns in range(count))
    assert influx.write(samples) == count
    series = influx.read(POWER, T0, T0 + count)
    np.testing.assert_array_equal(series.t_ns, T0 + np.arange(count))
    np.testing.assert_array_equal(series.value, np.arange(count) / 7)


def test_writes_that_are_too_large_go_in_parts(tmp_path: Path) -> None:
    with (
        InfluxServer(tmp_path, max_body_bytes=2000) as server,
        open_influx(StoreSettings(url=server.url())) as store,
    ):
        rng = np.random.default_rng(1)
        values = rng.normal(size=1000)
        assert store.write([Sample(POWER, T0 + t_ns, value) for t_ns, value in enumerate(values)]) == 1000
        np.testing.assert_array_equal(store.read(POWER, T0, T0 + 1000).value, values)


def test_points_older_than_the_database_keeps_are_refused_and_the_rest_is_kept(
    server: InfluxServer, influx: InfluxStore
) -> None:
    database = str(influx).rpartition("/")[2]
    server.query(f'CREATE RETENTION POLICY "short" ON "{database}" DURATION 1h REPLICATION 1 DEFAULT')
    now_ns = time.time_ns()
    with pytest.raises(PartialWriteError, match=r"1 points refused: .*retention policy"):
        influx.write([Sample(POWER, now_ns - 10**14, 1.0), Sample(POWER, now_ns, 2.0)])
    assert influx.read(POWER, now_ns - 10**15, now_ns).value.tolist() == [2.0]
