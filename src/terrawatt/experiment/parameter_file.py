"""Reads a parameter file node by node, so that each complaint can name its line. Pure: text in, records out.

Two forms, by one mechanism: Qanat's (`fixed_args`, `varying_args`), and the shorter one of our own:

    model: [s-cnn-all, s-cnn-rgb]                # a list varies
    lr: [0.001, 0.01]
    epochs: 10                                   # a single value is fixed
    exclude: [{model: s-cnn-rgb, lr: 0.01}]      # these are left out
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import yaml
from yaml.constructor import SafeConstructor

from terrawatt.errors import ConfigError, did_you_mean
from terrawatt.records import Scalar

MAX_SCENARIOS = 1_000_000

Parameters = dict[str, Scalar]

_QANAT = ("fixed_args", "varying_args")
_EXCLUDE = "exclude"
# libyaml's loader is ten times as fast; PyYAML has it wherever it was built with it.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Axis:
    """An option that varies, and its values; a range gave them if `is_range`."""

    name: str
    values: tuple[Scalar, ...]
    is_range: bool = False


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What a parameter file says.

    Attributes:
        fixed: options of all scenarios.
        groups: options that belong together; empty: there are none.
        axes: options that are crossed with each other and the groups, the one that varies fastest last.
        excluded: scenarios that are left out: option -> values.
    """

    fixed: Parameters
    groups: tuple[Parameters, ...] = ()
    axes: tuple[Axis, ...] = ()
    excluded: tuple[dict[str, tuple[Scalar, ...]], ...] = ()


def read_plan(text: str, file: str, known: Sequence[str] | None) -> FilePlan:
    """Read a parameter file of either form.

    Args:
        text: the file's content.
        file: its name, for messages.
        known: the names that options may have; None: any.

    Raises:
        ConfigError: see `grid.expand`.
    """
    return _Reader(file, None if known is None else tuple(known)).plan(text)


def float_range(start: float, stop: float, step: float) -> Iterator[float]:
    """Values from start to stop, which is left out; summed up step by step, with Qanat's rounding."""
    value = start
    while value < stop:
        yield value
        value += step


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks the nodes of one file."""

    file: str
    known: tuple[str, ...] | None
    constructor: SafeConstructor = field(default_factory=SafeConstructor)

    def plan(self, text: str) -> FilePlan:
        root = self._compose(text)
        return self._qanat(root) if self._is_qanats(root) else self._short(root)

    def _is_qanats(self, root: yaml.Node) -> bool:
        """Whether it has the sections of Qanat's form, or some that are misspelt; all that is no mapping, too."""
        if not isinstance(root, yaml.MappingNode):
            return True
        names = {key.value for key, _ in root.value if isinstance(key, yaml.ScalarNode)}
        return not names.isdisjoint(_QANAT) or any(isinstance(value, yaml.MappingNode) for _, value in root.value)

    def _qanat(self, root: yaml.Node) -> FilePlan:
        top = self._mapping(root, _QANAT)
        varying = self._section(top, "varying_args", ("range", "groups"))
        fixed = self._options(top.get("fixed_args"))
        groups = self._groups(varying.get("groups"))
        ranges = self._ranges(varying.get("range"))
        apart = self._apart(fixed, groups, [axis.name for axis in ranges])
        return FilePlan(fixed, apart, tuple(reversed(ranges)))

    def _short(self, root: yaml.Node) -> FilePlan:
        top = self._mapping(root, None if self.known is None else (*self.known, _EXCLUDE))
        excluded = top.pop(_EXCLUDE, None)
        axes = [self._axis(name, node) for name, node in top.items() if isinstance(node, yaml.SequenceNode)]
        fixed = {name: self._scalar(node) for name, node in top.items() if not isinstance(node, yaml.SequenceNode)}
        there = {axis.name: axis.values for axis in axes} | {name: (value,) for name, value in fixed.items()}
        return FilePlan(fixed, (), tuple(axes), self._excluded(excluded, there))

    def _axis(self, name: str, node: yaml.SequenceNode) -> Axis:
        """The values of one option, each once."""
        return Axis(name, self._values(node, f"the list of {name} is empty; give its values, or leave it out"))

    def _values(self, node: yaml.SequenceNode, when_empty: str) -> tuple[Scalar, ...]:
        if not node.value:
            raise self._error(node, when_empty)
        values: dict[Scalar, None] = {}
        for part in node.value:
            if (value := self._scalar(part)) in values:
                raise self._error(part, f"{value} stands twice in this list; leave one of them out")
            values[value] = None
        return tuple(values)

    def _excluded(
        self, node: yaml.Node | None, there: dict[str, tuple[Scalar, ...]]
    ) -> tuple[dict[str, tuple[Scalar, ...]], ...]:
        """What is left out, each of it something that is there."""
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self._error(node, "exclude must be a list like [{model: s-cnn-all, lr: 0.1}]")
        return tuple(self._exclusion(part, there) for part in node.value)

    def _exclusion(self, node: yaml.Node, there: dict[str, tuple[Scalar, ...]]) -> dict[str, tuple[Scalar, ...]]:
        found: dict[str, tuple[Scalar, ...]] = {}
        for name, value in self._mapping(node, tuple(there)).items():
            if isinstance(value, yaml.SequenceNode):
                found[name] = self._values(value, "an empty list excludes nothing")
            else:
                found[name] = (self._scalar(value),)
            if strange := [one for one in found[name] if one not in there[name]]:
                raise self._error(value, f"{name} is never {strange[0]} here, so this excludes nothing")
        if not found:
            raise self._error(node, "an empty mapping would exclude everything; name some options")
        return found

    def _compose(self, text: str) -> yaml.Node:
        """The document's nodes, without making objects of them."""
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                if getattr(event, "anchor", None) is not None:
                    raise self._error(event, "anchors and aliases (& and *) are not read; write the values out")
                if (tag := getattr(event, "tag", None)) is not None:
                    raise self._error(event, f"tags like {tag} are not read; write plain values")
            root = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            lines = text.splitlines()
            line = min(error.problem_mark.line + 1 if error.problem_mark else 1, max(len(lines), 1))
            hint = "; use spaces, not tabs" if lines and "\t" in lines[line - 1] else ""
            raise ConfigError(f"{self.file}, line {line}: not valid YAML: {error.problem}{hint}") from error
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.file}: not valid YAML: {' '.join(str(error).split())}") from error
        if root is None:
            raise ConfigError(
                f"{self.file}: is empty; it needs options, as `model: [s-cnn-all, s-cnn-rgb]`, or Qanat's sections"
            )
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

    def _ranges(self, node: yaml.Node | None) -> list[Axis]:
        if node is None:
            return []
        return [Axis(name, self._range(name, value), is_range=True) for name, value in self._option_nodes(node).items()]

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
                value = self.constructor.construct_object(node)
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
