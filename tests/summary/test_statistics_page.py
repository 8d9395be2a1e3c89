"""The numbers of docs/statistics.md that follow from a formula."""

from pathlib import Path

import pytest

from terrawatt.analysis.detection import LEVEL, MIN_REPETITIONS, POWER
from terrawatt.analysis.repetitions import MIN_FOR_BOOTSTRAP, RESAMPLES
from terrawatt.analysis.stopping import CONFIRMING, LEAST_REPETITIONS, QUANTILE
from terrawatt.config import ProtocolSettings

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())
SHARED = {"--help", "--config", "--accept-changes", "--results", "--name"}  # of many commands, and told elsewhere


@pytest.mark.parametrize(
    "words",
    [
        f"fewer than {MIN_REPETITIONS} usable repetitions",
        f"From {MIN_FOR_BOOTSTRAP} repetitions on",
        f"{RESAMPLES:,} resamples",
        f"adjusted p is below {LEVEL}",
        f"a probability of {100 * POWER:.0f} %",
        f"{CONFIRMING} more repetitions are made",
        f"his quantile for {100 * QUANTILE:g} %",
        f"At least {LEAST_REPETITIONS} repetitions are made in any case",
        f"(`--min-repetitions`, {ProtocolSettings().min_repetitions} unless given)",
    ],
)
def test_the_page_says_what_the_code_does(words: str) -> None:
    assert words in TEXT


def test_the_settings_allow_what_the_rule_needs() -> None:
    (least,) = (rule.ge for rule in ProtocolSettings.model_fields["min_repetitions"].metadata)
    assert least == LEAST_REPETITIONS


@pytest.mark.parametrize(("name", "panel"), [("compare", None), ("plan", "Repetitions for a difference")])
def test_every_option_of_the_commands_is_on_the_page(name: str, panel: str | None) -> None:
    import typer.main

    from terrawatt.cli.app import app

    commands = getattr(typer.main.get_command(app), "commands")  # noqa: B009  # of a click group
    params = [one for one in commands[name].params if getattr(one, "rich_help_panel", None) == panel]
    options = {option for one in params for option in one.opts if option.startswith("--")} - SHARED
    assert len(options) > 3
    assert {option for option in options if option not in PAGE} == set()
