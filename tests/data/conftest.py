import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from terrawatt.data.archive import open_archive
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.synth import synthesise

PATCHES = 12


@pytest.fixture(scope="session")
def shared_v1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic v1 archive; not to be changed."""
    folder = tmp_path_factory.mktemp("shared") / "v1"
    synthesise(folder, version="v1", patches=PATCHES, seed=7)
    return folder


@pytest.fixture(scope="session")
def shared_v2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic v2 archive; not to be changed."""
    folder = tmp_path_factory.mktemp("shared") / "v2"
    synthesise(folder, version="v2", patches=PATCHES, seed=7)
    return folder


@pytest.fixture
def v1(shared_v1: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    return Path(shutil.copytree(shared_v1, tmp_path / "v1"))


@pytest.fixture
def v2(shared_v2: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared_v2, tmp_path / "v2"))


@pytest.fixture(scope="session")
def shared_packs(shared_v1: Path, shared_v2: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Packs of both archives in shards of 5 patches; not to be changed."""
    folder = tmp_path_factory.mktemp("packs")
    return {
        version: pack_archive(open_archive(source), folder / version, Packing(shard_patches=5)).path
        for version, source in (("v1", shared_v1), ("v2", shared_v2))
    }


@pytest.fixture
def pack_folder(shared_packs: dict[str, Path], tmp_path: Path) -> Path:
    """A v1 pack to be damaged."""
    return Path(shutil.copytree(shared_packs["v1"], tmp_path / "pack"))


@pytest.fixture
def write_tiff() -> Callable[..., Path]:
    """Writes a TIFF of (bands, rows, columns) with any of GDAL's options."""

    def write(path: Path, pixels: np.ndarray, **options: object) -> Path:
        count, height, width = pixels.shape
        profile = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": pixels.dtype.name}
        with pytest.warns(NotGeoreferencedWarning), rasterio.open(path, "w", **{**profile, **options}) as dataset:
            dataset.write(pixels)
        return path

    return write


def patch_folders(archive: Path) -> list[Path]:
    """The patches' folders of a v1 archive, by name."""
    return sorted(folder for folder in (archive / "BigEarthNet-v1.0").iterdir())


def labels_file(folder: Path) -> Path:
    return folder / f"{folder.name}_labels_metadata.json"


def change_labels(folder: Path, content: object) -> None:
    labels_file(folder).write_text(json.dumps(content))
