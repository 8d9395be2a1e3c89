import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import UsageError
from terrawatt.training import values


@given(st.integers(0, 2**53))
def test_whole_numbers_are_read_in_every_way_they_are_written(number):
    read = values.whole(0)
    assert read("", number) == read("", float(number)) == read("", str(number)) == read("", f"{number}.0") == number


@pytest.mark.parametrize("word", [True, "1", 1, 1.0, "1.0", "True", "yes", "ON", ""])
def test_words_for_true(word):
    assert values.flag("", word) is True


@pytest.mark.parametrize("word", [False, "0", 0, 0.0, "0.0", "False", "no", "off"])
def test_words_for_false(word):
    assert values.flag("", word) is False


@pytest.mark.parametrize("word", ["2", "maybe", "None"])
def test_other_words_are_no_truth_values(word):
    with pytest.raises(UsageError, match="--count x: write 1 or 0"):
        values.flag("--count x", word)


@given(st.text())
def test_a_text_is_a_number_or_a_usage_error(text):
    try:
        expected = float(text)
    except ValueError:
        expected = float("nan")
    if expected - expected == 0:
        assert values.number("--lr", text) == expected
    else:
        with pytest.raises(UsageError):
            values.number("--lr", text)
