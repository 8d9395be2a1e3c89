from dataclasses import replace

from beats import BEAT
from terrawatt.experiment.outlook import counts, left, spent


def test_what_is_done_and_left() -> None:
    assert counts(BEAT) == "17 of 60 done, 1 failed, 42 left"
    assert counts(replace(BEAT, failed=0)) == "17 of 60 done, 43 left"


def test_energy_is_that_of_repetitions_that_ended() -> None:
    assert spent(BEAT) == "120 kJ gross in the repetitions that ended (plug)"
    assert spent(replace(BEAT, done=0, failed=0, energy_j=0.0)) == "no repetition has ended yet (plug)"


def test_energy_without_readings_is_missing_and_not_zero() -> None:
    assert spent(replace(BEAT, energy_j=0.0)) == "no reading in the repetitions that ended (plug)"


def test_what_is_left_is_an_estimate_that_says_by_what() -> None:
    assert left(BEAT) == "about 2 h 05 min, about 300 kJ gross, by the 18 repetitions so far"
    one = replace(BEAT, done=1, failed=0)
    assert left(one) == "about 2 h 05 min, about 300 kJ gross, by the one repetition so far"
    assert left(BEAT, since_s=300.0).startswith("about 2 h 00 min,")
    assert left(BEAT, since_s=9999.0).startswith("about 0 s,")


def test_nothing_is_known_before_the_first_execution_and_only_time_before_the_first_repetition() -> None:
    new = replace(BEAT, done=0, failed=0, left_j=None)
    assert left(new) == "about 2 h 05 min, by the warm-up so far"
    assert left(replace(new, left_s=None)) == "not known before the workload has run once"


def test_without_readings_the_time_left_is_by_the_repetitions() -> None:
    assert left(replace(BEAT, left_j=None)) == "about 2 h 05 min, by the 18 repetitions so far"
