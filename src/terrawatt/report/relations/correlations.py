"""Correlations in words: the strongest, Pearson's beside Spearman's."""

from terrawatt.analysis.correlation import CorrelationPair, Correlations
from terrawatt.report.language import decimal, say, say_n
from terrawatt.report.left_out import left_out_words
from terrawatt.report.relations.statement import Statement
from terrawatt.report.tables import Cell, Header, PageTable

_IN_WORDS = 4
_UNLIKE = 0.15  # between Pearson's and Spearman's, from where on the page remarks it


def correlations_statement(found: Correlations) -> Statement:
    """The strongest correlations; the table has some more."""
    said = [_pair(pair) for pair in found.pairs[:_IN_WORDS]]
    if found.reason:
        said.append(say("No intervals: {reason}.", reason=found.reason))
    unlike = [pair for pair in found.pairs if abs(pair.pearson - pair.spearman) >= _UNLIKE]
    if unlike:
        names = "; ".join(say("{first} and {second}", first=pair.first, second=pair.second) for pair in unlike[:3])
        said.append(
            say(
                "Pearson's and Spearman's differ ({names}): the relation is not straight, or has outliers.", names=names
            )
        )
    method = say(" Intervals (95 %): {method}.", method=found.method) if found.method else ""
    left_out = left_out_words(found.left_out)
    scenarios = say_n("{scenarios} scenario", "{scenarios} scenarios", found.scenarios, scenarios=found.scenarios)
    assumptions = say(
        "{n_quantities} quantities over {n} repetitions of {scenarios}, those with all of them. "
        "The pairs of unlike quantities are shown because they are the strongest: an interval "
        "holds for one pair, not for a choice among many.{method}{what}",
        n_quantities=found.n_quantities,
        n=found.n,
        scenarios=scenarios,
        method=method,
        what=say(" Columns left out – {left_out}.", left_out=left_out) if left_out else "",
    )
    return Statement(
        "correlations", say("Correlations"), tuple(said), assumptions, _table(found), say("The strongest correlations")
    )


def _pair(pair: CorrelationPair) -> str:
    pearson = _with_interval(pair.pearson, pair.pearson_interval)
    return say(
        "{first} and {second}: r = {pearson}, ρ = {spearman}.",
        first=pair.first,
        second=pair.second,
        pearson=pearson,
        spearman=_with_interval(pair.spearman, pair.spearman_interval),
    )


def _with_interval(value: float, interval: tuple[float, float] | None) -> str:
    text = decimal(value, ".2f").replace("-", "−")
    if interval is None:
        return text
    return say("{text} ({low:.2f} to {high:.2f})", text=text, low=interval[0], high=interval[1]).replace("-", "−")


def _table(found: Correlations) -> PageTable:
    headers = (
        Header(say("First"), say("a quantity"), is_text=True),
        Header(say("Second"), say("another"), is_text=True),
        Header(say("Pearson's r"), say("with its 95 % interval")),
        Header(say("Spearman's ρ"), say("with its 95 % interval")),
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
