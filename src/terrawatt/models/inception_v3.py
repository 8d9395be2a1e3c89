"""InceptionV3 on RGB: from scratch, transfer learning, fine-tuning.

Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016; torchvision's implementation,
without the auxiliary classifier, which needs images of 299 pixels.

All three read the same pixels. torchvision's weights expect ImageNet-normalised pictures and `transform_input`, which
turns these into the range [-1, 1] of the weights' origin; so both are used, with random weights too.
"""

from copy import copy
from pathlib import Path
from typing import Any

from torch import nn
from torchvision.models.inception import Inception3

from terrawatt.models.classifier import Classifier, Parts
from terrawatt.models.inputs import BandValues, ImageNetRGB
from terrawatt.models.registry import ModelSpec, Start
from terrawatt.models.weights import INCEPTION_V3, WeightsFile, load_into, locate

_IMAGENET_CLASSES = 1000
_HEAD = ("dropout", "fc")


def build(
    spec: ModelSpec, n_classes: int, bands: BandValues, *, hidden: int | None = None, weights: Path | None = None
) -> Classifier:
    """InceptionV3 as its spec's `start` says; it standardises by ImageNet's statistics, not by those of `bands`.

    Raises:
        ModelError: the ImageNet weights are not to be had, or are others.
    """
    del bands, hidden
    if spec.start is Start.SCRATCH:
        return Classifier(ImageNetRGB(), _network(n_classes, aux_logits=False, init_weights=True))
    network, file = _pretrained(n_classes, weights)
    parts = _parts(network) if spec.has_frozen_backbone else None
    return Classifier(ImageNetRGB(), network, parts=parts, weights=file)


def _parts(network: Any) -> Parts:
    """The network up to its head, and the head."""
    backbone = copy(network)  # of the same layers: torch keeps them in a dictionary
    backbone._modules = network._modules | dict.fromkeys(_HEAD, nn.Identity())
    return Parts(backbone, nn.Sequential(*(getattr(network, name) for name in _HEAD)), network.fc.in_features)


def _pretrained(n_classes: int, weights: Path | None) -> tuple[nn.Module, WeightsFile]:
    """The network with ImageNet weights and a new classification layer, and the weights' file."""
    network = _network(_IMAGENET_CLASSES, aux_logits=True, init_weights=False)  # the form that the weights fit
    file = load_into(network, locate(INCEPTION_V3, weights), INCEPTION_V3)
    network.aux_logits, network.AuxLogits = False, None
    network.fc = nn.Linear(network.fc.in_features, n_classes)
    return network, file


def _network(n_classes: int, *, aux_logits: bool, init_weights: bool) -> Any:
    return Inception3(n_classes, aux_logits=aux_logits, transform_input=True, init_weights=init_weights)
