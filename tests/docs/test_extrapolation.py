"""The arithmetic of `benchmarks/extrapolate.py`, and that the page shows what it gives."""

from pathlib import Path

import pytest

from benchmark_modules import FOLDER, benchmark

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
extrapolate = benchmark("extrapolate")
Span = extrapolate.Span
NETWORKS = ("S-CNN-All", "S-CNN-RGB", "InceptionV3", "InceptionV3 transfer")


def rates(learning: float, classifying: float) -> dict[tuple[str, str, str], object]:
    """All networks alike, and no spread."""
    values = {"learning": learning, "classifying": classifying}
    return {
        (network, precision, task): Span(rate, rate, rate)
        for network in NETWORKS
        for precision in ("fp32", "bf16")
        for task, rate in values.items()
    }


def test_the_page_shows_what_the_rates_give() -> None:
    text = PAGE.read_text(encoding="utf-8")
    file = FOLDER / "model_rates.csv"
    rates, shares = extrapolate.read_rates(file), extrapolate.read_shares(file)
    content = extrapolate.report(rates, shares, Span(*extrapolate.POWER_W))
    assert extrapolate.written(text, content) == text, "run benchmarks/extrapolate.py --write docs/scale.md"


def test_the_plan_is_its_scenarios_one_by_one() -> None:
    archive = extrapolate.Archive("tiny", 4_000, 3_600, 1_800, 900)
    found = extrapolate.plan_hours(archive, extrapolate.Way("plain"), rates(1.0, 2.0))
    one_epoch_h = 3_600 / 1 / 3_600 + 1_800 / 2 / 3_600
    by_hand = sum(5 * 9 * (epochs * one_epoch_h + 900 / 2 / 3_600) for epochs in (10, 20, 30))
    assert found.middle == pytest.approx(by_hand)
    assert found.least == pytest.approx(by_hand / 1.05)
    assert found.most == pytest.approx(by_hand * 1.05)


def test_cached_features_make_the_transfer_alone_independent_of_its_epochs() -> None:
    cached = extrapolate.Way("cached", caches=True)
    for model in extrapolate.MODELS:
        few, many = (
            extrapolate.execution_hours(model, extrapolate.V1, cached, n, rates(100.0, 300.0)) for n in (10, 30)
        )
        assert (few == many) == model.is_frozen


@pytest.mark.parametrize(
    ("shares", "words"), [([], "not recorded"), ([0.97, 1.0], "nothing else"), ([0.5, 1.0], "up to a factor of 2.0")]
)
def test_rates_of_a_busy_machine_are_told(shares: list[float], words: str) -> None:
    assert words in extrapolate.condition(shares)


def test_a_slower_least_rate_moves_only_the_longest_time() -> None:
    narrow, wide = extrapolate.hours(1_000, Span(10, 10, 10)), extrapolate.hours(1_000, Span(5, 10, 10))
    assert wide[:2] == narrow[:2]
    assert wide.most == pytest.approx(2 * narrow.most)


@pytest.mark.parametrize(
    ("value", "shown"), [(1234.6, "1,235"), (10.4, "10"), (3.14159, "3.1"), (0.0123, "0.012"), (0.0000321, "0.00003")]
)
def test_numbers_have_two_digits(value: float, shown: str) -> None:
    assert extrapolate.number(value) == shown


def test_a_page_without_marks_is_left_alone() -> None:
    with pytest.raises(SystemExit, match="has not the marks"):
        extrapolate.written("no marks here", "content")
