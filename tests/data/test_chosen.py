from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.data.chosen import choose_rows, fraction_of, fraction_size, parts_in
from terrawatt.data.inventory import open_inventory
from terrawatt.data.pack import Pack
from terrawatt.data.splitfile import Split, new_split
from terrawatt.data.splitting import Method, make_split
from terrawatt.errors import DataError


@pytest.fixture
def pack(shared_packs: dict[str, Path]) -> Pack:
    return Pack.open(shared_packs["v2"])


@pytest.fixture
def split(pack: Pack) -> Split:
    return make_split(open_inventory(pack.path), Method()).split


def named(split: Split, more: list[str]) -> Split:
    names = sorted(split.patch_ids.to_pylist() + more)
    return new_split(pa.array(names), np.zeros(len(names), dtype=np.int8), {})


def test_rows_are_those_of_the_names(pack: Pack, split: Split) -> None:
    found = choose_rows(pack, split)
    for number, part in enumerate(("train", "validation", "test")):
        assert set(pack.patch_ids(found.rows[part])) == set(
            split.patch_ids.filter(pa.array(split.parts == number)).to_pylist()
        )
        assert (np.diff(found.rows[part]) > 0).all()
    assert sum(map(len, found.rows.values())) == len(pack.usable_rows())
    assert found.remarks() == []


def test_patches_that_the_pack_lacks(pack: Pack, split: Split) -> None:
    larger = named(split, ["x_1", "x_2", "x_3", "x_4"])
    n = len(larger.patch_ids)
    with pytest.raises(
        DataError, match=rf"it lacks 4 of the split's {n} patches.*\(x_1, x_2, x_3, …\).*--missing-share"
    ):
        choose_rows(pack, larger)
    with pytest.raises(DataError, match="lacks 4"):
        choose_rows(pack, larger, 3.9 / n)
    found = choose_rows(pack, larger, 4 / n)
    assert len(found.rows["train"]) == n - 4
    assert "4 patches of the split are not in the pack" in found.remarks()[0]


def test_patches_that_the_split_does_not_name_are_left_out(pack: Pack, split: Split) -> None:
    smaller = new_split(split.patch_ids.slice(1), split.parts[1:], {})
    found = choose_rows(pack, smaller)
    assert (found.unused, sum(map(len, found.rows.values()))) == (1, len(split.patch_ids) - 1)
    assert "1 patches of the pack are not in the split" in found.remarks()[0]


def test_flagged_patches_stay_out(pack: Pack, split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pack.usable_rows()
    monkeypatch.setattr(pack, "usable_rows", lambda: rows[1:])
    found = choose_rows(pack, split)
    assert found.flagged == 1
    assert rows[0] not in np.concatenate(list(found.rows.values()))
    assert "snow, cloud or no class" in found.remarks()[0]


def test_parts_of_an_inventory(pack: Pack, split: Split) -> None:
    inventory = open_inventory(pack.path)
    smaller = new_split(split.patch_ids.slice(1), split.parts[1:], {})
    assert parts_in(inventory, smaller).tolist() == [-1, *split.parts[1:].tolist()]
    with pytest.raises(DataError, match="lacks 1"):
        parts_in(inventory, named(split, ["x"]))


@given(st.integers(0, 1000), st.floats(0.001, 1))
def test_the_size_of_a_fraction(n: int, fraction: float) -> None:
    size = fraction_size(n, fraction)
    assert min(n, 1) <= size <= n
    assert abs(size - fraction * n) <= 1


@given(st.integers(1, 300), st.floats(0.01, 1), st.integers(0, 3))
def test_a_fraction_is_of_the_rows_with_labels_in_proportion(n: int, fraction: float, seed: int) -> None:
    masks = np.random.default_rng(n).integers(0, 4, 2 * n)
    rows = np.arange(0, 2 * n, 2)
    found = fraction_of(rows, masks, fraction, seed)
    assert len(found) == fraction_size(n, fraction)
    assert set(found) <= set(rows)
    assert (np.diff(found) > 0).all()
    assert np.array_equal(found, fraction_of(rows, masks, fraction, seed))
    for kind in range(4):
        assert abs((masks[found] == kind).sum() - fraction * (masks[rows] == kind).sum()) <= 2


def test_all_rows_are_a_fraction() -> None:
    rows = np.array([3, 5, 8])
    assert fraction_of(rows, np.zeros(9, dtype=np.int64), 1.0, 0) is rows
