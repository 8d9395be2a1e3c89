"""docs/reference/commands.md says what the program says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from terrawatt.cli import app

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("command_reference", ROOT / "scripts/command_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_program_says(script: ModuleType) -> None:
    assert script.PAGE == ROOT / "docs/reference/commands.md"
    assert script.PAGE.read_text(encoding="utf-8") == script.reference(), "run `make reference` and commit the page"


def test_every_command_of_the_program_has_its_section(script: ModuleType) -> None:
    names = [name for name, _ in script.commands(app.app, "terrawatt")]
    assert {"terrawatt run", "terrawatt data pack", "terrawatt power simulate", "terrawatt status"} <= set(names)
    sections = [line.removeprefix("## ") for line in script.reference().splitlines() if line.startswith("## ")]
    assert sections == names


def test_every_option_that_help_shows_is_in_the_reference(
    script: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("NO_COLOR", "1")
    for name, callback in script.commands(app.app, "terrawatt"):
        with pytest.raises(SystemExit):
            app.main([*name.split()[1:], "--help"])
        shown = capsys.readouterr().out
        options = [option for parameter in script.parameters(callback) for option in parameter.names]
        assert options or "--" not in shown.replace("--help", "")
        assert [option for option in options if option.split("/")[0] not in shown] == [], name
