"""K-Branch CNN: one branch of convolutions a resolution, nothing upsampled.

Sumbul, Demir: A novel multi-attention driven system for multi-label remote sensing image classification, IGARSS 2019:
its first module, without the attention. docs/models.md lists the layers, and what other descriptions have instead.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from terrawatt.models.classifier import Classifier
from terrawatt.models.inputs import SIZE, BandValues
from terrawatt.models.native_bands import NativeBands
from terrawatt.models.registry import ModelSpec

FEATURES = 128  # of a branch, and of all together

_AFTER_CONVOLUTION, _AROUND_FEATURES = 0.25, 0.5  # shares that dropout leaves out


@dataclass(frozen=True, slots=True)
class _Branch:
    """The convolutions of one resolution: bands, pixels, then width and kernel of each."""

    bands: int
    pixels: int
    convolutions: tuple[tuple[int, int], ...]


_BRANCHES = (
    _Branch(4, SIZE, ((32, 5), (32, 5), (64, 3))),
    _Branch(6, SIZE // 2, ((32, 3), (32, 3), (64, 3))),
    _Branch(2, SIZE // 6, ((32, 2), (32, 2), (32, 2))),
)


def build(
    spec: ModelSpec, n_classes: int, bands: BandValues, *, hidden: int | None = None, weights: Path | None = None
) -> Classifier:
    """K-Branch CNN with random weights; its layers have the widths of the paper."""
    del spec, hidden, weights
    return Classifier(NativeBands(bands), KBranch(n_classes))


class KBranch(nn.Module):
    """The network, from the bands of three resolutions to (n, n_classes) logits."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(_branch(branch) for branch in _BRANCHES)
        self.fusion = nn.Sequential(
            nn.Linear(FEATURES * len(_BRANCHES), FEATURES),
            nn.ReLU(),
            nn.Dropout(_AFTER_CONVOLUTION),
            nn.Dropout(_AROUND_FEATURES),
            nn.Linear(FEATURES, n_classes),
        )

    def forward(self, bands: tuple[Tensor, ...]) -> Tensor:
        """Logits of a batch, from (n, 4, 120, 120), (n, 6, 60, 60) and (n, 2, 20, 20)."""
        features = [branch(image) for branch, image in zip(self.branches, bands, strict=True)]
        logits: Tensor = self.fusion(torch.cat(features, dim=1))
        return logits


def _branch(branch: _Branch) -> nn.Sequential:
    """Three convolutions, pooled after the first two, and a fully connected layer."""
    layers: list[nn.Module] = []
    channels, pixels = branch.bands, branch.pixels
    for number, (width, kernel) in enumerate(branch.convolutions):
        before, behind = (
            (kernel - 1) // 2,
            kernel // 2,
        )  # 'same': an even kernel needs one more behind, as in TensorFlow
        layers += [nn.ZeroPad2d((before, behind, before, behind)), nn.Conv2d(channels, width, kernel), nn.ReLU()]
        if number < 2:
            layers.append(nn.MaxPool2d(2))
            pixels //= 2
        layers.append(nn.Dropout(_AFTER_CONVOLUTION))
        channels = width
    layers += [nn.Flatten(), nn.Dropout(_AROUND_FEATURES), nn.Linear(channels * pixels**2, FEATURES), nn.ReLU()]
    return nn.Sequential(*layers)
