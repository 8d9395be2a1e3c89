from dataclasses import replace

import pytest

import run_folders
from run_folders import Recipe


@pytest.fixture
def make_run(tmp_path):
    """Makes `results/conso/run_<number>` by one or several recipes (groups), or by one with changes; gives its path."""

    def make(number=1, *recipes, **changes):
        recipes = recipes or (replace(Recipe(), **changes),)
        return run_folders.make_run(tmp_path / "results", number, *recipes)

    return make
