"""Floating-point operations of a model."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from terrawatt.models.classifier import Classifier
from terrawatt.models.inputs import SIZE


def forward_flops(model: Classifier) -> int:
    """Operations of one image through the network, forward: 2 for each multiplication with its addition.

    Convolutions and matrix products count, as is usual; activations, pooling, normalisation and the preparation of the
    inputs do not. The model is left as it was.
    """
    was_training = model.training
    parameter = next(model.parameters())
    image = torch.zeros(1, model.inputs.n_channels, SIZE, SIZE, device=parameter.device)
    model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.network(image)
    model.train(was_training)
    return int(counter.get_total_flops())
