"""The gallery: every figure of the registry has its picture and its section, drawn by the script as it stands."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from doc_pages import ROOT
from terrawatt.report.look import FIGURE_NAMES, Look

PAGE = (ROOT / "docs/gallery.md").read_text("utf-8")
IMAGES = ROOT / "docs/images/gallery"
MOST_BYTES = 3_000_000


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "scripts/gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def sections() -> dict[str, str]:
    """Picture -> the text below it."""
    parts = re.split(r"^#+ .+$", PAGE, flags=re.MULTILINE)
    found = {}
    for part in parts:
        for name in re.findall(r"^!\[.+\]\(images/gallery/(\w+)\.svg\)$", part, flags=re.MULTILINE):
            found[name] = part
    return found


def test_every_figure_has_a_section_with_its_picture_and_its_option() -> None:
    assert set(sections()) == set(FIGURE_NAMES)
    for name, text in sections().items():
        assert f"`--figures {name}`" in text
        assert len(text.split()) > 30, name


def test_every_picture_is_there_and_no_other_and_they_are_small() -> None:
    pictures = {path.name: path for path in IMAGES.iterdir()}
    assert set(pictures) == {f"{name}.svg" for name in FIGURE_NAMES}
    assert sum(path.stat().st_size for path in pictures.values()) < MOST_BYTES
    for path in pictures.values():
        assert path.read_text("utf-8").startswith("<svg")


@pytest.mark.slow
def test_the_script_draws_figures_of_its_sweep(tmp_path: Path) -> None:
    chosen = ("interactions", "training_curves", "time_line", "uncertainty_budget", "power_curve")
    drawn = script().draw(tmp_path, Look(names=chosen, formats=("svg",)), repetitions=3)
    assert set(drawn) == set(chosen)
