"""The page of a large sweep: how large is it, and how soon does a browser show its first row?

A made-up table of 3 models × 5 learning rates × 3 batch sizes × 3 numbers of epochs, 10 repetitions each: 135
scenarios, 1350 rows, with all columns of one meter. Prints the size of `report.html`, and for some openings in Chromium
from `file://` the time until the script has made the first row of the table of repetitions, and until all is loaded.

    python benchmarks/page.py [OPENINGS]
"""

import shutil
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from terrawatt.analysis.table import Table, all_columns
from terrawatt.report.content import ReportContent
from terrawatt.report.page import write_report

MODELS, RATES = ("s-cnn-rgb", "s-cnn-all", "inception-v3"), (0.0001, 0.0003, 0.001, 0.003, 0.01)
BATCHES, EPOCHS, REPETITIONS = (32, 64, 128), (5, 10, 20), 10
SETTINGS = ("Model", "Learning rate", "Batch size", "Epochs")
WORDS = ("Optimizer", "Loss", "Verdict")
LARGEST_PAGE_MB, LONGEST_WAIT_S = 5, 2  # to reach


def table() -> Table:
    """A number in each column, of which the energy grows with model and epochs."""
    random = np.random.default_rng(1)
    columns = all_columns(["model", "optim", "loss", "lr", "batch", "epochs", "seed"], ["plug"])
    rows = []
    scenarios = list(product(MODELS, RATES, BATCHES, EPOCHS))
    for (group, settings), repetition in product(enumerate(scenarios, start=1), range(1, REPETITIONS + 1)):
        energy_j = 500.0 * settings[3] * (1 + MODELS.index(settings[0])) * random.normal(1, 0.02)
        row: dict[str, object] = {name: energy_j * random.normal(1, 0.05) for name in columns if name not in WORDS}
        row |= {
            name: float(random.uniform(0.5, 0.9)) for name, column in columns.items() if column.kind == "performance"
        }
        row |= dict(zip(SETTINGS, settings, strict=True)) | {"Run": 1, "Group": group, "Block": repetition}
        row |= {"Repetition": repetition, "Seed": repetition, "Optimizer": "sgd", "Loss": "bce", "Verdict": ""}
        row |= {
            "Energy (plug)": energy_j,
            "u Energy (plug)": 0.01 * energy_j,
            "u common Energy (plug)": 0.005 * energy_j,
        }
        rows.append(row)
    return Table(pd.DataFrame(rows)[list(columns)], columns)


def main() -> None:
    """Write the page, open it some times, print what it took."""
    openings = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        content = ReportContent("A large sweep", table(), (), {}, "now", "python benchmarks/page.py")
        begin = time.perf_counter()
        page = write_report(content, Path(folder), formats=())
        written_s = time.perf_counter() - begin
        print(f"page: {page.stat().st_size / 1e6:.2f} MB (asked: {LARGEST_PAGE_MB}), written in {written_s:.1f} s")
        browser = started.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for _ in range(openings):
            opened = browser.new_context().new_page()
            begin = time.perf_counter()
            opened.goto(page.as_uri(), wait_until="commit")
            opened.locator("#controls:not([hidden]) ~ .scroll tbody tr").first.wait_for()
            first = time.perf_counter() - begin
            opened.wait_for_load_state("load")
            print(f"first row: {first:.2f} s (asked: {LONGEST_WAIT_S}); loaded: {time.perf_counter() - begin:.2f} s")
            opened.context.close()
        browser.close()


if __name__ == "__main__":
    main()
