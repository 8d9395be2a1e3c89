"""A broker that dies and comes back, refuses, is not who it says it is, or is full of what nobody asked for."""

import json
import random
import time
from pathlib import Path

import pytest

from faults.lab import PATIENCE_S, Lab, check_energies, check_nothing_lost, eventually, stored
from servers.certificates import make_certificate
from servers.mosquitto import Mosquitto

PASSWORD = "known to this test only"  # noqa: S105
FLOOD = 10_000  # messages


@pytest.mark.slow
def test_a_broker_that_is_killed_and_restarted_costs_no_reading(lab: Lab, broker: Mosquitto) -> None:
    timed, untimed = lab.plug("zwave", broker), lab.plug("esphome", broker)
    lab.config([timed.entry, untimed.entry], repetitions=2)
    run = lab.start(*lab.busy(6))
    eventually(lambda: lab.flag.exists(), "the first repetition")
    time.sleep(1.0)
    broker.kill()
    time.sleep(1.0)
    broker.start()
    _, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (0, "")
    folder = lab.last_run()
    check_nothing_lost(folder, timed)  # what waited has the plug's own time
    check_energies(folder, timed)
    assert len(stored(folder, untimed.name)) > 40  # what waited without a time is no reading; others came again


def refused(lab: Lab) -> str:
    """What a run says that cannot begin; it leaves no folder."""
    run = lab.start("true")
    _, err = run.communicate(timeout=120)
    assert run.returncode == 1
    assert len(err.splitlines()) == 1
    assert not list(lab.folder.glob("results/faults/run_*"))
    return err


def test_a_wrong_password_ends_a_run_before_it_begins(lab: Lab, tmp_path: Path) -> None:
    with Mosquitto(tmp_path, password=PASSWORD) as broker:
        plug = lab.plug("zwave", broker)
        lab.config([plug.entry])
        assert "user and password are wrong, or missing" in refused(lab)
        lab.environment = {"TERRAWATT_SOURCE_ZWAVE_USER": str(broker.user), "TERRAWATT_SOURCE_ZWAVE_PASSWORD": "wrong"}
        assert "user and password are wrong, or missing" in refused(lab)
        lab.environment["TERRAWATT_SOURCE_ZWAVE_PASSWORD"] = PASSWORD
        lab.config([plug.entry], cold_s=0.5, repetitions=1)
        assert len(stored(lab.measure("sleep", "0.5"), "zwave")) > 2


def test_tls_is_checked_against_the_named_authority(lab: Lab, tmp_path: Path) -> None:
    with Mosquitto(tmp_path, tls=True) as broker:
        plug = lab.plug("zwave", broker)
        lab.config([plug.entry])
        assert "certificate" in refused(lab)
        stranger = make_certificate(tmp_path / "stranger").ca_file
        lab.config([f'{plug.entry}ca_file = "{stranger}"\n'])
        assert "certificate" in refused(lab)
        lab.config([f'{plug.entry}ca_file = "{broker.ca_file}"\n'], cold_s=0.5, repetitions=1)
        assert len(stored(lab.measure("sleep", "0.5"), "zwave")) > 2


def garbage(rng: random.Random) -> bytes:
    """Something that is no reading."""
    return rng.choice(
        [
            rng.randbytes(rng.randrange(200)),
            b"NaN",
            b"-Infinity",
            b"1e999",
            b"9" * 5000,
            b'{"value": "42"}',
            b'{"value": true, "time": -1}',
            b"[" * 20_000,
            json.dumps({"value": {"value": [1] * 20_000}}).encode(),
            b"<script>alert(1)</script>",
        ]
    )


@pytest.mark.slow
def test_a_flood_of_garbage_on_the_plug_s_topic_hides_no_reading_and_is_counted(lab: Lab, broker: Mosquitto) -> None:
    plug = lab.plug("zwave", broker)
    lab.config([plug.entry], repetitions=1)
    flooded = lab.folder / "flooded"
    run = lab.start(*lab.busy_until(flooded))
    eventually(lambda: lab.flag.exists(), "the repetition")
    client, rng = broker.client(), random.Random(1)
    for _ in range(FLOOD // 10):  # a thousand a second
        sent = [client.publish("zwave/zwave/50/0/value/66049", garbage(rng), qos=1) for _ in range(10)]
        for message in sent:
            message.wait_for_publish(PATIENCE_S)
        time.sleep(0.01)
    flooded.touch()
    _, err = run.communicate(timeout=120)
    client.disconnect()
    client.loop_stop()
    assert (run.returncode, err) == (0, "")
    folder = lab.last_run()
    check_nothing_lost(folder, plug)
    check_energies(folder, plug)
    log = folder.log.read_text()
    counts = next(line for line in log.splitlines() if "messages, " in line and "dropped: " in line)
    dropped = sum(int(part.split()[0]) for part in counts.partition("dropped: ")[2].split(", "))
    assert dropped == FLOOD
    assert "<script>" not in log
    assert len(log.splitlines()) < 100  # a line for each kind, not for each message


@pytest.mark.slow
def test_a_huge_message_is_dropped_unseen(lab: Lab, broker: Mosquitto) -> None:
    plug = lab.plug("zwave", broker)
    lab.config([plug.entry], repetitions=1)
    run = lab.start(*lab.busy(3))
    eventually(lambda: lab.flag.exists(), "the repetition")
    broker.publish("zwave/zwave/50/0/value/66049", b'{"value":' * 1_000_000, qos=1)  # 10 MB, nested
    _, err = run.communicate(timeout=120)
    assert (run.returncode, err) == (0, "")
    folder = lab.last_run()
    assert "1 too large" in folder.log.read_text()
    check_nothing_lost(folder, plug)
    check_energies(folder, plug)
