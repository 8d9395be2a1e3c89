import itertools
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import ConfigError
from terrawatt.experiment.grid import expand, float_range

KNOWN = ("model", "optim", "lr", "loss", "epochs", "batch", "count", "rgb", "finetune", "seed")

# The lab's file (docs/parameter-files.md).
LAB = """
fixed_args:
  options: {'--loss': BCEWithLogits, '--optim': SGD, '--count': 1}
varying_args:
  range:
    options: {'--seed': [0, 10, 1]}
  groups:
    - options: {'--model': ShortCNN, '--rgb': 1, '--lr': 0.001, '--batch': 100, '--epochs': 10}
    - options: {'--model': InceptionV3, '--finetune': 1, '--rgb': 1, '--lr': 0.001, '--batch': 200, '--epochs': 10}
"""


def qanat(content: dict[str, Any]) -> list[dict[str, Any]]:
    """What Qanat 0.1.0 makes of a file with fixed options, groups and at most one range, written anew."""
    fixed = content.get("fixed_args", {}).get("options", {})
    varying = content.get("varying_args", {})
    groups = [group["options"] for group in varying.get("groups", [])]
    ranges = varying.get("range", {}).get("options", {})
    for name, (start, stop, step) in ranges.items():
        values = []
        while start < stop:
            values.append(float(start))
            start += step
        groups = [{**group, name: value} for value in values for group in (groups or [{}])]
    return [{**fixed, **group} for group in groups] or [fixed]


def without_dashes(scenarios: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name.removeprefix("--"): value for name, value in scenario.items()} for scenario in scenarios]


def test_the_labs_file_gives_its_scenarios_in_qanats_order() -> None:
    scenarios = expand(LAB, "lab.yaml", KNOWN)
    assert scenarios == without_dashes(qanat(yaml.safe_load(LAB)))
    assert len(scenarios) == 20
    assert [(one["model"], one["seed"]) for one in scenarios[:3]] == [
        ("ShortCNN", 0.0),
        ("InceptionV3", 0.0),
        ("ShortCNN", 1.0),
    ]


numbers = st.integers(-50, 50) | st.floats(-50, 50, allow_nan=False).map(lambda number: round(number, 3))
scalars = (
    st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(["SGD", ""])
)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    fixed = draw(st.dictionaries(st.sampled_from(["--loss", "optim"]), scalars))
    groups = draw(st.lists(st.fixed_dictionaries({"--model": st.integers(0, 10**6), "lr": scalars}), max_size=4))
    step = draw(st.sampled_from([1, 0.1, 0.25, 3]))
    start = draw(numbers)
    content: dict[str, Any] = {"varying_args": {"range": {"options": {"--seed": [start, start + 7 * step, step]}}}}
    if fixed:
        content["fixed_args"] = {"options": fixed}
    if groups:
        content["varying_args"]["groups"] = [{"options": group} for group in groups]
    return content


@given(files())
def test_any_file_gives_the_scenarios_that_qanat_gives(content: dict[str, Any]) -> None:
    expected = without_dashes(qanat(content))
    text = yaml.safe_dump(content, sort_keys=False)
    if len({frozenset(one.items()) for one in expected}) < len(expected):
        with pytest.raises(ConfigError, match="is the same as scenario"):
            expand(text, "p.yaml", KNOWN)
        return
    scenarios = expand(text, "p.yaml", KNOWN)
    assert scenarios == expected
    assert [[type(value) for value in one.values()] for one in scenarios] == [
        [type(value) for value in one.values()] for one in expected
    ]


@given(numbers, st.integers(1, 200), st.sampled_from([1.0, 0.1, 0.3, 1e-3, 7.5]))
def test_a_range_leaves_its_stop_out(start: float, steps: int, step: float) -> None:
    values = list(float_range(float(start), start + (steps - 0.5) * step, step))
    assert len(values) == steps
    assert values[0] == start
    assert all(value < start + (steps - 0.5) * step for value in values)
    assert all(type(value) is float for value in values)


def test_a_range_rounds_as_qanat_does() -> None:
    scenarios = expand("varying_args: {range: {options: {'--lr': [0.1, 0.5, 0.1]}}}", "p.yaml", KNOWN)
    assert [str(one["lr"]) for one in scenarios] == ["0.1", "0.2", "0.30000000000000004", "0.4"]


def test_several_ranges_are_crossed_and_the_last_varies_slowest() -> None:
    text = """
varying_args:
  range: {options: {'--lr': [0, 2, 1], '--seed': [0, 3, 1]}}
  groups: [{options: {model: a}}, {options: {model: b}}]
"""
    scenarios = expand(text, "p.yaml", KNOWN)
    expected = itertools.product([0.0, 1.0, 2.0], [0.0, 1.0], ["a", "b"])
    assert [(one["seed"], one["lr"], one["model"]) for one in scenarios] == list(expected)


def test_a_file_of_fixed_options_is_one_scenario() -> None:
    assert expand("fixed_args: {options: {'--model': a, lr: 0.1}}", "p.yaml", KNOWN) == [{"model": "a", "lr": 0.1}]


def test_many_scenarios_are_expanded() -> None:
    text = "varying_args: {range: {options: {'--seed': [0, 1000, 1], '--batch': [0, 100, 1]}}}"
    scenarios = expand(text, "p.yaml", KNOWN)
    assert len(scenarios) == 100_000
    assert scenarios[-1] == {"batch": 99.0, "seed": 999.0}


WRONG = {
    "empty": ("", "is empty"),
    "nothing in it": ("fixed_args: {options: {}}", "holds no scenario"),
    "unknown section": ("fixed_arg: {options: {lr: 1}}", "line 1: unknown key 'fixed_arg'. Did you mean fixed_args"),
    "unknown option": ("fixed_args:\n  options:\n    --modl: a", "line 3: unknown key '--modl'. Did you mean model"),
    "key twice": ("fixed_args:\n  options:\n    lr: 1\n    batch: 1\n    lr: 2", "line 5: key 'lr' stands twice"),
    "key twice, with dashes": ("fixed_args:\n  options:\n    lr: 1\n    --lr: 2", "line 4: key '--lr' stands twice"),
    "section twice": ("fixed_args: {}\nfixed_args: {}", "line 2: key 'fixed_args' stands twice"),
    "fixed and in a group": (
        "fixed_args: {options: {lr: 1}}\nvarying_args:\n  groups:\n    - options: {lr: 2}",
        "line 4: lr stands in this group and in fixed_args",
    ),
    "in a range and in a group": (
        "varying_args:\n  range: {options: {lr: [0, 1, 1]}}\n  groups:\n    - options: {lr: 2}",
        "line 4: lr stands in this group and in range",
    ),
    "fixed and a range": (
        "fixed_args: {options: {lr: 1}}\nvarying_args: {range: {options: {lr: [0, 1, 1]}}}",
        "lr is both fixed and a range",
    ),
    "tab": ("fixed_args:\n\toptions: {lr: 1}", "line 2: not valid YAML: .*; use spaces, not tabs"),
    "not YAML": ("fixed_args: {options: {lr: 1}", "line 1: not valid YAML"),
    "two documents": ("fixed_args: {}\n---\nfixed_args: {}", "line 2: not valid YAML"),
    "control character": ("fixed_args: \x00", "not valid YAML"),
    "anchor": ("fixed_args:\n  options: &a {lr: 1}", "line 2: anchors and aliases"),
    "object": ("fixed_args:\n  options:\n    lr: !!python/name:os.system", "line 3: tags like .*python/name:os.system"),
    "merge": ("fixed_args: {options: {<<: {lr: 1}}}", "line 1: "),
    "list as value": ("fixed_args: {options: {lr: [1, 2]}}", "line 1: a single value must stand here"),
    "date as value": ("fixed_args: {options: {lr: 2026-01-31}}", "line 1: a single value must stand here"),
    "impossible date": ("fixed_args: {options: {lr: 2026-13-31}}", "line 1: '2026-13-31' cannot be read"),
    "no value": ("fixed_args:\n  options:\n    lr:", "line 3: a value is missing"),
    "section is a word": ("fixed_args: much", "line 1: a mapping of options must stand here"),
    "groups is a mapping": ("varying_args: {groups: {options: {lr: 1}}}", "line 1: groups must be a list"),
    "no group": ("varying_args: {groups: []}", "line 1: groups must be a list"),
    "range of two": ("varying_args: {range: {options: {lr: [0, 1]}}}", "must be \\[start, stop, step\\]"),
    "range of words": ("varying_args: {range: {options: {lr: [0, 1, 1e-1]}}}", "write 1.0e-3, not 1e-3"),
    "range of truths": ("varying_args: {range: {options: {lr: [true, 3, 1]}}}", "needs three numbers"),
    "range to infinity": ("varying_args: {range: {options: {lr: [0, .inf, 1]}}}", "needs three numbers"),
    "step 0": ("varying_args: {range: {options: {lr: [0, 1, 0]}}}", "needs a step above 0, not 0"),
    "step back": ("varying_args: {range: {options: {lr: [1, 0, -1]}}}", "needs a step above 0, not -1"),
    "empty range": ("varying_args: {range: {options: {lr: [1, 1, 1]}}}", "is empty"),
    "endless range": ("varying_args: {range: {options: {lr: [0, 1, 1.0e-30]}}}", "more than 1000000 values"),
    "step lost in rounding": ("varying_args: {range: {options: {lr: [1.0e+17, 1.0e+18, 1]}}}", "more than 1000000"),
    "too many": (
        "varying_args: {range: {options: {lr: [0, 2000, 1], seed: [0, 2000, 1]}}}",
        "4000000 scenarios; more than 1000000",
    ),
    "list without values": ("model: a\nlr: []", "line 2: the list of lr is empty"),
    "value twice": ("lr: [1, 2, 1.0]", "line 1: 1.0 stands twice in this list"),
    "list in a list": ("lr: [[1]]", "line 1: a single value must stand here"),
    "unknown name in a list": ("modl: [a, b]", "line 1: unknown key 'modl'. Did you mean model"),
    "name twice": ("lr: 1\nlr: [1, 2]", "line 2: key 'lr' stands twice"),
    "tabs in a list": ("lr:\n\t- 1", "line 2: not valid YAML: .*; use spaces, not tabs"),
    "anchor in a list": ("lr: &a [1, 2]", "line 1: anchors and aliases"),
    "object in a list": ("lr: [!!python/name:os.system x]", "line 1: tags like .*python/name:os.system"),
    "exclusion of a word": ("lr: [1, 2]\nexclude: 1", "line 2: exclude must be a list"),
    "exclusion of nothing": ("lr: [1, 2]\nexclude: []", "line 2: exclude must be a list"),
    "exclusion without options": ("lr: [1, 2]\nexclude: [{}]", "line 2: an empty mapping would exclude everything"),
    "exclusion of a strange option": ("lr: [1, 2]\nexclude: [{batch: 1}]", "line 2: unknown key 'batch'"),
    "exclusion of a strange value": ("lr: [1, 2]\nexclude: [{lr: 3}]", "line 2: lr is never 3 here"),
    "exclusion of an empty list": ("lr: [1, 2]\nexclude: [{lr: []}]", "line 2: an empty list excludes nothing"),
    "all excluded": ("lr: [1, 2]\nexclude: [{lr: [1, 2]}]", "exclude leaves all of them out"),
    "misspelt section": ("varying: {}\nlr: 1", "line 1: unknown key 'varying'. Did you mean varying_args"),
    "same scenario twice": (
        "varying_args: {groups: [{options: {lr: 1}}, {options: {lr: 2}}, {options: {lr: 1.0}}]}",
        "scenario 3 is the same as scenario 1",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_one_line_with_its_place(case: str) -> None:
    text, message = WRONG[case]
    with pytest.raises(ConfigError, match=message) as refused:
        expand(text, "p.yaml", KNOWN)
    assert str(refused.value).startswith("p.yaml")
    assert "\n" not in str(refused.value)


@given(st.text())
def test_no_text_ends_in_anything_but_scenarios_or_a_clear_error(text: str) -> None:
    try:
        scenarios = expand(text, "p.yaml", KNOWN)
    except ConfigError:
        return
    assert scenarios


SHORT = """
model: [a, b]
lr: [0.1, 0.2, 0.3]
epochs: 10
exclude: [{model: b, lr: 0.3}, {model: a, lr: [0.1, 0.2]}]
"""


def test_lists_are_crossed_and_the_last_varies_fastest() -> None:
    grid = expand("model: [a, b]\nepochs: 10\nlr: [0.1, 0.2]", "p.yaml", KNOWN)
    assert [tuple(one.values()) for one in grid] == [(10, "a", 0.1), (10, "a", 0.2), (10, "b", 0.1), (10, "b", 0.2)]


def test_what_is_excluded_is_left_out() -> None:
    grid = expand(SHORT, "p.yaml", KNOWN)
    assert [(one["model"], one["lr"]) for one in grid] == [("a", 0.3), ("b", 0.1), ("b", 0.2)]
    assert len(grid) == 3
    assert grid[-1] == {"epochs": 10, "model": "b", "lr": 0.2}
    assert grid[:2] == [grid[0], grid[1]]


def test_an_exclusion_may_name_what_is_fixed() -> None:
    grid = expand("model: a\nlr: [1, 2]\nexclude: [{model: a, lr: 1}]", "p.yaml", KNOWN)
    assert list(grid) == [{"model": "a", "lr": 2}]


def test_single_values_alone_are_one_scenario() -> None:
    assert expand("model: a\nlr: 0.1", "p.yaml", KNOWN) == [{"model": "a", "lr": 0.1}]


axes = st.dictionaries(st.sampled_from(["lr", "batch", "seed"]), st.sets(st.integers(0, 9), min_size=1, max_size=4))


@given(axes.filter(bool), st.integers(0, 9))
def test_a_short_file_gives_the_product_without_what_is_excluded(values: dict[str, set[int]], out: int) -> None:
    name = next(iter(values))
    is_there = out in values[name] and len(values[name]) > 1
    content: dict[str, Any] = {key: sorted(some) for key, some in values.items()}
    content |= {"exclude": [{name: out}]} if is_there else {}
    grid = expand(yaml.safe_dump(content, sort_keys=False), "p.yaml", KNOWN)
    product = [dict(zip(values, some, strict=True)) for some in itertools.product(*map(sorted, values.values()))]
    assert list(grid) == [one for one in product if not (is_there and one[name] == out)]


def test_scenarios_that_differ_in_what_matters_are_counted() -> None:
    grid = expand(SHORT, "p.yaml", KNOWN)
    assert grid.distinct(["lr"]) == [({"model": "a", "epochs": 10}, 1), ({"model": "b", "epochs": 10}, 2)]
    groups = expand(LAB, "lab.yaml", KNOWN).distinct(["seed", "lr"])
    assert [(one["model"], count) for one, count in groups] == [("ShortCNN", 10), ("InceptionV3", 10)]


@given(files())
def test_examples_hold_each_value(content: dict[str, Any]) -> None:
    try:
        grid = expand(yaml.safe_dump(content, sort_keys=False), "p.yaml", KNOWN)
    except ConfigError:
        return
    shown = list(grid.examples())
    for name in ("model", "lr"):
        assert {one.get(name) for one in shown} == {one.get(name) for one in grid}
    seeds = [one["seed"] for one in grid]
    assert {min(seeds), max(seeds)} <= {one["seed"] for one in shown}  # type: ignore[type-var]


def test_a_million_scenarios_are_no_list() -> None:
    square = "varying_args: {range: {options: {'--seed': [0, 1000, 1], '--batch': [0, 1000, 1]}}}"
    grid = expand(square, "p.yaml", KNOWN)
    assert len(grid) == 1_000_000
    assert grid[999_999] == {"batch": 999.0, "seed": 999.0}
    assert grid.distinct(["seed"])[0] == ({"batch": 0.0}, 1000)


def test_any_name_is_taken_where_none_are_known() -> None:
    assert expand("fixed_args: {options: {'--size': 3}}", "p.yaml", None) == [{"size": 3}]
    with pytest.raises(ConfigError, match=r"p\.yaml, line 1: a mapping of options must stand here"):
        expand("fixed_args: {options: 3}", "p.yaml", None)
