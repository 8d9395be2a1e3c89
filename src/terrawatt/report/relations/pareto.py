"""The Pareto front in words: which scenarios are on it, how surely, and what a point of the score costs along it."""

from terrawatt.analysis.pareto import FrontStep, ParetoFront, ParetoPoint
from terrawatt.analysis.tradeoff import MIN_FOR_RESAMPLING
from terrawatt.report.language import decimal, mark, say, say_n
from terrawatt.report.numbers import joules, mean_and_half_width, plain
from terrawatt.report.relations.statement import Statement, left_out_scenarios
from terrawatt.report.tables import Cell, Header, PageTable

TITLE = mark("Energy against performance: the Pareto front")
_MAX_STEPS = 6  # in words; all are in output_all.json
_DOUBTFUL, _SURE = 0.05, 0.95


def pareto_statement(found: ParetoFront) -> Statement:
    """The front, the doubtful places on it, and its steps."""
    return Statement(
        "pareto",
        say(TITLE),
        (*_front(found), *_doubts(found), *_steps(found)),
        _assumptions(found),
        _table(found),
        say("Scenarios on the front, or that may be"),
    )


def _front(found: ParetoFront) -> list[str]:
    front = found.front
    names = "; ".join(f"{point.label} ({joules(point.energy_j)}, {plain(point.score)})" for point in front[:8])
    more = say("; and {n_front} more", n_front=len(front) - 8) if len(front) > 8 else ""
    compared = say("{n_front} of {n_points} scenarios", n_front=len(front), n_points=len(found.points))
    verb = say_n("is", "are", len(front))
    return [
        say(
            "No other scenario has both less energy and a better {score}: {compared} {verb} so: {names}{more}.",
            score=found.score,
            compared=compared,
            verb=verb,
            names=names,
            more=more,
        )
    ]


def _doubts(found: ParetoFront) -> list[str]:
    known = [point for point in found.points if point.membership is not None]
    if not known:
        return [
            say(
                "How sure that is cannot be said: no scenario has {min_for_resampling} repetitions.",
                min_for_resampling=MIN_FOR_RESAMPLING,
            )
        ]
    unsure = [point for point in known if _DOUBTFUL < (point.membership or 0.0) < _SURE]
    if not unsure:
        return [say("Drawn again, the scenarios keep their places on the front or off it.")]
    named = ", ".join(f"{point.label} ({decimal(100 * (point.membership or 0.0), '.0f')} %)" for point in unsure[:8])
    more = say(", and {n_unsure} more", n_unsure=len(unsure) - 8) if len(unsure) > 8 else ""
    return [say("Not decided (share of the draws in which it is on the front): {named}{more}.", named=named, more=more)]


def _steps(found: ParetoFront) -> list[str]:
    said = [_step(step, found.score) for step in found.steps[:_MAX_STEPS]]
    if len(found.steps) > _MAX_STEPS:
        said.append(
            say(
                "{n_steps} further steps along the front are in output_all.json.", n_steps=len(found.steps) - _MAX_STEPS
            )
        )
    return said


def _step(step: FrontStep, score: str) -> str:
    what = say(
        "From {start} to {end}, one point (0.01) of {score} more costs", start=step.start, end=step.end, score=score
    )
    value = joules(step.energy_per_point_j)
    if step.ratio is None:
        return f"{what} {value} ({step.reason})."
    if step.ratio.low is None or step.ratio.high is None:
        return say(
            "{what} {value}; its interval has no end, since the scores of both may be the same.", what=what, value=value
        )
    low, high = (joules(end) for end in (step.ratio.low, step.ratio.high))
    return say("{what} {value} (95 % interval {low} to {high}).", what=what, value=value, low=low, high=high)


def _assumptions(found: ParetoFront) -> str:
    method = say(
        "Means of {energy} and {score} (more is better) by scenario. Shares: of {resamples} "
        "draws of repetitions, with replacement, within each scenario, energy and score "
        "together; repetitions are taken as independent. The meter's own error is alike for all "
        "and moves none past another. Cost of a point: ratio of the differences of means, "
        "interval by Fieller with the degrees of freedom of the smaller scenario; it holds for "
        "this front, which the same data chose.",
        energy=found.energy,
        score=found.score,
        resamples=found.resamples,
    )
    said = [method]
    if found.fixed:
        said.append(
            say(
                "{fixed} scenarios have fewer than {min_for_resampling} repetitions and were not drawn again.",
                fixed=found.fixed,
                min_for_resampling=MIN_FOR_RESAMPLING,
            )
        )
    return " ".join([*said, *left_out_scenarios(found.left_out)])


def _table(found: ParetoFront) -> PageTable:
    shown = [p for p in found.points if p.is_on_front or (p.membership or 0.0) > _DOUBTFUL]
    headers = (
        Header(say("Scenario"), say("the settings that differ"), is_text=True),
        Header("n", say("repetitions with both")),
        Header(f"{found.energy} (J)", say("mean and its 95 % interval")),
        Header(found.score, say("mean and its 95 % interval")),
        Header(say("on the front"), say("by the means"), is_text=True),
        Header(say("share of the draws (%)"), say("in which it is on the front")),
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
        Cell(say("yes") if point.is_on_front else say("no")),
        Cell("–" if point.membership is None else decimal(100 * point.membership, ".1f")),
    )
