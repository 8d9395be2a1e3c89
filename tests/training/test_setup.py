import pytest
import torch

from terrawatt.errors import PackError, TrainingError, UsageError
from terrawatt.training.setup import open_pack, open_splits


def silent(_line: str) -> None:
    pass


def test_a_training_needs_data(options):
    with pytest.raises(UsageError, match=r"no data.*--data.*terrawatt\.toml"):
        open_pack(options(), silent)


def test_what_is_no_pack_is_refused(options, tmp_path):
    with pytest.raises(PackError, match=str(tmp_path)):
        open_pack(options(data=str(tmp_path)), silent)


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_empty_split_is_an_error_that_says_how_to_give_splits(options, pack_of, split):
    with pytest.raises(TrainingError, match=rf"the {split} split is empty.*--splits"):
        open_splits(options(), pack_of(**{split: 0}), silent)


@pytest.mark.parametrize(("given", "what"), [({"select": "best"}, "--select best"), ({"patience": 3}, "--patience 3")])
def test_what_validation_decides_needs_a_validation_split(options, pack_of, given, what):
    with pytest.raises(TrainingError, match=f"{what} needs validation: pack-in-memory: the validation split is empty"):
        open_splits(options(**given), pack_of(validation=0), silent)


def test_a_batch_larger_than_the_split(options, pack_of):
    with pytest.raises(TrainingError, match=r"--batch 13 is larger than the train split of 12 images"):
        open_splits(options(batch=13), pack_of(train=12), silent)
    assert len(open_splits(options(batch=12), pack_of(train=12), silent).train.rows) == 12


def test_batch_normalisation_needs_two_images(options, pack):
    with pytest.raises(TrainingError, match="at least 2"):
        open_splits(options(model="inception-v3-scratch", batch=1), pack, silent)
    open_splits(options(batch=1), pack, silent)


def test_only_batch_normalisation_drops_a_last_single_image(options, pack):
    with_norm = open_splits(options(model="inception-v3-scratch"), pack, silent)
    without = open_splits(options(), pack, silent)
    assert with_norm.train.drop_single
    assert not without.train.drop_single
    assert not with_norm.test.drop_single


def test_a_device_that_is_not_there(training):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(TrainingError, match="--device cuda: torch finds no CUDA device"):
        training(device="cuda")


def test_the_seed_decides_the_weights(training):
    first, same, other = (training(seed=seed).model.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_threads_are_set(training):
    before = torch.get_num_threads()
    try:
        training(threads=1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
