"""Correlations in words: the strongest, Pearson's beside Spearman's."""

from terrawatt.analysis.correlation import CorrelationPair, Correlations
from terrawatt.analysis.statistics import left_out_in_words
from terrawatt.report.relations.statement import Statement
from terrawatt.report.tables import Cell, Header, PageTable

_IN_WORDS = 4
_UNLIKE = 0.15  # between Pearson's and Spearman's, from where on the page remarks it


def correlations_statement(found: Correlations) -> Statement:
    """The strongest correlations; the table has some more."""
    said = [_pair(pair) for pair in found.pairs[:_IN_WORDS]]
    if found.reason:
        said.append(f"No intervals: {found.reason}.")
    unlike = [pair for pair in found.pairs if abs(pair.pearson - pair.spearman) >= _UNLIKE]
    if unlike:
        names = "; ".join(f"{pair.first} and {pair.second}" for pair in unlike[:3])
        said.append(f"Pearson's and Spearman's differ ({names}): the relation is not straight, or has outliers.")
    method = f" Intervals (95 %): {found.method}." if found.method else ""
    left_out = left_out_in_words(found.left_out)
    scenarios = f"{found.scenarios} scenario{'' if found.scenarios == 1 else 's'}"
    assumptions = (
        f"{found.n_quantities} quantities over {found.n} repetitions of {scenarios}, those with all of them. The pairs "
        "of unlike quantities are shown because they are the strongest: an interval holds for one pair, not for a "
        "choice among many."
        f"{method}{f' Columns left out – {left_out}.' if left_out else ''}"
    )
    return Statement(
        "correlations", "Correlations", tuple(said), assumptions, _table(found), "The strongest correlations"
    )


def _pair(pair: CorrelationPair) -> str:
    pearson = _with_interval(pair.pearson, pair.pearson_interval)
    return (
        f"{pair.first} and {pair.second}: r = {pearson}, ρ = {_with_interval(pair.spearman, pair.spearman_interval)}."
    )


def _with_interval(value: float, interval: tuple[float, float] | None) -> str:
    number = f"{value:.2f}".replace("-", "−")
    if interval is None:
        return number
    return f"{number} ({interval[0]:.2f} to {interval[1]:.2f})".replace("-", "−")


def _table(found: Correlations) -> PageTable:
    headers = (
        Header("First", "a quantity", is_text=True),
        Header("Second", "another", is_text=True),
        Header("Pearson's r", "with its 95 % interval"),
        Header("Spearman's ρ", "with its 95 % interval"),
    )
    rows = tuple(
        (
            Cell(pair.first),
            Cell(pair.second),
            Cell(_with_interval(pair.pearson, pair.pearson_interval), f"{pair.pearson:.9g}"),
            Cell(_with_interval(pair.spearman, pair.spearman_interval), f"{pair.spearman:.9g}"),
        )
        for pair in found.pairs
    )
    return PageTable(headers, rows)
