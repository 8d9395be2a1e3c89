"""Qanat's parameter files: fixed options, ranges and groups of options become scenarios, in Qanat's order.

    fixed_args:
      options: {'--optim': SGD}
    varying_args:
      range:
        options: {'--seed': [0, 3, 1]}          # start, stop (left out), step; always floats
      groups:
        - options: {'--model': s-cnn-rgb, '--lr': 0.001}
        - options: {'--model': s-cnn-all, '--lr': 0.01}

One scenario for each value of a range and each group; the groups vary fastest. Pure: text in, records out.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from terrawatt.errors import ConfigError, did_you_mean
from terrawatt.records import Scalar

MAX_SCENARIOS = 1_000_000

Parameters = dict[str, Scalar]


def expand(text: str, file: str, known: Sequence[str] | None) -> list[Parameters]:
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
    reader = _Reader(file, None if known is None else tuple(known))
    plan = reader.plan(text)
    size = math.prod(len(values) for _, values in plan.ranges) * max(len(plan.groups), 1)
    if size > MAX_SCENARIOS:
        raise ConfigError(f"{file}: {size} scenarios; more than {MAX_SCENARIOS} are refused, so split the file")
    scenarios = [plan.fixed | group | values for values in _crossed(plan.ranges) for group in plan.groups or ({},)]
    _refuse_repeated(scenarios, file)
    return scenarios


@dataclass(frozen=True, slots=True)
class _Plan:
    fixed: Parameters
    groups: tuple[Parameters, ...]
    ranges: tuple[tuple[str, tuple[float, ...]], ...]


def _crossed(ranges: Sequence[tuple[str, tuple[float, ...]]]) -> Iterator[Parameters]:
    """Each combination of one value of each range; the last range varies slowest."""
    names = [name for name, _ in reversed(ranges)]
    for values in itertools.product(*(values for _, values in reversed(ranges))):
        yield dict(zip(names, values, strict=True))


def _refuse_repeated(scenarios: Sequence[Parameters], file: str) -> None:
    if not scenarios or not scenarios[0]:
        raise ConfigError(f"{file}: holds no scenario; give options under fixed_args or varying_args")
    seen: dict[frozenset[tuple[str, Scalar]], int] = {}
    for number, scenario in enumerate(scenarios, start=1):
        first = seen.setdefault(frozenset(scenario.items()), number)
        if first != number:
            raise ConfigError(f"{file}: scenario {number} is the same as scenario {first}; leave one of them out")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks the nodes of one file, so that each complaint can name its line."""

    file: str
    known: tuple[str, ...] | None

    def plan(self, text: str) -> _Plan:
        root = self._compose(text)
        top = self._mapping(root, ("fixed_args", "varying_args"))
        varying = self._section(top, "varying_args", ("range", "groups"))
        fixed = self._options(top.get("fixed_args"))
        groups = self._groups(varying.get("groups"))
        ranges = self._ranges(varying.get("range"))
        return _Plan(fixed, self._apart(fixed, groups, [name for name, _ in ranges]), tuple(ranges))

    def _compose(self, text: str) -> yaml.Node:
        """The document's nodes, without making objects of them."""
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                if getattr(event, "anchor", None) is not None:
                    raise self._error(event, "anchors and aliases (& and *) are not read; write the values out")
                if (tag := getattr(event, "tag", None)) is not None:
                    raise self._error(event, f"tags like {tag} are not read; write plain values")
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            hint = "; use spaces, not tabs" if "\\t" in str(error.problem) else ""
            raise ConfigError(f"{self.file}, line {line}: not valid YAML: {error.problem}{hint}") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.file}: not valid YAML: {' '.join(str(error).split())}") from error
        if root is None:
            raise ConfigError(f"{self.file}: is empty; it needs fixed_args or varying_args")
        return root

    def _section(self, parent: dict[str, yaml.Node], name: str, keys: tuple[str, ...]) -> dict[str, yaml.Node]:
        return self._mapping(parent[name], keys) if name in parent else {}

    def _mapping(self, node: yaml.Node, allowed: Sequence[str] | None) -> dict[str, yaml.Node]:
        """A mapping's values by key, each key once and among those allowed; keys may carry dashes where options do."""
        if not isinstance(node, yaml.MappingNode) or not node.tag.endswith(":map"):
            names = ["options"] if allowed is None else [*allowed[:4], *(["…"] if len(allowed) > 4 else [])]
            raise self._error(node, f"a mapping of {', '.join(names)} must stand here")
        values: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = str(self._scalar(key_node))
            name = key.removeprefix("--")
            if allowed is not None and name not in allowed:
                raise self._error(key_node, f"unknown key {key!r}.{did_you_mean(name, list(allowed))}")
            if name in values:
                raise self._error(key_node, f"key {key!r} stands twice")
            values[name] = value
        return values

    def _options(self, node: yaml.Node | None) -> Parameters:
        if node is None:
            return {}
        return {name: self._scalar(value) for name, value in self._option_nodes(node).items()}

    def _option_nodes(self, node: yaml.Node) -> dict[str, yaml.Node]:
        section = self._mapping(node, ("options",))
        return self._mapping(section["options"], self.known) if "options" in section else {}

    def _groups(self, node: yaml.Node | None) -> list[tuple[yaml.Node, Parameters]]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self._error(node, "groups must be a list of `- options: {…}`")
        return [(group, self._options(group)) for group in node.value]

    def _ranges(self, node: yaml.Node | None) -> list[tuple[str, tuple[float, ...]]]:
        if node is None:
            return []
        return [(name, self._range(name, value)) for name, value in self._option_nodes(node).items()]

    def _range(self, name: str, node: yaml.Node) -> tuple[float, ...]:
        if not isinstance(node, yaml.SequenceNode) or len(node.value) != 3:
            raise self._error(node, f"the range of {name} must be [start, stop, step]")
        numbers = [self._scalar(part) for part in node.value]
        if any(isinstance(number, bool | str) or not math.isfinite(number) for number in numbers):
            raise self._error(node, f"the range of {name} needs three numbers (write 1.0e-3, not 1e-3)")
        start, stop, step = (float(number) for number in numbers)
        if step <= 0:
            raise self._error(node, f"the range of {name} needs a step above 0, not {step:g}")
        if start >= stop:
            raise self._error(node, f"the range of {name} is empty: stop must be above start, and is itself left out")
        if start + step == start or (stop - start) / step > MAX_SCENARIOS:
            raise self._error(node, f"the range of {name} has more than {MAX_SCENARIOS} values")
        return tuple(float_range(start, stop, step))

    def _apart(
        self, fixed: Parameters, groups: list[tuple[yaml.Node, Parameters]], ranged: list[str]
    ) -> tuple[Parameters, ...]:
        """The groups, each checked to share no option with the fixed ones or the ranges."""
        for name in ranged:
            if name in fixed:
                raise ConfigError(f"{self.file}: {name} is both fixed and a range; leave one of them out")
        for node, group in groups:
            for name in group:
                if name in fixed or name in ranged:
                    where = "fixed_args" if name in fixed else "range"
                    raise self._error(node, f"{name} stands in this group and in {where}; leave one of them out")
        return tuple(group for _, group in groups)

    def _scalar(self, node: yaml.Node) -> Scalar:
        if isinstance(node, yaml.ScalarNode):
            try:
                value = yaml.SafeLoader("").construct_object(node)
            except (yaml.YAMLError, ValueError) as error:
                problem = getattr(error, "problem", None) or error
                raise self._error(node, f"{node.value!r} cannot be read: {problem}") from error
            if isinstance(value, str | int | float | bool):
                return value
            if value is None:
                raise self._error(node, "a value is missing")
        raise self._error(node, "a single value must stand here: a word, a number or true/false")

    def _error(self, node: yaml.Node | yaml.Event, message: str) -> ConfigError:
        line = node.start_mark.line + 1 if node.start_mark else 1
        return ConfigError(f"{self.file}, line {line}: {message}")


def float_range(start: float, stop: float, step: float) -> Iterator[float]:
    """Values from start to stop, which is left out; summed up step by step, with Qanat's rounding."""
    value = start
    while value < stop:
        yield value
        value += step
