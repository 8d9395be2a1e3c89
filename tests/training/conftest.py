"""Small trainings on a pack in memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inception_weights import make_weights
from pack_in_memory import PackInMemory
from terrawatt.training.options import TrainingOptions, from_parameters
from terrawatt.training.setup import Training, open_splits, prepare


@pytest.fixture
def options() -> Callable[..., TrainingOptions]:
    """Options of a small training, changed by name."""

    def make(**changes) -> TrainingOptions:
        parameters = {"model": "s-cnn-rgb", "epochs": 2, "batch": 4, "seed": 7, "threads": 1} | changes
        if parameters["model"].startswith("s-cnn"):
            parameters.setdefault("hidden", 0)
        return from_parameters(parameters)

    return make


@pytest.fixture
def pack_of() -> type[PackInMemory]:
    """A pack with split sizes given by name."""
    return PackInMemory


@pytest.fixture
def pack() -> PackInMemory:
    return PackInMemory()


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory) -> Path:
    """Random weights of InceptionV3 in the form of ImageNet's."""
    return make_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def training(options, pack) -> Callable[..., Training]:
    """A prepared training with options changed by name."""

    def make(**changes) -> Training:
        chosen = options(**changes)
        return prepare(chosen, open_splits(chosen, pack, lambda _line: None))

    return make
