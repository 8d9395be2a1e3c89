import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from terrawatt.data.labels import LABELS_19, mask_to_names
from terrawatt.data.packformat import FLAG_CLOUD, FLAG_SNOW
from terrawatt.data.patch import read_patch
from terrawatt.data.v2 import SNOW_CLOUD_METADATA, ArchiveV2, is_tile_name
from terrawatt.errors import DataError, PatchError

TILES = "BigEarthNet-S2"


def open_v2(folder: Path) -> ArchiveV2:
    return ArchiveV2.open(folder / TILES, folder / "metadata.parquet")


def change(folder: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    file = folder / "metadata.parquet"
    edit(pd.read_parquet(file)).to_parquet(file)


def set_row(patch_id: str, column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def edit(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = [
            value if name == patch_id else old for name, old in zip(table.patch_id, table[column], strict=True)
        ]
        return table

    return edit


def test_labels_and_splits_are_those_of_the_table(shared_v2: Path) -> None:
    archive = open_v2(shared_v2)
    table = pd.read_parquet(shared_v2 / "metadata.parquet").set_index("patch_id")
    assert sorted(table.index) == [entry.patch_id for entry in archive.entries]
    for entry in archive.entries:
        labels = archive.labels(entry)
        assert labels.mask_43 is None
        assert set(mask_to_names(labels.mask_19, LABELS_19)) == set(table.labels[entry.patch_id])
        assert entry.split == table.split[entry.patch_id]
        assert entry.flags == 0


def test_flags_come_from_the_columns(v2: Path) -> None:
    patch = open_v2(v2).entries[0].patch_id
    change(v2, set_row(patch, "contains_seasonal_snow", value=True))
    change(v2, set_row(patch, "contains_cloud_or_shadow", value=True))
    assert open_v2(v2).entries[0].flags == FLAG_SNOW | FLAG_CLOUD


def test_the_companion_with_snow_and_cloud(v2: Path) -> None:
    patch = open_v2(v2).entries[0].patch_id
    table = pd.read_parquet(v2 / "metadata.parquet")
    flagged = table[table.patch_id == patch].assign(contains_seasonal_snow=True)
    table[table.patch_id != patch].to_parquet(v2 / "metadata.parquet")
    assert open_v2(v2).coverage.unlisted == (patch,)
    assert patch not in {entry.patch_id for entry in open_v2(v2).entries}
    flagged.to_parquet(v2 / SNOW_CLOUD_METADATA)
    archive = open_v2(v2)
    assert archive.coverage.unlisted == ()
    assert archive.entries[0].patch_id == patch
    assert archive.entries[0].flags == FLAG_SNOW


def test_a_patch_in_both_tables(v2: Path) -> None:
    shutil.copy(v2 / "metadata.parquet", v2 / SNOW_CLOUD_METADATA)
    with pytest.raises(DataError, match="is in both"):
        open_v2(v2)


def test_a_part_of_the_archive(v2: Path) -> None:
    gone = open_v2(v2).entries[0]
    shutil.rmtree(gone.folder)
    archive = open_v2(v2)
    assert archive.coverage.n_missing == 1
    assert archive.coverage.missing[gone.split or ""] == (gone.patch_id,)
    assert gone.patch_id not in {entry.patch_id for entry in archive.entries}


def test_tiff_with_two_f(v2: Path) -> None:
    entry = open_v2(v2).entries[0]
    for file in entry.folder.glob("*.tif"):
        file.rename(file.with_suffix(".tiff"))
    assert read_patch(open_v2(v2), entry).r60.shape == (2, 20, 20)


def test_a_patch_in_two_tiles(v2: Path) -> None:
    entry = open_v2(v2).entries[0]
    other = "S2A_MSIL2A_20170613T101031_N9999_R022_T00AAA"
    shutil.copytree(entry.folder, v2 / TILES / other / entry.patch_id)
    archive = open_v2(v2)
    assert archive.entries[0].folder == entry.folder
    assert archive.coverage.duplicates == ((entry.patch_id, f"also in the folder of the tile {other}"),)


def test_a_patch_twice_in_the_table(v2: Path) -> None:
    entry = open_v2(v2).entries[0]
    change(v2, lambda table: pd.concat([table, table[table.patch_id == entry.patch_id]]))
    archive = open_v2(v2)
    assert archive.entries[0].split == entry.split
    assert archive.coverage.duplicates == ((entry.patch_id, "listed twice in metadata.parquet"),)


@pytest.mark.parametrize(("labels", "what"), [([], "has no labels"), (["Lava"], "has an unknown label 'Lava'")])
def test_bad_labels(labels: list[str], what: str, v2: Path) -> None:
    entry = open_v2(v2).entries[0]
    change(v2, set_row(entry.patch_id, "labels", labels))
    with pytest.raises(PatchError, match=rf"^patch {entry.patch_id}: metadata\.parquet {what}"):
        read_patch(open_v2(v2), entry)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda table: table.drop(columns="split"), "has no column split"),
        (
            lambda table: pd.concat(
                [table, table.head(1).assign(split="test" if table.split[0] != "test" else "train")]
            ),
            "is listed twice, with different values",
        ),
        (lambda table: table.assign(split="dev"), "has the split 'dev'; known are train, validation, test"),
        (lambda table: table.assign(labels="Pastures"), "the column labels holds"),
    ],
)
def test_bad_tables(edit: Callable[[pd.DataFrame], pd.DataFrame], message: str, v2: Path) -> None:
    change(v2, edit)
    with pytest.raises(DataError, match=message):
        open_v2(v2)


def test_not_parquet(v2: Path) -> None:
    (v2 / "metadata.parquet").write_text("patch_id,labels")
    with pytest.raises(DataError, match=r"metadata\.parquet cannot be read as Parquet"):
        open_v2(v2)


def test_no_table(v2: Path) -> None:
    (v2 / "metadata.parquet").unlink()
    with pytest.raises(DataError, match=r"metadata\.parquet does not exist; name the table with --metadata"):
        open_v2(v2)


def test_names() -> None:
    assert is_tile_name("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP")
    assert not is_tile_name("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57")
    assert not is_tile_name("S2A_MSIL2A_20170613T101031_87_48")
