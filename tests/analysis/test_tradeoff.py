import numpy as np
import pytest

from small_tables import table_of
from terrawatt.analysis.reach import below_reach_verdict
from terrawatt.analysis.tradeoff import ScenarioPair, resampled_means, tradeoff
from terrawatt.analysis.verdict import verdict_text
from terrawatt.errors import AnalysisError

ENERGY = "Energy (plug)"


def test_means_are_of_the_repetitions_that_have_both() -> None:
    table = table_of({"a": {ENERGY: [1.0, 3.0, np.nan], "micro_f1": [0.5, 0.7, 0.9]}})
    found = tradeoff(table)
    assert found.means == pytest.approx(np.array([[2.0, 0.6]]))
    assert found.scenarios[0].n == 2


def test_resampled_means_scatter_as_means_do() -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=(6, 2)) @ [[3.0, 0.1], [0.0, 0.2]] + [100.0, 0.5]
    drawn = resampled_means([ScenarioPair("a", values)], 20_000)[:, 0]
    assert np.cov(drawn, rowvar=False) == pytest.approx(np.cov(values, rowvar=False) / 6, rel=0.05, abs=1e-3)
    assert drawn.mean(axis=0) == pytest.approx(values.mean(axis=0), rel=0.01)


def test_few_repetitions_are_not_drawn_from() -> None:
    drawn = resampled_means([ScenarioPair("a", np.array([[1.0, 0.1], [2.0, 0.4]]))], 10)
    assert np.ptp(drawn, axis=0) == pytest.approx(0.0)


def test_scenarios_below_the_reach_of_the_meter_or_without_a_score_are_left_out_and_named() -> None:
    text = verdict_text((below_reach_verdict(ENERGY),))
    table = table_of(
        {
            "a": {ENERGY: [5.0, 6.0], "micro_f1": [0.5, 0.5], "Verdict": ["", ""]},
            "b": {ENERGY: [np.nan, 6.0], "micro_f1": [0.5, 0.5], "Verdict": [text, ""]},
            "c": {ENERGY: [np.nan, np.nan], "micro_f1": [0.5, 0.5], "Verdict": [text, text]},
            "d": {ENERGY: [5.0, 6.0], "micro_f1": [np.nan, np.nan], "Verdict": ["", ""]},
        }
    )
    found = tradeoff(table)
    assert [scenario.label for scenario in found.scenarios] == ["a"]
    assert {one.name: one.reason for one in found.left_out} == {
        "b": "a part of it is below the reach of the meter",
        "c": "below the reach of the meter",
        "d": "no repetition has both energy and score",
    }


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({ENERGY: [np.nan], "micro_f1": [0.5]}, "no energy has a value"),
        ({ENERGY: [1.0], "micro_f1": [np.nan]}, "no score has a value"),
        ({ENERGY: [1.0, np.nan], "micro_f1": [np.nan, 0.5]}, "no scenario has both"),
    ],
)
def test_without_both_there_is_a_reason(columns: dict[str, list[float]], reason: str) -> None:
    with pytest.raises(AnalysisError, match=reason):
        tradeoff(table_of({"a": columns}))
