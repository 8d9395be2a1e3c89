"""Two processes that train together come to what one comes to."""

import os
import sys
from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import one_rank
from terrawatt.errors import TrainingError, UsageError
from terrawatt.training.collective import synchronised
from terrawatt.training.compute import device_of
from terrawatt.training.group import ALONE, Group
from terrawatt.training.loader import Loader
from terrawatt.training.ranks import run_ranks
from terrawatt.training.workload import run


@pytest.fixture(scope="module")
def together(tmp_path_factory, weights_file):
    """What each of two processes ended with."""
    folder = tmp_path_factory.mktemp("ranks")
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    program = (sys.executable, one_rank.__file__, str(folder))
    run_ranks([(*program, str(rank), "2", str(weights_file)) for rank in (0, 1)], folder)
    del os.environ["GLOO_SOCKET_IFNAME"]
    return [torch.load(folder / f"rank_{rank}.pt") for rank in (0, 1)]


@pytest.fixture(scope="module")
def alone(weights_file):
    """What one process ends with."""
    return [one_rank.trained(changes, weights_file) for changes in one_rank.SETTINGS]


def test_two_processes_end_with_the_weights_of_one(together, alone):
    for found, wanted in zip(together[0], alone, strict=True):
        torch.testing.assert_close(found["weights"], wanted["weights"], rtol=1e-3, atol=1e-4)  # a step of Adam: 1e-3


def test_their_losses_and_predictions_are_those_of_one_in_the_same_order(together, alone):
    for found, wanted in zip(together[0], alone, strict=True):
        torch.testing.assert_close(found["losses"], wanted["losses"], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(found["probabilities"], wanted["probabilities"], rtol=1e-3, atol=1e-5)


def test_each_process_has_the_same_to_the_last_bit(together):
    first, second = together
    torch.testing.assert_close(first, second, rtol=0, atol=0)


class Rows:
    """A pack that gives back which rows were asked for."""

    def announce(self, rows, **_options):
        pass

    def read(self, rows, **_options):
        from terrawatt.data.pack import BandArrays

        return BandArrays(np.array(rows, dtype=np.int64), None, None)


def loaders(rows: list[int], batch: int, size: int, **changes) -> list[Loader]:
    labels = np.zeros((max(rows) + 1, 1), dtype=np.uint8)
    groups = [Group(rank, size, rank, size) for rank in range(size)]
    return [Loader(Rows(), np.array(rows), labels, batch, rgb_only=True, group=group, **changes) for group in groups]


splits = st.lists(st.integers(0, 200), min_size=1, max_size=40, unique=True)


@given(splits, st.integers(1, 12), st.integers(1, 6), st.integers(0, 3))
def test_the_processes_parts_are_the_batches_of_one(rows, batch, size, epoch):
    wanted = [one.images.r10.tolist() for one in loaders(rows, batch, 1)[0].shuffled(7, epoch)]
    parts = list(zip(*(one.shuffled(7, epoch) for one in loaders(rows, batch, size)), strict=True))
    found = [list(chain.from_iterable(part.images.r10[: part.counted].tolist() for part in whole)) for whole in parts]
    assert found == wanted
    assert all(part.whole == len(want) for whole, want in zip(parts, wanted, strict=True) for part in whole)
    assert all(len(part.targets) >= 1 for part in chain.from_iterable(parts))
    assert all(abs(a.counted - b.counted) <= 1 for whole in parts for a in whole for b in whole)


@given(splits, st.integers(1, 12), st.integers(1, 6))
def test_in_order_each_reads_a_share_and_the_shares_are_the_split(rows, batch, size):
    every = loaders(rows, batch, size)
    shares = [[row for one in loader.in_order() for row in one.images.r10.tolist()] for loader in every]
    assert list(chain.from_iterable(shares)) == rows
    assert [len(share) for share in shares] == every[0].shares


@given(splits, st.integers(1, 12), st.integers(1, 6))
def test_side_by_side_the_processes_read_the_split_in_its_order(rows, batch, size):
    whole = zip(*(one.side_by_side() for one in loaders(rows, batch, size)), strict=True)
    parts = list(chain.from_iterable(whole))
    assert list(chain.from_iterable(part.images.r10[: part.counted].tolist() for part in parts)) == rows


@given(splits, st.integers(1, 12), st.integers(1, 6), st.integers(1, 5))
def test_all_processes_learn_in_as_many_parts(rows, batch, size, parts):
    batches = [list(loader.shuffled(7, 1)) for loader in loaders(rows, batch, size)]
    for same in zip(*batches, strict=True):
        made = [list(one.parts(parts, Group(rank, size, rank, size))) for rank, one in enumerate(same)]
        assert len({len(each) for each in made}) == 1
        for one, each in zip(same, made, strict=True):
            assert torch.equal(torch.cat([images.r10 for images, _ in each]), one.images.r10)


def test_a_last_single_image_is_dropped_from_all_processes_alike():
    counts = [[part.counted for part in one.shuffled(1, 1)] for one in loaders([*range(9)], 4, 3, drop_single=True)]
    assert counts == [[2, 2], [1, 1], [1, 1]]


def test_the_place_that_torchrun_gives():
    given_by_torchrun = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    assert Group.from_environment(given_by_torchrun) == Group(5, 8, 1, 4, "env://")
    assert Group.from_environment({}) is ALONE
    assert Group.from_environment({"RANK": "0", "WORLD_SIZE": "1"}) is ALONE
    with pytest.raises(UsageError, match="WORLD_SIZE is set, but LOCAL_RANK is ''"):
        Group.from_environment({"RANK": "5", "WORLD_SIZE": "8"})


def test_only_rank_0_is_the_first():
    assert [Group(rank, 2, rank, 2).is_first for rank in (0, 1)] == [True, False]


def test_a_training_refuses_another_number_of_processes_than_it_is_one_of(options, tmp_path):
    with pytest.raises(UsageError, match="--nproc 3, but this is one of 2 processes"):
        run(options(nproc=3, threads=3), tmp_path, group=Group(0, 2, 0, 2))


def test_batch_normalisation_is_left_as_it_is_without_gpus(training):
    model = training(model="inception-v3-scratch").model
    assert synchronised(model, Group(0, 2, 0, 2), torch.device("cpu")) is model


def test_each_process_needs_a_gpu_of_its_own(options, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(TrainingError, match="3 processes, but torch finds 2 CUDA devices"):
        device_of(options(nproc=3, threads=3), Group(2, 3, 2, 3))
    assert device_of(options(nproc=3, threads=3, device="cpu"), Group(2, 3, 2, 3)) == torch.device("cpu")
