"""Painting one synthetic patch: where its covers lie, what each pixel is made of, how bright it is.

Everything is done on the 10 m grid; the coarser bands are means over their pixels, as an ideal sensor would see them.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from terrawatt.data.bands import BANDS, REFLECTANCE_SCALE, RESOLUTIONS
from terrawatt.data.covers import COVERS, Grain
from terrawatt.data.spectra import MATERIALS, in_season

SIZE = 120
"""Pixels of 10 m along a side."""

_PARCEL_PIXELS: dict[Grain, float] = {"fields": 22.0, "plots": 7.0}
_LINE_PIXELS = 4.0
"""Half width of a river or a motorway with its verges."""

_HAZE = {"B01": 150.0, "B02": 125.0, "B03": 95.0, "B04": 70.0, "B05": 25.0}
"""What one unit of residual haze adds to a band, ×10⁴ reflectance: scattering falls off with the wavelength."""

_FULL_SCALE = 2 * REFLECTANCE_SCALE


@dataclass(frozen=True, eq=False)
class Scene:
    """A painted patch.

    Attributes:
        cover: index of `LABELS_43` of each 10 m pixel, int64 (120, 120).
        r10: uint16 (4, 120, 120), digital numbers from 1 on: 0 is left to mean no data.
        r20: uint16 (6, 60, 60).
        r60: uint16 (2, 20, 20).
    """

    cover: NDArray[np.int64]
    r10: NDArray[np.uint16]
    r20: NDArray[np.uint16]
    r60: NDArray[np.uint16]


def paint(labels: list[int], shares: list[float], greenness: float, rng: np.random.Generator) -> Scene:
    """Paint a patch.

    Args:
        labels: what covers it, indices of `LABELS_43`.
        shares: share of the patch of each.
        greenness: season, see `spectra.in_season`.
        rng: all chance comes from here.
    """
    cover = _arrange(labels, shares, rng)
    material = _fill(cover, labels, rng)
    spectra = _vary(in_season(np.clip(greenness + rng.normal(0, 0.08), 0, 1)), rng)
    cube = spectra.T[:, material]  # (12, 120, 120)
    cube *= _brightness(rng)
    haze = np.array([_HAZE.get(band, 0.0) for band in BANDS]) * rng.gamma(2.0, 0.7)
    cube += haze[:, np.newaxis, np.newaxis]
    bands = iter(range(len(BANDS)))
    r10, r20, r60 = (
        _sense(cube[[next(bands) for _ in resolution.bands]], resolution.pixels, rng) for resolution in RESOLUTIONS
    )
    return Scene(cover, r10, r20, r60)


def _arrange(labels: list[int], shares: list[float], rng: np.random.Generator) -> NDArray[np.int64]:
    """Divide the patch: each cover but the first takes its share, where a smooth field of its own is lowest."""
    cover = np.full((SIZE, SIZE), labels[0], dtype=np.int64)
    free = np.ones((SIZE, SIZE), dtype=bool)
    remaining = 1.0
    for label, share in zip(labels[:0:-1], shares[:0:-1], strict=True):
        field = _smooth_noise(4, rng)
        if COVERS[label].linear:
            field = np.abs(field - rng.normal(0, 0.3))
        level = np.quantile(field[free], share / remaining)
        taken = free & (field <= level)
        cover[taken] = label
        free &= ~taken
        remaining -= share
    return cover


def _fill(cover: NDArray[np.int64], labels: list[int], rng: np.random.Generator) -> NDArray[np.int64]:
    """The material of each pixel, as row of `MATERIALS.spectra`."""
    material = np.empty((SIZE, SIZE), dtype=np.int64)
    for label in labels:
        here = cover == label
        look = COVERS[label]
        rows = np.array([MATERIALS.index(name) for name in look.shares])
        bounds = np.cumsum(list(look.shares.values()))[:-1]
        material[here] = rows[np.searchsorted(bounds, _alternation(look.grain, rng)[here])]
    return material


def _alternation(grain: Grain, rng: np.random.Generator) -> NDArray[np.float64]:
    """A field (120, 120) of values uniform in [0, 1) that changes as materials of this grain do."""
    if grain == "pixels":
        return rng.random((SIZE, SIZE))
    if grain == "patches":
        return np.asarray(ndtr(_smooth_noise(24, rng)), dtype=np.float64)
    return _parcels(_PARCEL_PIXELS[grain], rng)


def _parcels(pixels: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """One random value a parcel: a rotated, slightly bent grid of rectangles about `pixels` wide."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    angle = rng.uniform(0, np.pi)
    stretch = rng.uniform(1.0, 2.0)
    along = (x * np.cos(angle) + y * np.sin(angle)) / (pixels * stretch) + 0.15 * _smooth_noise(4, rng)
    across = (y * np.cos(angle) - x * np.sin(angle)) / pixels + 0.15 * _smooth_noise(4, rng)
    column = np.floor(along - along.min()).astype(np.int64)
    row = np.floor(across - across.min()).astype(np.int64)
    values = rng.random((column.max() + 1, row.max() + 1))
    return np.asarray(values[column, row], dtype=np.float64)


def _vary(spectra: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """No two patches have the same soil or crop: vary each material's level, and a little each of its bands."""
    level = rng.normal(1, 0.05, (len(spectra), 1))
    tilt = rng.normal(1, 0.02, spectra.shape)
    illumination = rng.uniform(0.88, 1.1)
    return spectra * np.clip(level * tilt, 0.6, 1.4) * illumination


def _brightness(rng: np.random.Generator) -> NDArray[np.float64]:
    """Relief and texture: a factor for each pixel, shape (120, 120)."""
    relief = 0.05 * _smooth_noise(5, rng) + 0.04 * _smooth_noise(30, rng)
    return np.clip(1 + relief + rng.normal(0, 0.05, (SIZE, SIZE)), 0.5, 1.6)


def _sense(bands: NDArray[np.float64], pixels: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Average over a resolution's pixels, add the sensor's noise, and round to digital numbers."""
    step = SIZE // pixels
    mean = bands.reshape(len(bands), pixels, step, pixels, step).mean(axis=(2, 4))
    noisy = mean + rng.normal(0, 1, mean.shape) * (8 + 0.01 * mean)
    digital: NDArray[np.uint16] = np.clip(np.rint(noisy), 1, _FULL_SCALE).astype(np.uint16)
    return digital


def _smooth_noise(cells: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Smooth random hills, mean 0 and variance about 1, shape (120, 120); `cells` hills along a side."""
    weights = _interpolation(cells)
    return weights @ rng.standard_normal((cells + 3, cells + 3)) @ weights.T


@cache
def _interpolation(cells: int) -> NDArray[np.float64]:
    """Weights (120, cells + 3) of a cubic B-spline through `cells` intervals, scaled to keep the variance."""
    position = (np.arange(SIZE) + 0.5) / SIZE * cells
    distance = np.abs(position[:, np.newaxis] + 1 - np.arange(cells + 3))
    inner = 2 / 3 - distance**2 + distance**3 / 2
    outer = np.clip(2 - distance, 0, None) ** 3 / 6
    weights = np.where(distance < 1, inner, outer)
    return np.asarray(weights / np.sqrt((weights**2).sum(axis=1, keepdims=True)), dtype=np.float64)
