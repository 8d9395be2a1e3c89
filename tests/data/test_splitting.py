import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrawatt.data.archive import open_archive
from terrawatt.data.distribution import distribution
from terrawatt.data.inventory import open_inventory
from terrawatt.data.packer import pack_archive
from terrawatt.data.packformat import SPLITS
from terrawatt.data.places import COUNTRY, TILE, places
from terrawatt.data.splitting import OFFICIAL, RANDOM, STRATIFIED, Method, checked_sizes, make_split
from terrawatt.data.synth import synthesise
from terrawatt.errors import DataError, UsageError

N = 60
METADATA = "metadata.parquet"


@pytest.fixture(scope="module")
def v1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("splitting") / "v1"
    synthesise(folder, version="v1", patches=N, seed=2)
    return folder


@pytest.fixture(scope="module")
def v2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("splitting") / "v2"
    synthesise(folder, version="v2", patches=N, seed=2)
    return folder


@pytest.fixture(scope="module")
def pack(v2: Path) -> Path:
    return pack_archive(open_archive(v2), v2.parent / "pack").path


@pytest.mark.parametrize("method", [STRATIFIED, RANDOM, OFFICIAL])
def test_pack_archive_and_table_give_the_same_split(method: str, v2: Path, pack: Path) -> None:
    splits = [make_split(open_inventory(source), Method(method)).split for source in (pack, v2, v2 / METADATA)]
    assert len({split.digest for split in splits}) == 1
    assert len({split.provenance["source"]["sha256"] for split in splits}) == 1


def test_the_official_split_is_that_of_the_table(v2: Path, pack: Path) -> None:
    split = make_split(open_inventory(pack), Method(OFFICIAL)).split
    table = pq.read_table(v2 / METADATA).to_pandas().set_index("patch_id")
    usable = ~(table.contains_seasonal_snow | table.contains_cloud_or_shadow)
    expected = table.split[usable].to_dict()
    assert dict(zip(split.patch_ids.to_pylist(), [SPLITS[part] for part in split.parts], strict=True)) == expected
    assert "sizes" not in split.provenance


def test_lists_of_v1_have_an_official_split_and_no_labels(v1: Path) -> None:
    inventory = open_inventory(v1 / "splits")
    assert make_split(inventory, Method(OFFICIAL)).split.digest
    assert make_split(inventory, Method(RANDOM)).split.size("train") == round(0.6 * len(inventory))
    with pytest.raises(DataError, match="lists without labels"):
        make_split(inventory, Method(STRATIFIED))


def test_both_label_sets_of_v1_and_only_one_of_v2(v1: Path, v2: Path) -> None:
    inventory = open_inventory(v1)
    by_43, by_19 = (make_split(inventory, Method(labels=labels)).split for labels in (43, 19))
    assert by_43.digest != by_19.digest
    assert (by_43.provenance["labels"], by_19.provenance["labels"]) == (43, 19)
    with pytest.raises(DataError, match="only the 19 classes"):
        make_split(open_inventory(v2), Method(labels=43))


def test_patches_that_training_leaves_out_are_in_no_part(v1: Path, tmp_path: Path) -> None:
    inventory = open_inventory(v1)
    first = inventory.patch_ids[0].as_py()
    lists = tmp_path / "splits"
    lists.mkdir()
    for file in (v1 / "splits").iterdir():
        (lists / file.name).write_bytes(file.read_bytes())
    (lists / "patches_with_seasonal_snow.csv").write_text(f"{first}\n")
    changed = open_inventory(v1, splits=lists)
    assert first not in changed.patch_ids.to_pylist()
    assert changed.left_out > inventory.left_out - 1


def test_the_tile_of_v2_is_in_the_name(pack: Path) -> None:
    inventory = open_inventory(pack)
    made = make_split(inventory, Method(by=TILE, sizes=(0.5, 0.25, 0.25)))
    part_of: dict[str, set[int]] = {}
    for name, part in zip(made.split.patch_ids.to_pylist(), made.split.parts, strict=True):
        part_of.setdefault(name.split("_")[5], set()).add(int(part))
    assert all(len(parts) == 1 for parts in part_of.values())
    assert {part for parts in part_of.values() for part in parts} == {0, 1, 2}
    assert sum(made.groups.values()) == len(part_of)
    assert made.split.provenance["by"] == TILE


def test_the_country_of_a_pack_is_in_the_table_of_v2(v2: Path, pack: Path) -> None:
    with pytest.raises(DataError, match=r"the country of its patches is not known.*--metadata metadata\.parquet"):
        make_split(open_inventory(pack), Method(by=COUNTRY))
    by_pack = make_split(open_inventory(pack), Method(by=COUNTRY), v2 / METADATA)
    by_table = make_split(open_inventory(v2 / METADATA), Method(by=COUNTRY))
    assert by_pack.split.digest == by_table.split.digest
    country = pq.read_table(v2 / METADATA).to_pandas().set_index("patch_id").country
    parts = {}
    for name, part in zip(by_pack.split.patch_ids.to_pylist(), by_pack.split.parts, strict=True):
        assert parts.setdefault(country[name], part) == part


def test_the_tile_of_v1_is_in_the_json_of_the_archive(v1: Path, tmp_path: Path) -> None:
    inventory = open_inventory(v1)
    found = places(inventory, TILE)
    name = inventory.patch_ids[0].as_py()
    content = json.loads((inventory.folders[name] / f"{name}_labels_metadata.json").read_text())
    assert found[0].as_py() in content["tile_source"]
    lists = open_inventory(v1 / "splits")
    with pytest.raises(DataError, match=r"the tile of its patches is not known.*split the archive"):
        places(lists, TILE)


def test_the_table_of_v2_names_patches_of_v1(v1: Path, tmp_path: Path) -> None:
    inventory = open_inventory(v1 / "splits")
    names = inventory.patch_ids.to_pylist()
    table = pa.table(
        {
            "patch_id": [
                f"S2A_MSIL2A_20170613T101031_N9999_R022_T33UU{'PQR'[i % 3]}_{i}_0" for i in range(len(names) - 1)
            ],
            "s2v1_name": names[1:],
            "country": ["Austria"] * (len(names) - 1),
        }
    )
    pq.write_table(table, tmp_path / METADATA)
    assert places(inventory, COUNTRY, tmp_path / METADATA).to_pylist() == [None] + ["Austria"] * (len(names) - 1)
    made = make_split(inventory, Method(RANDOM, by=TILE), tmp_path / METADATA)
    assert made.unplaced == 1
    assert made.groups == {"train": 1, "validation": 1, "test": 1}
    with pytest.raises(DataError, match=r"1 country \(Austria\), which cannot be divided into 3 parts"):
        make_split(inventory, Method(RANDOM, by=COUNTRY), tmp_path / METADATA)


def test_fewer_patches_than_parts(v2: Path, tmp_path: Path) -> None:
    table = pq.read_table(v2 / METADATA)
    pq.write_table(
        table.filter(
            pa.array(
                [not (row["contains_seasonal_snow"] or row["contains_cloud_or_shadow"]) for row in table.to_pylist()]
            )
        ).slice(0, 2),
        tmp_path / METADATA,
    )
    split = make_split(open_inventory(tmp_path / METADATA), Method()).split
    assert sorted(split.parts.tolist()) == [0, 1]


def test_sources_without_splits_or_patches(v2: Path, tmp_path: Path) -> None:
    pq.write_table(pq.read_table(v2 / METADATA).drop_columns("split"), tmp_path / METADATA)
    with pytest.raises(DataError, match="no patch has a split of its own"):
        make_split(open_inventory(tmp_path / METADATA), Method(OFFICIAL))
    pq.write_table(pq.read_table(v2 / METADATA).slice(0, 0), tmp_path / "empty.parquet")
    with pytest.raises(DataError, match="holds no patch that can be split"):
        open_inventory(tmp_path / "empty.parquet")
    with pytest.raises(DataError, match="does not exist"):
        open_inventory(tmp_path / "nowhere")


@pytest.mark.parametrize("sizes", [(0.6, 0.2, 0.3), (0.6, 0.6, -0.2), (0, 0.5, 0.5), (float("nan"), 0.5, 0.5)])
def test_sizes_that_cannot_be_meant(sizes: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match="--sizes"):
        checked_sizes(sizes)


def test_sizes_are_shares() -> None:
    assert sum(checked_sizes((0.3333333, 0.3333333, 0.3333334))) == pytest.approx(1, abs=1e-15)
    assert checked_sizes((0.8, 0, 0.2)) == (0.8, 0, 0.2)


def test_the_distribution_counts_labels(pack: Path) -> None:
    inventory = open_inventory(pack)
    split = make_split(inventory, Method()).split
    found = distribution(inventory.labels(19), split.parts, 19)
    has = (inventory.labels(19)[:, np.newaxis] >> np.arange(19)) & 1
    for part in range(3):
        assert np.array_equal(found.counts[part], has[split.parts == part].sum(axis=0))
    assert found.sizes.sum() == len(inventory)
    worst = found.worst()
    assert worst is not None
    label, part, deviation = worst
    assert abs(deviation) == np.nanmax(np.abs(found.deviation))
    share = found.prevalence[SPLITS.index(part), found.labels.index(label)]
    assert share / found.whole[found.labels.index(label)] - 1 == pytest.approx(deviation)


def test_nothing_to_compare() -> None:
    empty = distribution(np.array([], dtype=np.int64), np.array([], dtype=np.int8), 19)
    assert empty.worst() is None
    assert np.isnan(empty.prevalence).all()
