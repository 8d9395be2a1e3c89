import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.cli.options import parse_flag, parse_integer, parse_number, parse_positive, parse_share


@given(st.integers(-(10**15), 10**15))
def test_integers_and_their_float_spelling_are_the_same(number: int) -> None:
    assert parse_integer(str(number)) == number
    assert parse_integer(f"{number}.0") == number


@pytest.mark.parametrize("text", ["10.5", "ten", "", "nan", "inf"])
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not an integer"):
        parse_integer(text)


@pytest.mark.parametrize("text", ["0", "-3", "0.0"])
def test_a_positive_number_is_above_0(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="not above 0"):
        parse_positive(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [(spelling, True) for spelling in ("True", "true", "1", "1.0", "yes", "ON")]
    + [(spelling, False) for spelling in ("False", "false", "0", "0.0", "no", "off")],
)
def test_flags_as_people_and_qanat_write_them(text: str, value: bool) -> None:
    assert parse_flag(text) is value


@pytest.mark.parametrize("text", ["2", "maybe", ""])
def test_what_is_no_flag_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="neither true nor false"):
        parse_flag(text)


@pytest.mark.parametrize("text", ["fast", "nan", "inf", "-inf"])
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="not a"):
        parse_number(text)


def test_a_number_of_a_range_keeps_its_float() -> None:
    assert parse_number("0.30000000000000004") == 0.30000000000000004


@pytest.mark.parametrize("text", ["5%", "5 %", "0.05", "5.0e0%"])
def test_a_share_in_percent_or_not(text: str) -> None:
    assert parse_share(text) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5", "write 5% for percent"),
        ("0", "between"),
        ("-1%", "between"),
        ("100%", "between"),
        ("much", "not a number"),
    ],
)
def test_what_is_no_share_is_refused(text: str, message: str) -> None:
    with pytest.raises(typer.BadParameter, match=message):
        parse_share(text)
