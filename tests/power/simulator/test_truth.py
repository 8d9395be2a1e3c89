"""What a simulated device draws by the clock, and the file that says so afterwards."""

from pathlib import Path

import numpy as np
import pytest

from terrawatt.errors import SourceError
from terrawatt.power.simulator.profile import constant, steps
from terrawatt.power.simulator.truth import Noisy, Scheduled, Triggered, TruthWriter, read_truth
from terrawatt.units import NS_PER_S

START_NS = 1_795_000_000 * NS_PER_S


def at(t_s: float) -> int:
    return START_NS + round(t_s * NS_PER_S)


class Lamp:
    """Something that goes on and off."""

    is_on = False

    def __call__(self) -> bool:
        return self.is_on


def watched(lamp: Lamp, power: Triggered, *switches: tuple[float, bool]) -> None:
    for t_s, lamp.is_on in switches:
        power.watch(at(t_s))


def test_a_schedule_runs_from_its_start() -> None:
    power = Scheduled(steps([(10, 40), (5, 100)]), START_NS)
    assert power.power_w(at(12)) == 100
    assert power.energy_j(at(15)) == pytest.approx(900)
    assert power.changes_ns(at(5), at(20)) == [at(10), at(15)]


def test_a_trigger_plays_the_profile_from_its_beginning_each_time() -> None:
    lamp = Lamp()
    power = Triggered(40.0, steps([(1, 100), (1, 200)]), lamp, START_NS)
    watched(lamp, power, (5, False), (10, True), (11, True), (13, False), (20, True), (20.5, False), (30, False))
    assert [power.power_w(at(t_s)) for t_s in (9.9, 10, 10.9, 11.5, 12.5, 13, 20.2, 25)] == [
        40,
        100,
        100,
        200,
        100,
        40,
        100,
        40,
    ]
    assert power.energy_j(at(30)) == pytest.approx(40 * 26.5 + 400 + 50)
    assert power.changes_ns(at(0), at(30)) == [at(t_s) for t_s in (10, 11, 12, 13, 20, 20.5)]
    assert power.changes_ns(at(11), at(12.5)) == [at(12)]


def test_noise_is_the_power_s_own(tmp_path: Path) -> None:
    power = Noisy(Scheduled(constant(100), START_NS), 2.0, seed=1)
    tenths = [at(tenth / 10 + 0.05) for tenth in range(1000)]
    levels = np.array([power.power_w(t_ns) for t_ns in tenths])
    assert levels.mean() == pytest.approx(100, abs=0.3)
    assert levels.std() == pytest.approx(2.0, abs=0.2)
    assert power.energy_j(at(100)) == pytest.approx(levels.sum() / 10)
    assert power.energy_j(at(50.25)) - power.energy_j(at(50.05)) == pytest.approx(
        0.05 * levels[500] + 0.1 * levels[501] + 0.05 * levels[502]
    )
    with TruthWriter(tmp_path / "truth.csv", power) as writer:
        writer.write_until(at(3))
    truth = read_truth(tmp_path / "truth.csv")
    assert truth.between_j(at(1.03), at(2.41)) == pytest.approx(power.energy_j(at(2.41)) - power.energy_j(at(1.03)))


def test_the_file_holds_every_change_and_serves_while_it_grows(tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    power = Scheduled(steps([(1, 40), (0.25, 100)]), START_NS)
    with TruthWriter(file, power) as writer:
        writer.write_until(at(0.5))
        writer.write_until(at(3.1))
        truth = read_truth(file)
        assert truth.between_j(at(0.3), at(2.9)) == pytest.approx(power.energy_j(at(2.9)) - power.energy_j(at(0.3)))
        with pytest.raises(SourceError, match="the truth is known from"):
            truth.between_j(at(1), at(3.2))
        writer.write_until(at(10))
    assert read_truth(file).between_j(START_NS, at(10)) == pytest.approx(power.energy_j(at(10)))


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    with TruthWriter(file, Scheduled(constant(50), START_NS)) as writer:
        writer.write_until(at(2))
    whole = file.read_text()
    file.write_text(f"{whole}{at(3)},15")
    assert read_truth(file).t_ns[-1] == at(2)


@pytest.mark.parametrize("text", ["", "t_s,power_w\n0,1\n", "t_ns,energy_j\n", "t_ns,energy_j\n1,x\n"])
def test_something_else_is_no_truth(tmp_path: Path, text: str) -> None:
    file = tmp_path / "truth.csv"
    file.write_text(text)
    with pytest.raises(SourceError, match=r"truth\.csv: not the truth of a simulated plug"):
        read_truth(file)
