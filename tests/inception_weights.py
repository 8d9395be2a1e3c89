"""InceptionV3 weights made on the spot, named as torchvision names its own."""

import hashlib
from pathlib import Path

import torch
from torch import nn
from torchvision.models.inception import Inception3


def make_weights(folder: Path) -> Path:
    """A file of random weights of the form that torchvision publishes: 1,000 classes, with the auxiliary classifier.

    They keep the scale of what they are given, so that images with other pixels have other features.
    """
    torch.manual_seed(3)
    network = Inception3(1000, aux_logits=True, init_weights=False)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    torch.save(network.state_dict(), folder / "weights.pth")
    digest = hashlib.sha256((folder / "weights.pth").read_bytes()).hexdigest()
    return (folder / "weights.pth").rename(folder / f"inception_v3_made_here-{digest[:8]}.pth")
