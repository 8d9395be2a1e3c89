import json
import math

import numpy as np
import pytest

from scattered_runs import make_scattered
from terrawatt.analysis.detection import detectable_with, repetitions_needed
from terrawatt.errors import UsageError
from terrawatt.summary.pilot import plan_detection
from terrawatt.summary.wording import detection_lines

POWERS_W = (88.0, 92, 89, 91, 90, 90, 88.5, 91.5)  # net 48 to 52 W


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def test_a_plan_from_the_scatter_of_a_pilot(results):
    report = plan_detection([make_scattered(results, 1, a=POWERS_W)], 0.05, 10)
    (plan,) = report.plans
    sd = np.log(np.array(POWERS_W) - 40).std(ddof=1)
    assert (report.column, plan.label) == ("Energy (plug)", "a")
    assert plan.pilot.sd == pytest.approx(sd, rel=0.01)
    assert plan.needed.by_scatter == repetitions_needed(math.log(1.05), plan.pilot.sd, plan.pilot.u_common)
    assert plan.needed.by_upper > plan.needed.by_scatter
    assert math.log1p(plan.detectable.by_scatter) == pytest.approx(
        detectable_with(10, plan.pilot.sd, plan.pilot.u_common)
    )
    assert plan.duration_s == 60


def test_the_meter_does_not_count_and_what_a_run_shares_does(results):
    (plan,) = plan_detection([make_scattered(results, 1, a=POWERS_W)], 0.05).plans
    # The idle level has no noise here; the resolution of 0.1 W at two levels remains, of 50 W, for two scenarios.
    assert plan.pilot.u_common == pytest.approx(math.sqrt(2) * 0.1 / math.sqrt(6) / 50, rel=0.01)
    assert plan.floor == pytest.approx(2.8 * plan.pilot.u_common, rel=0.02)
    (hopeless,) = plan_detection([make_scattered(results, 2, a=POWERS_W)], plan.floor / 2).plans
    assert (hopeless.needed.by_scatter, hopeless.needed.by_upper) == (None, None)
    assert "takes more than repetitions can give" in "\n".join(detection_lines(hopeless, "Energy (plug)", 0.001))


def test_one_scenario_of_the_pilot(results):
    path = make_scattered(results, 1, a=POWERS_W, b=POWERS_W[:4])
    assert [plan.label for plan in plan_detection([path], 0.05).plans] == ["a", "b"]
    (plan,) = plan_detection([path], 0.05, scenario="b").plans
    assert plan.pilot.n == 4
    with pytest.raises(UsageError, match=r"--scenario c: the pilot has none of that name\. Known: a, b"):
        plan_detection([path], 0.05, scenario="c")


def test_a_pilot_that_is_too_short_says_so(results):
    report = plan_detection([make_scattered(results, 1, a=POWERS_W[:2])], 0.05)
    (plan,) = report.plans
    assert (plan.needed, report.has_numbers) == (None, False)
    assert detection_lines(plan, report.column, 0.05) == [
        "a: no plan: 2 usable repetitions: a pilot needs at least 3 to show its scatter"
    ]
    assert json.loads(report.as_json())["plans"][0]["pilot"] is None


def test_in_words(results):
    report = plan_detection([make_scattered(results, 1, a=POWERS_W)], 0.05, 10)
    lines = detection_lines(report.plans[0], report.column, report.difference)
    n = report.plans[0].needed.by_scatter
    assert lines[0].startswith("a: Energy (plug) scatters by 2.9 % from")
    assert f"a difference of 5 % takes {n} repetitions of each scenario, {n} min 00 s each (" in lines[1]
    assert lines[2].startswith("  10 repetitions of each scenario find ")
    assert "no number of repetitions finds less than 0." in lines[3]
