import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.loop import fit
from terrawatt.training.schedule import rate_factor, steps_per_epoch


@given(st.integers(1, 200), st.integers(0, 199), st.booleans())
def test_the_rate_rises_to_the_whole_then_never_rises_again(total, warmup, is_cosine):
    warmup = min(warmup, total - 1)
    factors = [rate_factor(k, warmup_steps=warmup, total_steps=total, is_cosine=is_cosine) for k in range(total)]
    assert all(0 < factor <= 1 for factor in factors)
    assert factors[:warmup] == sorted(factors[:warmup])
    assert factors[warmup] == 1
    assert factors[warmup:] == sorted(factors[warmup:], reverse=True)
    if not is_cosine:
        assert set(factors[warmup:]) == {1.0}


def test_a_cosine_has_half_the_rate_half_way_and_ends_at_zero():
    assert rate_factor(60, warmup_steps=20, total_steps=100, is_cosine=True) == pytest.approx(0.5)
    assert rate_factor(100, warmup_steps=20, total_steps=100, is_cosine=True) == pytest.approx(0, abs=1e-15)
    assert rate_factor(130, warmup_steps=20, total_steps=100, is_cosine=True) == pytest.approx(0, abs=1e-15)


def rates(prepared) -> list[float]:
    """The learning rate of each step of a training."""
    seen: list[float] = []
    prepared.optimizer.register_step_pre_hook(lambda optimizer, *_: seen.append(optimizer.param_groups[0]["lr"]))
    fit(prepared, PhaseReporter(), lambda _line: None)
    return seen


def test_the_optimizer_takes_its_steps_with_these_rates(training):
    # 12 images in batches of 4: 3 steps an epoch
    found = rates(training(epochs=3, warmup_epochs=1, schedule="cosine", lr=0.01))
    cosine = [0.5 * (1 + math.cos(math.pi * k / 6)) for k in range(6)]
    assert found == pytest.approx([0.01 * factor for factor in (1 / 3, 2 / 3, 1, *cosine)])


def test_without_a_schedule_the_rate_stays(training):
    assert set(rates(training(lr=0.01))) == {0.01}


def test_a_dropped_single_image_is_no_step(options, pack_of):
    from terrawatt.training.setup import open_splits

    for model, n, steps in (
        ("s-cnn-rgb", 9, 3),
        ("resnet-50-all", 9, 2),
        ("resnet-50-all", 10, 3),
        ("s-cnn-rgb", 8, 2),
    ):
        loader = open_splits(options(model=model), pack_of(train=n), lambda _line: None).train
        assert steps_per_epoch(loader) == steps == len(list(loader.shuffled(0, 1)))
