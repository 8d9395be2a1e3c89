"""Frugality in words: which scenario is best at which weight."""

from collections.abc import Mapping

from terrawatt.analysis.frugality import BestRange, Frugality, FrugalityRanges, FrugalityScore
from terrawatt.analysis.tradeoff import MIN_FOR_RESAMPLING
from terrawatt.report.numbers import plain
from terrawatt.report.relations.statement import Statement, left_out_scenarios
from terrawatt.report.tables import Cell, Header, PageTable
from terrawatt.units import J_PER_KWH, with_si_prefix

WEIGHTS: Mapping[FrugalityScore, str] = {
    FrugalityScore.WEIGHTED_SUM: "ε",
    FrugalityScore.HARMONIC_MEAN: "κ",
    FrugalityScore.ENERGY: "w",
}
_ABOUT: Mapping[FrugalityScore, str] = {
    FrugalityScore.WEIGHTED_SUM: "S_WS = ε α + (1 - ε)(1 - β/B); ε = 1 counts the performance alone",
    FrugalityScore.HARMONIC_MEAN: (
        "S_HM = (1 + κ²) α (1 - β/B) / (κ² α + 1 - β/B); κ = 0 counts the performance alone, a large κ the energy"
    ),
    FrugalityScore.ENERGY: "S_E = α - w / (1 + 1/β), β in kWh; w = 0 counts the performance alone",
}


def frugality_statement(found: Frugality) -> Statement:
    """Each score with the ranges of its weight."""
    said = [_score(ranges) for ranges in found.ranges]
    least = min(point.energy_j for point in found.points)
    if found.largest_j < 0.01 * J_PER_KWH:
        said.append(
            f"All energies are far below 1 kWh (at most {with_si_prefix(found.largest_j, 'J')}), so S_E hardly "
            f"depends on them: at w = 1 the dearest scenario loses {plain(found.largest_j / J_PER_KWH, 2)} against "
            f"{plain(least / J_PER_KWH, 2)} of the cheapest."
        )
    return Statement(
        "frugality", "Frugality: performance weighed against energy", tuple(said), _assumptions(found), _table(found),
        "The best scenario by weight",
    )  # fmt: skip


def _score(ranges: FrugalityRanges) -> str:
    about = _ABOUT[ranges.score]
    if not ranges.best:
        return f"{about}: 0 for all scenarios, none is best."
    best = "; ".join(f"{one.label} {_range(ranges.score, one)}" for one in ranges.best[:6])
    more = f"; {len(ranges.best) - 6} further ranges" if len(ranges.best) > 6 else ""
    return f"{about}. Best: {best}{more}."


def _range(score: FrugalityScore, one: BestRange) -> str:
    weight = WEIGHTS[score]
    sure = "" if one.support is None else f" ({100 * one.support:.0f} % of the draws)"
    if one.end is None:
        return f"{f'from {weight} = {plain(one.start, 3)} on' if one.start else f'at every {weight}'}{sure}"
    if (one.start, one.end) == (0.0, 1.0):
        return f"at every {weight}{sure}"
    return f"for {weight} from {plain(one.start, 3)} to {plain(one.end, 3)}{sure}"


def _assumptions(found: Frugality) -> str:
    method = (
        f"α: mean of {found.score}; β: mean of {found.energy}; B = {with_si_prefix(found.largest_j, 'J')}, the largest "
        f"mean of the {len(found.points)} scenarios compared, whose 1 - β/B is 0 by definition: S_WS and S_HM change "
        "with the scenarios that are compared, S_E with the unit of β (kWh, as published; in J every energy would "
        f"count as 1). Shares: of {found.resamples} draws of repetitions within scenarios, those in which the scenario "
        "is best in the middle of its range."
    )
    said = [method]
    if any(point.n < MIN_FOR_RESAMPLING for point in found.points):
        said.append(f"No shares: scenarios with fewer than {MIN_FOR_RESAMPLING} repetitions are compared.")
    return " ".join([*said, *left_out_scenarios(found.left_out)])


def _table(found: Frugality) -> PageTable:
    headers = (
        Header("Score", "its name", is_text=True),
        Header("Best scenario", "the settings that differ", is_text=True),
        Header("from", "least weight"),
        Header("to", "largest weight"),
        Header("share of the draws (%)", "in which it is best in the middle of the range"),
    )
    rows = tuple(
        (
            Cell(f"{ranges.score} ({WEIGHTS[ranges.score]})"),
            Cell(one.label),
            Cell(plain(one.start, 3)),
            Cell("∞" if one.end is None else plain(one.end, 3)),
            Cell("–" if one.support is None else f"{100 * one.support:.1f}"),
        )
        for ranges in found.ranges
        for one in ranges.best
    )
    return PageTable(headers, rows)
