"""The examples of the API's docstrings and of its page are run as they stand there."""

import doctest
import importlib
from pathlib import Path

import pytest

import run_folders
from run_folders import Recipe

PAGE = Path(__file__).parents[2] / "docs/api.md"


@pytest.mark.parametrize("name", ["energy", "phase"])
def test_the_examples_of_a_docstring_are_right(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"terrawatt.api.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_examples_of_the_page_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = run_folders.make_run(tmp_path / "results", 1, Recipe(has_emissions=False))
    result = doctest.testfile(str(PAGE), module_relative=False, globs={"folder": folder})
    assert result.attempted > 15
    assert result.failed == 0


def test_every_public_name_is_on_the_page() -> None:
    import terrawatt

    page = PAGE.read_text(encoding="utf-8")
    functions = [name for name in terrawatt.__all__ if name.islower() and not name.startswith("_")]
    assert sorted(functions) == ["energy", "measure", "phase", "read"]
    assert all(f"`terrawatt.{name}(" in page for name in functions)
