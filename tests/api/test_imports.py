import subprocess
import sys

import pytest

import terrawatt

HEAVY = ("numpy", "pandas", "pydantic", "scipy", "torch", "altair", "codecarbon")


def loaded_by(program: str) -> set[str]:
    """The heavy packages that a program has loaded when it ends."""
    look = f"import sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-I", "-c", f"{program}\n{look}"], capture_output=True, text=True, check=True
    )
    return set(ended.stdout.split())


def test_importing_terrawatt_loads_nothing_heavy() -> None:
    assert loaded_by("import terrawatt") == set()


def test_a_phase_that_nobody_measures_loads_nothing_heavy() -> None:
    assert loaded_by("import terrawatt\nwith terrawatt.phase('load'):\n    pass") == set()


@pytest.mark.parametrize("name", terrawatt.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(terrawatt, name) is not None
    assert name in dir(terrawatt)


def test_another_name_is_refused_as_by_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'measures'"):
        terrawatt.measures  # noqa: B018


def test_the_package_says_that_it_is_typed() -> None:
    from importlib.resources import files

    assert (files("terrawatt") / "py.typed").is_file()
