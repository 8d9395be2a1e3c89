"""The plans that are shipped: each is read, and each scenario can be trained."""

from pathlib import Path

import pytest

from terrawatt.cli.scenario_options import NAMES
from terrawatt.experiment.grid import Grid, expand
from terrawatt.training.options import from_parameters

PLANS = Path(__file__).parents[2] / "plans"
SCENARIOS = {"seed": 135, "small": 4, "lab-s-cnn": 20, "lab-inception-v3": 30}


def plan(name: str) -> Grid:
    path = PLANS / f"{name}.yaml"
    return expand(path.read_text(encoding="utf-8"), path.name, NAMES)


def test_all_plans_are_tested() -> None:
    assert {path.stem for path in PLANS.glob("*.yaml")} == set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_of_a_shipped_plan_can_be_trained(name: str) -> None:
    trainings = [from_parameters(parameters) for parameters in plan(name)]
    assert len(trainings) == len({tuple(one.parameters().items()) for one in trainings}) == SCENARIOS[name]


def test_the_whole_experiment_is_balanced() -> None:
    grid = plan("seed")
    for name, levels in (("model", 5), ("epochs", 3), ("batch", 3), ("lr", 3)):
        others = [other for other in ("model", "epochs", "batch", "lr") if other != name]
        assert [count for _, count in grid.distinct(others)] == [135 // levels] * levels


def test_the_labs_plans_train_its_five_models() -> None:
    names = ("lab-s-cnn", "lab-inception-v3")
    models = {from_parameters(one).model for name in names for one in plan(name)}
    assert models == {
        "s-cnn-rgb",
        "s-cnn-all",
        "inception-v3-transfer",
        "inception-v3-finetune",
        "inception-v3-scratch",
    }
