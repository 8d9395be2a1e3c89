"""The process that holds CodeCarbon's offline tracker: `python -m terrawatt.experiment.emissions_process`.

It reads one request a line from stdin and answers each with one line, both JSON; it ends when stdin closes. The first
request carries the options; a rehearsal then makes CodeCarbon look at the machine (about 1 s), so that each later
start takes milliseconds.

    {"country": "FRA", "interval_s": 1.0, "project": "…"}
        → {"version": "3.3.2", "country_name": "France", "g_per_kwh": "56.039"}
    {"start": "emissions_1.csv"} → {}
    {"stop": true}               → {}
"""

import csv
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from codecarbon import OfflineEmissionsTracker

REHEARSAL = "rehearsal.csv"


def main() -> None:
    """Answer requests until stdin closes. Files are written into the working folder."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # whatever is printed must not come between the answers
        requests = (json.loads(line) for line in sys.stdin)
        if (options := next(requests, None)) is not None:
            _answer(answers, _rehearse(options))
            _track(options, requests, answers)


def _track(options: dict[str, Any], requests: Iterator[dict[str, Any]], answers: TextIO) -> None:
    tracker = None
    for request in requests:
        if "start" in request:
            tracker = _tracker(options, request["start"])
            tracker.start()
        elif tracker is not None:
            tracker.stop()
            tracker = None
        _answer(answers, {})


def _rehearse(options: dict[str, Any]) -> dict[str, str]:
    """Start and stop once; what CodeCarbon knows of the country is in the row that it writes.

    Its emissions by its energy is the carbon intensity that CodeCarbon takes, also where a user's settings force one.
    """
    tracker = _tracker(options, REHEARSAL)
    tracker.start()
    tracker.stop()
    with Path(REHEARSAL).open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    energy_kwh = float(row["energy_consumed"])
    g_per_kwh = f"{1000 * float(row['emissions']) / energy_kwh:.10g}" if energy_kwh > 0 else ""
    return {"version": row["codecarbon_version"], "country_name": row["country_name"], "g_per_kwh": g_per_kwh}


def _tracker(options: dict[str, Any], file: str) -> "OfflineEmissionsTracker":
    """A tracker of the whole machine. What may reach the network is switched off, also against a user's own settings.

    Those (`~/.codecarbon.config`, `CODECARBON_…`) stay in force for what is known of the machine, e.g.
    `CODECARBON_FORCE_CPU_POWER`.
    """
    # Only here: libraries of accelerators that it finds print while they are imported.
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel(logging.ERROR)  # its own log_level comes after its first warnings
    return OfflineEmissionsTracker(
        country_iso_code=options["country"],
        measure_power_secs=options["interval_s"],
        project_name=options["project"],
        tracking_mode="machine",
        output_dir=".",
        output_file=file,
        output_methods="csv",
        emissions_endpoint="",
        electricitymaps_api_token="",
        allow_multiple_runs=True,
        log_level="error",
    )


def _answer(answers: TextIO, content: dict[str, str]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
