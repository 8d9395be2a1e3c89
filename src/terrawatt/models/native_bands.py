"""All bands at their own resolutions, for networks that upsample nothing."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from terrawatt.errors import ModelError
from terrawatt.models.inputs import SIZE, BandValues, Images, Inputs

_GROUPS = ("r10", "r20", "r60")


class NativeBands(Inputs):
    """Bands minus their mean, over their standard deviation; each resolution a tensor of its own."""

    groups = ((4, SIZE), (6, SIZE // 2), (2, SIZE // 6))

    def __init__(self, bands: BandValues) -> None:
        super().__init__()
        self.description = f"standardised by band statistics at native resolution, {bands.origin}"
        at_least_one = np.maximum(bands.std, 1.0)  # a band that never varies would be divided by zero
        for name, values in (("mean", bands.mean), ("std", at_least_one)):
            column = torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, column, persistent=False)

    def prepare(self, images: Images, out: Sequence[Tensor]) -> None:
        """(n, 4, 120, 120), (n, 6, 60, 60), (n, 2, 20, 20), standardised."""
        first = 0
        for name, values, bands in zip(_GROUPS, images, out, strict=True):
            if values is None:
                raise ModelError(f"the model reads all 12 bands, and the images have none of {name}")
            end = first + values.shape[1]
            bands.copy_(values).sub_(self.get_buffer("mean")[first:end]).div_(self.get_buffer("std")[first:end])
            first = end
