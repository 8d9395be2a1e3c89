"""The model of the effects beside that of statsmodels: F, marginal means, pairs; of an unbalanced table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS, RegressionResultsWrapper
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.stats.multitest import multipletests

from terrawatt.analysis.effects import LEAST_SQUARES, MIXED, Effects, effects
from terrawatt.analysis.table import Table, all_columns
from terrawatt.records import Float64Array

MODELS, BATCHES = ("a", "b", "c"), (32, 64)
CELLS = [(model, batch) for model in MODELS for batch in BATCHES]


def unbalanced(seed: int = 0) -> Table:
    """3 models × 2 batch sizes, 3 to 8 repetitions of each; models and an interaction act."""
    random = np.random.default_rng(seed)
    rows = []
    for i, (model, batch) in enumerate(CELLS):
        for _ in range(3 + i):
            log = 7 + 0.05 * MODELS.index(model) + (0.04 if (model, batch) == ("c", 64) else 0.0)
            rows.append({"Model": model, "Batch size": batch, "Energy (plug)": np.exp(log + random.normal(0, 0.03))})
    return table_of(pd.DataFrame(rows))


def table_of(frame: pd.DataFrame) -> Table:
    columns = all_columns(["model", "batch"], ["plug"])
    return Table(frame[[name for name in columns if name in frame]], columns)


def cell_means(table: Table) -> RegressionResultsWrapper:
    """Least squares with one mean a cell, whose contrasts are what everything else is made of."""
    frame = table.frame
    x = np.array(
        [
            [float((model, batch) == cell) for cell in CELLS]
            for model, batch in zip(frame["Model"], frame["Batch size"], strict=True)
        ]
    )
    return OLS(np.log(frame["Energy (plug)"].to_numpy()), x).fit()


def over(weights: dict[tuple[str, int], float]) -> Float64Array:
    return np.array([weights.get(cell, 0.0) for cell in CELLS])


def of_model(model: str) -> Float64Array:
    return over({(model, batch): 1 / len(BATCHES) for batch in BATCHES})


def of_batch(batch: int) -> Float64Array:
    return over({(model, batch): 1 / len(MODELS) for model in MODELS})


def differences(means: Sequence[Float64Array]) -> Float64Array:
    return np.array([mean - means[0] for mean in means[1:]])


CONTRASTS = {
    ("Model",): differences([of_model(model) for model in MODELS]),
    ("Batch size",): differences([of_batch(batch) for batch in BATCHES]),
    ("Model", "Batch size"): np.array(
        [over({(model, 64): 1.0, (model, 32): -1.0, ("a", 64): -1.0, ("a", 32): 1.0}) for model in MODELS[1:]]
    ),
}


@pytest.fixture(scope="module")
def table() -> Table:
    return unbalanced()


@pytest.fixture(scope="module")
def found(table: Table) -> Effects:
    return effects(table)


def test_without_blocks_it_is_least_squares_over_all_repetitions(found: Effects, table: Table) -> None:
    assert found.reason == ""
    assert found.method == LEAST_SQUARES
    assert found.n == len(table.frame) == 33
    assert found.sd == pytest.approx(np.sqrt(cell_means(table).scale))


@pytest.mark.parametrize("factors", CONTRASTS)
def test_each_term_has_the_f_of_its_contrasts(factors: tuple[str, ...], found: Effects, table: Table) -> None:
    term, reference = found.term(*factors), cell_means(table).f_test(CONTRASTS[factors])
    assert term is not None
    assert term.f == pytest.approx(float(reference.fvalue), rel=1e-6)
    assert (term.dof, term.dof_residual) == (reference.df_num, pytest.approx(reference.df_denom))
    assert term.p == pytest.approx(float(reference.pvalue), rel=1e-5)
    f_by_dof = term.f * term.dof
    assert term.partial_eta2 == pytest.approx(f_by_dof / (f_by_dof + term.dof_residual))


def test_p_values_of_the_terms_are_adjusted_by_holm(found: Effects) -> None:
    adjusted = multipletests([term.p for term in found.terms], method="holm")[1]
    assert [term.p_adjusted for term in found.terms] == pytest.approx(adjusted)


def test_marginal_means_weigh_the_levels_of_the_others_alike(found: Effects, table: Table) -> None:
    for mean in found.means_of("Model"):
        reference = cell_means(table).t_test(of_model(mean.level))
        assert np.log(mean.mean) == pytest.approx(float(reference.effect[0]))
        assert (np.log(mean.low), np.log(mean.high)) == pytest.approx(tuple(reference.conf_int()[0]))
        assert mean.n == int((table.frame["Model"] == mean.level).sum())


def test_pairs_are_ratios_of_marginal_means_adjusted_by_holm(found: Effects, table: Table) -> None:
    pairs = found.pairs_of("Model")
    assert len(pairs) == 3
    p_values = []
    for pair in pairs:
        reference = cell_means(table).t_test(of_model(pair.first) - of_model(pair.second))
        assert np.log(pair.ratio.value) == pytest.approx(float(reference.effect[0]))
        assert (np.log(pair.ratio.low), np.log(pair.ratio.high)) == pytest.approx(tuple(reference.conf_int()[0]))
        p_values.append(float(np.squeeze(reference.pvalue)))
    assert [pair.ratio.p for pair in pairs] == pytest.approx(p_values, rel=1e-5)
    assert [pair.p_adjusted for pair in pairs] == pytest.approx(multipletests(p_values, method="holm")[1], rel=1e-5)


def test_with_blocks_the_ratio_of_two_models_is_that_of_the_mixed_model() -> None:
    random = np.random.default_rng(4)
    rows = []
    for block, shift in enumerate(random.normal(0, 0.05, 12), start=1):
        for model in ("a", "b"):
            log = 7 + shift + 0.06 * (model == "b") + random.normal(0, 0.02)
            rows.append({"Run": 1, "Block": block, "Repetition": block, "Model": model, "Energy (plug)": np.exp(log)})
    blocks = pd.DataFrame(rows)
    found = effects(table_of(blocks))
    assert found.method == MIXED
    assert found.random[0].levels == 12
    y = 100 * np.log(blocks["Energy (plug)"].to_numpy())  # statsmodels takes variances below 0.01 for zero
    order = (blocks["Block"].to_numpy() - 1) / 11
    x = np.column_stack([np.ones(24), blocks["Model"] == "b", order]).astype(float)
    reference = MixedLM(y, x, blocks["Block"].to_numpy()).fit(reml=True)
    pair = found.pairs_of("Model")[0]
    sign = 1 if pair.first == "b" else -1
    assert np.log(pair.ratio.value) == pytest.approx(sign * reference.fe_params[1] / 100, abs=1e-5)
    # Blocks are complete: the degrees of freedom are those of paired differences, one less for the order.
    assert 10 <= pair.ratio.dof <= 11.5
