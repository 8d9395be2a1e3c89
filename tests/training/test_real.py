"""Both architectures train on real patches, where there are some (see tests/data/test_real.py)."""

import os
from pathlib import Path

import numpy as np
import pytest

from terrawatt.data.archive import open_archive
from terrawatt.data.packer import pack_archive
from terrawatt.training.options import from_parameters
from terrawatt.training.workload import run

VARIABLE = "TERRAWATT_REAL_DATA"


@pytest.fixture(scope="module")
def packs(tmp_path_factory) -> dict[str, Path]:
    beside = Path(__file__).parents[3] / "shared" / "data" / "bigearthnet"
    real = Path(os.environ.get(VARIABLE) or beside)
    if not real.is_dir():
        pytest.skip(f"no real patches: {VARIABLE} names no folder, and there is none beside the repository")
    folder, lists = tmp_path_factory.mktemp("real"), real / "official"
    archives = {
        "v1": open_archive(real, version="v1", splits=lists),
        "v2": open_archive(real, version="v2", metadata=lists / "metadata.parquet"),
    }
    return {version: pack_archive(archive, folder / version).path for version, archive in archives.items()}


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("model", ["s-cnn-all", "inception-v3-scratch"])
def test_a_model_trains_on_real_patches(packs, tmp_path, version, model):
    given = {"model": model, "optim": "Adam", "lr": 1e-4, "epochs": 2, "batch": 3, "data": str(packs[version])}
    outcome = run(from_parameters(given), tmp_path, say=lambda _line: None)
    targets = np.load(tmp_path / "targets.npy")
    assert targets.any(axis=1).all()
    assert outcome.probabilities.shape == targets.shape
    assert all(np.isfinite([epoch.train_loss, epoch.validation_loss]).all() for epoch in outcome.history)
