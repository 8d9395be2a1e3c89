"""The Pareto front in words: which scenarios are on it, how surely, and what a point of the score costs along it."""

from terrawatt.analysis.pareto import FrontStep, ParetoFront, ParetoPoint
from terrawatt.analysis.tradeoff import MIN_FOR_RESAMPLING
from terrawatt.report.numbers import mean_and_half_width, plain
from terrawatt.report.relations.statement import Statement, left_out_scenarios
from terrawatt.report.tables import Cell, Header, PageTable
from terrawatt.units import with_si_prefix

TITLE = "Energy against performance: the Pareto front"
_MAX_STEPS = 6  # in words; all are in output_all.json
_DOUBTFUL, _SURE = 0.05, 0.95


def pareto_statement(found: ParetoFront) -> Statement:
    """The front, the doubtful places on it, and its steps."""
    return Statement(
        "pareto",
        TITLE,
        (*_front(found), *_doubts(found), *_steps(found)),
        _assumptions(found),
        _table(found),
        "Scenarios on the front, or that may be",
    )


def _front(found: ParetoFront) -> list[str]:
    front = found.front
    names = "; ".join(
        f"{point.label} ({with_si_prefix(point.energy_j, 'J')}, {plain(point.score)})" for point in front[:8]
    )
    more = f"; and {len(front) - 8} more" if len(front) > 8 else ""
    compared = f"{len(front)} of {len(found.points)} scenarios"
    verb = "is" if len(front) == 1 else "are"
    return [f"No other scenario has both less energy and a better {found.score}: {compared} {verb} so: {names}{more}."]


def _doubts(found: ParetoFront) -> list[str]:
    known = [point for point in found.points if point.membership is not None]
    if not known:
        return [f"How sure that is cannot be said: no scenario has {MIN_FOR_RESAMPLING} repetitions."]
    unsure = [point for point in known if _DOUBTFUL < (point.membership or 0.0) < _SURE]
    if not unsure:
        return ["Drawn again, the scenarios keep their places on the front or off it."]
    named = ", ".join(f"{point.label} ({100 * (point.membership or 0.0):.0f} %)" for point in unsure[:8])
    more = f", and {len(unsure) - 8} more" if len(unsure) > 8 else ""
    return [f"Not decided (share of the draws in which it is on the front): {named}{more}."]


def _steps(found: ParetoFront) -> list[str]:
    said = [_step(step, found.score) for step in found.steps[:_MAX_STEPS]]
    if len(found.steps) > _MAX_STEPS:
        said.append(f"{len(found.steps) - _MAX_STEPS} further steps along the front are in output_all.json.")
    return said


def _step(step: FrontStep, score: str) -> str:
    what = f"From {step.start} to {step.end}, one point (0.01) of {score} more costs"
    value = with_si_prefix(step.energy_per_point_j, "J")
    if step.ratio is None:
        return f"{what} {value} ({step.reason})."
    if step.ratio.low is None or step.ratio.high is None:
        return f"{what} {value}; its interval has no end, since the scores of both may be the same."
    low, high = (with_si_prefix(end, "J") for end in (step.ratio.low, step.ratio.high))
    return f"{what} {value} (95 % interval {low} to {high})."


def _assumptions(found: ParetoFront) -> str:
    method = (
        f"Means of {found.energy} and {found.score} (more is better) by scenario. Shares: of {found.resamples} draws "
        "of repetitions, with replacement, within each scenario, energy and score together; repetitions are taken as "
        "independent. The meter's own error is alike for all and moves none past another. Cost of a point: ratio of "
        "the differences of means, interval by Fieller with the degrees of freedom of the smaller scenario; it holds "
        "for this front, which the same data chose."
    )
    said = [method]
    if found.fixed:
        said.append(
            f"{found.fixed} scenarios have fewer than {MIN_FOR_RESAMPLING} repetitions and were not drawn again."
        )
    return " ".join([*said, *left_out_scenarios(found.left_out)])


def _table(found: ParetoFront) -> PageTable:
    shown = [p for p in found.points if p.is_on_front or (p.membership or 0.0) > _DOUBTFUL]
    headers = (
        Header("Scenario", "the settings that differ", is_text=True),
        Header("n", "repetitions with both"),
        Header(f"{found.energy} (J)", "mean and its 95 % interval"),
        Header(found.score, "mean and its 95 % interval"),
        Header("on the front", "by the means", is_text=True),
        Header("share of the draws (%)", "in which it is on the front"),
    )
    rows = tuple(_row(point) for point in sorted(shown, key=lambda point: point.energy_j))
    return PageTable(headers, rows)


def _row(point: ParetoPoint) -> tuple[Cell, ...]:
    def cell(value: float, half: float | None) -> Cell:
        return Cell(plain(value) if half is None else mean_and_half_width(value, half), f"{value:.9g}")

    return (
        Cell(point.label),
        Cell(str(point.n)),
        cell(point.energy_j, point.energy_half_j),
        cell(point.score, point.score_half),
        Cell("yes" if point.is_on_front else "no"),
        Cell("–" if point.membership is None else f"{100 * point.membership:.1f}"),
    )
