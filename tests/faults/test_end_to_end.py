"""From the plug to the joules, in real time, with the real programs: the interval holds what was truly drawn."""

from pathlib import Path

import numpy as np
import pytest

from faults.lab import Lab, check_energies, check_nothing_lost, source_names, stored
from servers.influxdb import InfluxServer
from servers.mosquitto import Mosquitto

TOKEN = "known to the tests only"  # noqa: S105


@pytest.mark.slow
def test_five_plugs_tell_what_was_truly_drawn_and_nothing_is_lost(
    lab: Lab, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERRAWATT_SOURCE_HTTP_HOMEASSISTANT_TOKEN", TOKEN)
    over_mqtt = [lab.plug(protocol, broker) for protocol in ("zwave", "zigbee2mqtt", "shelly-rpc")]
    over_http = [lab.plug("http-tasmota"), lab.plug("http-homeassistant", token=TOKEN)]
    with InfluxServer(tmp_path) as database:
        # An idle level on change is looked at once a second, so it takes a while to be known.
        lab.config([plug.entry for plug in lab.plugs], store=f'url = "{database.url()}"', cold_s=12.0)
        folder = lab.measure(*lab.busy(5))
        check_energies(folder, *over_mqtt, *over_http)
        for plug in over_mqtt:
            check_nothing_lost(folder, plug)
        names = source_names(folder)
        assert len(names) == 10  # power and counter of each
        for field, sources in (("power_w", names[::2]), ("energy_j", names[1::2])):
            rows = sum(int(np.isfinite(stored(folder, source, field).value).sum()) for source in sources)
            assert database.count("power", field) == rows
        assert database.count("terrawatt_phase", "duration_s") == 3
