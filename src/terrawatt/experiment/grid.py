"""Parameter files become scenarios, of which 10⁶ are no burden: a grid keeps values, and makes scenarios when asked.

Qanat's form: fixed options, ranges and groups of options, in Qanat's order.

    fixed_args:
      options: {'--optim': SGD}
    varying_args:
      range:
        options: {'--seed': [0, 3, 1]}          # start, stop (left out), step; always floats
      groups:
        - options: {'--model': s-cnn-rgb, '--lr': 0.001}
        - options: {'--model': s-cnn-all, '--lr': 0.01}

One scenario for each value of a range and each group; the groups vary fastest. Our own, shorter form is in
`parameter_file`; there the last list varies fastest. Pure: text in, records out.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from terrawatt.errors import ConfigError
from terrawatt.experiment.parameter_file import MAX_SCENARIOS, Axis, FilePlan, Parameters, float_range, read_plan
from terrawatt.records import BoolArray, Int64Array, Scalar

__all__ = ["MAX_SCENARIOS", "Grid", "Parameters", "expand", "float_range"]


def expand(text: str, file: str, known: Sequence[str] | None) -> "Grid":
    """The scenarios of a parameter file: option -> value, by names without dashes.

    Values keep their type of YAML; those of a range are floats, summed up step by step as Qanat does
    (`0.30000000000000004`). Several ranges are crossed, the last one varying slowest, as Qanat does with `--range` on
    its command line; in its files it does not cross them.

    Args:
        text: the file's content.
        file: its name, for messages.
        known: the names that options may have; None: any.

    Raises:
        ConfigError: not YAML, or an unknown or duplicated key, a range that never ends or is empty, a value that is
            no single value, two equal scenarios, no scenario; names file and line.
    """
    plan = read_plan(text, file, known)
    size = _size(plan)
    if size > MAX_SCENARIOS:
        raise ConfigError(f"{file}: {size} scenarios; more than {MAX_SCENARIOS} are refused, so split the file")
    _refuse_repeated(plan, file)
    grid = Grid.of(plan)
    if not len(grid):
        raise ConfigError(f"{file}: holds no scenario: exclude leaves all of them out")
    return grid


@dataclass(frozen=True, slots=True, eq=False)
class Grid(Sequence[Parameters]):
    """The scenarios of a parameter file, in order.

    Attributes:
        plan: of the file.
        place: (n,) of each scenario in the whole grid, where some were left out.
    """

    plan: FilePlan
    place: Int64Array

    @classmethod
    def of(cls, plan: FilePlan) -> "Grid":
        """All scenarios but those excluded."""
        whole = cls(plan, np.arange(_size(plan), dtype=np.int64))
        out = np.zeros(len(whole), np.bool_)
        for exclusion in plan.excluded:
            out |= whole._matches(exclusion)
        return cls(plan, whole.place[~out])

    def __len__(self) -> int:
        return len(self.place)

    @overload
    def __getitem__(self, index: int) -> Parameters: ...
    @overload
    def __getitem__(self, index: slice) -> list[Parameters]: ...
    def __getitem__(self, index: int | slice) -> Parameters | list[Parameters]:
        if isinstance(index, slice):
            return [self._at(int(place)) for place in self.place[index]]
        return self._at(int(self.place[index]))

    def __iter__(self) -> Iterator[Parameters]:
        return map(self._at, self.place.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(_equal, self, other))

    __hash__ = None  # type: ignore[assignment]

    def distinct(self, leave_out: Sequence[str]) -> list[tuple[Parameters, int]]:
        """The scenarios that differ in other options than some, in the order in which they come first; how often.

        Args:
            leave_out: options that do not count.
        """
        axes = [axis for axis in self.plan.axes if axis.name not in leave_out]
        key = self._codes_of_groups(leave_out)
        for axis in axes:
            key = key * len(axis.values) + self._codes(axis)
        _, first, counts = np.unique(key, return_index=True, return_counts=True)
        order = np.argsort(first)
        return [(_without(self[int(first[i])], leave_out), int(counts[i])) for i in order]

    def examples(self) -> Iterator[Parameters]:
        """Scenarios that together hold each value there is: of a range its first and last."""
        for start in range(max(len(self.plan.groups), 1)):
            yield self._at(start)
        for axis, stride in zip(self.plan.axes, self._strides(), strict=True):
            codes = (0, len(axis.values) - 1) if axis.is_range else range(len(axis.values))
            yield from (self._at(code * stride) for code in codes)

    def _at(self, place: int) -> Parameters:
        groups = self.plan.groups
        rest, group = divmod(place, max(len(groups), 1))
        values: list[tuple[str, Scalar]] = []
        for axis in reversed(self.plan.axes):
            rest, code = divmod(rest, len(axis.values))
            values.append((axis.name, axis.values[code]))
        return self.plan.fixed | (groups[group] if groups else {}) | dict(reversed(values))

    def _strides(self) -> list[int]:
        """Of each axis: how far apart two neighbouring values of it are."""
        strides, stride = [], max(len(self.plan.groups), 1)
        for axis in reversed(self.plan.axes):
            strides.append(stride)
            stride *= len(axis.values)
        return strides[::-1]

    def _codes(self, axis: Axis) -> Int64Array:
        """(n,) which value of an axis each scenario has."""
        stride = dict(zip((one.name for one in self.plan.axes), self._strides(), strict=True))[axis.name]
        return np.asarray(self.place // stride % len(axis.values), np.int64)

    def _codes_of_groups(self, leave_out: Sequence[str]) -> Int64Array:
        """(n,) numbers that are equal where groups are, but for some options."""
        if not self.plan.groups:
            return np.zeros(len(self), np.int64)
        kinds: dict[frozenset[tuple[str, Scalar]], int] = {}
        of_group = [kinds.setdefault(_items(_without(one, leave_out)), len(kinds)) for one in self.plan.groups]
        return np.asarray(np.array(of_group, np.int64)[self.place % len(self.plan.groups)])

    def _matches(self, exclusion: dict[str, tuple[Scalar, ...]]) -> BoolArray:
        """(n,) the scenarios that an exclusion means; all fixed options that it names are what they are."""
        found = np.ones(len(self), np.bool_)
        for axis in self.plan.axes:
            if axis.name in exclusion:
                is_meant = np.array([value in exclusion[axis.name] for value in axis.values])
                found &= is_meant[self._codes(axis)]
        return found


def _size(plan: FilePlan) -> int:
    return math.prod(len(axis.values) for axis in plan.axes) * max(len(plan.groups), 1)


def _refuse_repeated(plan: FilePlan, file: str) -> None:
    """Values of an axis differ already; groups may be equal."""
    if not plan.fixed and not plan.axes and not any(plan.groups):
        raise ConfigError(f"{file}: holds no scenario; give options under fixed_args or varying_args, or by themselves")
    seen: dict[frozenset[tuple[str, Scalar]], int] = {}
    for number, group in enumerate(plan.groups, start=1):
        first = seen.setdefault(_items(group), number)
        if first != number:
            raise ConfigError(f"{file}: scenario {number} is the same as scenario {first}; leave one of them out")


def _items(parameters: Parameters) -> frozenset[tuple[str, Scalar]]:
    return frozenset(parameters.items())


def _without(parameters: Parameters, names: Sequence[str]) -> Parameters:
    return {name: value for name, value in parameters.items() if name not in names}


def _equal(first: object, second: object) -> bool:
    return first == second
