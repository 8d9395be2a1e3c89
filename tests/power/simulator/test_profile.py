"""Profiles: powers at times, and energies that are their integrals."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import SourceError, UsageError
from terrawatt.power.simulator.profile import Profile, constant, parse_profile, read_profile, steps, training

parts = st.lists(st.tuples(st.floats(0.1, 50.0), st.floats(0.0, 3000.0)), min_size=1, max_size=8)
times = st.floats(0.0, 500.0)


def summed_j(profile: Profile, start_s: float, end_s: float) -> float:
    """The energy by going from edge to edge."""
    stops = [start_s, *(edge for edge in profile.edges_s(start_s, end_s) if edge < end_s), end_s]
    middles = [(first + second) / 2 for first, second in itertools.pairwise(stops)]
    lengths = [second - first for first, second in itertools.pairwise(stops)]
    return float(sum(profile.power_w(middle) * length for middle, length in zip(middles, lengths, strict=True)))


def test_a_constant_power_adds_up() -> None:
    profile = constant(40.0)
    assert [profile.power_w(t_s) for t_s in (0.0, 0.5, 1e6)] == [40.0, 40.0, 40.0]
    assert profile.energy_j(1e6) == pytest.approx(4e7)


def test_steps_begin_again_or_hold() -> None:
    looping = steps([(10, 40), (5, 100)])
    assert [looping.power_w(t_s) for t_s in (0, 9.9, 10, 14.9, 15, 26)] == [40, 40, 100, 100, 40, 100]
    assert looping.energy_j(30) == pytest.approx(2 * (400 + 500))
    assert looping.edges_s(9, 26) == [10, 15, 25]
    holding = steps([(10, 40), (5, 100)], loops=False)
    assert holding.power_w(1000) == 100
    assert holding.energy_j(1000) == pytest.approx(400 + 990 * 100)


@given(parts, st.booleans(), times, times)
def test_the_energy_is_the_integral_of_the_power(
    parts: list[tuple[float, float]], loops: bool, one_s: float, other_s: float
) -> None:
    profile = steps(parts, loops=loops)
    start_s, end_s = sorted((one_s, other_s))
    energy_j = profile.energy_j(end_s) - profile.energy_j(start_s)
    assert energy_j == pytest.approx(summed_j(profile, start_s, end_s), rel=1e-6, abs=1e-3)


def test_a_training_has_epochs_with_dips_and_validation() -> None:
    profile = training(40.0, 180.0, seed=3)
    assert 40.0 < profile.level_w.min() < 130.0 < 170.0 < profile.level_w.max() <= 180.0
    assert profile.loops
    assert 50.0 < profile.duration_s < 200.0
    assert np.array_equal(profile.level_w, training(40.0, 180.0, seed=3).level_w)
    assert not np.array_equal(profile.level_w[:9], training(40.0, 180.0, seed=4).level_w[:9])


def test_a_file_holds_each_power_until_the_next(tmp_path: Path) -> None:
    file = tmp_path / "profile.csv"
    file.write_text("t_s,power_w\n5,40\n7,90\n8,60\n")
    profile = read_profile(file)
    assert [profile.power_w(t_s) for t_s in (0, 2, 2.9, 3, 100)] == [40, 90, 90, 60, 60]
    assert profile.energy_j(10) == pytest.approx(80 + 90 + 7 * 60)


def test_a_file_without_powers_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "profile.csv"
    for text in ("t_s,energy_j\n0,1\n", "t_s,power_w\n0,1\n1,\n"):
        file.write_text(text)
        with pytest.raises(SourceError, match=r"profile\.csv: a profile needs a power_w in each row"):
            read_profile(file)


def test_the_command_line_writes_profiles(tmp_path: Path) -> None:
    assert parse_profile("constant:40.5").power_w(1) == 40.5
    assert parse_profile("steps:10@40,5@100").power_w(12) == 100
    assert parse_profile("training:30-150").level_w.max() <= 150
    assert parse_profile("training:150", idle_w=60.0).level_w.min() > 60
    file = tmp_path / "own.csv"
    file.write_text("t_s,power_w\n0,7\n")
    assert parse_profile(str(file)).power_w(3) == 7
    for wrong in ("constant:", "constant:nan", "steps:10", "steps:", "training:", "training:150"):
        with pytest.raises(UsageError, match="write constant:W, steps:SECONDS@W"):
            parse_profile(wrong)
    with pytest.raises(UsageError, match="longer than 0 s"):
        parse_profile("steps:0@40")
    with pytest.raises(SourceError, match=r"nothing\.csv: cannot be read"):
        parse_profile("nothing.csv")
