"""A head that learns from features that are kept learns what it learns from images."""

import errno
import os
import shutil
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import TrainingError
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.features import FeatureCache, keeping_features
from terrawatt.training.loop import fit


def silent(_line: str) -> None:
    pass


@pytest.fixture
def transfer(training, weights_file):
    """A prepared transfer learning with options changed by name; images are 12 to learn, 5 to validate, 6 to test."""

    def make(**changes):
        given = {"model": "inception-v3-transfer", "batch": 5, "epochs": 3, "optim": "Adam", "lr": 0.01}
        return training(**given | {"weights": str(weights_file)} | changes)

    return make


@pytest.fixture
def fitted(transfer, tmp_path):
    """What such a training comes to."""

    def fit_it(phases=None, **changes):
        with keeping_features(transfer(**changes), tmp_path / "out", silent) as prepared:
            return fit(prepared, phases or PhaseReporter(), silent)

    return fit_it


@pytest.mark.parametrize(
    "changes",
    [
        {"cache-features": "memory"},
        {"cache-features": "disk", "workers": 2},
        {"cache-features": "memory", "accumulate": 2, "loss": "CrossEntropy", "shuffle": "shards"},
        {"cache-features": "disk", "train-fraction": 0.6, "select": "best", "class-weights": 1, "labels": 19},
    ],
)
def test_losses_and_predictions_are_those_without_a_cache(fitted, changes):
    plain = fitted(**changes | {"cache-features": "none"})
    kept = fitted(**changes)
    for found, wanted in zip(kept.history, plain.history, strict=True):
        assert found.train_loss == pytest.approx(wanted.train_loss, rel=1e-4)
        assert found.validation_loss == pytest.approx(wanted.validation_loss, rel=1e-4)
    assert plain.history[-1].train_loss < plain.history[0].train_loss
    np.testing.assert_allclose(kept.probabilities, plain.probabilities, atol=1e-4)
    assert len({row.tobytes() for row in kept.probabilities}) == len(kept.probabilities)


def test_in_bfloat16_the_numbers_are_rounded_as_they_are_without(fitted):
    plain, kept = (fitted(precision="bf16", **{"cache-features": where}) for where in ("none", "memory"))
    np.testing.assert_allclose(kept.probabilities, plain.probabilities, atol=0.02)


class Counting:
    """Counts the images that go through the backbone in each phase."""

    def __init__(self) -> None:
        self.images = {}
        self.seen = 0

    def see(self, _module, _arguments, features):
        self.seen += len(features)

    @contextmanager
    def phase(self, name, epoch=None, **_options):
        before = self.seen
        yield
        self.images[name, epoch] = self.seen - before


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_features_are_computed_once_in_the_phase_that_needs_them_first(transfer, tmp_path, where):
    counting = Counting()
    with keeping_features(transfer(epochs=2, **{"cache-features": where}), tmp_path / "out", silent) as prepared:
        prepared.model.parts.backbone.register_forward_hook(counting.see)
        fit(prepared, counting, silent)
    assert counting.images == {
        ("train", 1): 12,
        ("validate", 1): 5,
        ("train", 2): 0,
        ("validate", 2): 0,
        ("test", None): 6,
    }


def test_a_file_of_features_has_no_name_and_its_size_is_said(transfer, tmp_path):
    said = []
    with keeping_features(transfer(**{"cache-features": "disk"}), tmp_path / "there" / "out", said.append) as prepared:
        values = prepared.splits.train.features.values
        assert isinstance(values.base, np.memmap)
        assert list(tmp_path.iterdir()) == []
    assert said == ["features of 17 images are kept: 139 kB, in a file"]


def test_the_file_lies_where_tmpdir_says_else_beside_the_outputs(transfer, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: asked.append(folder) or SimpleNamespace(free=10**9))
    prepared = transfer(**{"cache-features": "disk"})
    monkeypatch.delenv("TMPDIR", raising=False)
    with keeping_features(prepared, tmp_path / "not" / "there", silent):
        pass
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    with keeping_features(prepared, tmp_path / "not" / "there", silent):
        pass
    assert asked == [tmp_path, tmp_path / "scratch"]


def test_without_room_nothing_begins(transfer, tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1_000))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for where, what in (("memory", "in memory.*--cache-features disk"), ("disk", f"in {tmp_path}.*TMPDIR")):
        prepared = transfer(**{"cache-features": where})
        with pytest.raises(TrainingError, match="they need 139 kB, and 1 kB are free") as raised, ExitStack() as stack:
            stack.enter_context(keeping_features(prepared, tmp_path / "out", silent))
        assert raised.match(what)


def test_a_disk_that_fills_up_meanwhile_is_met_before_training(transfer, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(TrainingError, match=r"no file for the features.*No space left"), ExitStack() as stack:
        stack.enter_context(keeping_features(transfer(**{"cache-features": "disk"}), tmp_path / "out", silent))


@given(st.lists(st.integers(0, 500), min_size=1, max_size=30, unique=True), st.data())
def test_a_cache_gives_the_features_of_the_rows_that_are_asked_for(rows, data):
    kept = np.sort(np.array(rows))
    cache = FeatureCache(kept, np.empty((len(rows), 2), dtype=np.float32))
    size = data.draw(st.integers(1, len(rows)))
    for start in range(0, len(rows), size):
        assert not cache.is_full
        cache.put(torch.from_numpy(np.stack([kept, -kept], axis=1)[start : start + size]))
    assert cache.is_full
    wanted = data.draw(st.lists(st.sampled_from(rows), min_size=1))
    assert cache.at(np.array(wanted)).values.tolist() == [[row, -row] for row in wanted]
