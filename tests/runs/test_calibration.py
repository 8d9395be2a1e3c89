import json
from dataclasses import replace

import pytest

from terrawatt.errors import SourceError
from terrawatt.records import Semantics, SeriesKey, SourceDescription
from terrawatt.runs.calibration import (
    Calibration,
    calibrated,
    calibration_path,
    read_calibration,
    write_calibration,
)

PLUG = SourceDescription("plug", "mqtt", Semantics.MEAN, (), SeriesKey.of("power", "power_w"))
MADE = Calibration(
    source="plug",
    kind="mqtt",
    semantics=Semantics.MEAN,
    host="lab",
    date="2026-09-21T12:00:00.000000000Z",
    delay_s=1.2,
    u_delay_s=0.1,
    tau_s=0.5,
    u_tau_s=0.08,
    latency_s=1.7,
    u_latency_s=0.03,
    step_w=48.0,
    n_steps=8,
    n_readings=160,
)


@pytest.fixture
def results(tmp_path):
    write_calibration(calibration_path(tmp_path / "results", "plug"), MADE)
    return tmp_path / "results"


def test_what_is_written_is_read_again(results):
    assert read_calibration(results.parent / "calibration" / "plug.json") == MADE
    assert [path.name for path in (results.parent / "calibration").iterdir()] == ["plug.json"]


def test_a_source_gets_its_latency(results):
    other = replace(PLUG, name="other")
    sources, remarks = calibrated([PLUG, other], results, "lab")
    assert sources == (replace(PLUG, latency_s=1.7, u_latency_s=0.03), other)
    assert remarks == []


@pytest.mark.parametrize(
    ("source", "host", "remark"),
    [
        (PLUG, "another", "made on lab, not on another"),
        (replace(PLUG, kind="shelly"), "lab", "of kind mqtt"),
        (replace(PLUG, semantics=Semantics.INSTANTANEOUS), "lab", "made with mean readings"),
    ],
)
def test_one_of_something_else_is_not_used_and_that_is_said(results, source, host, remark):
    sources, remarks = calibrated([source], results, host)
    assert sources == (source,)
    assert len(remarks) == 1
    assert "plug.json is not used" in remarks[0]
    assert remark in remarks[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [({"format_version": 2}, "update terrawatt"), ({"latency_s": "soon"}, "latency_s: .*calibrate again")],
)
def test_a_damaged_file_is_named(results, change, message):
    path = calibration_path(results, "plug")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SourceError, match=f"plug.json: .*{message}"):
        calibrated([PLUG], results, "lab")


def test_no_json_is_named(results):
    path = calibration_path(results, "plug")
    path.write_text("{")
    with pytest.raises(SourceError, match=r"plug\.json"):
        read_calibration(path)
