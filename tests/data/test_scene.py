import numpy as np
import pytest

from terrawatt.data.bands import RESOLUTIONS
from terrawatt.data.labels import LABELS_43
from terrawatt.data.scene import Scene, paint


def painted(*names: str, seed: int = 0) -> Scene:
    labels = [LABELS_43.index(name) for name in names]
    return paint(labels, [1 / len(labels)] * len(labels), 1.0, np.random.default_rng(seed))


def test_shapes_and_values() -> None:
    scene = painted("Pastures", "Water courses", "Mixed forest")
    for resolution, array in zip(RESOLUTIONS, (scene.r10, scene.r20, scene.r60), strict=True):
        assert array.shape == resolution.shape
        assert array.dtype == np.uint16
        assert array.min() >= 1
    assert scene.cover.shape == (120, 120)


def test_each_cover_has_its_share() -> None:
    labels = [LABELS_43.index(name) for name in ("Pastures", "Mixed forest", "Water courses")]
    scene = paint(labels, [0.5, 0.3, 0.2], 1.0, np.random.default_rng(1))
    for label, share in zip(labels, (0.5, 0.3, 0.2), strict=True):
        assert (scene.cover == label).mean() == pytest.approx(share, abs=0.01)


def test_the_same_chance_gives_the_same_patch() -> None:
    first, second, other = (painted("Pastures", "Peatbogs", seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(first.r10, second.r10)
    assert np.array_equal(first.r60, second.r60)
    assert not np.array_equal(first.r10, other.r10)


def test_a_forest_and_a_lake_show_in_the_near_infrared() -> None:
    scene = painted("Broad-leaved forest", "Water bodies")
    near_infrared = scene.r10[3]
    forest = near_infrared[scene.cover == LABELS_43.index("Broad-leaved forest")]
    lake = near_infrared[scene.cover == LABELS_43.index("Water bodies")]
    assert forest.mean() > 10 * lake.mean()


def test_resolutions_see_the_same_ground() -> None:
    scene = painted("Broad-leaved forest", "Water bodies")
    coarse = scene.r10[3].reshape(60, 2, 60, 2).mean(axis=(1, 3))
    b8a = scene.r20[3]
    assert np.corrcoef(coarse.ravel(), b8a.ravel())[0, 1] > 0.98
    b09 = scene.r60[1]
    assert np.corrcoef(coarse.reshape(20, 3, 20, 3).mean(axis=(1, 3)).ravel(), b09.ravel())[0, 1] > 0.98


def test_fields_are_parcels_and_the_sea_is_smooth() -> None:
    fields = painted("Non-irrigated arable land").r10[0].astype(float)
    sea = painted("Sea and ocean").r10[0].astype(float)
    assert fields.std() / fields.mean() > 3 * sea.std() / sea.mean()
