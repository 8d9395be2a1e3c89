"""From the pack's integers to what a network reads: the first layers of every model, on the model's device.

A batch arrives as it lies in the pack: uint16 digital numbers (reflectance × 10⁴) at the bands' own resolutions,
B04 B03 B02 B08 (120 × 120) | B05 B06 B07 B8A B11 B12 (60 × 60) | B01 B09 (20 × 20). Nothing here learns.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

SIZE = 120  # pixels of the side of a patch at 10 m
N_BANDS = 12
N_RGB = 3

# Bright land surfaces reflect about 30 %: what Sentinel-2 true-colour images show as white.
WHITE_DIGITAL_NUMBER = 3_000.0
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_CACHED_IMAGES = 10  # what is computed of so many, 16 MB, stays in the caches of a processor


class Images(NamedTuple):
    """A batch of n images: uint16, (n, 4, 120, 120), (n, 6, 60, 60), (n, 2, 20, 20); for RGB (n, 3, 120, 120) alone."""

    r10: Tensor
    r20: Tensor | None = None
    r60: Tensor | None = None

    def map(self, function: Callable[[Tensor], Tensor]) -> "Images":
        """The same with each of its tensors changed."""
        r20 = None if self.r20 is None else function(self.r20)
        r60 = None if self.r60 is None else function(self.r60)
        return Images(function(self.r10), r20, r60)

    def to(self, device: torch.device) -> "Images":
        """The same on a device."""
        return self.map(lambda bands: bands.to(device))


class BandValues(Protocol):
    """Mean and standard deviation of each band (float64, (12,)), and what they were computed from."""

    @property
    def mean(self) -> NDArray[np.float64]:
        """The means."""

    @property
    def std(self) -> NDArray[np.float64]:
        """The standard deviations."""

    @property
    def origin(self) -> str:
        """Of which images they are."""


Prepared = Tensor | tuple[Tensor, ...]  # the second where each resolution is a tensor of its own


class Inputs(nn.Module):
    """Turns `Images` into one tensor (n, channels, 120, 120), or several; computed in float32, never under autocast.

    On the CPU a few images at a time go through all steps, so that what lies between is read from the cache.

    Attributes:
        description: one line on how, for the record of a training.
        groups: channels and pixels of the side of each tensor that it gives.
        dtype: of what it gives; a network under autocast would round to it anyway.
        memory_format: of what it gives.
        keeps_buffers: work in memory that is kept from batch to batch. What it gives is then good until the next call.
    """

    description: str
    groups: tuple[tuple[int, int], ...]

    def __init__(self) -> None:
        super().__init__()
        self.dtype = torch.float32
        self.memory_format = torch.contiguous_format
        self.keeps_buffers = False
        self._kept: dict[str, Tensor] = {}

    @property
    def n_channels(self) -> int:
        """Channels of what it gives, together."""
        return sum(channels for channels, _ in self.groups)

    @torch.no_grad()
    def forward(self, images: Images) -> Prepared:
        """The network's input."""
        n, device = len(images.r10), images.r10.device
        at_once = _CACHED_IMAGES if device.type == "cpu" else max(n, 1)
        results = [
            self._buffer(f"input {number}", (n, channels, side, side), device, self.dtype, self.memory_format)
            for number, (channels, side) in enumerate(self.groups)
        ]
        with torch.autocast(device.type, enabled=False):
            for first in range(0, n, at_once):
                of_some = itemgetter(slice(first, first + at_once))
                self._fill(images.map(of_some), [of_some(result) for result in results])
        return results[0] if len(results) == 1 else tuple(results)

    def _fill(self, images: Images, results: list[Tensor]) -> None:
        """Prepare where the results lie, or beside them and then round and lay out: both at once is slower."""
        exact = [
            result
            if result.dtype == torch.float32 and result.is_contiguous()
            else self._buffer(f"exact {number}", result.shape, result.device)
            for number, result in enumerate(results)
        ]
        self.prepare(images, exact)
        for number, (prepared, result) in enumerate(zip(exact, results, strict=True)):
            if prepared is not result:
                rounded = self._buffer(f"rounded {number}", result.shape, result.device, self.dtype)
                result.copy_(rounded.copy_(prepared) if self.dtype != torch.float32 else prepared)

    def _buffer(
        self,
        name: str,
        shape: Sequence[int],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> Tensor:
        """Memory for a batch: new, or the first images of that which is kept by this name."""
        kept = self._kept.get(name)
        is_fit = kept is not None and kept.device == device and kept.dtype == dtype and len(kept) >= shape[0]
        if kept is None or not is_fit or kept.shape[1:] != torch.Size(shape[1:]):
            with torch.inference_mode(False):  # a tensor of inference could not be written while learning
                kept = torch.empty(tuple(shape), device=device, dtype=dtype, memory_format=memory_format)
            if self.keeps_buffers:
                self._kept[name] = kept
        return kept[: shape[0]]

    def prepare(self, images: Images, out: Sequence[Tensor]) -> None:
        """What a kind of inputs does: fill a contiguous float32 tensor (n, channels, side, side) of each group."""
        raise NotImplementedError


class StandardisedBands(Inputs):
    """Bands minus their mean, over their standard deviation; coarser ones upsampled bicubically to 120 × 120.

    Standardised before the upsampling, on fewer pixels: the rows of a bicubic matrix sum to 1, so that the two commute.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, bands: BandValues, *, rgb_only: bool) -> None:
        super().__init__()
        self.groups = ((N_RGB if rgb_only else N_BANDS, SIZE),)
        self.description = f"standardised by band statistics, {bands.origin}"
        at_least_one = np.maximum(bands.std, 1.0)  # a band that never varies would be divided by zero
        for name, values in (("mean", bands.mean), ("std", at_least_one)):
            column = torch.tensor(values[: self.n_channels], dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, column, persistent=False)
        if not rgb_only:
            self.upsample_r20 = BicubicUpsampling(60, SIZE)
            self.upsample_r60 = BicubicUpsampling(20, SIZE)

    def prepare(self, images: Images, out: Sequence[Tensor]) -> None:
        """(n, 3 or 12, 120, 120), standardised."""
        (bands,) = out
        n, device = len(bands), bands.device
        if images.r20 is None or images.r60 is None:
            self._standardise(images.r10[:, :N_RGB], 0, bands)
            return
        self._standardise(images.r10, 0, bands[:, :4])
        for values, first, upsample in ((images.r20, 4, self.upsample_r20), (images.r60, 10, self.upsample_r60)):
            n_bands, pixels = values.shape[1], values.shape[2]
            small = self._buffer(f"{pixels} pixels", values.shape, device)
            wide = self._buffer(f"{pixels} pixels, wide", (n, n_bands, pixels, SIZE), device)
            large = self._buffer(f"{pixels} pixels, large", (n, n_bands, SIZE, SIZE), device)
            self._standardise(values, first, small)
            bands[:, first : first + n_bands].copy_(upsample(small, wide=wide, out=large))

    def _standardise(self, values: Tensor, first: int, out: Tensor) -> None:
        end = first + out.shape[1]
        out.copy_(values).sub_(self.mean[first:end]).div_(self.std[first:end])


class ImageNetRGB(Inputs):
    """B04, B03, B02 as a picture in [0, 1], normalised by ImageNet's mean and standard deviation.

    The picture is min(reflectance / 0.3, 1): digital numbers over `WHITE_DIGITAL_NUMBER`, clipped.
    """

    mean: Tensor
    std: Tensor
    groups = ((N_RGB, SIZE),)
    description = (
        f"RGB as digital numbers / {WHITE_DIGITAL_NUMBER:g} clipped to [0, 1], normalised by ImageNet's mean and "
        "standard deviation"
    )

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(-1, 1, 1), persistent=False)

    def prepare(self, images: Images, out: Sequence[Tensor]) -> None:
        """(n, 3, 120, 120), as ImageNet's networks expect."""
        (picture,) = out
        picture.copy_(images.r10[:, :N_RGB]).div_(WHITE_DIGITAL_NUMBER).clamp_(max=1.0)
        picture.sub_(self.mean).div_(self.std)


class BicubicUpsampling(nn.Module):
    """`F.interpolate(mode="bicubic", align_corners=False)` as two matrix products, A·X·Aᵀ: 2 to 4 times as fast."""

    matrix: Tensor

    def __init__(self, source: int, target: int) -> None:
        super().__init__()
        self.register_buffer("matrix", bicubic_matrix(source, target), persistent=False)

    def forward(self, images: Tensor, *, wide: Tensor | None = None, out: Tensor | None = None) -> Tensor:
        """(…, source, source) -> (…, target, target).

        Args:
            images: what is upsampled.
            wide: memory for the first product, (…, source, target); None: new.
            out: memory for the second, the result; None: new.
        """
        return torch.matmul(self.matrix, torch.matmul(images, self.matrix.T, out=wide), out=out)


def bicubic_matrix(source: int, target: int) -> Tensor:
    """The matrix A, (target, source), of one-dimensional bicubic interpolation: the identity, interpolated."""
    identity = torch.eye(source).view(1, 1, source, source)
    return nn.functional.interpolate(identity, size=(target, source), mode="bicubic", align_corners=False)[0, 0]
