"""A classifier: inputs that learn nothing, then a network that gives one logit a label."""

from collections.abc import Iterable

from torch import Tensor, nn

from terrawatt.models.inputs import Images, Inputs
from terrawatt.models.weights import WeightsFile


class Classifier(nn.Module):
    """A network behind its inputs, part of it frozen or not.

    Attributes:
        inputs: from the pack's integers to the network's input.
        network: from what the inputs give, mostly (n, channels, 120, 120), to (n, n_classes) logits.
        weights: the file that the network began with; None for random weights.
    """

    def __init__(
        self,
        inputs: Inputs,
        network: nn.Module,
        *,
        frozen: Iterable[nn.Module] = (),
        weights: WeightsFile | None = None,
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.network = network
        self.weights = weights
        self._frozen = tuple(frozen)
        for module in self._frozen:
            module.requires_grad_(False)

    def forward(self, images: Images) -> Tensor:
        """Logits (n, n_classes) of a batch."""
        logits: Tensor = self.network(self.inputs(images))
        return logits

    def train(self, mode: bool = True) -> "Classifier":
        """Training mode for all but the frozen part, whose batch normalisation would go on adapting otherwise."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def n_parameters(self, *, trainable_only: bool = False) -> int:
        """Number of parameters, or of those that learn."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad or not trainable_only)
