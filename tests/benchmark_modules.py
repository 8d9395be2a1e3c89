"""The scripts in `benchmarks/` as modules, so that a shortened version of each is a test."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[1] / "benchmarks"


def benchmark(name: str) -> ModuleType:
    """A benchmark, imported. Its folder is on the path for that long only: a script may be named like a library."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))
