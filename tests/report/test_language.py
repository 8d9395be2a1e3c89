"""Numbers, times, spaces and plural forms of a language."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.report.language import (
    Language,
    current,
    decimal,
    localised,
    moment,
    recorded_list,
    say,
    say_n,
    speaking,
    typeset,
    vega_locale,
)
from terrawatt.report.numbers import joules, mean_and_half_width, plain, unlocalised

NO_BREAK, THIN = "\u00a0", "\u202f"


def test_english_is_spoken_unless_told_and_again_afterwards() -> None:
    assert current() is Language.ENGLISH
    with speaking(Language.FRENCH):
        assert current() is Language.FRENCH
    assert current() is Language.ENGLISH


def test_a_language_does_not_reach_other_threads() -> None:
    found = []
    with speaking(Language.FRENCH):
        thread = threading.Thread(target=lambda: found.append(current()))
        thread.start()
        thread.join()
    assert found == [Language.ENGLISH]


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([".2f", ".3g", ".1e", "g", "+.1f", ".0f"]))
def test_english_numbers_are_those_of_format_and_french_ones_tell_the_same(value: float, form: str) -> None:
    assert decimal(value, form) == say(f"{{x:{form}}}", x=value) == format(value, form)
    with speaking(Language.FRENCH):
        text = decimal(value, form)
        assert "." not in text
        assert text.replace(THIN, "").replace(",", ".") == format(value, form)


def test_french_numbers_have_a_comma_and_thin_spaces_from_five_digits_on() -> None:
    with speaking(Language.FRENCH):
        assert plain(12340) == f"12{THIN}340"
        assert plain(1234) == "1234"
        assert plain(1.2e-7, 2) == "1,2e-07"
        assert mean_and_half_width(12.34, 0.56) == "12,34 ± 0,56"
        assert joules(12345) == "12,3 kJ"
        assert unlocalised(0.5) == "0.5000"


def test_names_with_digits_are_no_numbers() -> None:
    with speaking(Language.FRENCH):
        assert localised("v1.2.3 s-cnn1.5x 0.25") == "v1.2.3 s-cnn1.5x 0,25"


def test_a_sentence_is_filled_after_it_was_translated() -> None:
    assert say("R² = {r_squared:.3f} over {n} repetitions.", r_squared=0.95512, n=3) == "R² = 0.955 over 3 repetitions."
    with speaking(Language.FRENCH):
        said = say("R² = {r_squared:.3f} over {n} repetitions.", r_squared=0.95512, n=3)
        assert said == "R² = 0,955 sur 3 répétitions."
        assert say("{n} of nobody's texts", n=1.5) == "1,5 of nobody's texts"
        assert say("") == ""


def test_zero_is_singular_in_french_and_plural_in_english() -> None:
    said = [say_n("{n} repetition", "{n} repetitions", n, n=n) for n in (0, 1, 2)]
    assert said == ["0 repetitions", "1 repetition", "2 repetitions"]
    with speaking(Language.FRENCH):
        said = [say_n("{n} repetition", "{n} repetitions", n, n=n) for n in (0, 1, 2)]
    assert said == ["0 répétition", "1 répétition", "2 répétitions"]


def test_french_spaces_do_not_break() -> None:
    with speaking(Language.FRENCH):
        assert typeset("Durée : 3 s; 5 % ?") == f"Durée{NO_BREAK}: 3{NO_BREAK}s{THIN}; 5{NO_BREAK}%{THIN}?"
        assert typeset("« non »") == f"«{NO_BREAK}non{NO_BREAK}»"
        assert typeset("https://a.b:80/c;d 12:30") == "https://a.b:80/c;d 12:30"
    assert typeset("Duration: 3 s; 5 %?") == "Duration: 3 s; 5 %?"


@pytest.mark.parametrize("text", ["Durée : 3 s; 5 % ?", "a: b; c", "« non »", "plug: 1.5 % (k = 2)"])
def test_typesetting_twice_is_typesetting_once(text: str) -> None:
    with speaking(Language.FRENCH):
        assert typeset(typeset(text)) == typeset(text)


def test_a_time_is_written_out_in_french() -> None:
    assert moment("2026-02-03 14:05:06 UTC") == "2026-02-03 14:05:06 UTC"
    with speaking(Language.FRENCH):
        assert moment("2026-02-03 14:05:06 UTC") == "3 février 2026 à 14:05:06 UTC"
        assert moment("some time") == "some time"


def test_a_cell_of_verdicts_is_said_part_by_part() -> None:
    cell = "doubtful: Energy (plug): less power than when idle; Emissions: CodeCarbon left no file"
    assert recorded_list(cell) == cell
    with speaking(Language.FRENCH):
        assert recorded_list(cell).replace(NO_BREAK, " ").replace(THIN, " ") == (
            "douteuse : Energy (plug) : moins de puissance qu’au repos ; "
            "Emissions : CodeCarbon n’a pas laissé de fichier"
        )


def test_vega_needs_a_locale_for_other_languages_only() -> None:
    assert vega_locale() == {}
    with speaking(Language.FRENCH):
        assert vega_locale()["locale"]["number"]["decimal"] == ","
