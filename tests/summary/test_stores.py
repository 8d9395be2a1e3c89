"""A summary comes to the same numbers whether it reads the run folder or what was sent to a real InfluxDB."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd

from run_folders import PLUG, T0, Recipe, S
from servers.influxdb import InfluxServer
from terrawatt.config import StoreSettings
from terrawatt.experiment.forwarding import forward
from terrawatt.records import Sample
from terrawatt.runs.layout import RunFolder
from terrawatt.runs.manifest import read_manifest, write_manifest
from terrawatt.store.influxdb import open_influx
from terrawatt.store.sqlite import SqliteStore
from terrawatt.summary.summarise import summarise


def test_the_folder_and_the_database_give_the_same_table(make_run, tmp_path: Path) -> None:
    folder = RunFolder(make_run(1, Recipe()))
    with SqliteStore(folder.telemetry) as store:  # readings that failed, also at the end of a window
        store.write([Sample(PLUG.series, T0 + t * S, math.nan) for t in (30, 31, 100, 139, 140, 141)])
    with InfluxServer(tmp_path) as server:
        write_manifest(folder.manifest, replace(read_manifest(folder.manifest), database=server.url()))
        with open_influx(StoreSettings(url=server.url())) as influx:
            assert forward(folder, influx).remaining == 0
        here = summarise([folder.path], tmp_path / "here", figures=False)
        folder.telemetry.unlink()
        there = summarise([folder.path], tmp_path / "there", figures=False)
    assert "series of influxdb://" in " ".join(there.notes)
    pd.testing.assert_frame_equal(there.table.frame, here.table.frame, check_exact=True)
    assert here.table.frame["Energy (plug)"].notna().all()
