"""The examples of docs/extend.md work as they stand there: a model, a source, a figure."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from doc_pages import ROOT, titled
from pack_in_memory import PackInMemory
from small_tables import table_of
from terrawatt import config
from terrawatt.errors import SourceError
from terrawatt.models import registry as models
from terrawatt.models.registry import ModelSpec
from terrawatt.power import registry as sources
from terrawatt.records import Semantics
from terrawatt.report.figures import Drawing, Figure, Skipped
from terrawatt.report.render import render
from terrawatt.report.theme import specification
from terrawatt.runs.reporting import PhaseReporter

PAGE = ROOT / "docs/extend.md"


def module_of(block: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A block of the page as a module of this name, until the test ends."""
    file = folder / f"{name.rpartition('.')[2]}.py"
    file.write_text(titled(PAGE, block), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_the_model_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from terrawatt.training.loop import fit
    from terrawatt.training.options import from_parameters
    from terrawatt.training.setup import open_splits, prepare

    module_of("src/terrawatt/models/one_layer.py", "terrawatt.models.one_layer", tmp_path, monkeypatch)
    spec = eval(titled(PAGE, "src/terrawatt/models/registry.py, in _SPECS"), {"ModelSpec": ModelSpec})  # noqa: S307
    for module in ("registry", "names"):
        monkeypatch.setattr(f"terrawatt.models.{module}.MODELS", {**models.MODELS, spec.name: spec})
    options = from_parameters(
        {"model": "one-layer-all", "optim": "Adam", "lr": 0.1, "epochs": 4, "batch": 4, "threads": 1}
    )
    training = prepare(options, open_splits(options, PackInMemory(), lambda _line: None))  # type: ignore[arg-type]
    outcome = fit(training, PhaseReporter(), lambda _line: None)
    assert training.model.n_parameters() == (12 + 1) * 19
    assert outcome.history[-1].train_loss < outcome.history[0].train_loss
    assert outcome.probabilities.shape == (6, 19)


def test_the_source_is_found_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "boardmeter.py").write_text(titled(PAGE, "boardmeter.py"), encoding="utf-8")
    project = tomllib.loads(titled(PAGE, "pyproject.toml"))["project"]
    metadata = tmp_path / f"{project['name']}-{project['version']}.dist-info"
    metadata.mkdir()
    about = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(about, encoding="utf-8")
    points = project["entry-points"]["terrawatt.power_sources"]
    lines = ["[terrawatt.power_sources]", *(f"{name} = {value}" for name, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "terrawatt.toml").write_text(titled(PAGE, "terrawatt.toml"), encoding="utf-8")

    (entry,) = config.load().sources
    source = sources.create(entry, "lab")
    (tmp_path / "power1_average").write_text("14250000\n", encoding="utf-8")
    assert source.read() == (14.25,)  # type: ignore[union-attr]
    (described,) = source.descriptions
    assert described.semantics is Semantics.INSTANTANEOUS
    assert described.accuracy[0].plus_minus_percent == 2.0
    for content in ("", "no number"):
        (tmp_path / "power1_average").write_text(content, encoding="utf-8")
        with pytest.raises(SourceError, match="power1_average: no power"):
            source.read()  # type: ignore[union-attr]
    (tmp_path / "power1_average").unlink()
    with pytest.raises(SourceError, match="power1_average: no power"):
        source.read()  # type: ignore[union-attr]
    source.close()
    monkeypatch.delitem(sys.modules, "boardmeter")


def test_the_figure_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "terrawatt.report.figures.drift"
    drift = module_of("src/terrawatt/report/figures/drift.py", name, tmp_path, monkeypatch).drift
    line = titled(PAGE, "src/terrawatt/report/figures/__init__.py, in _ALL")
    figure = eval(line, {"Figure": Figure, "drift": drift})  # noqa: S307
    drawing = figure.draw(table_of({"s-cnn": {"Energy (plug)": [10.0, np.nan, 12.0]}}))
    assert isinstance(drawing, Drawing)
    assert drawing.alternative == "Energy (plug) of 2 repetitions, by their number."
    svg = render(figure, specification(drawing.chart), drawing.alternative, "svg")
    assert b"Energy (plug) (J)" in svg


@pytest.mark.parametrize(
    ("columns", "reason"),
    [({"Duration": [1.0, 2.0]}, "the table has no net energy"), ({"Energy (plug)": [np.nan]}, "has no value")],
)
def test_the_figure_is_skipped_with_its_reason(
    columns: dict[str, list[float]], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "terrawatt.report.figures.drift"
    drift = module_of("src/terrawatt/report/figures/drift.py", name, tmp_path, monkeypatch).drift
    skipped = drift(table_of({"s-cnn": columns}))
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


def test_the_registries_that_the_page_names_are_where_it_says() -> None:
    for file, name in (
        ("models/registry.py", "_SPECS = ("),
        ("power/registry.py", "BUILT_IN: "),
        ("report/figures/__init__.py", "_ALL = ("),
    ):
        assert name in (ROOT / "src/terrawatt" / file).read_text(encoding="utf-8")
