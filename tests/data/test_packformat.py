import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.data.pack import Pack
from terrawatt.data.packformat import MANIFEST, Manifest, patch_checksum, shard_file


@pytest.fixture
def text(shared_packs: dict[str, Path]) -> str:
    return (shared_packs["v1"] / MANIFEST).read_text()


def test_a_manifest_comes_back(text: str) -> None:
    manifest = Manifest.from_json(text)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert manifest.to_json() == text


def test_without_statistics(text: str) -> None:
    manifest = replace(Manifest.from_json(text), band_mean=None, band_std=None)
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_any_changed_byte_is_seen(shared_packs: dict[str, Path]) -> None:
    content = (shared_packs["v1"] / MANIFEST).read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(content), 200):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(0, 8)
        try:
            found = Manifest.from_json(damaged.decode("utf-8", errors="replace"))
        except ValueError:
            continue
        # White space between the values means nothing.
        assert found == Manifest.from_json(content.decode())


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"format_version": 4}, "has format version 4, this program reads 1, 2, 3"),
        ({"format": "zip"}, "not the manifest of a terrawatt-pack"),
        ({"patches": 13}, "checksum is wrong"),
        ({"sha256": None}, "checksum is wrong"),
    ],
)
def test_another_manifest(edit: dict[str, object], message: str, text: str) -> None:
    with pytest.raises(ValueError, match=message):
        Manifest.from_json(json.dumps({**json.loads(text), **edit}))


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '"terrawatt-pack"'])
def test_no_manifest(content: str) -> None:
    with pytest.raises(ValueError, match=r"not JSON|not the manifest"):
        Manifest.from_json(content)


@given(st.integers(0, 2), st.integers(0, 1_599), st.integers(1, 65_535))
def test_the_checksum_sees_each_pixel(array: int, pixel: int, change: int) -> None:
    arrays = [np.zeros(shape, np.uint16) for shape in ((4, 20, 20), (4, 20, 20), (4, 20, 20))]
    before = patch_checksum(*arrays)
    arrays[array].flat[pixel] ^= change
    assert patch_checksum(*arrays) != before


def test_the_checksum_does_not_depend_on_the_layout_in_memory() -> None:
    array = np.arange(800, dtype=np.uint16).reshape(2, 20, 20)
    other = np.asfortranarray(array).astype(">u2")
    assert patch_checksum(array, array, array) == patch_checksum(other, other, other)


def test_names_of_shards_sort_by_number() -> None:
    assert shard_file(3, "r10") == "shard_00003_r10.npy"
    assert shard_file(9, "r10") < shard_file(117, "r10")


def test_an_open_pack_has_this_manifest(shared_packs: dict[str, Path], text: str) -> None:
    assert Pack.open(shared_packs["v1"]).manifest == Manifest.from_json(text)
