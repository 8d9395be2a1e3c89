"""All bands at their own resolutions, for networks that upsample nothing."""

import numpy as np
import torch
from torch import Tensor

from terrawatt.errors import ModelError
from terrawatt.models.inputs import N_BANDS, BandValues, Images, Inputs

_GROUPS = ("r10", "r20", "r60")


class NativeBands(Inputs):
    """Bands minus their mean, over their standard deviation; each resolution a tensor of its own."""

    n_channels = N_BANDS

    def __init__(self, bands: BandValues) -> None:
        super().__init__()
        self.description = f"standardised by band statistics at native resolution, {bands.origin}"
        at_least_one = np.maximum(bands.std, 1.0)  # a band that never varies would be divided by zero
        for name, values in (("mean", bands.mean), ("std", at_least_one)):
            column = torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, column, persistent=False)

    def prepare(self, images: Images) -> tuple[Tensor, ...]:
        """(n, 4, 120, 120), (n, 6, 60, 60), (n, 2, 20, 20), standardised."""
        prepared, first = [], 0
        for name, values in zip(_GROUPS, images, strict=True):
            if values is None:
                raise ModelError(f"the model reads all 12 bands, and the images have none of {name}")
            end = first + values.shape[1]
            prepared.append((values.float() - self.get_buffer("mean")[first:end]) / self.get_buffer("std")[first:end])
            first = end
        return tuple(prepared)
