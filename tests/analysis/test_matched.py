"""Scenarios that differ in one factor: ratio and difference against their definition, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from terrawatt.analysis.matched import SOFTWARE, matched
from terrawatt.analysis.table import Table, all_columns
from terrawatt.errors import AnalysisError
from terrawatt.report.relations.matched import matched_statement

PLUG = "Energy (plug)"


def table(*settings: tuple[str, float, float, float], n: int = 6, spread: float = 0.01) -> Table:
    """Rows of (model, lr, energy, score), n repetitions each."""
    random = np.random.default_rng(4)
    rows = [
        {
            "Model": model,
            "Learning rate": lr,
            PLUG: energy * float(np.exp(spread * random.normal())),
            SOFTWARE: energy / 2 * float(np.exp(spread * random.normal())),
            "micro_f1": score + 0.001 * float(random.normal()),
            "Verdict": "",
        }
        for model, lr, energy, score in settings
        for _ in range(n)
    ]
    return Table(pd.DataFrame(rows), all_columns(["model", "lr"], ["plug"]))


def test_only_scenarios_that_differ_in_one_factor_are_compared() -> None:
    found = matched(table(("a", 0.1, 100, 0.5), ("b", 0.1, 300, 0.5), ("a", 0.2, 110, 0.5), ("c", 0.3, 110, 0.5)))
    assert [(pair.factor, pair.first, pair.second, pair.setting) for pair in found.pairs] == [
        ("Model", "b", "a", "lr 0.1"),
        ("Learning rate", "0.2", "0.1", "a"),
    ]
    assert {pair.energy for pair in found.pairs} == {PLUG}


def test_the_ratio_holds_the_truth_and_an_equal_score_is_no_better_one() -> None:
    (pair,) = matched(table(("a", 0.1, 100, 0.5), ("b", 0.1, 300, 0.5))).pairs
    assert pair.ratio.is_shown
    assert pair.ratio.low is not None
    assert pair.ratio.high is not None
    assert pair.ratio.low < 3.0 < pair.ratio.high
    assert not pair.is_better
    assert pair.low is not None
    assert pair.high is not None
    assert pair.low < 0 < pair.high
    (sentence,) = matched_statement(matched(table(("a", 0.1, 100, 0.5), ("b", 0.1, 300, 0.5)))).sentences
    assert sentence.startswith("Model b takes 2.99 (95 % interval 2.95 to 3.03) times")
    assert sentence.endswith("in 1 of 1 settings; a better micro_f1 is shown in none of them.")


def test_a_better_score_is_told() -> None:
    found = matched(table(("a", 0.1, 100, 0.5), ("b", 0.1, 300, 0.8)))
    assert found.pairs[0].is_better
    assert "micro_f1 differs by +0.30" in matched_statement(found).sentences[0]


def test_equal_energies_are_no_difference() -> None:
    found = matched(table(("a", 0.1, 100, 0.5), ("b", 0.1, 100, 0.5)))
    (sentence,) = matched_statement(found).sentences
    assert "no difference of Energy (plug) is shown in 1 settings" in sentence


def test_where_the_meter_saw_a_part_only_software_is_compared() -> None:
    partly = table(("a", 0.1, 100, 0.5), ("b", 0.1, 300, 0.5))
    partly.frame.loc[0, [PLUG, "Verdict"]] = [
        np.nan,
        f"unusable: {PLUG}: 0 J in the table: below the reach of the meter, not free",
    ]
    assert matched(partly).pairs[0].energy == SOFTWARE


def test_without_pairs_the_reason_is_told() -> None:
    with pytest.raises(AnalysisError, match="no two scenarios differ in one factor only"):
        matched(table(("a", 0.1, 100, 0.5)))
    with pytest.raises(AnalysisError, match="pairs of scenarios differ in one factor only; up to"):
        matched(table(*((f"m{i}", 0.1, 100.0 + i, 0.5) for i in range(30)), n=1))
    few = matched(table(("a", 0.1, 100, 0.5), ("b", 0.1, 300, 0.5), n=1))
    assert "3 of each are needed" in matched_statement(few).sentences[0]
