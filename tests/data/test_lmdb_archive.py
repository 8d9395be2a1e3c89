"""BigEarthNet in an LMDB as rico-hdl writes it, made here as its source does it: `safetensors.numpy.save` by name."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import lmdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
from safetensors.numpy import save

from terrawatt.data.archive import open_archive
from terrawatt.data.geotiff import reading
from terrawatt.data.info import describe_archive
from terrawatt.data.lmdb_archive import is_lmdb
from terrawatt.data.pack import Pack
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.packformat import MANIFEST
from terrawatt.data.patch import band_files
from terrawatt.errors import DataError, PatchError, UsageError

PATCHES = 12
RADAR = "S1A_IW_GRDH_1SDV_20170613T165043_33UUP_70_48"
FIVE = Packing(shard_patches=5)

Values = dict[str, bytes]


def encoded(archive: Path) -> Values:
    """The values of an archive's patches, each file read by rasterio; and what else may be in such an LMDB."""
    values = {RADAR: save({band: np.zeros((120, 120), np.float32) for band in ("VV", "VH")})}
    with reading():
        for entry in open_archive(archive).entries:
            bands = {}
            for band, file in band_files(entry).items():
                with rasterio.open(file) as dataset:
                    bands[band] = dataset.read(1)
            values[entry.patch_id] = save(bands)
            values[f"{entry.patch_id}_reference_map"] = save({"Data": np.zeros((120, 120), np.uint16)})
    return values


def write_lmdb(folder: Path, values: Values) -> Path:
    """With a map of 1 TB, a file of locks and several transactions, as rico-hdl."""
    with lmdb.open(str(folder), map_size=1 << 40) as environment:
        for key, value in values.items():
            with environment.begin(write=True) as transaction:
                transaction.put(key.encode(), value, overwrite=False)
    return folder


@pytest.fixture(scope="module")
def values(shared_v1: Path, shared_v2: Path) -> dict[str, Values]:
    return {"v1": encoded(shared_v1), "v2": encoded(shared_v2)}


@pytest.fixture
def v2_lmdb(values: dict[str, Values], shared_v2: Path, tmp_path: Path) -> Path:
    """An LMDB of v2 with the official table beside it."""
    (tmp_path / "metadata.parquet").write_bytes((shared_v2 / "metadata.parquet").read_bytes())
    return write_lmdb(tmp_path / "Encoded-BigEarthNet", values["v2"])


def table_of_v1(archive: Path, file: Path) -> Path:
    """The labels in the JSON files, as a table."""
    rows = {}
    for labels in sorted((archive / "BigEarthNet-v1.0").glob("*/*.json")):
        rows[labels.parent.name] = json.loads(labels.read_text())["labels"]
    pq.write_table(pa.table({"patch_id": list(rows), "labels": list(rows.values())}), file)
    return file


def same_pack(first: Path, second: Path) -> bool:
    names = {file.name for file in first.iterdir()} - {MANIFEST}
    assert names == {file.name for file in second.iterdir()} - {MANIFEST}
    return all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


@pytest.mark.parametrize("processes", [1, 2])
def test_v2_gives_the_pack_of_the_geotiffs(
    processes: int, v2_lmdb: Path, shared_packs: dict[str, Path], tmp_path: Path
) -> None:
    archive = open_archive(v2_lmdb)
    assert archive.version == "v2"
    assert len(archive.entries) == PATCHES
    result = pack_archive(archive, tmp_path / "pack", Packing(shard_patches=5, processes=processes))
    assert same_pack(result.path, shared_packs["v2"])
    assert set(result.report.counts.values()) == {0}


def test_v1_gives_the_pack_of_the_geotiffs_with_the_official_lists(
    values: dict[str, Values], shared_v1: Path, shared_packs: dict[str, Path], tmp_path: Path
) -> None:
    folder = write_lmdb(tmp_path / "lmdb", values["v1"])
    table = table_of_v1(shared_v1, tmp_path / "labels.parquet")
    archive = open_archive(folder, metadata=table, splits=shared_v1 / "splits")
    assert archive.version == "v1"
    assert same_pack(pack_archive(archive, tmp_path / "pack", FIVE).path, shared_packs["v1"])


def test_v1_labels_that_are_also_names_of_classes_stay_those_of_the_43(
    values: dict[str, Values], tmp_path: Path
) -> None:
    name = next(name for name in values["v1"] if name.startswith("S2") and not name.endswith("map"))
    folder = write_lmdb(tmp_path / "lmdb", {name: values["v1"][name]})
    pq.write_table(pa.table({"patch_id": [name], "labels": [["Pastures"]]}), folder / "metadata.parquet")
    pack = Pack.open(pack_archive(open_archive(folder), tmp_path / "pack").path)
    assert [pack.class_names(43)[label] for label in np.flatnonzero(pack.labels(43)[0])] == ["Pastures"]
    assert [pack.class_names(19)[label] for label in np.flatnonzero(pack.labels(19)[0])] == ["Pastures"]
    assert len(pack.rows("train")) == 0


def test_snow_and_what_the_table_and_the_lmdb_have_alone(
    values: dict[str, Values], shared_v2: Path, tmp_path: Path
) -> None:
    rows = pq.read_table(shared_v2 / "metadata.parquet").to_pylist()
    snowy, unlisted, gone = (row["patch_id"] for row in rows[:3])
    snow = [{**rows[0], "contains_seasonal_snow": True}]
    pq.write_table(pa.Table.from_pylist(snow), tmp_path / "metadata_for_patches_with_snow_cloud_or_shadow.parquet")
    pq.write_table(pa.Table.from_pylist(rows[2:]), tmp_path / "metadata.parquet")
    folder = write_lmdb(tmp_path / "lmdb", {name: value for name, value in values["v2"].items() if name != gone})
    archive = open_archive(folder)
    assert archive.coverage.unlisted == (unlisted,)
    assert [name for names in archive.coverage.missing.values() for name in names] == [gone]
    result = pack_archive(archive, tmp_path / "pack")
    assert result.report.counts == {"missing": 1, "broken": 0, "duplicates": 0, "without_labels": 1}
    pack = Pack.open(result.path)
    assert len(pack) == PATCHES - 2
    assert pack.manifest.flagged["seasonal snow"] == 1
    assert pack.rows_named(pa.array([snowy]))[0] not in pack.rows(rows[0]["split"])


def without_b09(bands: dict[str, np.ndarray]) -> bytes:
    return save({band: pixels for band, pixels in bands.items() if band != "B09"})


def as_float(bands: dict[str, np.ndarray]) -> bytes:
    return save({**bands, "B03": bands["B03"].astype(np.float32)})


def of_another_size(bands: dict[str, np.ndarray]) -> bytes:
    return save({**bands, "B05": np.zeros((120, 120), np.uint16)})


def no_safetensors(bands: dict[str, np.ndarray]) -> bytes:
    return b"pickled, as by older encoders"


DAMAGES: list[tuple[Callable[[dict[str, np.ndarray]], bytes], str]] = [
    (without_b09, r"band B09 is missing: data\.mdb has B01, B02, B03"),
    (as_float, "band B03 holds float32 instead of uint16"),
    (of_another_size, "band B05 has 120 × 120 pixels instead of 60 × 60"),
    (no_safetensors, "its value is not in the format safetensors: "),
]


@pytest.mark.parametrize(("damage", "what"), DAMAGES)
def test_broken_values_are_named_like_broken_files(
    damage: Callable[[dict[str, np.ndarray]], bytes], what: str, v2_lmdb: Path, tmp_path: Path
) -> None:
    broken = open_archive(v2_lmdb).entries[7].patch_id
    bands = {
        band: np.zeros((pixels, pixels), np.uint16)
        for pixels, names in ((120, "B02 B03 B04 B08"), (60, "B05 B06 B07 B8A B11 B12"), (20, "B01 B09"))
        for band in names.split()
    }
    with lmdb.open(str(v2_lmdb), map_size=1 << 30) as environment, environment.begin(write=True) as transaction:
        transaction.put(broken.encode(), damage(bands))
    with pytest.raises(PatchError, match=rf"^patch {broken}: {what}.*--skip-broken$"):
        pack_archive(open_archive(v2_lmdb), tmp_path / "pack")
    assert not list(tmp_path.glob("pack*"))
    result = pack_archive(open_archive(v2_lmdb), tmp_path / "pack", Packing(skip_broken=True))
    report = json.loads((result.path / "report.json").read_text())
    assert list(report["broken"]) == [broken]
    Pack.open(result.path).verify()
    for check in (False, True):
        (problem,) = describe_archive(open_archive(v2_lmdb), check=check).problems
        assert problem.startswith(f"patch {broken}: ")


def test_empty_labels(v2_lmdb: Path, tmp_path: Path) -> None:
    rows = pq.read_table(tmp_path / "metadata.parquet").to_pylist()
    rows[3]["labels"] = []
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "metadata.parquet")
    with pytest.raises(PatchError, match=f"patch {rows[3]['patch_id']}: the table has no labels for it"):
        pack_archive(open_archive(v2_lmdb), tmp_path / "pack")


def test_without_a_table(v2_lmdb: Path, tmp_path: Path) -> None:
    (tmp_path / "metadata.parquet").unlink()
    with pytest.raises(DataError, match=r"is an LMDB, which has no labels, .* name it with --metadata FILE"):
        open_archive(v2_lmdb)
    pq.write_table(pa.table({"patch_id": ["a"]}), tmp_path / "metadata.parquet")
    with pytest.raises(DataError, match=r"metadata\.parquet has no column labels"):
        open_archive(v2_lmdb)


def test_a_patch_in_the_table_and_its_companion(v2_lmdb: Path, tmp_path: Path) -> None:
    rows = pq.read_table(tmp_path / "metadata.parquet")
    pq.write_table(rows.slice(2, 1), tmp_path / "metadata_for_patches_with_snow_cloud_or_shadow.parquet")
    with pytest.raises(DataError, match=f"patch {rows['patch_id'][2]} is in both "):
        open_archive(v2_lmdb)


def test_versions(values: dict[str, Values], v2_lmdb: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds BigEarthNet v2, not v1"):
        open_archive(v2_lmdb, version="v1")
    with pytest.raises(UsageError, match="--splits is for BigEarthNet v1"):
        open_archive(v2_lmdb, splits=tmp_path)
    with pytest.raises(UsageError, match="no BigEarthNet version 'v3'"):
        open_archive(v2_lmdb, version="v3")
    both = write_lmdb(tmp_path / "both", values["v1"] | values["v2"])
    with pytest.raises(DataError, match="holds patches of both versions; say which ones with --version v1 or"):
        open_archive(both)
    assert len(open_archive(both, version="v2").entries) == PATCHES
    radar = write_lmdb(tmp_path / "radar", {RADAR: b""})
    with pytest.raises(DataError, match=r"data\.mdb holds no Sentinel-2 patch of BigEarthNet"):
        open_archive(radar)


def test_a_data_file_that_is_none_or_cut_short(v2_lmdb: Path) -> None:
    file = v2_lmdb / "data.mdb"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"data\.mdb is cut short: [\d,]+ bytes instead of [\d,]+; copy it again"):
        open_archive(v2_lmdb)
    for wrong in (b"", b"something else" * 1_000):
        file.write_bytes(wrong)
        with pytest.raises(DataError, match=r"data\.mdb cannot be read as LMDB: "):
            open_archive(v2_lmdb)


@pytest.mark.parametrize("package", ["lmdb", "safetensors", "safetensors.numpy"])
def test_without_the_extra(package: str, v2_lmdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=r"needs the packages lmdb and safetensors: pip install 'terrawatt\[lmdb\]'"):
        pack_archive(open_archive(v2_lmdb), tmp_path / "pack")
    assert not list(tmp_path.glob("pack*"))


def test_only_the_folder_of_an_lmdb_is_one(v2_lmdb: Path, shared_v2: Path) -> None:
    assert is_lmdb(v2_lmdb)
    assert not is_lmdb(shared_v2)
    assert not is_lmdb(v2_lmdb / "data.mdb")
