"""The numbers of docs/statistics.md that follow from a formula."""

import re
from pathlib import Path

import pytest

from terrawatt.analysis.detection import LEVEL, MIN_REPETITIONS, POWER
from terrawatt.analysis.repetitions import MIN_FOR_BOOTSTRAP, RESAMPLES
from terrawatt.analysis.stopping import CONFIRMING, LEAST_REPETITIONS, QUANTILE
from terrawatt.config import ProtocolSettings

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())


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


def test_every_option_of_the_commands_is_on_the_page() -> None:
    import inspect

    from terrawatt.cli import compare, plan

    for command in (compare.compare, plan.plan):
        source = inspect.getsource(command)
        options = set(re.findall(r'"(--[a-z-]+)"', source))
        assert options
        assert {option for option in options if option not in PAGE} == set()
