"""The columns of a linear model of a sweep: its factors, their interactions, and what repetitions have in common.

Every factor is coded so that its columns sum to 0 over its levels (a continuous one is centred). Then the coefficient
of the constant is the mean over all cells of the design, each with the same weight, and a row for a marginal mean holds
the codes of its own levels and 0 elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

import numpy as np
import pandas as pd

from terrawatt.analysis.scenarios import SEED, level_label
from terrawatt.analysis.statistics import LeftOut
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.records import Float64Array, Int64Array

MOST_LEVELS = 6  # of a numeric factor that is taken as it is; of more, its trend is
MIN_DOF = 4  # degrees of freedom of the residuals: two scenarios of three repetitions
MIN_DOF_INTERACTION = 8  # with fewer, an interaction would take what the main effects are judged by
FEWEST_RANDOM = 3  # levels of a grouping from which a variance can be estimated
MIN_POSITIONS = 5  # places in the order of a run between which a drift can be seen
ORDER = "Order"  # the place in the run, as a term
_RANK = 1e-8  # of a column, relative: below, it is a combination of others


class Coding(StrEnum):
    """How a factor enters the model."""

    CATEGORICAL = "categorical"  # each level has its own mean
    LOG2 = "log2"  # a straight line over the logarithm
    LINEAR = "linear"


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """A factor that varies.

    Attributes:
        name: of its column.
        coding: how it enters.
        labels: of its levels: numbers by size, names in the table's order.
        sizes: of its levels; empty where they are not numbers.
        codes: (levels, m) the columns of each level.
        level: (n,) of each row.
    """

    name: str
    coding: Coding
    labels: tuple[str, ...]
    sizes: tuple[float, ...]
    codes: Float64Array
    level: Int64Array

    @property
    def columns(self) -> Float64Array:
        """(n, m)."""
        return self.codes[self.level]


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the model: its factors (none: the order), and where its columns are."""

    factors: tuple[str, ...]
    columns: slice

    @property
    def name(self) -> str:
        """`Model`, `Model × Learning rate`."""
        return " × ".join(self.factors) or ORDER


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Repetitions that have something in common: a block, a host, a session."""

    name: str
    level: Int64Array
    count: int


@dataclass(eq=False)
class Design:
    """The columns, and why others are not among them. `add` is how it is built.

    Attributes:
        factors: name -> factor.
        terms: in the order of the columns, after the constant.
        x: (n, p), the constant first.
        random: groupings that have a random intercept.
        left_out: factors and groupings that are not in the model, with the reason.
        without: interactions that are not in it, likewise.
    """

    x: Float64Array
    factors: dict[str, Factor] = field(default_factory=dict)
    terms: list[Term] = field(default_factory=list)
    random: list[Grouping] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    without: list[LeftOut] = field(default_factory=list)

    @property
    def dof(self) -> int:
        """Of the residuals."""
        return int(self.x.shape[0] - self.x.shape[1])

    def add(self, factors: tuple[str, ...], columns: Float64Array, least_dof: int) -> str:
        """Add a term. Returns why it cannot be added; empty when it was."""
        m = columns.shape[1]
        if self.dof - m < least_dof:
            return "too few repetitions for it"
        if rank_beside(self.x, columns) < m:
            return "it cannot be told from the terms before it: they vary together"
        self.terms.append(Term(factors, slice(self.x.shape[1], self.x.shape[1] + m)))
        self.x = np.hstack([self.x, columns])
        return ""


def design(table: Table, rows: Int64Array) -> Design:
    """The model that some rows of a table allow.

    Main effects come first, the model's and then in the order of the table's columns; then what repetitions have in
    common; then the order of the run; then all interactions of two factors that the rows allow.
    """
    built = Design(np.ones((len(rows), 1)))
    for factor in _factors(table, rows, built):
        if reason := built.add((factor.name,), factor.columns, MIN_DOF):
            built.left_out.append(LeftOut(factor.name, reason))
        else:
            built.factors[factor.name] = factor
    crossed = tuple(built.factors)
    if not crossed:
        return built
    groupings = list(_groupings(table, rows))
    for grouping in groupings:
        if grouping.count < FEWEST_RANDOM:
            _as_fixed(built, grouping)
    _add_order(built, table, rows)
    for grouping in groupings:
        if grouping.count >= FEWEST_RANDOM:
            _as_random(built, grouping)
    _add_interactions(built, crossed)
    return built


def rank_beside(x: Float64Array, columns: Float64Array) -> int:
    """How many of some columns are no combination of x, nor of each other."""
    q, _ = np.linalg.qr(x)
    rest = columns - q @ (q.T @ columns)
    size = np.linalg.norm(columns, axis=0)
    kept = rest[:, size > 0] / size[size > 0]
    if not kept.size:
        return 0
    singular = np.asarray(np.linalg.svd(kept, compute_uv=False), dtype=np.float64)
    return int(np.sum(singular > _RANK * len(x)))


def sum_codes(levels: int) -> Float64Array:
    """(levels, levels - 1): each level but the last has a column of its own, the last is -1 in all."""
    return np.vstack([np.eye(levels - 1), -np.ones((1, levels - 1))])


def _factors(table: Table, rows: Int64Array, built: Design) -> Iterable[Factor]:
    """The factors that vary over some rows; of the others, why not."""
    names = [name for name in table.of_kind(ColumnKind.FACTOR) if name != SEED]
    for name in sorted(names, key=lambda each: each != "Model"):
        cells = [None if pd.isna(cell) else cell for cell in table.frame[name].astype(object).iloc[rows]]
        levels = list(dict.fromkeys(cells))
        if levels == [None]:
            built.left_out.append(LeftOut(name, "no value"))
        elif len(levels) == 1:
            built.left_out.append(LeftOut(name, "constant"))
        else:
            yield _factor(name, cells, levels)


def _factor(name: str, cells: Sequence[object], levels: list[object]) -> Factor:
    sizes = [float(level) for level in levels if isinstance(level, int | float) and not isinstance(level, bool)]
    coding = Coding.CATEGORICAL
    if len(sizes) == len(levels):
        levels = sorted(levels, key=lambda level: float(str(level)))
        sizes = sorted(sizes)
        if len(levels) > MOST_LEVELS:
            coding = Coding.LOG2 if sizes[0] > 0 else Coding.LINEAR
    else:
        sizes = []
    place = {level: i for i, level in enumerate(levels)}
    return Factor(
        name=name,
        coding=coding,
        labels=tuple(level_label("Model", level) for level in levels),
        sizes=tuple(sizes),
        codes=_codes(len(levels), np.array(sizes), coding),
        level=np.array([place[cell] for cell in cells], dtype=np.int64),
    )


def _codes(levels: int, sizes: Float64Array, coding: Coding) -> Float64Array:
    if coding is Coding.CATEGORICAL:
        return sum_codes(levels)
    line = np.asarray(np.log2(sizes) if coding is Coding.LOG2 else sizes)
    line = line - line.mean()
    return np.asarray(line if coding is Coding.LOG2 else line / line.std())[:, None]


def _groupings(table: Table, rows: Int64Array) -> Iterable[Grouping]:
    """Host, block and session, each where there are several, and not the same as one before it.

    A session is what runs one after another, after one idle period: the repetitions of one group of one run that are in
    one block.
    """
    seen: list[Int64Array] = []
    hosts = table.hosts or ("",) * len(table.frame)
    keys: dict[str, list[object]] = {"host": [hosts[row] for row in rows]}
    for name, columns in (("block", ("Run", "Block")), ("session", ("Run", "Group", "Block"))):
        there = [column for column in columns if column in table.frame]
        cells = table.frame[there].astype(object).iloc[rows]
        keys[name] = [tuple(None if pd.isna(cell) else cell for cell in row) for row in cells.itertuples(index=False)]
    for name, of_row in keys.items():
        place = {key: i for i, key in enumerate(dict.fromkeys(of_row))}
        level = np.array([place[key] for key in of_row], dtype=np.int64)
        if 1 < len(place) < len(rows) and not any(np.array_equal(level, other) for other in seen):
            seen.append(level)
            yield Grouping(name, level, len(place))


def _as_fixed(built: Design, grouping: Grouping) -> None:
    """Of two levels no variance can be told: their difference is estimated."""
    codes = sum_codes(grouping.count)
    if reason := built.add((grouping.name,), codes[grouping.level], MIN_DOF):
        built.left_out.append(LeftOut(grouping.name, reason if reason.startswith("too few") else _confounded(grouping)))
        return
    labels = tuple(f"{grouping.name} {i + 1}" for i in range(grouping.count))
    built.factors[grouping.name] = Factor(grouping.name, Coding.CATEGORICAL, labels, (), codes, grouping.level)


def _as_random(built: Design, grouping: Grouping) -> None:
    """A random intercept, where its levels differ beside what the fixed effects and the groupings before it explain."""
    columns = np.eye(grouping.count)[grouping.level]
    others = [np.eye(other.count)[other.level] for other in built.random]
    beside = rank_beside(built.x, columns)
    least = min(MIN_DOF_INTERACTION, grouping.count - 1)
    if beside < least:
        built.left_out.append(LeftOut(grouping.name, _confounded(grouping)))
    elif others and rank_beside(np.hstack([built.x, *others]), columns) < FEWEST_RANDOM - 1:
        built.left_out.append(LeftOut(grouping.name, f"it cannot be told from {built.random[-1].name}"))
    else:
        built.random.append(grouping)


def _confounded(grouping: Grouping) -> str:
    return (
        f"its {grouping.count} levels cannot be told from the settings, so what differs between them, as the idle "
        "level, counts as an effect of these; more sessions of each setting would tell"
    )


def _add_order(built: Design, table: Table, rows: Int64Array) -> None:
    """The place of a repetition in its run, from -1/2 (first) to 1/2 (last): a drift is what changes with it."""
    frame = table.frame.iloc[rows]
    names = [name for name in ("Block", "Repetition") if name in frame and frame[name].notna().all()]
    if not names:
        built.without.append(LeftOut(ORDER, "the table has neither blocks nor repetitions"))
        return
    if "Run" not in frame or frame["Run"].isna().any():  # the rows of any table: their order need not be that of time
        built.without.append(LeftOut(ORDER, "the table names no runs, so nothing tells what was measured when"))
        return
    place = np.zeros(len(rows))
    runs = frame["Run"].to_numpy(dtype=np.float64)
    positions = frame[names].to_numpy(dtype=np.float64)
    most = 0
    for run in np.unique(runs):
        found, rank = np.unique(positions[runs == run], axis=0, return_inverse=True)
        place[runs == run] = rank / max(len(found) - 1, 1) - 0.5
        most = max(most, len(found))
    if most < MIN_POSITIONS:
        built.without.append(
            LeftOut(ORDER, f"{most} places in the order; a drift is looked for from {MIN_POSITIONS} on")
        )
    elif reason := built.add((), place[:, None], MIN_DOF):
        built.without.append(LeftOut(ORDER, reason))


def _add_interactions(built: Design, crossed: Sequence[str]) -> None:
    for first, second in combinations(crossed, 2):
        a, b = built.factors[first], built.factors[second]
        columns = (a.columns[:, :, None] * b.columns[:, None, :]).reshape(len(a.level), -1)
        cells = len(set(zip(a.level.tolist(), b.level.tolist(), strict=True)))
        is_whole = cells == len(a.labels) * len(b.labels)
        both_categorical = a.coding is b.coding is Coding.CATEGORICAL
        reason = "not all of their levels were combined" if both_categorical and not is_whole else ""
        taken = _without_room(built, columns)
        if not reason and taken:
            reason = f"it would take what differences between {taken}s are judged by"
        if reason := reason or built.add((first, second), columns, MIN_DOF_INTERACTION):
            built.without.append(LeftOut(f"{first} × {second}", reason))


def _without_room(built: Design, columns: Float64Array) -> str:
    """The grouping of which too little would be left beside more columns: a setting measured in one session only.

    A grouping with few levels, as of blocks that all hold every setting, keeps what it had.
    """
    wider = np.hstack([built.x, columns])
    for grouping in built.random:
        indicators = np.eye(grouping.count)[grouping.level]
        left = rank_beside(wider, indicators)
        if left < MIN_DOF_INTERACTION and left < rank_beside(built.x, indicators):
            return grouping.name
    return ""
