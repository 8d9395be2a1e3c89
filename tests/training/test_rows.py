"""Split files and fractions: which images a training reads."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from terrawatt.data.archive import open_archive
from terrawatt.data.inventory import open_inventory
from terrawatt.data.pack import Pack
from terrawatt.data.packer import pack_archive
from terrawatt.data.splitfile import new_split, read_split, write_split
from terrawatt.data.splitting import Method, make_split
from terrawatt.data.synth import synthesise
from terrawatt.errors import DataError, TrainingError, UsageError
from terrawatt.training.options import from_parameters
from terrawatt.training.setup import open_splits
from terrawatt.training.suitability import check_pack

N = 20


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = tmp_path_factory.mktemp("rows")
    synthesise(folder / "v1", version="v1", patches=N, seed=4)
    return Pack.open(pack_archive(open_archive(folder / "v1"), folder / "pack").path)


@pytest.fixture
def split_file(pack: Pack, tmp_path: Path) -> Path:
    write_split(make_split(open_inventory(pack.path), Method(seed=8)).split, tmp_path / "split.parquet")
    return tmp_path / "split.parquet"


def test_a_split_file_takes_the_place_of_the_packs_own(options, pack, split_file):
    said: list[str] = []
    splits = open_splits(options(split=str(split_file)), pack, said.append)
    split = read_split(split_file)
    for number, loader in enumerate((splits.train, splits.validation, splits.test)):
        names = split.patch_ids.filter(pa.array(split.parts == number)).to_pylist()
        assert sorted(pack.patch_ids(loader.rows)) == names
    assert said == []
    assert not np.array_equal(splits.train.rows, pack.rows("train"))


def test_the_digest_names_the_split_in_the_parameters_and_the_file_in_the_arguments(options, split_file):
    chosen = options(split=str(split_file))
    digest = read_split(split_file).digest[:12]
    assert chosen.parameters()["split"] == digest
    assert f"{split_file}@sha256:{digest}" in chosen.argv()
    assert "missing-share" not in chosen.parameters()
    assert from_parameters(chosen.settings()) == chosen
    moved = split_file.rename(split_file.with_name("a@b.parquet"))
    assert options(split=str(moved)).parameters() == chosen.parameters()


def test_another_split_in_the_file_of_a_run_is_refused(options, pack, split_file):
    chosen = options(split=str(split_file))
    split_file.unlink()
    write_split(make_split(open_inventory(pack.path), Method(seed=9)).split, split_file)
    with pytest.raises(UsageError, match="holds another split now"):
        from_parameters(chosen.settings())
    with pytest.raises(TrainingError, match="holds another split than a moment ago"):
        check_pack(chosen, pack)


def test_what_is_no_split_file_is_refused_when_it_is_named(options, tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        options(split=str(tmp_path / "none.parquet"))


def test_patches_that_the_pack_lacks_are_an_error_unless_allowed(options, pack, tmp_path):
    split = make_split(open_inventory(pack.path), Method()).split
    names = sorted([*split.patch_ids.to_pylist(), "zz_1", "zz_2"])
    parts = np.append(split.parts, [0, 2]).astype(np.int8)
    path = tmp_path / "larger.parquet"
    write_split(new_split(pa.array(names), parts, {}), path)
    with pytest.raises(DataError, match=r"it lacks 2 of the split's \d+ patches.*zz_1, zz_2"):
        check_pack(options(split=str(path)), pack)
    said: list[str] = []
    open_splits(options(split=str(path), **{"missing-share": "20%"}), pack, said.append)
    assert said == ["2 patches of the split are not in the pack (zz_1, zz_2)"]


def test_an_empty_part_is_named_with_its_file(options, pack, tmp_path):
    split = make_split(open_inventory(pack.path), Method(sizes=(0.8, 0.2, 0.0))).split
    write_split(split, tmp_path / "s.parquet")
    with pytest.raises(TrainingError, match=r"s\.parquet: the test part is empty"):
        check_pack(options(split=str(tmp_path / "s.parquet")), pack)


def test_a_fraction_is_of_the_train_split_alone(options, pack_of):
    pack = pack_of(train=40)
    whole, part = (open_splits(options(**{"train-fraction": x}), pack, print) for x in (1, "25%"))
    assert len(part.train.rows) == 10
    assert set(part.train.rows) < set(whole.train.rows)
    assert np.array_equal(part.validation.rows, whole.validation.rows)
    assert np.array_equal(part.test.rows, whole.test.rows)


def test_the_seed_chooses_the_fraction(options, pack_of):
    pack = pack_of(train=40)

    def rows(seed: int) -> list[int]:
        return list(open_splits(options(seed=seed, **{"train-fraction": 0.5}), pack, print).train.rows)

    assert rows(1) == rows(1) != rows(2)


def test_a_fraction_smaller_than_a_batch(options, pack_of):
    with pytest.raises(TrainingError, match="--batch 4 is larger than the train split of 2 images"):
        check_pack(options(**{"train-fraction": 0.05}), pack_of(train=40))


def test_a_fraction_is_a_parameter_where_it_is_not_the_whole(options):
    assert options(**{"train-fraction": "5%"}).parameters()["train-fraction"] == 0.05
    assert "train-fraction" not in options(**{"train-fraction": 1}).parameters()
