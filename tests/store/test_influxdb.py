"""InfluxDB as a store, with a real server: what goes in comes out, and every refusal is one clear line."""

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
