import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrawatt.data.splitfile import Split, content_digest, new_split, read_provenance, read_split, write_split
from terrawatt.errors import DataError

NAMES = ["patch_a", "patch_b", "patch_c", "patch_d"]


@pytest.fixture
def split() -> Split:
    return new_split(pa.array(NAMES), np.array([0, 0, 1, 2], dtype=np.int8), {"method": "random", "seed": 3})


@pytest.fixture
def path(split: Split, tmp_path: Path) -> Path:
    write_split(split, tmp_path / "split.parquet")
    return tmp_path / "split.parquet"


def change(path: Path, **columns: list[str | None]) -> Path:
    """The file with other columns, its metadata as it was."""
    table = pq.read_table(path)
    new = pa.table({name: columns.get(name, table[name].to_pylist()) for name in table.schema.names})
    pq.write_table(new.replace_schema_metadata(table.schema.metadata), path)
    return path


def test_what_is_written_is_read(split: Split, path: Path) -> None:
    found = read_split(path)
    assert found.patch_ids.to_pylist() == NAMES
    assert found.parts.tolist() == [0, 0, 1, 2]
    assert found.provenance == split.provenance == read_provenance(path)
    assert [found.size(part) for part in ("train", "validation", "test")] == [2, 1, 1]
    assert pq.read_table(path).to_pylist()[2] == {"patch_id": "patch_c", "split": "validation"}


def test_the_digest_is_of_patches_and_parts_alone(split: Split) -> None:
    same = new_split(split.patch_ids, split.parts, {"method": "official"})
    other = new_split(split.patch_ids, np.array([0, 1, 0, 2], dtype=np.int8), {"method": "random", "seed": 3})
    assert same.digest == split.digest != other.digest
    assert len(content_digest(pa.array([], pa.string()), np.array([], dtype=np.int8))) == 64


def test_the_order_in_the_file_does_not_matter(split: Split, path: Path) -> None:
    change(path, patch_id=NAMES[::-1], split=["test", "validation", "train", "train"])
    assert read_split(path).patch_ids.to_pylist() == NAMES


def test_a_file_that_is_there_is_not_replaced(split: Split, path: Path) -> None:
    with pytest.raises(DataError, match="exists already"):
        write_split(split, path)


def test_a_folder_that_is_not_there(split: Split, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere is not a folder"):
        write_split(split, tmp_path / "nowhere" / "split.parquet")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"patch_id": ["patch_a", "patch_a", "patch_c", "patch_d"]}, "patch patch_a is twice in train"),
        (
            {"patch_id": ["patch_a", "patch_b", "patch_a", "patch_d"]},
            "patch patch_a is in two parts, train and validation",
        ),
        ({"patch_id": ["x", "y", "x", "y"]}, "patch x is in two parts, train and validation; 1 others"),
        (
            {"split": ["train", "train", "val", "test"]},
            "patch patch_c is in a part named 'val'; parts are train, valid",
        ),
        ({"split": ["train", "train", None, "test"]}, "empty cells"),
        ({"split": ["train", "test", "validation", "test"]}, "was changed since it was made"),
    ],
)
def test_damaged_content_is_refused(path: Path, columns: dict[str, list[str | None]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_split(change(path, **columns))


def test_what_is_no_split_is_refused(tmp_path: Path) -> None:
    missing, text, table = tmp_path / "missing", tmp_path / "text", tmp_path / "table.parquet"
    text.write_text("patch_a,train\n")
    pq.write_table(pa.table({"patch_id": NAMES, "split": ["train"] * 4}), table)
    for path, message in (
        (missing, "does not exist"),
        (text, "is not the file of a split"),
        (table, "does not say how"),
    ):
        with pytest.raises(DataError, match=f"{message}.*terrawatt data split"):
            read_split(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [("no json", "is not the file"), ("[]", "is not the file"), ('{"format": "other"}', "is not the file")],
)
def test_metadata_of_something_else(path: Path, content: str, message: str) -> None:
    pq.write_table(pq.read_table(path).replace_schema_metadata({b"terrawatt_split": content.encode()}), path)
    with pytest.raises(DataError, match=message):
        read_provenance(path)


def test_another_format_version(path: Path) -> None:
    table = pq.read_table(path)
    content = json.loads(table.schema.metadata[b"terrawatt_split"]) | {"format_version": 2}
    pq.write_table(table.replace_schema_metadata({b"terrawatt_split": json.dumps(content).encode()}), path)
    with pytest.raises(DataError, match="format version 2, this program reads 1"):
        read_split(path)
