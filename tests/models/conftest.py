"""InceptionV3 weights made on the spot, named as torchvision names its own."""

import hashlib
from pathlib import Path

import pytest
import torch
from torchvision.models.inception import Inception3


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory) -> Path:
    """Random weights of the form that torchvision publishes: 1,000 classes, with the auxiliary classifier."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(3)
    torch.save(Inception3(1000, aux_logits=True, init_weights=False).state_dict(), folder / "weights.pth")
    digest = hashlib.sha256((folder / "weights.pth").read_bytes()).hexdigest()
    return (folder / "weights.pth").rename(folder / f"inception_v3_made_here-{digest[:8]}.pth")
