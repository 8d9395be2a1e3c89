"""What the factors of a sweep do to the energy, in words and tables."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from terrawatt.analysis.effects import Effects, FactorUsed, TermTest, effects
from terrawatt.analysis.marginal import MarginalMean, Ratio
from terrawatt.analysis.table import Table
from terrawatt.report.language import decimal, mark, recorded, say, say_n, typeset
from terrawatt.report.left_out import left_out_words
from terrawatt.report.numbers import plain
from terrawatt.report.scales import Scale, display_name, scale_for
from terrawatt.report.tables import Cell, Header, PageTable

_MOST_NAMED = 6  # levels in a sentence; of more, the lowest and the highest
_MOST_OUTLIERS = 5
_SMALLEST_P = 1e-4
_EFFECT = Header(
    mark("Effect (95 % interval)"), mark("what a step does; else the dearest level by the cheapest"), is_text=True
)


@dataclass(frozen=True, slots=True)
class EffectsSection:
    """The page's section.

    Attributes:
        reason: why there is nothing; empty when there is.
        sentences: what was found.
        terms: the table of effects.
        means: the marginal means.
        pairs: the levels against each other.
        remarks: method, assumptions, and what is not in the model.
    """

    reason: str
    sentences: tuple[str, ...] = ()
    terms: PageTable | None = None
    means: PageTable | None = None
    pairs: PageTable | None = None
    remarks: tuple[str, ...] = ()


@lru_cache(maxsize=2)
def effects_of(table: Table) -> Effects:
    """What the factors of a table do, computed once for all figures of it: a table does not change once it is made."""
    return effects(table)


def effects_section(found: Effects, table: Table) -> EffectsSection:
    """The section of some effects.

    Args:
        found: the effects.
        table: of which they are, for the name of the energy.
    """
    if found.reason:
        return EffectsSection(_sentence(recorded(found.reason))[:-1])
    scale = energy_scale(found, table)
    return EffectsSection(
        "",
        tuple(_findings(found, scale)),
        _terms_table(found),
        _means_table(found, scale, display_name(table, found.column)),
        _pairs_table(found) if found.pairs else None,
        tuple(_remarks(found)),
    )


def energy_scale(found: Effects, table: Table) -> Scale:
    """The unit of the means."""
    ends = [mean.mean for mean in found.means] + [cell.mean for cell in found.cells]
    return scale_for(np.array(ends, dtype=np.float64), table.unit(found.column))


def p_text(p: float) -> str:
    """`p = 0.012`, `p < 0.0001`."""
    return f"p < {decimal(_SMALLEST_P, '.4f')}" if p < _SMALLEST_P else f"p = {decimal(p, '.2g')}"


def with_interval(value: float, low: float, high: float) -> str:
    """`1.097 (1.089 to 1.105)`: two digits of the half-width."""
    half = (high - low) / 2
    if not (math.isfinite(half) and half > 0):
        return plain(value)
    decimals = 1 - math.floor(math.log10(half))
    shown = [decimal(round(each, decimals) + 0.0, f".{max(decimals, 0)}f") for each in (value, low, high)]
    return say("{value} ({low} to {high})", value=shown[0], low=shown[1], high=shown[2])


def _times(ratio: Ratio) -> str:
    return f"× {with_interval(ratio.value, ratio.low, ratio.high)}"


def _findings(found: Effects, scale: Scale) -> Iterable[str]:
    factors = {factor.name: factor for factor in found.factors}
    for term in found.terms:
        if len(term.factors) == 1:
            yield _factor_sentence(found, factors[term.factors[0]], term, scale)
        elif len(term.factors) == 2:
            yield from _interaction_sentences(found, term)
        elif found.drift is not None:
            shown = say("A drift is shown") if term.is_shown else say("No drift is shown")
            yield say(
                "{shown} ({term}): the last repetition of a run by its first {drift}.",
                shown=shown,
                term=_test_text(term),
                drift=_times(found.drift),
            )
    yield from _outlier_sentences(found)


def _factor_sentence(found: Effects, factor: FactorUsed, term: TermTest, scale: Scale) -> str:
    start = (
        say("{name} changes the energy", name=factor.name)
        if term.is_shown
        else say("No effect of {name} is shown", name=factor.name)
    )
    crossed = [
        other for test in found.terms if test.is_shown and len(test.factors) == 2 and factor.name in test.factors
        for other in test.factors if other != factor.name
    ]  # fmt: skip
    means = found.means_of(factor.name)
    if len(means) > _MOST_NAMED:
        means = (min(means, key=lambda mean: mean.mean), max(means, key=lambda mean: mean.mean))
    named = "; ".join(f"{mean.level} {_mean_text(mean, scale)}" for mean in means)
    parts = [f"{start} ({_test_text(term)}): {named} {scale.unit}", _effect_text(found, factor.name)]
    if crossed:
        parts.append(say("on average over {crossed}, on which it depends", crossed=say(" and ").join(crossed)))
    return _sentence("; ".join(part for part in parts if part))


def _mean_text(mean: MarginalMean, scale: Scale) -> str:
    return with_interval(mean.mean / scale.divisor, mean.low / scale.divisor, mean.high / scale.divisor)


def _interaction_sentences(found: Effects, term: TermTest) -> Iterable[str]:
    if not term.is_shown:
        return
    here = [each for each in found.conditionals if {each.factor, each.given} == set(term.factors)]
    if not here:
        yield say("{name}: the effects depend on each other ({term}).", name=term.name, term=_test_text(term))
        return
    first = here[0]
    if len(here) > _MOST_NAMED:
        here = [min(here, key=lambda each: each.ratio.value), max(here, key=lambda each: each.ratio.value)]
    told = "; ".join(say("at {level} {ratio}", level=each.level, ratio=_times(each.ratio)) for each in here)
    yield (
        say(
            "The effect of {factor} depends on {given} ({term}): {first} by {second} is {told}.",
            factor=first.factor,
            given=first.given,
            term=_test_text(term),
            first=first.first,
            second=first.second,
            told=told,
        )
    )


def _outlier_sentences(found: Effects) -> Iterable[str]:
    if not found.outliers:
        return
    named = [
        f"{_repetition(outlier.run, outlier.group, outlier.repetition, outlier.row)} "
        f"({decimal(100 * (outlier.ratio - 1), '+.1f')} %, {p_text(outlier.p)})"
        for outlier in found.outliers[:_MOST_OUTLIERS]
    ]
    more = len(found.outliers) - len(named)
    far = say_n(
        "{n_outliers} repetition is",
        "{n_outliers} repetitions are",
        len(found.outliers),
        n_outliers=len(found.outliers),
    )
    changed = say("without, the same effects are shown")
    if found.changed:
        changed = say("without, other things would be shown of {changed}", changed=", ".join(found.changed))
    yield (
        say(
            "{far} far from what the model expects: {named}{what}. They are in all numbers here; {changed}.",
            far=far,
            named="; ".join(named),
            what=say("; and {more} more", more=more) if more else "",
            changed=changed,
        )
    )


def _repetition(run: int | None, group: int | None, repetition: int | None, row: int) -> str:
    words = [
        f"{name} {n}"
        for name, n in ((say("run"), run), (say("group"), group), (say("repetition"), repetition))
        if n is not None
    ]
    return ", ".join(words) if repetition is not None else say("row {row}", row=row + 1)


def _effect_text(found: Effects, name: str) -> str:
    """What a factor does: a step of a numeric one; else the dearest level by the cheapest."""
    step = next((step for step in found.steps if step.factor == name), None)
    if step is not None:
        return f"{recorded(step.step)} {_times(step.ratio)}"
    means = found.means_of(name)
    dearest, cheapest = max(means, key=lambda mean: mean.mean).level, min(means, key=lambda mean: mean.mean).level
    for pair in found.pairs_of(name):
        if (pair.first, pair.second) == (dearest, cheapest):
            return say("{dearest} by {cheapest} {ratio}", dearest=dearest, cheapest=cheapest, ratio=_times(pair.ratio))
        if (pair.first, pair.second) == (cheapest, dearest):
            ratio = Ratio(1 / pair.ratio.value, 1 / pair.ratio.high, 1 / pair.ratio.low, pair.ratio.dof, pair.ratio.p)
            return say("{dearest} by {cheapest} {ratio}", dearest=dearest, cheapest=cheapest, ratio=_times(ratio))
    return ""


def _test_text(term: TermTest) -> str:
    return say(
        "F({dof}, {dof_residual}) = {f}, {p_adjusted}, partial η² {partial_eta2:.2f}",
        dof=term.dof,
        dof_residual=_dof(term.dof_residual),
        f=plain(term.f, 3),
        p_adjusted=p_text(term.p_adjusted),
        partial_eta2=term.partial_eta2,
    )


def _dof(dof: float) -> str:
    return f"{decimal(dof, '.0f')}" if dof >= 100 or abs(dof - round(dof)) < 0.05 else f"{decimal(dof, '.1f')}"


def _terms_table(found: Effects) -> PageTable:
    headers = (
        Header(say("Term"), say("a factor, two factors together, or the order of the run"), is_text=True),
        Header("F", say("Wald's F")),
        Header(say("df"), say("degrees of freedom of the effect")),
        Header(say("Residual df"), say("degrees of freedom that it is judged by (Satterthwaite)")),
        Header("p", say("of the hypothesis that there is no such effect")),
        Header(say("p (Holm)"), say("the same, adjusted for all terms together")),
        Header(say("Partial η²"), say("its share of its own variation and the error's together")),
        Header(say(_EFFECT.label), say(_EFFECT.description), is_text=True),
    )
    rows = []
    for term in found.terms:
        effect = "–"
        if len(term.factors) == 1:
            effect = _effect_text(found, term.factors[0]) or "–"
        elif not term.factors and found.drift is not None:
            effect = say("last by first {drift}", drift=_times(found.drift))
        rows.append(
            (
                Cell(recorded(term.name)),
                Cell(plain(term.f), f"{term.f:.9g}"),
                Cell(str(term.dof)),
                Cell(_dof(term.dof_residual), f"{term.dof_residual:.9g}"),
                *_p_cells(term.p, term.p_adjusted),
                Cell(f"{decimal(term.partial_eta2, '.3f')}", f"{term.partial_eta2:.9g}"),
                Cell(effect),
            )
        )
    return PageTable(headers, tuple(rows))


def _p_cells(*values: float) -> tuple[Cell, ...]:
    return tuple(Cell(p_text(p).removeprefix("p ").removeprefix("= "), f"{p:.9g}") for p in values)


def _means_table(found: Effects, scale: Scale, energy: str) -> PageTable:
    headers = (
        Header(say("Factor"), say("a factor of the sweep"), is_text=True),
        Header(say("Level"), say("its level"), is_text=True),
        Header("n", say("repetitions at it")),
        Header(
            say("{energy} ({unit}): mean (95 % interval)", energy=energy, unit=scale.unit),
            say("geometric mean over the levels of the other factors"),
        ),
    )
    rows = tuple(
        (
            Cell(mean.factor),
            Cell(mean.level),
            Cell(str(mean.n)),
            Cell(_mean_text(mean, scale), f"{mean.mean / scale.divisor:.9g}"),
        )
        for mean in found.means
    )
    return PageTable(headers, rows)


def _pairs_table(found: Effects) -> PageTable:
    headers = (
        Header(say("Factor"), say("a factor of the sweep"), is_text=True),
        Header(say("Level"), say("uses so many times"), is_text=True),
        Header(say("against"), say("what this level does"), is_text=True),
        Header(say("Ratio (95 % interval)"), say("of the marginal means")),
        Header(say("p (Holm)"), say("adjusted for all pairs of the factor")),
    )
    rows = tuple(
        (
            Cell(pair.factor),
            Cell(pair.first),
            Cell(pair.second),
            Cell(with_interval(pair.ratio.value, pair.ratio.low, pair.ratio.high), f"{pair.ratio.value:.9g}"),
            *_p_cells(pair.p_adjusted),
        )
        for pair in found.pairs
    )
    return PageTable(headers, rows)


def _remarks(found: Effects) -> Iterable[str]:
    method = recorded(found.method)
    left = [
        f"{number} {what}"
        for number, what in (
            (found.not_positive, say("not above 0, of which there is no logarithm")),
            (found.missing, say("without a value")),
        )
        if number
    ]
    out = say(" Left out: {left}.", left=say(" and ").join(left)) if left else ""
    yield (
        say(
            "{upper}{method} of the logarithm of {column} of {n} repetitions in {scenarios} "
            "scenarios ({why}); scatter {sd} %.{out}",
            upper=method[0].upper(),
            method=method[1:],
            column=found.column,
            n=found.n,
            scenarios=found.scenarios,
            why=found.why,
            sd=plain(100 * (found.sd or 0.0), 2),
            out=out,
        )
    )
    codings = "; ".join(f"{factor.name} {_coding_text(factor)}" for factor in found.factors)
    yield say("Factors: {codings}.", codings=codings)
    if found.left_out:
        yield say("Not in the model – {left_out}.", left_out=left_out_words(found.left_out))
    yield from _assumptions(found)


def _assumptions(found: Effects) -> Iterable[str]:
    yield (
        say(
            "Assumed: repetitions scatter independently and alike, in percent; a drift is straight. "
            "An effect is shown where p is below 0.05 after Holm’s correction; one that is not shown "
            "may still be there."
        )
    )
    for each in found.scatter:
        yield (
            say(
                "Doubtful: the scatter differs by {factor}, {u_quietest} % at {quietest} and "
                "{u_noisiest} % at {noisiest} ({p}); intervals at the first are too wide, at the second "
                "too narrow.",
                factor=each.factor,
                u_quietest=plain(100 * each.u_quietest, 2),
                quietest=each.quietest,
                u_noisiest=plain(100 * each.u_noisiest, 2),
                noisiest=each.noisiest,
                p=p_text(each.p),
            )
        )
    if found.u_common:
        yield (
            say(
                "What repetitions share (meter, idle level; u = {u_common} %, the median) is in no "
                "interval here: as far as it is in proportion to the energy, it moves all means alike.",
                u_common=plain(100 * found.u_common, 2),
            )
        )


def _coding_text(factor: FactorUsed) -> str:
    if factor.coding == "categorical":
        return say("({n_levels} levels)", n_levels=len(factor.levels))
    return say(
        "({n_levels} levels, as a straight line{what})",
        n_levels=len(factor.levels),
        what=say(" over its logarithm") if factor.coding == "log2" else "",
    )


def _sentence(words: str) -> str:
    return typeset(f"{words[0].upper()}{words[1:]}.")


def shown_interactions(found: Effects) -> Sequence[TermTest]:
    """The interactions whose cells have means, the clearest first."""
    there = {cell.factors for cell in found.cells}
    return sorted((term for term in found.terms if term.factors in there), key=lambda term: (term.p_adjusted, term.p))
