"""The synthetic archive can be learnt: the whole chain finds structure where it is, and more in 12 bands than in 3."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from terrawatt.analysis.scores import scores
from terrawatt.data.archive import open_archive
from terrawatt.data.packer import pack_archive
from terrawatt.data.synth import synthesise
from terrawatt.training.f1 import f1_scores

pytestmark = pytest.mark.slow

# glibc gives large blocks back to the system after each step, and half of the time goes into asking for them again.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**33)}
SETTINGS = ("--optim", "Adam", "--lr", "0.0005", "--batch", "20", "--epochs", "5", "--labels", "19", "--device", "cpu")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory) -> dict[str, Path]:
    """The outputs of both S-CNN on 800 synthetic patches, with the same settings."""
    folder = tmp_path_factory.mktemp("learnability")
    synthesise(folder / "v1", version="v1", patches=800, seed=0)
    pack = pack_archive(open_archive(folder / "v1"), folder / "pack").path
    for model in ("s-cnn-all", "s-cnn-rgb"):
        arguments = ("--model", model, *SETTINGS, "--data", str(pack), "--out", str(folder / model))
        subprocess.run([sys.executable, "-m", "terrawatt", "train", *arguments], env=os.environ | ALLOCATOR, check=True)
    return {model: folder / model for model in ("s-cnn-all", "s-cnn-rgb")}


def micro_f1(folder: Path) -> float:
    return scores(np.load(folder / "probabilities.npy"), np.load(folder / "targets.npy")).values["micro_f1"]


def best_constant_micro_f1(targets: np.ndarray) -> float:
    """The best micro F1 of one and the same prediction for all images: the k most frequent labels, for the best k."""
    rank = np.argsort(np.argsort(-targets.mean(axis=0)))
    candidates = (np.broadcast_to(rank < k, targets.shape).astype(np.float32) for k in range(1, targets.shape[1] + 1))
    return max(f1_scores(candidate, targets)[0] for candidate in candidates)


def test_s_cnn_all_beats_every_constant_prediction_by_far(outputs):
    constant = best_constant_micro_f1(np.load(outputs["s-cnn-all"] / "targets.npy"))
    assert 0.2 < constant < 0.6
    assert micro_f1(outputs["s-cnn-all"]) >= constant + 0.15


def test_12_bands_beat_rgb(outputs):
    assert micro_f1(outputs["s-cnn-all"]) > micro_f1(outputs["s-cnn-rgb"]) + 0.03
