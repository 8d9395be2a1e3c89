import errno
import json

import numpy as np
import pytest

from terrawatt.errors import TrainingError
from terrawatt.training import outputs as module
from terrawatt.training.outputs import Outputs

TARGETS = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.uint8)
IDS = np.array(["patch_a", "patch_bb", "patch_c"])
PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.7]], dtype=np.float32)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_repetition_leaves_four_files(tmp_path):
    outputs = Outputs(tmp_path / "output", TARGETS, IDS, repetition=2)
    outputs.check()
    outputs.write(PROBABILITIES, {"model": "m"})
    folder = tmp_path / "output"
    assert names(folder) == [
        "patch_ids.npy",
        "repetition_2_probabilities.npy",
        "repetition_2_training.json",
        "targets.npy",
    ]
    probabilities = np.load(folder / "repetition_2_probabilities.npy")
    assert probabilities.dtype == np.float32
    np.testing.assert_array_equal(probabilities, PROBABILITIES)
    np.testing.assert_array_equal(np.load(folder / "targets.npy"), TARGETS)
    np.testing.assert_array_equal(np.load(folder / "patch_ids.npy"), IDS)
    assert json.loads((folder / "repetition_2_training.json").read_text()) == {"model": "m"}


def test_without_a_repetition_the_names_have_no_number(tmp_path):
    Outputs(tmp_path, TARGETS, IDS).write(PROBABILITIES, {})
    assert names(tmp_path) == ["patch_ids.npy", "probabilities.npy", "targets.npy", "training.json"]


def test_repetitions_share_targets_and_patch_ids(tmp_path):
    Outputs(tmp_path, TARGETS, IDS, repetition=1).write(PROBABILITIES, {})
    before = (tmp_path / "targets.npy").stat().st_ino
    Outputs(tmp_path, TARGETS, IDS, repetition=2).write(PROBABILITIES, {})
    assert (tmp_path / "targets.npy").stat().st_ino == before
    assert len(names(tmp_path)) == 6


@pytest.mark.parametrize(
    ("targets", "ids", "file"),
    [(1 - TARGETS, IDS, "targets.npy"), (TARGETS[:2], IDS[:2], "targets.npy"), (TARGETS, IDS[::-1], "patch_ids.npy")],
)
def test_outputs_of_another_test_split_are_refused_before_and_after(tmp_path, targets, ids, file):
    Outputs(tmp_path, TARGETS, IDS, repetition=1).write(PROBABILITIES, {})
    other = Outputs(tmp_path, targets, ids, repetition=2)
    for act in (other.check, lambda: other.write(PROBABILITIES, {})):
        with pytest.raises(TrainingError, match="of another test split"):
            act()
    assert len(names(tmp_path)) == 4


def test_a_broken_file_of_targets_is_an_error(tmp_path):
    (tmp_path / "targets.npy").write_bytes(b"broken")
    with pytest.raises(TrainingError, match=r"targets\.npy: not an array"):
        Outputs(tmp_path, TARGETS, IDS).check()


def test_the_check_leaves_no_folder_and_no_file(tmp_path):
    Outputs(tmp_path / "a" / "b", TARGETS, IDS).check()
    assert not (tmp_path / "a" / "b").exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"cannot be written.*--out"):
        Outputs(tmp_path / "file" / "out", TARGETS, IDS).check()


@pytest.mark.parametrize("whole_files", [0, 1, 3])
def test_a_full_disk_leaves_no_file(tmp_path, monkeypatch, whole_files):
    replacing = module.replacing
    opened = []

    class FullDisk:
        def __init__(self, file) -> None:
            self.file = file

        def write(self, content) -> None:
            self.file.write(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    class Replacing:
        def __init__(self, path) -> None:
            self.inner = replacing(path)

        def __enter__(self):
            file = self.inner.__enter__()
            opened.append(file)
            return FullDisk(file) if len(opened) > whole_files else file

        def __exit__(self, *error):
            return self.inner.__exit__(*error)

    monkeypatch.setattr(module, "replacing", Replacing)
    with pytest.raises(TrainingError, match=r"cannot be written \(No space left on device\); free space"):
        Outputs(tmp_path, TARGETS, IDS, repetition=1).write(PROBABILITIES, {})
    assert names(tmp_path) == []
