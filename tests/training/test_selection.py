"""Which epoch is tested, and when a training stops early."""

import numpy as np
import pytest

from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training import loop
from terrawatt.training.epoch import predict
from terrawatt.training.loop import Epoch, fit, rank


def silent(_line: str) -> None:
    pass


def epoch(micro_f1: float | None, loss: float | None) -> Epoch:
    return Epoch(1, 0.5, loss, micro_f1, None, 1.0)


def test_epochs_are_compared_by_micro_f1_then_by_the_loss():
    in_order = [epoch(0.0, 0.7), epoch(0.0, 0.6), epoch(None, 0.5), epoch(0.2, 0.9), epoch(0.2, 0.8)]
    assert [rank(one) for one in in_order] == sorted(rank(one) for one in in_order)
    assert len({rank(one) for one in in_order}) == len(in_order)


@pytest.fixture
def validated(monkeypatch):
    """Have the epochs of a training score as told."""

    def as_told(*scores: float) -> None:
        given = iter(scores)
        monkeypatch.setattr(loop, "f1_scores", lambda _probabilities, _targets: (next(given), 0.0))

    return as_told


def test_the_best_epochs_weights_are_tested(training, validated):
    validated(0.1, 0.5, 0.3, 0.2)
    best = fit(training(epochs=4, select="best", optim="Adam"), PhaseReporter(), silent)
    second = fit_until(training, 2)
    assert best.epoch == 2
    np.testing.assert_array_equal(best.probabilities, second)
    validated(0.1, 0.5, 0.3, 0.2)
    last = fit(training(epochs=4, optim="Adam"), PhaseReporter(), silent)
    assert last.epoch == 4
    assert not np.array_equal(last.probabilities, second)


def fit_until(training, epochs: int) -> np.ndarray:
    """The test's probabilities after so many epochs, without validation."""
    prepared = training(epochs=epochs, optim="Adam")
    for number in range(1, epochs + 1):
        loop.train_epoch(prepared, number)
    return predict(prepared, prepared.splits.test)[0]


@pytest.fixture
def idle(monkeypatch) -> None:
    """Epochs that cost nothing and learn nothing."""
    monkeypatch.setattr(loop, "train_epoch", lambda _training, _number: 0.5)
    monkeypatch.setattr(loop, "predict", lambda _training, loader: (np.zeros(loader.targets.shape, np.float32), 0.5))


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(("patience", "stops"), [(1, 2), (2, 5), (3, 6)])
def test_a_training_stops_after_so_many_epochs_without_a_better_one(training, validated, patience, stops):
    validated(0.2, 0.1, 0.3, 0.3 - 1e-9, 0.1, 0.1, 0.1, 0.1)
    said: list[str] = []
    outcome = fit(training(epochs=8, patience=patience), PhaseReporter(), said.append)
    assert len(outcome.history) == stops == outcome.epoch
    assert said[-1] == f"no epoch better than {stops - patience} in {patience}: stopped"


@pytest.mark.usefixtures("idle")
def test_a_stopped_training_tests_the_best_epoch_where_that_is_asked_for(training, validated):
    validated(0.2, 0.1)
    said: list[str] = []
    outcome = fit(training(epochs=8, patience=1, select="best"), PhaseReporter(), said.append)
    assert (len(outcome.history), outcome.epoch) == (2, 1)
    assert said[-1] == "tested with the weights of epoch 1"


@pytest.mark.usefixtures("idle")
def test_a_training_that_gets_better_does_not_stop(training, validated):
    validated(0.1, 0.2, 0.3)
    assert len(fit(training(epochs=3, patience=1), PhaseReporter(), silent).history) == 3


def test_running_statistics_are_selected_with_the_weights(training, validated):
    validated(0.5, 0.1)
    prepared = training(model="torchvision:mobilenet_v3_small", epochs=2, select="best", lr=0.1)
    after_first: dict[str, object] = {}
    real = loop.train_epoch

    def remember(of, number: int) -> float:
        loss = real(of, number)
        if number == 1:
            after_first.update({name: value.clone() for name, value in of.model.state_dict().items()})
        return loss

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "train_epoch", remember)
        fit(prepared, PhaseReporter(), silent)
    state = prepared.model.state_dict()
    assert all((value == after_first[name]).all() for name, value in state.items())
    assert any("running_mean" in name for name in state)
