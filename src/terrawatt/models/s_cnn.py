"""S-CNN: the three convolutions of the first BigEarthNet paper.

Sumbul, Charfuelan, Demir, Markl: BigEarthNet: a large-scale benchmark archive for remote sensing image understanding,
IGARSS 2019. Sources differ on a third pooling; this is the form with two, whose parameter counts are in docs/models.md.
"""

from pathlib import Path

from torch import nn

from terrawatt.models.classifier import Classifier
from terrawatt.models.inputs import SIZE, BandValues, StandardisedBands
from terrawatt.models.registry import DEFAULT_HIDDEN, ModelSpec


def build(
    spec: ModelSpec, n_classes: int, bands: BandValues, *, hidden: int | None = None, weights: Path | None = None
) -> Classifier:
    """S-CNN-RGB or S-CNN-All with random weights; it has no other (`weights` is None)."""
    del weights
    inputs = StandardisedBands(bands, rgb_only=spec.rgb_only)
    return Classifier(inputs, s_cnn(inputs.n_channels, n_classes, DEFAULT_HIDDEN if hidden is None else hidden))


def s_cnn(n_channels: int, n_classes: int, hidden: int) -> nn.Sequential:
    """The network, from (n, n_channels, 120, 120) to (n, n_classes) logits.

    Args:
        n_channels: of the input.
        n_classes: of the output.
        hidden: width of the fully connected layer before the last; 0 for none.
    """
    features = 64 * (SIZE // 4) ** 2
    layers: list[nn.Module] = [
        nn.Conv2d(n_channels, 32, kernel_size=5, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, kernel_size=5, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.Flatten(),
    ]
    if hidden:
        layers += [nn.Linear(features, hidden), nn.ReLU()]
    layers.append(nn.Linear(hidden or features, n_classes))
    return nn.Sequential(*layers)
