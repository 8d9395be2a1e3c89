from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrawatt.data.label_table import NO_PART, read_label_table
from terrawatt.data.labels import LABELS_19, LABELS_43, mask_to_19, names_to_mask
from terrawatt.errors import DataError


def write(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table({"patch_id": ["a", "b", "c"]} | columns), path)
    return path


def test_labels_become_bitmasks(tmp_path: Path) -> None:
    labels = [["Arable land", "Pastures"], ["Mixed forest"], None]
    found = read_label_table(write(tmp_path / "t.parquet", labels=pa.array(labels, pa.list_(pa.string()))))
    assert found.masks[19].tolist() == [names_to_mask(names or (), LABELS_19) for names in labels]
    assert list(found.masks) == [19]
    assert found.parts.tolist() == [NO_PART] * 3


def test_43_labels_have_their_classes(tmp_path: Path) -> None:
    labels = [["Airports", "Pastures"], ["Vineyards", "Sea and ocean"], ["Bare rock"]]
    found = read_label_table(write(tmp_path / "t.parquet", labels=labels))
    assert found.masks[43].tolist() == [names_to_mask(names, LABELS_43) for names in labels]
    assert found.masks[19].tolist() == [mask_to_19(int(mask)) for mask in found.masks[43]]


def test_splits_flags_and_places(tmp_path: Path) -> None:
    found = read_label_table(
        write(
            tmp_path / "t.parquet",
            split=["train", None, "test"],
            contains_seasonal_snow=[False, True, None],
            contains_cloud_or_shadow=[False, False, True],
            country=["Austria", "Finland", None],
        )
    )
    assert found.parts.tolist() == [0, NO_PART, 2]
    assert found.flagged.tolist() == [False, True, True]
    assert found.countries is not None
    assert found.countries.to_pylist() == ["Austria", "Finland", None]
    assert found.v1_names is None
    assert found.masks == {}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"patch_id": ["a", "b", "b"]}, "1 patches are listed twice, the first is b"),
        ({"patch_id": ["a", None, "b"]}, "has empty cells"),
        ({"split": ["train", "val", "test"]}, "patch b is in a part named 'val'"),
        ({"labels": [["Pastures"], ["Pasture"], []]}, "patch b has an unknown label 'Pasture'. Did you mean Pastures"),
        ({"labels": ["Pastures", "Pastures", "Pastures"]}, "holds string instead of lists"),
    ],
)
def test_wrong_tables(columns: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_label_table(write(tmp_path / "t.parquet", **columns))


def test_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other")
    for name, message in (("missing", "does not exist"), ("text", "cannot be read as Parquet"), ("other", "patch_id")):
        with pytest.raises(DataError, match=message):
            read_label_table(tmp_path / name)


def test_labels_need_not_be_read(tmp_path: Path) -> None:
    file = write(tmp_path / "t.parquet", labels=[["?"], [], []])
    assert read_label_table(file, with_labels=False).masks == {}
    assert isinstance(read_label_table(file, with_labels=False).parts, np.ndarray)
