"""Floating-point operations of a model."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from terrawatt.models.classifier import Classifier
from terrawatt.models.inputs import N_RGB, Images


def forward_flops(model: Classifier) -> int:
    """Operations of one image through the network, forward: 2 for each multiplication with its addition.

    Convolutions and matrix products count, as is usual; activations, pooling, normalisation and the preparation of the
    inputs do not. The model is left as it was.
    """
    was_training = model.training
    model.eval()
    with torch.no_grad():
        prepared = model.inputs(_black_image(model.inputs.n_channels).to(next(model.parameters()).device))
        exact = prepared.float() if isinstance(prepared, torch.Tensor) else tuple(group.float() for group in prepared)
        with FlopCounterMode(display=False) as counter:
            model.network.forward(exact)  # not its call: the operations of a compiled network are not seen
    model.train(was_training)
    return int(counter.get_total_flops())


def _black_image(n_channels: int) -> Images:
    """One image as it lies in a pack, of 12 bands or RGB."""
    shapes = ((3, 120),) if n_channels == N_RGB else ((4, 120), (6, 60), (2, 20))
    return Images(*(torch.zeros(1, bands, pixels, pixels, dtype=torch.uint16) for bands, pixels in shapes))
