"""Scenarios that differ in one factor only: what a level costs more than another, and what it brings.

All else being equal, the ratio of the energies and the difference of the scores, each setting by itself. Where the main
meter did not see both scenarios whole, the energy by CodeCarbon is compared instead, and the result says so.
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from terrawatt.analysis.comparison import Comparison, compare_all, welch
from terrawatt.analysis.main_columns import main_energy, main_scores
from terrawatt.analysis.reach import below_reach
from terrawatt.analysis.repetitions import Repeated
from terrawatt.analysis.scenarios import SEED, ScenarioRows, level_label, level_text, scenario_rows
from terrawatt.analysis.statistics import numbers
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.errors import AnalysisError
from terrawatt.records import Float64Array

SOFTWARE = "Energy (CodeCarbon)"
MOST_PAIRS = 300  # of scenarios; of more nobody reads the words, and `effects` has the averages


@dataclass(frozen=True, slots=True)
class MatchedPair:
    """Two scenarios that differ in one factor.

    Attributes:
        factor: its name.
        first: the level that uses more, by the mean.
        second: the other.
        setting: of all other factors that vary; empty where there are none.
        energy: the column that is compared.
        ratio: of the energies, first by second.
        difference: of the mean scores, first less second; None where one has none.
        low: lower end of its 95 % interval (Welch); None where neither scatters: the difference is exact.
        high: upper end.
    """

    factor: str
    first: str
    second: str
    setting: str
    energy: str
    ratio: Comparison
    difference: float | None
    low: float | None
    high: float | None

    @property
    def is_better(self) -> bool:
        """Whether the dearer one is shown to have a better score."""
        least = self.difference if self.low is None else self.low
        return least is not None and least > 0


@dataclass(frozen=True, slots=True)
class Matched:
    """All such pairs of a table; `score` is empty where it has none."""

    score: str
    pairs: tuple[MatchedPair, ...]


def matched(table: Table) -> Matched:
    """The pairs of scenarios that differ in one factor; p values by Holm over all of them.

    Raises:
        AnalysisError: there is no energy, no such pair, or there are too many.
    """
    columns = [name for name in dict.fromkeys((main_energy(table), SOFTWARE)) if name and name in table.frame]
    if not columns:
        raise AnalysisError("no energy has a value")
    scenarios = scenario_rows(table)
    couples = _couples(table, scenarios)
    if not couples:
        raise AnalysisError("no two scenarios differ in one factor only")
    if len(couples) > MOST_PAIRS:
        raise AnalysisError(f"{len(couples)} pairs of scenarios differ in one factor only; up to {MOST_PAIRS} are told")
    scores = main_scores(table)
    score = numbers(table, scores[0]) if scores else None
    found = []
    for factor, setting, a, b in couples:
        energy = next((name for name in columns if _is_whole(table, name, a) and _is_whole(table, name, b)), None)
        if energy is None:
            continue
        values = numbers(table, energy)
        dear, cheap = sorted((a, b), key=lambda one: -float(np.nanmean(values[one.rows])))
        found.append((factor, setting, energy, dear, cheap, _side(values, factor, dear), _side(values, factor, cheap)))
    if not found:
        raise AnalysisError("no two scenarios that differ in one factor only have an energy in all repetitions")
    ratios = compare_all([(first, second) for *_, first, second in found], may_pair=False)
    return Matched(
        scores[0] if scores else "",
        tuple(
            MatchedPair(factor, first.label, second.label, setting, energy, ratio, *_difference(score, dear, cheap))
            for (factor, setting, energy, dear, cheap, first, second), ratio in zip(found, ratios, strict=True)
        ),
    )


def _couples(table: Table, scenarios: tuple[ScenarioRows, ...]) -> list[tuple[str, str, ScenarioRows, ScenarioRows]]:
    factors = [name for name in table.of_kind(ColumnKind.FACTOR) if name != SEED]
    factors = [name for name in factors if len({repr(one.settings.get(name)) for one in scenarios}) > 1]
    found = []
    for factor in factors:
        others = [name for name in factors if name != factor]
        alike: dict[tuple[str, ...], list[ScenarioRows]] = defaultdict(list)
        for one in scenarios:
            alike[tuple(level_label(name, one.settings.get(name)) for name in others)].append(one)
        for setting, members in alike.items():
            found += [(factor, " · ".join(setting), a, b) for a, b in combinations(members, 2)]
    return found


def _is_whole(table: Table, energy: str, scenario: ScenarioRows) -> bool:
    """Whether all is known that a mean over the repetitions needs: a part below the reach would make it too high."""
    values = numbers(table, energy)[scenario.rows]
    return bool(np.isfinite(values).any()) and not below_reach(table, energy)[scenario.rows].any()


def _side(values: Float64Array, factor: str, scenario: ScenarioRows) -> Repeated:
    own = values[scenario.rows]
    return Repeated(level_text(scenario.settings.get(factor)), own[np.isfinite(own)])


def _difference(
    score: Float64Array | None, first: ScenarioRows, second: ScenarioRows
) -> tuple[float | None, float | None, float | None]:
    if score is None:
        return None, None, None
    a, b = (values[np.isfinite(values)] for values in (score[first.rows], score[second.rows]))
    if not len(a) or not len(b):
        return None, None, None
    difference = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return difference, None, None
    half = float(welch(a, b).half_width())
    return difference, difference - half, difference + half
