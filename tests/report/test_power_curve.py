import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vl_convert

from terrawatt.records import AccuracyBand, Semantics, SeriesKey, SourceDescription
from terrawatt.report.content import BudgetPart, CurveEnergy, CurveWindow, PowerCurve, ReportContent
from terrawatt.report.figures.figure import Drawing
from terrawatt.report.figures.power_curve import PREFIX, curve_figures
from terrawatt.report.look import Look
from terrawatt.report.page import write_report
from terrawatt.report.theme import specification
from terrawatt.summary.curves import MAX_CURVES

ONLY = Look((PREFIX,), ("svg",))  # no other figure
PLUG = SourceDescription(
    "plug", "mqtt", Semantics.MEAN, (AccuracyBand(plus_minus_w=3.0),), SeriesKey.of("power", "power_w"), interval_s=1.0
)
ENERGY = CurveEnergy(
    3000.0, 104.4, 200.0, (BudgetPart("meter", 100.0), BudgetPart("timing", 30.0), BudgetPart("gaps", 0.0))
)


def make_curve(n: int = 300, **changes: object) -> PowerCurve:
    t_s = np.linspace(-150, 150, n)
    power_w = np.where((t_s > 0) & (t_s < 60), 90.0, 40.0) + np.random.default_rng(1).normal(0, 1, n)
    parts: dict[str, object] = {
        "key": (1, 2, 3),
        "name": "run_1/group_2, repetition 3",
        "scenario": "S-CNN-All",
        "why": "the repetition nearest to the median of its scenario",
        "source": PLUG,
        "t_s": t_s,
        "power_w": power_w,
        "windows": (
            CurveWindow("idle", -150, -60),
            CurveWindow("warm-up", -60, 0),
            CurveWindow("repetition", 0, 60),
            CurveWindow("idle", 60, 150),
        ),
        "this": CurveWindow("this repetition", 0, 60),
        "phases": (CurveWindow("train", 5, 20), CurveWindow("validate", 20, 25), CurveWindow("train", 25, 40)),
        "gaps": ((30.0, 34.0), (100.0, 120.0)),
        "baseline": ((-105.0, 40.0), (105.0, 41.0)),
        "energy": ENERGY,
    }
    return PowerCurve(**(parts | changes))  # type: ignore[arg-type]


def drawn(curve: PowerCurve, table: Any = None) -> Drawing:
    ((_, figure),) = curve_figures([curve])
    found = figure.draw(table)
    assert isinstance(found, Drawing)
    return found


def panels(curve: PowerCurve) -> list[dict[str, Any]]:
    """The run and the repetition, each layer with its data inside."""
    specified = specification(drawn(curve).chart)
    for panel in specified["vconcat"]:
        for part in panel["layer"]:
            part["rows"] = part["data"].get("values") or specified["datasets"][part["data"]["name"]]
    return list(specified["vconcat"])


def layer(panel: dict[str, Any], mark: str) -> dict[str, Any]:
    return next(found for found in panel["layer"] if found["mark"]["type"] == mark)


def names(panel: dict[str, Any]) -> list[str]:
    return list(layer(panel, "rect")["encoding"]["color"]["scale"]["domain"])


def test_it_compiles_with_units_on_its_axes() -> None:
    svg = vl_convert.vegalite_to_svg(specification(drawn(make_curve()).chart))
    assert svg.count("Power (W)") == 2
    assert svg.count("Time since the repetition began (s)") == 2


def test_it_is_named_by_its_repetition() -> None:
    ((_, figure), (_, other)) = curve_figures([make_curve(), make_curve(key=(None, None, 1), scenario="")])
    assert (figure.name, figure.title) == ("power_curve_1_2_3", "run_1/group_2, repetition 3: S-CNN-All")
    assert (other.name, other.title) == ("power_curve_x_x_1", "run_1/group_2, repetition 3")


def test_windows_phases_and_gaps_are_told_apart() -> None:
    run, near = panels(make_curve())
    assert names(run) == ["idle", "warm-up", "this repetition", "no readings"]
    assert names(near) == ["train", "validate", "no readings"]
    rects = layer(near, "rect")["rows"]
    assert {"name": "no readings", "a": 30.0, "b": 34.0} in rects
    assert len([rect for rect in rects if rect["name"] == "no readings"]) == 1  # the other gap lies outside
    colours = layer(run, "rect")["encoding"]["color"]["scale"]["range"]
    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize(
    ("semantics", "held"),
    [
        (Semantics.INSTANTANEOUS, "linear"),
        (Semantics.MEAN, "step-before"),
        (Semantics.COUNTER, "step-before"),
        (Semantics.ON_CHANGE, "step-after"),
    ],
)
def test_readings_are_drawn_by_what_they_mean(semantics: Semantics, held: str) -> None:
    for panel in panels(make_curve(source=replace(PLUG, semantics=semantics))):
        lines = [found["mark"] for found in panel["layer"] if found["mark"]["type"] == "line"]
        assert held in [mark.get("interpolate") for mark in lines]


def test_the_idle_level_goes_from_edge_to_edge() -> None:
    run, near = panels(make_curve())
    level = layer(run, "line")["rows"]
    assert level == [
        {"t": -150.0, "p": 40.0},
        {"t": -105.0, "p": 40.0},
        {"t": 105.0, "p": 41.0},
        {"t": 150.0, "p": 41.0},
    ]
    assert layer(near, "line")["rows"][0]["p"] == pytest.approx(40.477, abs=0.001)


def test_without_an_idle_level_no_line_and_no_word_of_it() -> None:
    found = drawn(make_curve(baseline=()))
    assert "Dashed" not in found.caption
    assert "idle level" not in found.alternative


def test_many_epochs_and_readings_stay_small() -> None:
    epochs = tuple(CurveWindow(name, i / 10, (i + 1) / 10) for i in range(600) for name in ("train",))
    curve = make_curve(200_000, phases=epochs, windows=make_curve().windows)
    assert len(json.dumps(specification(drawn(curve).chart))) < 80_000
    assert len(layer(panels(curve)[1], "rect")["rows"]) == 2


def test_many_kinds_of_phases_are_pooled() -> None:
    phases = tuple(CurveWindow(f"step {i}", 5 * i, 5 * i + 4) for i in range(10))
    assert names(panels(make_curve(phases=phases))[1])[:5] == ["step 0", "step 1", "step 2", "step 3", "other"]


@pytest.mark.parametrize(("length_s", "unit"), [(60, "s"), (3000, "min"), (40_000, "h")])
def test_time_has_a_unit_that_fits(length_s: float, unit: str) -> None:
    curve = make_curve(this=CurveWindow("this repetition", 0, length_s))
    assert f"({unit})" in json.dumps(panels(curve)[1])


def test_the_alternative_text_says_what_the_figure_shows() -> None:
    assert drawn(make_curve()).alternative == (
        "Power of plug over time, run_1/group_2, repetition 3. In the repetition 87.3 W to 92.9 W, over an idle level "
        "of 40.5 W. Net energy 3000 ± 210 J; 1 gap."
    )
    missing = CurveEnergy(math.nan, math.nan, math.nan, (), "no reading in the window, 2 needed")
    assert "No reading in the window, 2 needed; 1 gap." in drawn(make_curve(energy=missing)).alternative


def test_the_page_shows_curve_and_budget(make_content: Callable[..., ReportContent], tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "power_curve_9_9_9.png").write_bytes(b"of an earlier report")
    missing = make_curve(
        key=(1, 1, 2),
        why="unusable: <b>3 readings</b>",
        energy=CurveEnergy(math.nan, math.nan, math.nan, (), "no & reason"),
    )
    content = make_content(curves=(make_curve(), missing), curves_left_out=7)
    page = write_report(content, tmp_path, look=Look((PREFIX,), ("svg", "html"))).read_text(encoding="utf-8")
    files = sorted(path.name for path in (tmp_path / "figures").glob("power_curve_*"))
    assert files == ["power_curve_1_1_2.svg", "power_curve_1_2_3.svg"]
    section = page[page.index('<h2 id="curves">') : page.index('<h2 id="repetitions">')]
    assert "Net energy 3000 ± 210 J" in section
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", section)
    assert cells[:3] == ["accuracy of the meter", "100", "92 %"]
    assert "7 more are left out" in section
    assert "No net energy: no &amp; reason." in section
    assert "<b>3 readings" not in section
    assert len(re.findall(r'<img [^>]*alt="Power of plug', section)) == 2


def test_a_page_without_series_says_so(report: Path) -> None:
    assert "no power series is at hand" in report.read_text(encoding="utf-8")


def test_hostile_names_stay_text(make_content: Callable[..., ReportContent], hostile: str, tmp_path: Path) -> None:
    curve = make_curve(
        name=hostile, scenario=hostile, why=hostile, phases=(CurveWindow(hostile, 5, 30),),
        source=replace(PLUG, name=hostile), energy=replace(ENERGY, budget=(BudgetPart(hostile, 1.0),)),
    )  # fmt: skip
    page = write_report(make_content(curves=(curve,)), tmp_path, look=ONLY).read_text(encoding="utf-8")
    assert "<script>document.title" not in page


@pytest.mark.slow
def test_a_large_report_stays_below_5_mb(
    make_content: Callable[..., ReportContent], make_table: Callable[..., Any], tmp_path: Path
) -> None:
    table = make_table(("S-CNN-RGB", "S-CNN-All", "InceptionV3"), tuple(10.0**-k for k in range(45)), 10)
    curves = tuple(make_curve(20_000, key=(1, group, 1)) for group in range(MAX_CURVES))
    page = write_report(make_content(table, curves=curves, verdicts={}), tmp_path, formats=("svg",))
    assert page.stat().st_size < 5_000_000


def test_of_a_page_that_would_be_too_large_the_last_curves_are_left_out_and_stay_files(
    make_content: Callable[..., ReportContent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves = tuple(make_curve(key=(1, group, 1), name=f"curve of group {group}") for group in range(1, 4))
    content = make_content(curves=curves, curves_left_out=2)
    whole = write_report(content, tmp_path / "whole", look=ONLY)
    monkeypatch.setattr("terrawatt.report.page._LARGEST_PAGE", whole.stat().st_size - 1_000)
    smaller = write_report(content, tmp_path / "smaller", look=ONLY)
    assert smaller.stat().st_size < whole.stat().st_size - 1_000
    text = smaller.read_text(encoding="utf-8")
    assert "curve of group 2" in text
    assert "curve of group 3" not in text
    assert "3 more are left out" in text
    files = [sorted(file.name for file in (page.parent / "figures").iterdir()) for page in (whole, smaller)]
    assert files[0] == files[1]
