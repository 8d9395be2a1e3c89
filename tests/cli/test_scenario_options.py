import inspect
from dataclasses import fields

import pytest
import typer
from typer.testing import CliRunner

from terrawatt.cli.scenario_options import Given, takes_scenario
from terrawatt.errors import UsageError
from terrawatt.training.options import TrainingOptions, from_parameters

seen: list[object] = []
app = typer.Typer()


@app.command()
@takes_scenario
def command(scenario: Given, own: int = 3) -> None:
    """Do something."""
    seen.append((scenario, own))


def test_only_what_is_given_reaches_the_command() -> None:
    result = CliRunner().invoke(app, ["--model", "s-cnn-all", "--epochs", "10.0", "--own", "5"])
    assert result.exit_code == 0, result.output
    assert seen[-1] == ({"model": "s-cnn-all", "epochs": "10.0"}, 5)


def test_help_shows_the_options_and_the_commands_own() -> None:
    result = CliRunner().invoke(app, ["--help"], terminal_width=120)
    assert "Do something." in result.output
    assert "--own" in result.output
    assert "--precision" in result.output


def test_the_options_are_those_of_a_training() -> None:
    names = set(inspect.signature(command).parameters) - {"own"}
    assert {field.name for field in fields(TrainingOptions)} - {"verify"} == names - {"rgb", "finetune"}
    for name in names:
        with pytest.raises(UsageError) as caught:  # "?" means nothing, or the model has no such option
            from_parameters({"model": "s-cnn-rgb", "seed": "?", "weights": "?"} | {name: "?"})
        assert "unknown option" not in str(caught.value)
