"""`terrawatt train`: one training and its test predictions, without measuring."""

from pathlib import Path
from typing import Annotated

import typer

from terrawatt.cli.options import ConfigOption
from terrawatt.cli.scenario_options import Given, takes_scenario


@takes_scenario
def train(
    scenario: Given,
    out: Annotated[Path, typer.Option("--out", help="Folder of the outputs; made when missing.", file_okay=False)],
    repetition: Annotated[int | None, typer.Option("--repetition", min=1, help="Number in the outputs' names.")] = None,
    verify: Annotated[bool, typer.Option(help="Check the pack's checksums first.")] = True,
    config: ConfigOption = None,
) -> None:
    """Train a model on a pack, and write its predictions of the test split."""
