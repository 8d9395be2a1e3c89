"""A shortened version of `benchmarks/coverage.py`."""

import importlib.util
import sys
from pathlib import Path

import pytest

_FILE = Path(__file__).parents[2] / "benchmarks" / "coverage.py"


@pytest.fixture(scope="module")
def coverage():
    """The benchmark under a name of its own: `coverage` is also a library."""
    spec = importlib.util.spec_from_file_location("benchmark_coverage", _FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 3, 7, 9, 15, 20, 24, 30])
def test_the_interval_holds_the_truth(coverage, number):
    """400 runs: 93 to 98 % in the long run are 90 to 99.5 % here, at three standard deviations."""
    result = coverage.measure(coverage.CELLS[number], 400)
    assert result.missing == 0
    assert 0.90 <= result.coverage <= 0.995
    assert abs(result.bias) < 0.01


def test_the_benchmark_prints_its_table(coverage, capsys):
    code = coverage.main(["--runs", "60", "--cells", "4,28"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[1].split()[1:3] == ["mean", "1"]
    assert "of 2 cells within 93% to 98%" in lines[-1]
    assert code in (0, 1)


def test_there_are_cells_enough_of_every_kind(coverage):
    cells = coverage.CELLS
    assert len(cells) >= 24
    assert {cell.semantics for cell in cells} == set(coverage.Semantics)
    assert {cell.interval_s for cell in cells} == {1, 10, 30}
    assert {cell.phi for cell in cells} == {0, 0.9, 0.95, 0.98}
    assert {cell.error for cell in cells} == set(coverage.MeterError)
    assert {(cell.idle_s, cell.is_two_sided) for cell in cells} == {
        (120, False),
        (120, True),
        (300, False),
        (300, True),
    }
