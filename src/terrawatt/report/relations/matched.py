"""Scenarios that differ in one factor only, in words: what a level costs more, and what that brings."""

from collections import defaultdict
from collections.abc import Sequence

from terrawatt.analysis.matched import Matched, MatchedPair
from terrawatt.report.language import mark, say, say_n
from terrawatt.report.numbers import plain
from terrawatt.report.relations.statement import Statement
from terrawatt.report.tables import Cell, Header, PageTable

TITLE = mark("All else being equal: what a level costs, and what it brings")
_MOST_TOLD = 6  # pairs of levels in words; all are in the table
_MOST_ROWS = 60


def matched_statement(found: Matched) -> Statement:
    """One sentence for each pair of levels, the dearest first."""
    told: dict[tuple[str, str, str, str], list[MatchedPair]] = defaultdict(list)
    for pair in found.pairs:
        if pair.ratio.ratio is not None:
            told[pair.factor, pair.first, pair.second, pair.energy].append(pair)
    groups = sorted(told.values(), key=lambda pairs: -max(pair.ratio.ratio or 0.0 for pair in pairs))
    sentences = [_sentence(pairs, found.score) for pairs in groups[:_MOST_TOLD]]
    if len(groups) > _MOST_TOLD:
        sentences.append(say("{n} further pairs of levels are in output_all.json.", n=len(groups) - _MOST_TOLD))
    if not groups:
        sentences = [say("No ratio can be told: {reason}.", reason=found.pairs[0].ratio.reason)]
    return Statement(
        "matched",
        say(TITLE),
        tuple(sentences),
        say(
            "Ratio of geometric means of scenarios that differ in this factor only, with 95 % intervals (Welch, on "
            "logarithms); shown where p is below 0.05 after Holm’s correction over all pairs. Difference of mean "
            "scores with its 95 % interval (Welch); without one the scores do not scatter. Where the meter did not see "
            "both scenarios whole, their energies by CodeCarbon are compared. What repetitions share (meter, idle "
            "level) is in no interval here."
        ),
        _table(found),
        say("Scenarios that differ in one factor"),
    )


def _sentence(pairs: Sequence[MatchedPair], score: str) -> str:
    first = pairs[0]
    shown = [pair for pair in pairs if pair.ratio.is_shown]
    if not shown:
        return say(
            "{factor} {first} against {second}: no difference of {energy} is shown in {n} settings.",
            factor=first.factor,
            first=first.first,
            second=first.second,
            energy=first.energy,
            n=len(pairs),
        )
    low, high = (f(shown, key=lambda pair: pair.ratio.ratio or 0.0) for f in (min, max))
    times = _ratio(low) if low is high else say("{low} to {high}", low=_ratio(low), high=_ratio(high))
    return say(
        "{factor} {first} takes {times} times the {energy} of {second}, in {n} of {total} settings{score}.",
        factor=first.factor,
        first=first.first,
        second=first.second,
        times=times,
        energy=first.energy,
        n=len(shown),
        total=len(pairs),
        score=_score(shown, score),
    )


def _score(shown: Sequence[MatchedPair], score: str) -> str:
    known = [pair for pair in shown if pair.difference is not None]
    if not known:
        return ""
    worse = sum(not pair.is_better for pair in known)
    if worse == len(known):
        return say("; a better {score} is shown in none of them", score=score)
    ends = sorted(known, key=lambda pair: pair.difference or 0.0)
    differences = _difference(ends[0])
    if len(ends) > 1:
        differences = say("{low} to {high}", low=differences, high=_difference(ends[-1]))
    told = say("; {score} differs by {differences}", score=score, differences=differences)
    if worse:
        told += say_n(
            ", and in {n} is not shown to be better", ", and in {n} is not shown to be better", worse, n=worse
        )
    return told


def _ratio(pair: MatchedPair) -> str:
    ratio = pair.ratio
    return say(
        "{value} (95 % interval {low} to {high})",
        value=plain(ratio.ratio or 0.0, 3),
        low=plain(ratio.low or 0.0, 3),
        high=plain(ratio.high or 0.0, 3),
    )


def _difference(pair: MatchedPair) -> str:
    value = plain(pair.difference or 0.0, 2)
    sign = "+" if (pair.difference or 0.0) > 0 else ""
    if pair.low is None or pair.high is None:
        return f"{sign}{value}"
    return say("{value} ({low} to {high})", value=f"{sign}{value}", low=plain(pair.low, 2), high=plain(pair.high, 2))


def _table(found: Matched) -> PageTable:
    headers = (
        Header(say("Factor"), say("a factor of the sweep"), is_text=True),
        Header(say("Level"), say("uses so many times"), is_text=True),
        Header(say("against"), say("what this level does"), is_text=True),
        Header(say("at"), say("the other settings, which both have"), is_text=True),
        Header(say("Energy"), say("which one is compared"), is_text=True),
        Header(say("Ratio (95 % interval)"), say("of the geometric means")),
        Header(say("p (Holm)"), say("adjusted for all pairs")),
        Header(say("{score}: difference (95 % interval)", score=found.score or "–"), say("of the mean scores")),
    )
    largest = sorted(found.pairs, key=lambda pair: -(pair.ratio.ratio or 0.0))
    return PageTable(headers, tuple(_row(pair) for pair in largest[:_MOST_ROWS]))


def _row(pair: MatchedPair) -> tuple[Cell, ...]:
    ratio, p = pair.ratio, pair.ratio.p_adjusted
    return (
        Cell(pair.factor),
        Cell(pair.first),
        Cell(pair.second),
        Cell(pair.setting or "–"),
        Cell(pair.energy),
        Cell(ratio.reason) if ratio.ratio is None else Cell(_ratio(pair), f"{ratio.ratio:.9g}"),
        Cell("–") if p is None else Cell("< 0.0001" if p < 1e-4 else plain(p, 2), f"{p:.9g}"),
        Cell("–") if pair.difference is None else Cell(_difference(pair), f"{pair.difference:.9g}"),
    )
