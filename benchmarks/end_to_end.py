"""From the plug to the joules in real time: five simulated plugs, mosquitto, the sampler, InfluxDB, `sleep 60`.

Each plug draws 40 W, and 100 to 150 W with steps while `sleep 60` runs under `terrawatt measure`; it is read once a
second. The table has, for each: the true net energy, what terrawatt says with its interval of 95 %, whether that holds
the truth, and whether every message between the first and the last that was stored was stored; then how many rows the
database has, of how many in the run's own store. Needs mosquitto and influxd (`scripts/install-servers.sh`).

    python benchmarks/end_to_end.py [SECONDS]
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from faults.lab import Lab, Plug, check_nothing_lost, energies, repetitions, source_names, stored
from servers.influxdb import InfluxServer
from servers.mosquitto import Mosquitto
from terrawatt.power.simulator.triggers import BusyCommand
from terrawatt.runs.layout import RunFolder

SECONDS = 60
TOKEN = "known to this benchmark only"  # noqa: S105
OVER_MQTT = ("zwave", "zigbee2mqtt", "shelly-rpc")
METER: dict[str, Any] = {"interval_s": 1.0, "most_silence_s": 10.0, "jitter_s": 0.05}


def row(folder: RunFolder, plug: Plug) -> tuple[str, bool]:
    """The line of a plug, and whether all is well with it."""
    [phase], [energy] = repetitions(folder), energies(folder, plug.name)
    truth_j = plug.net_j(phase.window)
    low_j, high_j = energy.net.interval_95_j
    holds = low_j <= truth_j <= high_j
    kept = f"{check_nothing_lost(folder, plug)}, all" if plug.name in OVER_MQTT else f"{len(stored(folder, plug.name))}"
    found = f"{energy.net.energy_j:10.1f} ± {energy.net.half_width_j:6.1f}"
    return f"{plug.name:<20}{truth_j:10.1f}{found:>22}   {'yes' if holds else 'NO':<8}{kept:>10}", holds


def main() -> None:
    """Print the table; exit code 1 where an interval misses the truth, or rows are missing in the database."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    os.environ["TERRAWATT_SOURCE_HTTP_HOMEASSISTANT_TOKEN"] = TOKEN
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lab = Lab(folder, is_busy=BusyCommand(f"sleep {seconds}"))
        try:
            with Mosquitto(folder) as broker, InfluxServer(folder) as database:
                for protocol in OVER_MQTT:
                    lab.plug(protocol, broker, **METER)
                lab.plug("http-tasmota", **METER)
                lab.plug("http-homeassistant", token=TOKEN, **METER)
                lab.config(
                    [plug.entry for plug in lab.plugs],
                    store=f'url = "{database.url()}"',
                    cold_s=seconds,
                    idle_after_s=seconds / 2,
                    repetitions=1,
                    interval_s=1.0,
                )
                run = lab.measure("sleep", str(seconds), patience_s=4 * seconds + 60)
                is_well = print_table(run, lab, database, seconds)
        finally:
            lab.close()
    sys.exit(0 if is_well else 1)


def print_table(run: RunFolder, lab: Lab, database: InfluxServer, seconds: int) -> bool:
    """Print it; whether all is well."""
    print(
        f"terrawatt measure -- sleep {seconds}, {len(lab.plugs)} simulated plugs read once a second; net energies in J"
    )
    print(f"{'plug':<20}{'true':>10}{'found, 95 %':>22}   {'holds':<8}{'stored':>10}")
    rows = [row(run, plug) for plug in lab.plugs]
    for line, _ in rows:
        print(line)
    in_run = sum(
        int(np.isfinite(stored(run, source, field).value).sum())
        for source in source_names(run)
        for field in ("power_w", "energy_j")
    )
    in_database = database.count("power", "power_w") + database.count("power", "energy_j")
    print(f"rows of power and counters: {in_run} in the run's own store, {in_database} in InfluxDB")
    return all(holds for _, holds in rows) and in_run == in_database


if __name__ == "__main__":
    main()
