"""Any classifier of torchvision by its name, from random weights, on 12 bands or RGB.

`ModelSpec.architecture` names it. Its first convolution is made anew for 12 bands; torchvision itself makes the last
layer for the number of classes.
"""

from pathlib import Path
from typing import Any

from torch import nn
from torchvision.models import get_model

from terrawatt.models.classifier import Classifier
from terrawatt.models.inputs import BandValues, StandardisedBands
from terrawatt.models.registry import ModelSpec

# Their auxiliary classifiers need larger images; their own way to random weights takes many seconds for nothing.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"aux_logits": False, "init_weights": False},
}


def build(
    spec: ModelSpec, n_classes: int, bands: BandValues, *, hidden: int | None = None, weights: Path | None = None
) -> Classifier:
    """The classifier that the spec names, with random weights; it reads standardised bands."""
    del hidden, weights
    inputs = StandardisedBands(bands, rgb_only=spec.rgb_only)
    return Classifier(inputs, classifier(spec.architecture, inputs.n_channels, n_classes))


def classifier(name: str, n_channels: int, n_classes: int) -> nn.Module:
    """The network of a name of torchvision, for so many channels and classes."""
    network: nn.Module = get_model(name, weights=None, num_classes=n_classes, **_ARGUMENTS.get(name, {}))
    adapt_first_convolution(network, n_channels)
    return network


def adapt_first_convolution(network: nn.Module, n_channels: int) -> None:
    """Make a network's first convolution anew for so many channels, unless it has them; torch's initial weights."""
    name, first = next((name, part) for name, part in network.named_modules() if isinstance(part, nn.Conv2d))
    if first.in_channels == n_channels:
        return
    parent, _, attribute = name.rpartition(".")
    anew = nn.Conv2d(
        n_channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        first.dilation,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    setattr(network.get_submodule(parent), attribute, anew)
