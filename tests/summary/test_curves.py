from dataclasses import replace

import numpy as np
import pytest

from run_folders import IDLE_W, PLUG, RUN_W, Recipe
from terrawatt.records import Semantics
from terrawatt.report.look import Look
from terrawatt.runs.status import State
from terrawatt.summary import curves
from terrawatt.summary.curves import TYPICAL, power_curves
from terrawatt.summary.gather import gather
from terrawatt.summary.summarise import summarise


def curves_of(path):
    found, left_out = power_curves(gather([path]))
    assert left_out == 0
    return found


def test_one_typical_repetition_with_all_its_parts(make_run):
    (curve,) = curves_of(make_run(repetitions=3))
    assert curve.key[0] == 1
    assert curve.why == TYPICAL
    assert curve.scenario == ""
    assert [window.name for window in curve.windows] == ["idle", "warm-up", *["repetition"] * 3, "idle"]
    assert (curve.this.start_s, curve.this.end_s) == (0, 60)
    assert [(phase.name, phase.start_s) for phase in curve.phases] == [("train", 10), ("train", 20), ("test", 40.1)]
    assert [level for _, level in curve.baseline] == pytest.approx([IDLE_W, IDLE_W])
    assert curve.gaps == ()
    inside = (curve.t_s > 0) & (curve.t_s <= 60)
    assert np.unique(curve.power_w[inside]) == pytest.approx([RUN_W])
    assert curve.energy.energy_j == pytest.approx(60 * (RUN_W - IDLE_W), rel=0.02)
    assert {part.name for part in curve.energy.budget} >= {"meter", "sampling", "timing", "baseline"}
    total = sum(part.u_j**2 for part in curve.energy.budget)
    assert curve.energy.u_j == pytest.approx(total**0.5)


def test_one_of_each_scenario_and_those_that_failed(make_run):
    states = (State.DONE, State.FAILED, State.DONE)
    recipe = Recipe(repetitions=3, states=states)
    other = replace(recipe, states=(), parameters=(("model", "s-cnn-rgb"), *recipe.parameters[1:]))
    found = curves_of(make_run(1, recipe, other))
    assert [curve.key[1] for curve in found] == [1, 1, 2]
    failed = next(curve for curve in found if curve.why != TYPICAL)
    assert failed.key == (1, 1, 2)
    assert failed.why.startswith("unusable: ")
    assert failed.energy.reason == "the repetition did not end well"
    assert {curve.scenario for curve in found} == {"s-cnn-all", "s-cnn-rgb"}


def test_there_are_not_too_many(make_run, monkeypatch):
    monkeypatch.setattr(curves, "MAX_CURVES", 1)
    recipe = Recipe(repetitions=2, states=(State.FAILED, State.DONE))
    found, left_out = power_curves(gather([make_run(1, recipe)]))
    assert [curve.why for curve in found] == [TYPICAL]
    assert left_out == 1


def test_a_source_without_readings_has_no_curve(make_run):
    assert curves_of(make_run(silent=("plug",))) == ()


@pytest.mark.parametrize("semantics", [Semantics.INSTANTANEOUS, Semantics.MEAN, Semantics.ON_CHANGE])
def test_times_and_powers_go_together(make_run, semantics):
    (curve,) = curves_of(make_run(sources=(replace(PLUG, semantics=semantics),)))
    assert len(curve.t_s) == len(curve.power_w)
    assert (np.diff(curve.t_s) > 0).all()


def test_a_calibrated_source_is_shown_where_it_belongs(make_run):
    late = replace(PLUG, latency_s=2.0, u_latency_s=0.1)
    (shifted,) = curves_of(make_run(1, sources=(late,)))
    (plain,) = curves_of(make_run(2))
    assert plain.t_s[-1] - shifted.t_s[-1] == pytest.approx(2.0)


def test_the_report_holds_them(make_run, tmp_path):
    only = Look(("power_curve",))
    result = summarise([make_run()], tmp_path / "out", look=only)
    page = result.report.read_text(encoding="utf-8")
    assert "what its uncertainty is made of" in page
    assert sorted(path.suffix for path in (tmp_path / "out" / "figures").glob("power_curve_*")) == [
        ".pdf",
        ".png",
        ".svg",
    ]
    again = summarise([result.files.csv], tmp_path / "out", from_file=True, look=only)
    assert "no power series is at hand" in again.report.read_text(encoding="utf-8")
    assert not list((tmp_path / "out" / "figures").glob("power_curve_*"))
