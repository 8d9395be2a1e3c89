"""A synthetic archive in exactly the formats of BigEarthNet v1.0 and v2.0.

For tests, for `terrawatt demo`, and for trying an experiment before the 60 GB are there. Each patch depends only on the
seed and its number: the first 100 patches of 300 are those of 100. The ground is painted by `scene.py` from the labels
that `landscapes.py` draws; classes differ as their materials do (`covers.py`, `spectra.py`), many of them hardly in the
visible, as in nature.

    v1: BigEarthNet-v1.0/<patch>/…          v2: BigEarthNet-S2/<tile>/<patch>/…
        splits/train.csv val.csv test.csv       Reference_Maps/<tile>/<patch>/<patch>_reference_map.tif
        bigearthnet-train.csv …                 metadata.parquet
                                                BigEarthNet-S1/   (empty)

The last file of v1 and the last folder of v2 are there for other readers of whole archives (torchgeo looks for them);
there are no radar images.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from numpy.typing import NDArray

from terrawatt.data.bands import PATCH_SIZE_M, RESOLUTIONS
from terrawatt.data.covers import COVERS
from terrawatt.data.geotiff import Georeference, projection_wkt
from terrawatt.data.geotiff_template import TemplateEncoder
from terrawatt.data.labels import LABELS_19, LABELS_43, mask_to_19, mask_to_names
from terrawatt.data.landscapes import ACQUISITIONS, PATCHES_A_SIDE, Acquisition, draw_covers
from terrawatt.data.scene import Scene, paint
from terrawatt.data.v1 import LABELS_SUFFIX
from terrawatt.data.v2 import METADATA, TILES
from terrawatt.errors import DataError, UsageError

MAX_PATCHES: Final = len(ACQUISITIONS) * PATCHES_A_SIDE**2

_SPLIT_SHARES: Final = {"train": 0.52, "validation": 0.24, "test": 0.24}  # of the official v1 lists
_V1_LISTS: Final = {"train": "train", "validation": "val", "test": "test"}
_PATCHES_A_TASK: Final = 50  # of several processes: enough for the pipes to be idle, few enough to see progress


@dataclass(frozen=True)
class Site:
    """A synthetic patch before it is painted: its place in an acquisition's grid, and its split."""

    number: int
    acquisition: Acquisition
    column: int
    row: int
    split: str

    @property
    def v1_name(self) -> str:
        """The patch's name in v1.0."""
        return f"{self.acquisition.satellite}_MSIL2A_{self.acquisition.time}_{self.column}_{self.row}"

    @property
    def v2_tile_name(self) -> str:
        """The name of the tile's folder in v2.0."""
        seen = self.acquisition
        return f"{seen.satellite}_MSIL2A_{_full_time(seen)}_N9999_{seen.orbit}_T{seen.tile}"

    @property
    def v2_name(self) -> str:
        """The patch's name in v2.0."""
        return f"{self.v2_tile_name}_{self.column:02d}_{self.row:02d}"

    @property
    def s1_name(self) -> str:
        """The name that a radar image of the patch would have."""
        seen = self.acquisition
        return f"S1A_IW_GRDH_1SDV_{_full_time(seen)}_{seen.tile}_{self.column}_{self.row}"

    @property
    def place(self) -> Georeference:
        """The patch's upper left corner."""
        seen = self.acquisition
        return Georeference(seen.epsg, seen.left_m + self.column * PATCH_SIZE_M, seen.top_m - self.row * PATCH_SIZE_M)


def synthesise(
    folder: Path,
    *,
    version: str,
    patches: int,
    seed: int,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write a synthetic archive; the folder appears only when it is complete.

    Args:
        folder: where to; must not exist, or be empty.
        version: "v1" or "v2".
        patches: how many, 1 to `MAX_PATCHES`.
        seed: any integer from 0 on; the same seed gives the same bytes, whatever the number of processes.
        processes: how many paint.
        progress: called with the number of patches written so far.

    Raises:
        UsageError: a version, number or seed that cannot be.
        DataError: the folder holds something, or cannot be written.
    """
    if version not in ("v1", "v2"):
        raise UsageError(f"there is no BigEarthNet version {version!r}; known are v1, v2")
    if not 1 <= patches <= MAX_PATCHES:
        raise UsageError(f"the number of patches must be in 1 … {MAX_PATCHES}, not {patches}")
    if seed < 0:
        raise UsageError(f"the seed must not be negative, as {seed} is")
    sites = plan_sites(patches, seed)
    masks: list[int] = []
    with _appearing(folder) as building:
        for mask in _write_patches(partial(_write_patch, building, version, seed), sites, processes):
            masks.append(mask)
            if progress is not None:
                progress(len(masks))
        if version == "v1":
            _write_v1_lists(building, sites)
        else:
            _write_v2_lists(building, sites, masks)


def plan_sites(patches: int, seed: int) -> list[Site]:
    """Places and splits of the patches: acquisitions in turn, cells of their grid in random order."""
    cells = np.random.default_rng([seed, MAX_PATCHES]).permutation(PATCHES_A_SIDE**2)
    counts = dict.fromkeys(_SPLIT_SHARES, 0)
    sites = []
    for number in range(patches):
        acquisition = ACQUISITIONS[number % len(ACQUISITIONS)]
        column, row = divmod(int(cells[number // len(ACQUISITIONS)]), PATCHES_A_SIDE)
        # Always the split that is furthest behind its share: any number of patches is divided as it should be.
        split = max(counts, key=lambda name: _SPLIT_SHARES[name] * (number + 1) - counts[name])
        counts[split] += 1
        sites.append(Site(number, acquisition, column, row, split))
    return sites


def make_patch(site: Site, seed: int) -> tuple[list[int], Scene]:
    """The labels (indices of `LABELS_43`, ascending) and the painted ground of a patch."""
    rng = np.random.default_rng([seed, site.number])
    labels, shares = draw_covers(site.acquisition.region, rng)
    return sorted(labels), paint(labels, shares, site.acquisition.greenness, rng)


def _write_patches(write: Callable[[Site], int], sites: Sequence[Site], processes: int) -> Iterator[int]:
    """Write patches, by one process or several; the labels of each as a bitmask, in their order."""
    if processes == 1:
        with rasterio.Env():
            yield from map(write, sites)
        return
    tasks = [sites[first : first + _PATCHES_A_TASK] for first in range(0, len(sites), _PATCHES_A_TASK)]
    with ProcessPoolExecutor(
        min(processes, len(tasks)),
        mp_context=get_context("spawn"),  # a parent with threads must not be forked
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),  # Ctrl-C is the parent's
    ) as pool:
        try:
            for masks in pool.map(partial(_write_some, write), tasks):
                yield from masks
        finally:
            pool.shutdown(cancel_futures=True)


def _write_some(write: Callable[[Site], int], sites: Iterable[Site]) -> list[int]:
    with rasterio.Env():
        return [write(site) for site in sites]


def _write_patch(archive: Path, version: str, seed: int, site: Site) -> int:
    """Paint and write a patch; its labels as a bitmask."""
    labels, scene = make_patch(site, seed)
    write = _write_v1_patch if version == "v1" else _write_v2_patch
    write(archive, site, labels, scene)
    return sum(1 << label for label in labels)


@cache
def _encoder() -> TemplateEncoder:
    return TemplateEncoder()


def _write_v1_patch(archive: Path, site: Site, labels: list[int], scene: Scene) -> None:
    folder = archive / "BigEarthNet-v1.0" / site.v1_name
    _write_bands(folder, site.v1_name, site.place, scene, nodata=None)
    seen, place = site.acquisition, site.place
    time = _full_time(seen)
    content = {
        "labels": [LABELS_43[label] for label in labels],
        "coordinates": {
            "ulx": place.left_m,
            "uly": place.top_m,
            "lrx": place.left_m + PATCH_SIZE_M,
            "lry": place.top_m - PATCH_SIZE_M,
        },
        "projection": projection_wkt(place.epsg),
        "tile_source": f"{seen.satellite}_MSIL1C_{time}_N0205_{seen.orbit}_T{seen.tile}_{time}.SAFE",
        "acquisition_date": f"{datetime.strptime(time, '%Y%m%dT%H%M%S'):%Y-%m-%d %H:%M:%S}",  # noqa: DTZ007
    }
    (folder / f"{site.v1_name}{LABELS_SUFFIX}").write_text(json.dumps(content), encoding="utf-8")


def _write_v2_patch(archive: Path, site: Site, labels: list[int], scene: Scene) -> None:
    _write_bands(archive / TILES / site.v2_tile_name / site.v2_name, site.v2_name, site.place, scene, nodata=0)
    codes = np.array([cover.clc_code for cover in COVERS], dtype=np.uint16)
    folder = archive / "Reference_Maps" / site.v2_tile_name / site.v2_name
    folder.mkdir(parents=True)
    reference = _encoder().encode(codes[scene.cover], 10, site.place, nodata=0)
    (folder / f"{site.v2_name}_reference_map.tif").write_bytes(reference)


def _write_bands(folder: Path, name: str, place: Georeference, scene: Scene, nodata: int | None) -> None:
    folder.mkdir(parents=True)
    arrays: tuple[NDArray[np.uint16], ...] = (scene.r10, scene.r20, scene.r60)
    for resolution, array in zip(RESOLUTIONS, arrays, strict=True):
        for band, pixels in zip(resolution.bands, array, strict=True):
            (folder / f"{name}_{band}.tif").write_bytes(_encoder().encode(pixels, resolution.pixel_m, place, nodata))


def _write_v1_lists(archive: Path, sites: list[Site]) -> None:
    folder = archive / "splits"
    folder.mkdir()
    for split, stem in _V1_LISTS.items():
        chosen = [site for site in sites if site.split == split]
        names = "".join(f"{site.v1_name}\r\n" for site in chosen)
        (folder / f"{stem}.csv").write_bytes(names.encode())
        pairs = "".join(f"{site.v1_name},{site.s1_name}\n" for site in chosen)
        (archive / f"bigearthnet-{stem}.csv").write_bytes(pairs.encode())


def _write_v2_lists(archive: Path, sites: list[Site], masks: list[int]) -> None:
    table = pa.table(
        {
            "patch_id": [site.v2_name for site in sites],
            "labels": [sorted(mask_to_names(mask_to_19(mask), LABELS_19)) for mask in masks],
            "split": [site.split for site in sites],
            "country": [site.acquisition.country for site in sites],
            "s1_name": [site.s1_name for site in sites],
            "s2v1_name": [site.v1_name for site in sites],
            "contains_seasonal_snow": [False] * len(sites),
            "contains_cloud_or_shadow": [False] * len(sites),
        }
    )
    with (archive / METADATA).open("wb") as file:
        pq.write_table(table, file)
    (archive / "BigEarthNet-S1").mkdir()


def _full_time(seen: Acquisition) -> str:
    """The acquisition's time with all six digits of the clock."""
    date, clock = seen.time.split("T")
    return f"{date}T{clock:0>6}"


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder to build in, which becomes `folder` when the block ends well and vanishes when it does not."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} exists already and is not an empty folder; name another one")
    building = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    building.mkdir(parents=True)
    try:
        yield building
        building.replace(folder)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"cannot write the archive {folder}: {reason}; nothing was left there") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
