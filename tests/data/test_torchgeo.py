"""A foreign reader opens our synthetic archives."""

from pathlib import Path

import numpy as np
import pytest

from terrawatt.data.pack import Pack

torchgeo = pytest.importorskip("torchgeo.datasets")

SPLITS = {"train": "train", "val": "validation", "test": "test"}
# torchgeo's order is by number, with B8A after B08
SORTED_10M = {"B02": 1, "B03": 2, "B04": 3, "B08": 7}
PACK_10M = ("B04", "B03", "B02", "B08")


def compare(dataset: object, pack: Pack, rows: np.ndarray, n_classes: int) -> None:
    labels = {name: pack.labels(n_classes)[row] for row, name in zip(rows, pack.patch_ids(rows), strict=True)}
    bands = {name: pack.read([row]).r10[0] for row, name in zip(rows, pack.patch_ids(rows), strict=True)}
    assert len(dataset) == len(rows) > 0  # type: ignore[arg-type]
    for index in range(len(rows)):
        sample = dataset[index]  # type: ignore[index]
        assert sample["image"].shape == (12, 120, 120)
        image = sample["image"].numpy()
        name = next(name for name, array in bands.items() if np.array_equal(image[3], array[0]))
        for position, band in enumerate(PACK_10M):
            assert np.array_equal(image[SORTED_10M[band]], bands[name][position])
        assert np.array_equal(sample["label"].numpy(), labels[name])


@pytest.mark.parametrize("n_classes", [43, 19])
@pytest.mark.parametrize("split", SPLITS)
def test_v1(split: str, n_classes: int, shared_v1: Path, shared_packs: dict[str, Path]) -> None:
    dataset = torchgeo.BigEarthNet(str(shared_v1), split=split, bands="s2", num_classes=n_classes)
    pack = Pack.open(shared_packs["v1"])
    compare(dataset, pack, pack.rows(SPLITS[split]), n_classes)


@pytest.mark.parametrize("split", SPLITS)
def test_v2(split: str, shared_v2: Path, shared_packs: dict[str, Path]) -> None:
    if not hasattr(torchgeo, "BigEarthNetV2"):
        pytest.skip("this torchgeo has no reader of v2")
    dataset = torchgeo.BigEarthNetV2(str(shared_v2), split=split, bands="s2")
    pack = Pack.open(shared_packs["v2"])
    compare(dataset, pack, pack.rows(SPLITS[split]), 19)
    assert dataset[0]["mask"].shape == (1, 120, 120)
