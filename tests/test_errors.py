import inspect

import pytest

from terrawatt import errors
from terrawatt.errors import TerrawattError, did_you_mean

TREE = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, TerrawattError)]


@pytest.mark.parametrize("error", TREE)
def test_every_error_is_in_the_drawn_tree(error: type[TerrawattError]) -> None:
    assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("error", TREE)
def test_exit_codes_are_those_of_the_design(error: type[TerrawattError]) -> None:
    assert error.exit_code in {1, 2, 3, 4, 5, 130}


def test_a_hint_names_near_names_first() -> None:
    assert did_you_mean("s-cnn-al", ["s-cnn-all", "s-cnn-rgb", "inception-v3-scratch"]) == (
        " Did you mean s-cnn-all, s-cnn-rgb?"
    )


def test_a_hint_lists_all_when_nothing_is_near() -> None:
    assert did_you_mean("resnet", ["s-cnn-all", "s-cnn-rgb"]) == " Known: s-cnn-all, s-cnn-rgb."
