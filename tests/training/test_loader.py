from collections import Counter
from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.training.loader import N_WAYS, Loader, turned


class Recorder:
    """A pack that remembers which rows were announced and read."""

    def __init__(self, pack) -> None:
        self.pack, self.groups, self.steps = pack, [], []

    def announce(self, rows, **options):
        self.steps.append(("announced", list(rows)))
        self.pack.announce(rows, **options)

    def read(self, rows, **options):
        self.steps.append(("read", list(rows)))
        self.groups.append(list(rows))
        return self.pack.read(rows, **options)


@pytest.fixture
def loader(pack):
    def make(rows, batch=4, **changes) -> Loader:
        rgb_only = changes.pop("rgb_only", False)
        return Loader(changes.pop("pack", pack), np.array(rows), pack.labels(19), batch, rgb_only, **changes)

    return make


def test_in_order_are_the_splits_images_and_labels(loader, pack):
    rows = [5, 2, 9, 11, 3]
    batches = list(loader(rows).in_order())
    assert [len(batch.targets) for batch in batches] == [4, 1]
    images = pack.read(rows)
    for position, wanted in enumerate((images.r10, images.r20, images.r60)):
        found = torch.cat([batch.images[position] for batch in batches])
        np.testing.assert_array_equal(found.numpy(), wanted)
    targets = torch.cat([batch.targets for batch in batches])
    assert targets.dtype == torch.float32
    np.testing.assert_array_equal(targets.numpy(), pack.labels(19)[rows])
    np.testing.assert_array_equal(loader(rows).targets, pack.labels(19)[rows])


@pytest.mark.parametrize("n", [1, 4, 5, 11])
def test_the_disk_has_begun_with_the_next_batch_when_one_is_read(loader, pack, n):
    recorder = Recorder(pack)
    list(loader(range(n), pack=recorder).in_order())
    batches = [list(range(first, min(first + 4, n))) for first in range(0, n, 4)]
    wanted = [("announced", batch) for batch in batches]
    for number, batch in enumerate(batches):
        wanted.insert(min(2 * number + 2, len(wanted)), ("read", batch))
    assert recorder.steps == wanted


def test_rgb_reads_three_bands(loader):
    (batch,) = loader([1, 2], rgb_only=True).in_order()
    assert batch.images.r10.shape == (2, 3, 120, 120)
    assert batch.images.r20 is None
    assert batch.images.r60 is None


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_reading_ahead_changes_nothing(loader, workers):
    rows = range(20)
    plain = loader(rows, batch=3).shuffled(7, 2)
    ahead = loader(rows, batch=3, workers=workers).shuffled(7, 2)
    for one, other in zip(plain, ahead, strict=True):
        assert torch.equal(one.targets, other.targets)
        assert torch.equal(one.images.r10, other.images.r10)


def test_reading_ahead_reads_no_more_than_a_batch_a_worker_ahead(loader, pack):
    recorder = Recorder(pack)
    batches = loader(range(20), batch=2, workers=2, pack=recorder).in_order()
    next(batches)
    batches.close()
    assert len(recorder.groups) <= 3


def test_what_fails_while_reading_ahead_fails_in_the_loop(loader):
    with pytest.raises(IndexError):
        list(loader([1, 2, 10_000], batch=1, workers=2).in_order())


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1), st.integers(1, 100))
def test_an_epoch_is_every_image_once_in_an_order_of_its_own(n, batch, seed, epoch):
    rows = np.arange(100, 100 + n)
    recorder = Recorder(FakePack())
    loader = Loader(recorder, rows, np.zeros((200, 2), dtype=np.uint8), batch, rgb_only=True)
    first = [list(map(int, group)) for group in read_groups(loader, recorder, seed, epoch)]
    assert Counter(chain.from_iterable(first)) == Counter(map(int, rows))
    assert [len(group) for group in first[:-1]] == [batch] * (len(first) - 1)
    assert first == read_groups(loader, recorder, seed, epoch)


def test_epochs_and_seeds_have_different_orders(loader, pack):
    recorder = Recorder(pack)
    split = loader(range(20), batch=20, pack=recorder)
    orders = [read_groups(split, recorder, seed, epoch)[0] for seed, epoch in ((0, 1), (0, 2), (1, 1))]
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize(
    ("n", "drop_single", "sizes"), [(9, True, [4, 4]), (9, False, [4, 4, 1]), (10, True, [4, 4, 2])]
)
def test_a_last_batch_of_one_image_is_left_out_for_batch_normalisation(loader, n, drop_single, sizes):
    split = loader(range(n), drop_single=drop_single)
    assert [len(batch.targets) for batch in split.shuffled(0, 1)] == sizes


class FakePack:
    def announce(self, rows, *, rgb_only):
        pass

    def read(self, rows, *, rgb_only):
        from terrawatt.data.pack import BandArrays

        return BandArrays(np.zeros((len(rows), 3, 1, 1), dtype=np.uint16), None, None)


def read_groups(loader: Loader, recorder: Recorder, seed: int, epoch: int) -> list[list[int]]:
    recorder.groups.clear()
    for _ in loader.shuffled(seed, epoch):
        pass
    return [list(map(int, group)) for group in recorder.groups]


@pytest.mark.parametrize("workers", [0, 2])
def test_flips_depend_on_seed_epoch_and_row_alone(loader, pack, workers):
    def images(batch: int, epoch: int, ahead: int = 0) -> dict[bytes, bytes]:
        made = loader(range(8), batch=batch, augment="flips", workers=ahead)
        batches = list(made.shuffled(3, epoch))
        return {
            labels.numpy().tobytes(): pixels.numpy().tobytes()
            for each in batches
            for labels, pixels in zip(each.targets, each.images.r20, strict=True)
        }

    assert images(3, 1, workers) == images(5, 1) != images(5, 2)


def test_each_way_of_turning_is_another_and_none_loses_a_pixel():
    image = np.arange(16, dtype=np.uint16).reshape(1, 1, 4, 4)
    ways = turned(torch.from_numpy(np.repeat(image, N_WAYS, axis=0)), np.arange(N_WAYS)).numpy()
    assert len({way.tobytes() for way in ways}) == N_WAYS
    assert (np.sort(ways.reshape(N_WAYS, -1)) == image.ravel()).all()
    assert (ways[0] == image[0]).all()
