"""What tests of models share."""

from pathlib import Path

import pytest

from inception_weights import make_weights


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory) -> Path:
    """Random weights in the form of ImageNet's."""
    return make_weights(tmp_path_factory.mktemp("weights"))
