"""The registry of models: what each is, what it reads, and which module builds it.

Nothing of torch is imported before `ModelSpec.build` is called, so that the command line can check names at once.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from terrawatt.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from terrawatt.models.classifier import Classifier
    from terrawatt.models.inputs import BandValues

DEFAULT_HIDDEN = 128


class Start(StrEnum):
    """What a training begins with, and what of it learns."""

    SCRATCH = "scratch"  # random weights; all learn
    TRANSFER = "transfer"  # ImageNet weights; only the classification layer learns
    FINETUNE = "finetune"  # ImageNet weights; all learn


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model that `--model` can name.

    Attributes:
        name: the canonical name.
        description: one line for people.
        module: the module whose function `build` makes the model.
        rgb_only: it reads B04, B03, B02 only; otherwise all 12 bands.
        start: what its training begins with.
        takes_hidden: `--hidden` sets the width of its fully connected layer.
        has_batch_norm: it cannot be trained on a batch of one image.
    """

    name: str
    description: str
    module: str
    rgb_only: bool
    start: Start = Start.SCRATCH
    takes_hidden: bool = False
    has_batch_norm: bool = False

    @property
    def takes_weights(self) -> bool:
        """Whether it begins with ImageNet weights."""
        return self.start is not Start.SCRATCH

    def build(
        self,
        n_classes: int,
        bands: "BandValues",
        *,
        hidden: int | None = None,
        weights: Path | None = None,
    ) -> "Classifier":
        """Make the model; its random weights come from torch's global generator.

        Args:
            n_classes: number of outputs (logits).
            bands: mean and standard deviation of each band, for models that standardise by them.
            hidden: width of the fully connected layer, 0 for none; None for the model's own.
            weights: file of ImageNet weights; None: where torchvision keeps or finds them.

        Raises:
            ModelError: the weights are not to be had, or are not those of this model.
        """
        module = importlib.import_module(self.module)
        built: Classifier = module.build(self, n_classes, bands, hidden=hidden, weights=weights)
        return built


_S_CNN = "terrawatt.models.s_cnn"
_INCEPTION = "terrawatt.models.inception_v3"

_SPECS = (
    ModelSpec("s-cnn-rgb", "S-CNN on B04, B03, B02", _S_CNN, rgb_only=True, takes_hidden=True),
    ModelSpec("s-cnn-all", "S-CNN on all 12 bands", _S_CNN, rgb_only=False, takes_hidden=True),
    ModelSpec(
        "inception-v3-scratch", "InceptionV3 from random weights", _INCEPTION, rgb_only=True, has_batch_norm=True
    ),
    ModelSpec(
        "inception-v3-transfer",
        "InceptionV3 from ImageNet weights, only the classification layer learns",
        _INCEPTION,
        rgb_only=True,
        start=Start.TRANSFER,
    ),
    ModelSpec(
        "inception-v3-finetune",
        "InceptionV3 from ImageNet weights, all layers learn",
        _INCEPTION,
        rgb_only=True,
        start=Start.FINETUNE,
        has_batch_norm=True,
    ),
)

MODELS: Mapping[str, ModelSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})


def find(name: str) -> ModelSpec:
    """The model of a canonical name.

    Raises:
        UsageError: there is none; names the near ones.
    """
    if name not in MODELS:
        raise UsageError(f"unknown model {name!r}.{did_you_mean(name, list(MODELS))}")
    return MODELS[name]
