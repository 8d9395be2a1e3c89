"""The registry of models: what each is, what it reads, and which module builds it.

The classifiers of torchvision are members too, by `torchvision:` and torchvision's name, without a line for each.
Nothing of torch is imported before `ModelSpec.build` is called, so that the command line can check names at once.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from terrawatt.errors import UsageError
from terrawatt.models import torchvision_names

if TYPE_CHECKING:
    from terrawatt.models.classifier import Classifier
    from terrawatt.models.inputs import BandValues

DEFAULT_HIDDEN = 128
ALL, RGB = "all", "rgb"  # of `--bands`


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
        rgb_only: it reads B04, B03, B02 only; otherwise all 12 bands. Of a model that takes `--bands`, without it.
        start: what its training begins with.
        takes_hidden: `--hidden` sets the width of its fully connected layer.
        has_batch_norm: it cannot be trained on a batch of one image.
        takes_bands: `--bands` chooses whether it reads all 12 bands or B04, B03, B02.
        architecture: torchvision's name of it, for a module that builds several.
    """

    name: str
    description: str
    module: str
    rgb_only: bool
    start: Start = Start.SCRATCH
    takes_hidden: bool = False
    has_batch_norm: bool = False
    takes_bands: bool = False
    architecture: str = ""

    @property
    def takes_weights(self) -> bool:
        """Whether it begins with ImageNet weights."""
        return self.start is not Start.SCRATCH

    @property
    def has_frozen_backbone(self) -> bool:
        """Whether all but its last layers never change in training, so that what they give can be kept."""
        return self.start is Start.TRANSFER

    def reading(self, bands: str | None) -> "ModelSpec":
        """The same model as `--bands` has it read."""
        return self if bands is None else replace(self, rgb_only=bands == RGB)

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
_TORCHVISION = "terrawatt.models.torchvision_classifier"

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
    ModelSpec(
        "k-branch", "K-Branch CNN on all 12 bands at their own resolutions", "terrawatt.models.k_branch", rgb_only=False
    ),
    ModelSpec(
        "resnet-50-all",
        "ResNet-50 on all 12 bands",
        _TORCHVISION,
        rgb_only=False,
        has_batch_norm=True,
        architecture="resnet50",
    ),
)

MODELS: Mapping[str, ModelSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})


def find(name: str) -> ModelSpec:
    """The model of a canonical name.

    Raises:
        UsageError: there is none, or it cannot read the images; names the near ones.
    """
    if name.startswith(torchvision_names.PREFIX):
        return _of_torchvision(name)
    if name not in MODELS:
        raise UsageError(f"unknown model {name!r}.{near_names(name)}")
    return MODELS[name]


def near_names(name: str) -> str:
    """A hint for a mistyped name of a model: the near ones, or all but those of torchvision."""
    prefixed = {one: f"{torchvision_names.PREFIX}{one}" for one in torchvision_names.NAMES}
    known = {**prefixed, **{one: one for one in prefixed.values()}}
    near = get_close_matches(name, MODELS, n=3, cutoff=0.5)
    near = near or list(dict.fromkeys(known[one] for one in get_close_matches(name, known, n=3, cutoff=0.5)))
    if near:
        return f" Did you mean {', '.join(near)}?"
    return f" Known: {', '.join(MODELS)}, and {torchvision_names.PREFIX}NAME (docs/models.md)."


def _of_torchvision(name: str) -> ModelSpec:
    architecture = name.removeprefix(torchvision_names.PREFIX)
    if reason := torchvision_names.UNSUITABLE.get(architecture):
        raise UsageError(f"{name} cannot read images of 120 × 120 pixels: {reason}")
    if architecture not in torchvision_names.NAMES:
        raise UsageError(f"unknown model {name!r}.{near_names(name)}")
    return ModelSpec(
        name,
        f"torchvision's {architecture} from random weights",
        _TORCHVISION,
        rgb_only=False,
        has_batch_norm=torchvision_names.has_batch_norm(architecture),
        takes_bands=True,
        architecture=architecture,
    )
