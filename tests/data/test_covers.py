import pytest

from terrawatt.data.covers import COVERS, Cover
from terrawatt.data.labels import LABELS_19, LABELS_43, TO_19
from terrawatt.data.spectra import MATERIALS


@pytest.mark.parametrize("cover", COVERS, ids=LABELS_43)
def test_shares_of_known_materials_make_a_whole(cover: Cover) -> None:
    assert sum(cover.shares.values()) == pytest.approx(1)
    assert set(cover.shares) <= set(MATERIALS.names)


def test_codes_are_those_of_corine() -> None:
    codes = [cover.clc_code for cover in COVERS]
    assert codes == sorted(set(codes))
    assert len(codes) == 43
    assert codes[LABELS_43.index("Pastures")] == 231
    assert codes[LABELS_43.index("Sea and ocean")] == 523


def test_codes_fall_into_the_classes_that_torchgeo_gives_them() -> None:
    datasets = pytest.importorskip("torchgeo.datasets")
    ours = {cover.clc_code: to for cover, to in zip(COVERS, TO_19, strict=True) if to is not None}
    assert ours == datasets.BigEarthNetV2.clc_codes
    assert list(LABELS_19) == datasets.BigEarthNetV2.class_set
