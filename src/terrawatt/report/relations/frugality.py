"""Frugality in words: which scenario is best at which weight."""

from collections.abc import Mapping

from terrawatt.analysis.frugality import BestRange, Frugality, FrugalityRanges, FrugalityScore
from terrawatt.analysis.tradeoff import MIN_FOR_RESAMPLING
from terrawatt.report.language import decimal, mark, say
from terrawatt.report.numbers import joules, plain
from terrawatt.report.relations.statement import Statement, left_out_scenarios
from terrawatt.report.tables import Cell, Header, PageTable
from terrawatt.units import J_PER_KWH

WEIGHTS: Mapping[FrugalityScore, str] = {
    FrugalityScore.WEIGHTED_SUM: "ε",
    FrugalityScore.HARMONIC_MEAN: "κ",
    FrugalityScore.ENERGY: "w",
}
_ABOUT: Mapping[FrugalityScore, str] = {
    FrugalityScore.WEIGHTED_SUM: mark("S_WS = ε α + (1 - ε)(1 - β/B); ε = 1 counts the performance alone"),
    FrugalityScore.HARMONIC_MEAN: (
        mark("S_HM = (1 + κ²) α (1 - β/B) / (κ² α + 1 - β/B); κ = 0 counts the performance alone, a large κ the energy")
    ),
    FrugalityScore.ENERGY: mark("S_E = α - w / (1 + 1/β), β in kWh; w = 0 counts the performance alone"),
}


def frugality_statement(found: Frugality) -> Statement:
    """Each score with the ranges of its weight."""
    said = [_score(ranges) for ranges in found.ranges]
    least = min(point.energy_j for point in found.points)
    if found.largest_j < 0.01 * J_PER_KWH:
        said.append(
            say(
                "All energies are far below 1 kWh (at most {largest_j}), so S_E hardly depends on them: "
                "at w = 1 the dearest scenario loses {largest_j_2} against {least} of the cheapest.",
                largest_j=joules(found.largest_j),
                largest_j_2=plain(found.largest_j / J_PER_KWH, 2),
                least=plain(least / J_PER_KWH, 2),
            )
        )
    title, caption = say("Frugality: performance weighed against energy"), say("The best scenario by weight")
    return Statement("frugality", title, tuple(said), _assumptions(found), _table(found), caption)


def _score(ranges: FrugalityRanges) -> str:
    about = say(_ABOUT[ranges.score])
    if not ranges.best:
        return say("{about}: 0 for all scenarios, none is best.", about=about)
    best = "; ".join(f"{one.label} {_range(ranges.score, one)}" for one in ranges.best[:6])
    more = say("; {n_best} further ranges", n_best=len(ranges.best) - 6) if len(ranges.best) > 6 else ""
    return say("{about}. Best: {best}{more}.", about=about, best=best, more=more)


def _range(score: FrugalityScore, one: BestRange) -> str:
    weight = WEIGHTS[score]
    sure = "" if one.support is None else say(" ({support:.0f} % of the draws)", support=100 * one.support)
    if one.end is None:
        if one.start:
            return say("from {weight} = {start} on{sure}", weight=weight, start=plain(one.start, 3), sure=sure)
        return say("at every {weight}{sure}", weight=weight, sure=sure)
    if (one.start, one.end) == (0.0, 1.0):
        return say("at every {weight}{sure}", weight=weight, sure=sure)
    return say(
        "for {weight} from {start} to {end}{sure}",
        weight=weight,
        start=plain(one.start, 3),
        end=plain(one.end, 3),
        sure=sure,
    )


def _assumptions(found: Frugality) -> str:
    method = say(
        "α: mean of {score}; β: mean of {energy}; B = {largest_j}, the largest mean of the "
        "{n_points} scenarios compared, whose 1 - β/B is 0 by definition: S_WS and S_HM change "
        "with the scenarios that are compared, S_E with the unit of β (kWh, as published; in J "
        "every energy would count as 1). Shares: of {resamples} draws of repetitions within "
        "scenarios, those in which the scenario is best in the middle of its range.",
        score=found.score,
        energy=found.energy,
        largest_j=joules(found.largest_j),
        n_points=len(found.points),
        resamples=found.resamples,
    )
    said = [method]
    if any(point.n < MIN_FOR_RESAMPLING for point in found.points):
        said.append(
            say(
                "No shares: scenarios with fewer than {min_for_resampling} repetitions are compared.",
                min_for_resampling=MIN_FOR_RESAMPLING,
            )
        )
    return " ".join([*said, *left_out_scenarios(found.left_out)])


def _table(found: Frugality) -> PageTable:
    headers = (
        Header(say("Score"), say("its name"), is_text=True),
        Header(say("Best scenario"), say("the settings that differ"), is_text=True),
        Header(say("from"), say("least weight")),
        Header(say("to"), say("largest weight")),
        Header(say("share of the draws (%)"), say("in which it is best in the middle of the range")),
    )
    rows = tuple(
        (
            Cell(f"{ranges.score} ({WEIGHTS[ranges.score]})"),
            Cell(one.label),
            Cell(plain(one.start, 3)),
            Cell("∞" if one.end is None else plain(one.end, 3)),
            Cell("–" if one.support is None else decimal(100 * one.support, ".1f")),
        )
        for ranges in found.ranges
        for one in ranges.best
    )
    return PageTable(headers, rows)
