"""A folder as the older research scripts left it, and the series that Telegraf had written meanwhile; a known truth.

Idle 40 W, busy 90 W, from the end of the cold period to the end of the last repetition. Telegraf reads every 10 s.
"""

from pathlib import Path

import yaml

from servers.influxdb import DATABASE, InfluxServer
from terrawatt.runs.times import format_time

S = 1_000_000_000
T0 = 1_700_000_000 * S + 123_456_789
COLD_S, WARMUP_S, REPETITION_S = 180, 40, 300
IDLE_W, BUSY_W = 40.0, 90.0
TOPIC = "zwave/Smart_switch_PC/50/0/value/66049"
PARAMETERS = {
    "--model": "ShortCNN",
    "--rgb": 1,
    "--finetune": 0,
    "--optim": "SGD",
    "--lr": "0.001",
    "--batch": 100,
    "--epochs": "10.0",
    "--loss": "BCEWithLogits",
}
EMISSIONS = "timestamp,project_name,duration,emissions,energy_consumed\n"

SETTINGS = """
[store]
url = "{url}"
[sampling]
interval_s = "external"
disk = "nvme0n1p3"
[[sources]]
name = "plug"
kind = "external"
measurement = "mqtt_consumer"
field = "value"
tags = {{ topic = "zwave/Smart_switch_PC/50/0/value/66049" }}
accuracy = [{{ below_w = 300, plus_minus_w = 3.0 }}, {{ plus_minus_percent = 1.0 }}]
"""


def times(repetitions: int) -> list[int]:
    """The boundaries: start, end of cold, end of warm-up, end of each repetition."""
    ends = [COLD_S, COLD_S + WARMUP_S, *(COLD_S + WARMUP_S + i * REPETITION_S for i in range(1, repetitions + 1))]
    return [T0, *(T0 + end * S for end in ends)]


def make_older(path: Path, repetitions: int = 3, *, newline: bool = True) -> Path:
    """Make the folder; gives its path."""
    (path / "output").mkdir(parents=True)
    (path / "codecarbon").mkdir()
    lines = [format_time(t_ns) for t_ns in times(repetitions)]
    (path / "times.txt").write_text("\n".join(lines) + ("\n" if newline else ""))
    (path / "group_info.yaml").write_text(yaml.safe_dump({"command": "bash run.sh", "parameters": PARAMETERS}))
    for number in range(1, repetitions + 1):
        row = f"2023-11-14T22:00:00,lab,300,{number}e-5,{number}e-3"
        (path / "codecarbon" / f"emissions_{number}.csv").write_text(EMISSIONS + row)
    return path


def write_telegraf(
    server: InfluxServer, repetitions: int, *, host: str = "telegraf", plug_every_s: int = 10, database: str = DATABASE
) -> None:
    """What Telegraf would have written: whole numbers where it writes them."""
    end_s = COLD_S + WARMUP_S + repetitions * REPETITION_S
    lines, reads = [], 5_000_000
    for t in range(-60, end_s + 60, 10):
        t_ns, is_busy = T0 + t * S, COLD_S < t <= end_s
        reads += 30 if is_busy else 0
        lines += [
            f"cpu,cpu=cpu-total,host={host} usage_user={75.0 if is_busy else 5.0},usage_idle=20 {t_ns}",
            f"cpu,cpu=cpu0,host={host} usage_user=1 {t_ns}",
            f"mem,host={host} total=16000000000i,available_percent={60.0 if is_busy else 80.0},used_percent=20 {t_ns}",
            f"temp,host={host},sensor=coretemp_package_id_0 temp={70.0 if is_busy else 45.0} {t_ns}",
            f"diskio,host={host},name=nvme0n1p3 reads={reads}i,writes=7i {t_ns}",
            f"diskio,host={host},name=nvme0n1 reads={2 * reads}i,writes=7i {t_ns}",
        ]
        if t % plug_every_s == 0:
            lines.append(f"mqtt_consumer,host={host},topic={TOPIC} value={BUSY_W if is_busy else IDLE_W} {t_ns}")
    server.write("\n".join(lines), database)
