import bz2
from collections.abc import Callable
from pathlib import Path

import pytest

from terrawatt.data.packformat import FLAG_CLOUD, FLAG_NO_CLASS, FLAG_SNOW
from terrawatt.data.splits import has_split_lists, read_split_lists
from terrawatt.errors import DataError


def write_lists(folder: Path, **lists: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {"train": "a_1\r\nb_2\r\n", "val": "c_3\r\n", "test": "d_4\r\n", **lists}.items():
        (folder / f"{name}.csv").write_bytes(text.encode())
    return folder


@pytest.mark.parametrize(
    "text", ["a_1\r\nb_2\r\n", "a_1\nb_2\n", "a_1\nb_2", "\ufeffa_1\nb_2\n\n", "a_1,S1A_x\nb_2,S1B_y\n"]
)
def test_line_ends_and_further_columns(text: str, tmp_path: Path) -> None:
    lists = read_split_lists(write_lists(tmp_path, train=text))
    assert lists.split == {"a_1": "train", "b_2": "train", "c_3": "validation", "d_4": "test"}
    assert lists.flags == {}


def test_compressed(tmp_path: Path) -> None:
    folder = write_lists(tmp_path)
    plain = folder / "train.csv"
    (folder / "train.csv.bz2").write_bytes(bz2.compress(plain.read_bytes()))
    plain.unlink()
    assert read_split_lists(folder).split["b_2"] == "train"


def test_patches_to_leave_out(tmp_path: Path) -> None:
    folder = write_lists(
        tmp_path,
        patches_with_seasonal_snow="x_1\r\ny_2\r\n",
        patches_with_cloud_and_shadow="y_2\r\n",
        patches_with_no_19_class_targets="z_3\n",
    )
    assert read_split_lists(folder).flags == {"x_1": FLAG_SNOW, "y_2": FLAG_SNOW | FLAG_CLOUD, "z_3": FLAG_NO_CLASS}


def remove_val(folder: Path) -> None:
    (folder / "val.csv").unlink()


def damage_archive(folder: Path) -> None:
    (folder / "val.csv").unlink()
    (folder / "val.csv.bz2").write_bytes(b"BZh9 no")


def repeat(folder: Path) -> None:
    (folder / "test.csv").write_text("a_1\n")


def not_text(folder: Path) -> None:
    (folder / "test.csv").write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_val, "has no val.csv or val.csv.bz2"),
        (damage_archive, "val.csv.bz2 cannot be read as a list of patches"),
        (repeat, "test.csv: patch a_1 is in two splits \\(train and test\\)"),
        (not_text, "test.csv cannot be read as a list"),
    ],
)
def test_bad_lists(damage: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    folder = write_lists(tmp_path)
    damage(folder)
    with pytest.raises(DataError, match=message):
        read_split_lists(folder)


def test_whether_there_are_lists(tmp_path: Path) -> None:
    assert not has_split_lists(tmp_path / "none")
    assert has_split_lists(write_lists(tmp_path))
