import shutil
from pathlib import Path

import pytest

from terrawatt.data.archive import open_archive, require_complete
from terrawatt.errors import DataError, UsageError


def test_v1_by_its_parent_or_by_the_folder_of_patches(shared_v1: Path) -> None:
    whole = open_archive(shared_v1)
    inner = open_archive(shared_v1 / "BigEarthNet-v1.0")
    assert whole.version == inner.version == "v1"
    assert whole.entries == inner.entries


def test_v1_in_a_folder_of_any_name(v1: Path) -> None:
    (v1 / "BigEarthNet-v1.0").rename(v1 / "mine")
    assert open_archive(v1 / "mine", splits=v1 / "splits").coverage.n_missing == 0


def test_v2_by_its_parent_or_by_the_folder_of_tiles(shared_v2: Path) -> None:
    whole = open_archive(shared_v2)
    inner = open_archive(shared_v2 / "BigEarthNet-S2")
    assert whole.version == inner.version == "v2"
    assert whole.entries == inner.entries


def test_metadata_elsewhere(v2: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "lists.parquet"
    (v2 / "metadata.parquet").rename(elsewhere)
    with pytest.raises(DataError, match=r"has no metadata\.parquet; name it with --metadata FILE"):
        open_archive(v2)
    assert open_archive(v2, metadata=elsewhere).coverage.n_missing == 0


def test_both_versions_side_by_side(v1: Path, shared_v2: Path) -> None:
    shutil.copytree(shared_v2, v1, dirs_exist_ok=True)
    with pytest.raises(DataError, match="say which one with --version v1 or --version v2"):
        open_archive(v1)
    assert open_archive(v1, version="v1").version == "v1"
    assert open_archive(v1, version="v2").version == "v2"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"version": "v3"}, UsageError, "no BigEarthNet version 'v3'"),
        ({"version": "v2"}, DataError, "holds BigEarthNet v1, not v2"),
        ({"metadata": Path("m.parquet")}, UsageError, "--metadata is for BigEarthNet v2"),
    ],
)
def test_options_that_do_not_fit(
    options: dict[str, object], error: type[Exception], message: str, shared_v1: Path
) -> None:
    with pytest.raises(error, match=message):
        open_archive(shared_v1, **options)  # type: ignore[arg-type]


def test_split_lists_are_not_for_v2(shared_v2: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--splits is for BigEarthNet v1"):
        open_archive(shared_v2, splits=tmp_path)


def test_no_archive(tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    with pytest.raises(DataError, match="holds no BigEarthNet archive"):
        open_archive(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        open_archive(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="is not a folder"):
        open_archive(tmp_path / "file")


def test_require_complete(v1: Path) -> None:
    require_complete(open_archive(v1))
    gone = min((v1 / "BigEarthNet-v1.0").iterdir())
    shutil.rmtree(gone)
    with pytest.raises(DataError, match=f"1 listed patches are not on disk, the first is {gone.name}"):
        require_complete(open_archive(v1))
