"""A database that dies, is away, or refuses: every row is in the run's own store, and in the database in the end."""

import time
from pathlib import Path

import numpy as np
import pytest

from faults.lab import Lab, check_energies, check_nothing_lost, eventually, source_names, stored
from servers.influxdb import InfluxServer, User
from servers.mosquitto import Mosquitto
from terrawatt.runs.layout import RunFolder

WRITER = User("terrawatt", "known to this test only", {"telegraf": "ALL"})


def rows(folder: RunFolder) -> int:
    """Readings of power and counters in the run's own store."""
    every = [stored(folder, name, field) for name in source_names(folder) for field in ("power_w", "energy_j")]
    return sum(int(np.isfinite(series.value).sum()) for series in every)


def rows_in(database: InfluxServer) -> int:
    return database.count("power", "power_w") + database.count("power", "energy_j")


@pytest.mark.slow
@pytest.mark.parametrize("is_up_again", [True, False])
def test_a_database_that_is_killed_during_a_run_has_everything_in_the_end(
    lab: Lab, broker: Mosquitto, tmp_path: Path, *, is_up_again: bool
) -> None:
    with InfluxServer(tmp_path) as database:
        plugs = lab.plug("zwave", broker), lab.plug("http-shelly")
        lab.config([plug.entry for plug in plugs], store=f'url = "{database.url()}"')
        run = lab.start(*lab.busy(4))
        eventually(lambda: lab.flag.exists(), "the first repetition")
        database.kill()
        if is_up_again:
            time.sleep(2.0)
            database.start()
        _, err = run.communicate(timeout=120)
        assert (run.returncode, err) == (0, "")
        folder = lab.last_run()
        check_nothing_lost(folder, plugs[0])
        check_energies(folder, *plugs)
        if not is_up_again:
            database.start()
            assert rows_in(database) < rows(folder)
        for _ in range(2):  # the second time changes nothing
            forwarded = lab.terrawatt("store", "forward", str(folder.path))
            assert forwarded.returncode == 0, forwarded.stderr
            assert rows_in(database) == rows(folder) > 100
        assert database.count("terrawatt_phase", "duration_s") == 3


@pytest.mark.slow
def test_a_database_that_is_not_there_at_all_gets_everything_later(lab: Lab, broker: Mosquitto, tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as database:
        database.stop()
        plug = lab.plug("zwave", broker)
        lab.config([plug.entry], store=f'url = "{database.url()}"', repetitions=1)
        run = lab.start(*lab.busy(3))
        out, err = run.communicate(timeout=120)
        assert (run.returncode, err) == (0, "")
        assert "terrawatt store forward" in out
        folder = lab.last_run()
        check_energies(folder, plug)
        database.start()
        assert rows_in(database) == 0
        assert lab.terrawatt("store", "forward", "1").returncode == 0
        assert rows_in(database) == rows(folder)


@pytest.mark.slow
def test_a_conflict_of_types_costs_its_own_field_and_is_said(lab: Lab, broker: Mosquitto, tmp_path: Path) -> None:
    with InfluxServer(tmp_path) as database:
        # Somebody wrote the power as an integer before, so that no float is taken.
        database.write(f"power,host=other,source=other power_w=1i {time.time_ns()}")
        plug = lab.plug("zwave", broker)
        lab.config([plug.entry], store=f'url = "{database.url()}"', repetitions=1)
        run = lab.start(*lab.busy(3))
        out, err = run.communicate(timeout=120)
        assert (run.returncode, err) == (0, "")
        folder = lab.last_run()
        assert "were refused for good" in out
        assert "refused for good: power power_w: kept there as integer" in folder.log.read_text()
        assert database.count("power", "power_w") == 1
        counter = stored(folder, "zwave counter", "energy_j")
        assert database.count("power", "energy_j") == len(counter)
        check_energies(folder, plug)


@pytest.mark.parametrize(
    ("database_name", "password", "what"),
    [
        ("telegraf", "wrong", "user"),
        ("telegraf", "", "the password is missing"),
        ("elsewhere", WRITER.password, "elsewhere"),
    ],
)
def test_what_the_database_refuses_ends_a_run_before_it_begins(
    lab: Lab, tmp_path: Path, database_name: str, password: str, what: str
) -> None:
    with InfluxServer(tmp_path, users=[WRITER]) as database:
        plug = lab.plug("http-shelly")
        lab.config([plug.entry], store=f'url = "{database.url(database_name)}"')
        lab.environment = {"TERRAWATT_STORE__USER": WRITER.name, "TERRAWATT_STORE__PASSWORD": password}
        run = lab.start("true")
        _, err = run.communicate(timeout=120)
        assert run.returncode == 2
        assert len(err.splitlines()) == 1
        assert what in err
        assert WRITER.password not in err
        assert not list(lab.folder.glob("results/faults/run_*"))
