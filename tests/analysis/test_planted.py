"""A shortened version of `benchmarks/planted.py`, and the mixed model beside that of statsmodels."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from benchmark_modules import benchmark
from terrawatt.analysis.effects import effects
from terrawatt.analysis.mixed import fit_mixed

planted = benchmark("planted")
SEEDS = 20


def test_every_planted_fact_is_found_and_intervals_hold_over_20_seeds() -> None:
    held = []
    for seed in range(SEEDS):
        sweep = planted.planted(seed)
        found = effects(sweep.table)
        assert all(planted.findings(sweep, found).values()), (seed, planted.findings(sweep, found))
        held += planted.held(found).values()
    assert np.mean(held) >= 0.85


def test_what_is_absent_is_claimed_no_more_often_than_the_level_allows() -> None:
    most = 4  # of 20 at 5 %: exceeded by chance once in 400 times
    assert sum(bool(planted.claims(effects(planted.nothing(seed)))) for seed in range(SEEDS)) <= most
    assert sum(bool(planted.claims(effects(planted.sessions(seed)))) for seed in range(SEEDS)) <= most


def test_the_mixed_model_agrees_with_statsmodels() -> None:
    random = np.random.default_rng(0)
    block = np.repeat(np.arange(12), 10)
    x = np.column_stack([np.ones(120), random.normal(size=120), np.tile([0, 1], 60)])
    y = x @ [1.0, 0.2, 0.3] + random.normal(0, 0.5, 12)[block] + random.normal(0, 0.3, 120)
    ours, theirs = fit_mixed(y, x, {"block": block}), MixedLM(y, x, block).fit(reml=True)
    assert ours.beta == pytest.approx(theirs.fe_params, abs=1e-5)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.bse_fe, rel=1e-3)
    assert ours.variances["block"] == pytest.approx(theirs.cov_re[0, 0], rel=1e-3)


def test_no_drift_is_looked_for_where_a_table_does_not_tell_the_order_of_time() -> None:
    sweep = planted.planted(0)
    own = effects(sweep.table)
    rows = sweep.table.frame.drop(columns="Run").assign(Repetition=range(1, len(sweep.table.frame) + 1))
    foreign = effects(replace(sweep.table, frame=rows))
    assert own.drift is not None
    assert foreign.drift is None
    assert any("names no runs" in left.reason for left in foreign.left_out)
