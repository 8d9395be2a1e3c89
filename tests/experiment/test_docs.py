"""The examples of the pages about parameter files and the protocol."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from terrawatt.cli.scenario_options import NAMES
from terrawatt.config import EmissionsSettings, ProtocolSettings
from terrawatt.experiment.grid import expand
from terrawatt.runs.phases import read_phases
from terrawatt.training.options import from_parameters

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf'^```{language}(?: title="[^"]*")?\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)


def test_the_parameter_file_is_what_the_page_says() -> None:
    short, text = blocks("parameter-files.md", "yaml")
    assert [from_parameters(one).lr for one in expand(short, "short.yaml", NAMES)] == [1e-4, 1e-3, 1e-4, 1e-3, 1e-2]
    trainings = [from_parameters(parameters) for parameters in expand(text, "models.yaml", NAMES)]
    assert [training.model for training in trainings[:2]] == ["s-cnn-rgb", "inception-v3-finetune"]
    assert len(trainings) == 20


def test_the_phase_can_be_read(tmp_path: Path) -> None:
    (text,) = blocks("protocol.md", "json")
    (tmp_path / "phases").write_text(text)
    json.loads(text)
    (phase,) = read_phases(tmp_path / "phases")
    assert (phase.name, phase.epoch, phase.window.duration_s) == ("train", 1, 12)


def test_the_settings_are_valid() -> None:
    (text,) = blocks("protocol.md", "toml")
    assert EmissionsSettings(**tomllib.loads(text)["emissions"]) == EmissionsSettings()


@pytest.mark.parametrize("name", ProtocolSettings.model_fields)
def test_every_setting_of_the_protocol_is_documented_with_its_default(name: str) -> None:
    default = ProtocolSettings.model_fields[name].default
    shown = {None: "drawn"}.get(default) or (default if isinstance(default, str) else f"{default:g}")
    text = (DOCS / "protocol.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{name}` \|.*\| {shown} \|", text, re.MULTILINE)
