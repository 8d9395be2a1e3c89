from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terrawatt.analysis.table import Table, all_columns
from terrawatt.records import AccuracyBand, Semantics, SeriesKey, Severity, SourceDescription, Verdict
from terrawatt.report.content import ReportContent, RunFacts
from terrawatt.report.page import write_report

SCORES = [
    f"{average}_{score}" for average in ("macro", "micro", "samples") for score in ("precision", "recall", "f1", "f2")
]


def _table(models: Sequence[str] = ("S-CNN-RGB", "S-CNN-All"), lrs: Sequence[float] = (0.001,), n: int = 3) -> Table:
    """A made-up table: energy, duration and scores differ by model, with some noise."""
    random = np.random.default_rng(1)
    rows = []
    for group, (model, lr) in enumerate(((model, lr) for model in models for lr in lrs), start=1):
        for repetition in range(1, n + 1):
            energy_j = 4000.0 * (1 + models.index(model)) * random.normal(1, 0.03)
            score = 0.55 + 0.08 * models.index(model) + random.normal(0, 0.01)
            row: dict[str, object] = {"Run": 1, "Group": group, "Block": repetition, "Repetition": repetition}
            row |= {"Model": model, "Learning rate": lr, "Epochs": 10, "Seed": repetition}
            row |= {"Energy (plug)": energy_j, "u Energy (plug)": 0.01 * energy_j}
            row |= {"Energy gross (plug)": 1.8 * energy_j, "u Energy gross (plug)": 0.01 * energy_j}
            row |= {"Emissions": energy_j * 2e-8, "Energy (CodeCarbon)": 2.1 * energy_j * random.normal(1, 0.02)}
            row |= {"CPU": energy_j * random.normal(1, 0.05), "Temperature": None}
            row |= {"Duration": energy_j / 55 * random.normal(1, 0.01), "Accuracy": 0.8 + 0.2 * score, "Recall": score}
            row |= {name: score + random.normal(0, 0.01) for name in SCORES}
            row |= {"Verdict": ""}
            rows.append(row)
    columns = all_columns(["model", "lr", "epochs", "seed"], ["plug"])
    frame = pd.DataFrame(rows)
    return Table(frame[[name for name in columns if name in frame]], columns)


PLUG = SourceDescription(
    name="plug",
    kind="mqtt",
    semantics=Semantics.MEAN,
    accuracy=(AccuracyBand(300.0, 3.0), AccuracyBand(None, 0.0, 1.0)),
    series=SeriesKey.of("power", "power_w", host="h", source="plug"),
    resolution_w=0.1,
    interval_s=10.0,
    note="behind the UPS",
)
ESTIMATE = SourceDescription(
    name="model",
    kind="estimate",
    semantics=Semantics.INSTANTANEOUS,
    accuracy=(AccuracyBand(None, 0.0, 30.0),),
    series=SeriesKey.of("power", "power_w", host="h", source="model"),
    is_estimate=True,
)
SHORT = {"cold_s": 20.0, "idle_after_s": 0.0, "warmup": 1, "repetitions": 3}


def _run(name: str = "run_1", **changes: object) -> RunFacts:
    facts: dict[str, object] = {
        "scenario": {"model": "s-cnn-all", "lr": 0.001},
        "machine": {"host": "lab-3", "cpu": {"model": "Xeon", "cores": 10}, "gpu": None},
        "versions": {"python": "3.12", "terrawatt": "0.1.0"},
        "protocol": SHORT,
        "sources": (PLUG, ESTIMATE),
        "notes": ("temp: no sensor",),
    }
    return RunFacts(name=name, **(facts | changes))  # type: ignore[arg-type]


FAILED = Verdict("failed-repetition", Severity.UNUSABLE, "failed: exit code 137", "see log.txt; run it again")
FEW = Verdict("too-few-readings", Severity.DOUBTFUL, "only 6 readings", "measure longer", "Energy (plug)")
NO_SENSOR = Verdict("missing", Severity.NOTE, "no sensor", "", "Temperature")


def _content(table: Table | None = None, **changes: object) -> ReportContent:
    parts: dict[str, object] = {
        "title": "Energy of the demo",
        "table": _table() if table is None else table,
        "runs": (_run(),),
        "verdicts": {(1, 1, 1): (NO_SENSOR,), (1, 1, 2): (FEW, NO_SENSOR), (1, 2, 3): (FAILED, NO_SENSOR)},
        "created": "2026-01-31 12:00 UTC",
        "command": "terrawatt summary run_1",
    }
    return ReportContent(**(parts | changes))  # type: ignore[arg-type]


HOSTILE = "<script>document.title = 'taken'</script>\"'\\&</td>"


def _hostile_content() -> ReportContent:
    """Content whose every text tries to leave its place."""
    evil = Verdict(HOSTILE, Severity.DOUBTFUL, HOSTILE, HOSTILE, HOSTILE)
    run = _run(
        HOSTILE, scenario={HOSTILE: HOSTILE}, machine={HOSTILE: {HOSTILE: [HOSTILE]}}, versions={HOSTILE: HOSTILE},
        notes=(HOSTILE,),
    )  # fmt: skip
    table = _table((HOSTILE, "</script><img src=x onerror=\"document.title = 'taken'\">"))
    return _content(table, title=HOSTILE, runs=(run,), verdicts={(1, 1, 1): (evil,)}, created=HOSTILE, command=HOSTILE)


@pytest.fixture
def make_table() -> Callable[..., Table]:
    """Makes a table of models, learning rates and n repetitions."""
    return _table


@pytest.fixture
def make_run() -> Callable[..., RunFacts]:
    """Makes the facts of a run; keywords change them."""
    return _run


@pytest.fixture
def make_content() -> Callable[..., ReportContent]:
    """Makes a report's content; keywords change it."""
    return _content


@pytest.fixture
def hostile() -> str:
    """A text that tries to leave its place in HTML, a script, or an expression."""
    return HOSTILE


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the small table, with its figures in all formats."""
    return write_report(_content(), tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of content whose every text tries to leave its place."""
    return write_report(_hostile_content(), tmp_path_factory.mktemp("hostile"), formats=("html",))


@pytest.fixture(scope="session")
def many_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of more rows than are shown at once."""
    content = _content(_table(lrs=(0.01, 0.001), n=30), verdicts={})
    return write_report(content, tmp_path_factory.mktemp("many"), formats=())


@pytest.fixture
def tables() -> dict[str, Table]:
    """The tables behind the pages, by the name of the fixture."""
    return {"report": _content().table, "hostile_report": _hostile_content().table}
