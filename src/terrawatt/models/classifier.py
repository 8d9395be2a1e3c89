"""A classifier: inputs that learn nothing, then a network that gives one logit a label."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from terrawatt.models.inputs import Images, Inputs
from terrawatt.models.weights import WeightsFile


class Features(NamedTuple):
    """What a frozen backbone gives of n images: float32, (n, n_features)."""

    values: Tensor

    def map(self, function: Callable[[Tensor], Tensor]) -> "Features":
        """The same with its tensor changed."""
        return Features(function(self.values))


class Parts(NamedTuple):
    """A network in two, made of its own layers: what is frozen, and what learns behind it.

    Attributes:
        backbone: from the network's input to (n, n_features).
        head: from these to (n, n_classes) logits.
        n_features: what the head reads of an image.
    """

    backbone: nn.Module
    head: nn.Module
    n_features: int


class Classifier(nn.Module):
    """A network behind its inputs, part of it frozen or not.

    Attributes:
        inputs: from the pack's integers to the network's input.
        network: from what the inputs give, mostly (n, channels, 120, 120), to (n, n_classes) logits.
        parts: the network in two, where its backbone is frozen; None where all of it learns.
        weights: the file that the network began with; None for random weights.
    """

    def __init__(
        self,
        inputs: Inputs,
        network: nn.Module,
        *,
        parts: Parts | None = None,
        weights: WeightsFile | None = None,
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.network = network
        self.weights = weights
        self.parts = parts
        if parts is not None:
            parts.backbone.requires_grad_(False)

    def forward(self, batch: Images | Features) -> Tensor:
        """Logits (n, n_classes) of a batch, or of what the backbone gave of it."""
        logits: Tensor = (
            self.network(self.inputs(batch)) if self.parts is None else self.parts.head(self.features(batch))
        )
        return logits

    def features(self, batch: Images | Features) -> Tensor:
        """What the frozen backbone gives of a batch, (n, n_features), in the precision of its layers."""
        if isinstance(batch, Features):
            return batch.values
        if self.parts is None:
            raise TypeError("all of the network learns: there is no backbone that gives features")
        features: Tensor = self.parts.backbone(self.inputs(batch))
        return features

    def train(self, mode: bool = True) -> "Classifier":
        """Training mode for all but the frozen part, whose batch normalisation would go on adapting otherwise."""
        super().train(mode)
        if self.parts is not None:
            self.parts.backbone.eval()
        return self

    def n_parameters(self, *, trainable_only: bool = False) -> int:
        """Number of parameters, or of those that learn."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad or not trainable_only)
