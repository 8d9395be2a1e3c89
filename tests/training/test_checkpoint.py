"""A checkpoint from the training that writes it to the test that reads it, and files that are none."""

import io
import json
import os
import pickle
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from terrawatt.data.bands import BandStatistics
from terrawatt.data.pack import Pack
from terrawatt.errors import ModelError, TrainingError, UsageError
from terrawatt.models.registry import find
from terrawatt.runs.phases import read_phases
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training import workload
from terrawatt.training.checkpoint import restore
from terrawatt.training.checkpoint_header import read_header
from terrawatt.training.options import TrainingOptions, from_parameters
from terrawatt.training.setup import open_splits

HEADER = "archive/terrawatt.json"


def run(options: TrainingOptions, folder: Path, phases: PhaseReporter | None = None) -> np.ndarray:
    return workload.run(options, folder, phases=phases, say=lambda _line: None).probabilities


@pytest.fixture(autouse=True)
def _opened(monkeypatch, pack) -> None:
    monkeypatch.setattr(Pack, "open", lambda _path: pack)


@pytest.fixture
def trained(options, tmp_path):
    """Train and write a checkpoint, with options changed by name: the file, and the probabilities of the test."""

    def make(**changes) -> tuple[Path, np.ndarray]:
        path = tmp_path / "learnt.pt"
        chosen = options(**{"data": "pack-in-memory", "checkpoint": str(path), "epochs": 1, "optim": "Adam"} | changes)
        return path, run(chosen, tmp_path / "trained")

    return make


def of_checkpoint(path: Path, **given) -> TrainingOptions:
    return from_parameters({"test-only": str(path), "data": "pack-in-memory", "batch": 4, "threads": 1} | given)


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "CrossEntropy"},
        {"model": "s-cnn-all"},
        {"model": "k-branch"},
        {"model": "torchvision:mobilenet_v3_small", "bands": "rgb"},
        {"labels": 19, "select": "best", "epochs": 2},
    ],
)
def test_a_checkpoint_tests_as_the_training_did(trained, tmp_path, changes):
    path, probabilities = trained(**changes)
    np.testing.assert_array_equal(run(of_checkpoint(path), tmp_path / "tested"), probabilities)


def test_inception_is_tested_without_imagenets_weights(options, tmp_path, pack):
    """The network of transfer learning, as a checkpoint holds it, with no file of weights in sight."""
    spec = find("inception-v3-transfer")
    scratch, same = (find("inception-v3-scratch").build(19, pack.band_statistics()) for _ in range(2))
    chosen = of_checkpoint(write_one(tmp_path, options, pack, scratch, spec.name))
    splits = open_splits(chosen, pack, lambda _line: None)
    prepared = workload.prepare(chosen, splits)
    assert prepared.checkpoint.model == spec.name
    assert not all(torch.equal(a, b) for a, b in zip(scratch.parameters(), same.parameters(), strict=True))
    for name, value in prepared.model.network.state_dict().items():
        torch.testing.assert_close(value, scratch.network.state_dict()[name], rtol=0, atol=0)


def write_one(folder: Path, options, pack, model, name: str) -> Path:
    """A checkpoint that says it is of `name`, with the weights of a model."""
    from dataclasses import replace

    from terrawatt.training.checkpoint import write_checkpoint

    chosen = options()
    prepared = workload.prepare(chosen, open_splits(chosen, pack, lambda _line: None))
    named = replace(prepared, model=model, options=replace(chosen, model=name, hidden=None))
    write_checkpoint(folder / "one.pt", named, 1)
    return folder / "one.pt"


def test_the_header_says_all_that_using_it_needs(trained, pack):
    path, _ = trained(epochs=2, seed=5)
    header = read_header(path)
    assert (header.model, header.hidden, header.bands, header.labels, header.epoch) == ("s-cnn-rgb", 0, None, 19, 2)
    assert header.class_names == pack.class_names(19)
    assert header.options["seed"] == 5
    np.testing.assert_array_equal(header.band_mean, pack.band_statistics().mean)
    assert header.band_origin == pack.band_statistics().origin
    assert (header.format_version, header.torch) == (1, torch.__version__)


def test_torch_alone_reads_the_weights_and_the_header(trained):
    path, _ = trained()
    content = torch.load(path, weights_only=True)
    assert content["header"] == json.loads(zipfile.ZipFile(path).read(HEADER))
    find("s-cnn-rgb").build(19, BandStatistics(np.zeros(12), np.ones(12), "any"), hidden=0).network.load_state_dict(
        content["state"]
    )


def test_images_are_standardised_as_in_training_whatever_the_pack_says(trained, tmp_path, monkeypatch, pack):
    path, probabilities = trained()
    monkeypatch.setattr(pack, "band_statistics", lambda: BandStatistics(np.zeros(12), np.ones(12), "others"))
    np.testing.assert_array_equal(run(of_checkpoint(path), tmp_path / "tested"), probabilities)


def test_a_test_alone_has_two_phases_and_a_record_without_training(trained, tmp_path):
    path, _ = trained()
    run(of_checkpoint(path), tmp_path / "tested", PhaseReporter(tmp_path / "phases.jsonl"))
    assert [phase.name for phase in read_phases(tmp_path / "phases.jsonl")] == ["setup", "test"]
    record = json.loads((tmp_path / "tested" / "training.json").read_text())
    assert record["options"] == {
        "model": "s-cnn-rgb",
        "batch": 4,
        "seed": 0,
        "labels": 19,
        "precision": "fp32",
        "hidden": 0,
        "threads": 1,
        "test-only": str(path),
    }
    assert (record["n_train"], record["n_validation"], record["n_test"], record["history"]) == (None, None, 6, [])
    assert (record["trainable_parameters"], record["tested_epoch"]) == (0, 1)
    trained_record = json.loads((tmp_path / "trained" / "training.json").read_text())
    assert record["checkpoint"]["sha256"] == trained_record["checkpoint"]["sha256"]


def test_the_arguments_of_a_test_mean_the_same(trained):
    path, _ = trained()
    options = of_checkpoint(path)
    argv = options.argv()
    assert from_parameters({name[2:]: value for name, value in zip(argv[::2], argv[1::2], strict=True)}) == options
    assert from_parameters(options.parameters()).parameters() == options.parameters()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "s-cnn-all"}, "a checkpoint with --model s-cnn-rgb, not s-cnn-all"),
        ({"hidden": 128}, "a checkpoint with --hidden 0, not 128"),
        ({"labels": 43}, "a checkpoint with --labels 19, not 43"),
        ({"bands": "rgb"}, "a checkpoint with --bands None, not rgb"),
        ({"epochs": 3}, "--epochs belongs to training: leave it out with --test-only"),
        ({"cache-features": "disk"}, "--cache-features belongs to training: leave it out with --test-only"),
        ({"class-weights": 1}, "--class-weights belongs to training"),
        ({"checkpoint": "other.pt"}, "--checkpoint belongs to training"),
        ({"rgb": 0}, "leave out --rgb 0"),
    ],
)
def test_what_contradicts_the_checkpoint_is_refused(trained, given, message):
    path, _ = trained()
    with pytest.raises(UsageError, match=message):
        of_checkpoint(path, **given)


def test_names_that_say_the_same_are_not_refused(trained):
    path, _ = trained()
    assert of_checkpoint(path, model="ShortCNN", rgb=1, labels=19).model == "s-cnn-rgb"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (lambda names: (*names[:3], "other", *names[4:]), "'class 3' for 'other'"),
        (lambda names: (names[1], names[0], *names[2:]), "'class 0' for 'class 1'"),
        (lambda names: names[:-1], "19 for 18"),
    ],
)
def test_a_pack_of_other_classes_or_another_order_is_refused(trained, monkeypatch, pack, tmp_path, names, message):
    path, _ = trained()
    found = names(pack.class_names(19))
    monkeypatch.setattr(pack, "class_names", lambda _n: found)
    with pytest.raises(ModelError, match=f"its classes are not those of pack-in-memory \\({message}\\)"):
        run(of_checkpoint(path), tmp_path / "tested")
    assert not (tmp_path / "tested").exists()


def test_only_the_test_split_is_needed(trained, monkeypatch, pack_of, tmp_path):
    path, _ = trained()
    other = pack_of(train=0, validation=0, test=3)
    monkeypatch.setattr(Pack, "open", lambda _path: other)
    assert run(of_checkpoint(path), tmp_path / "tested").shape == (3, 19)
    none = pack_of(test=0)
    monkeypatch.setattr(Pack, "open", lambda _path: none)
    with pytest.raises(TrainingError, match="the test split is empty"):
        run(of_checkpoint(path), tmp_path / "none")


def test_weights_of_another_number_of_classes_are_refused(trained, pack):
    path, _ = trained()
    model = find("s-cnn-rgb").build(43, pack.band_statistics(), hidden=0)
    with pytest.raises(ModelError, match="weights cannot be loaded") as caught:
        restore(path, model)
    assert "\n" not in str(caught.value)
    assert "[19" in str(caught.value)
    assert "[43" in str(caught.value)


def test_a_flipped_byte_is_found(trained):
    path, _ = trained()
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda info: info.file_size)
    content = bytearray(path.read_bytes())
    content[largest.header_offset + largest.file_size // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        restore(path, find("s-cnn-rgb").build(19, BandStatistics(np.zeros(12), np.ones(12), "any"), hidden=0))


@pytest.mark.parametrize("keep", [0, 100, 10_000, -1])
def test_a_file_cut_short_is_refused_at_once(trained, keep):
    path, _ = trained()
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelError, match="no checkpoint, or damaged") as caught:
        of_checkpoint(path)
    assert "\n" not in str(caught.value)


def with_header(path: Path, header: str | bytes) -> Path:
    """The same archive with another header."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            new.writestr(info, header if info.filename == HEADER else old.read(info))
    path.write_bytes(buffer.getvalue())
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "of format 2, and this terrawatt reads format 1"),
        ({"format": "mine"}, r"no checkpoint that terrawatt wrote \(format"),
        ({"class_names": 7}, r"no checkpoint that terrawatt wrote \(class_names"),
        ({"band_mean": [1.0]}, r"no checkpoint that terrawatt wrote \(band_mean"),
        ({"model": "s-cnn-tall"}, "unknown model"),
    ],
)
def test_a_header_that_cannot_be_meant_is_refused(trained, change, message):
    path, _ = trained()
    header = json.loads(zipfile.ZipFile(path).read(HEADER))
    with_header(path, json.dumps(header | change))
    with pytest.raises((ModelError, UsageError), match=message) as caught:
        of_checkpoint(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("header", [b"", b"[]", b"{", b"\xff", b"[" + b"1," * (1 << 20)])
def test_a_header_that_is_none_is_refused(trained, header):
    path, _ = trained()
    with pytest.raises(ModelError):
        of_checkpoint(with_header(path, header))


def test_weights_that_torch_alone_saved_are_no_checkpoint(tmp_path):
    torch.save({"state": {}}, tmp_path / "state.pt")
    with pytest.raises(ModelError, match="no checkpoint that terrawatt wrote"):
        of_checkpoint(tmp_path / "state.pt")
    with pytest.raises(ModelError, match="no such file"):
        of_checkpoint(tmp_path / "absent.pt")
    with pytest.raises(ModelError, match="no checkpoint, or damaged"):
        of_checkpoint(tmp_path)


class Bomb:
    """Unpickled, it would leave a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._path),)


def test_code_in_a_checkpoint_is_not_run(trained, tmp_path, pack):
    path, _ = trained()
    header = zipfile.ZipFile(path).read(HEADER)
    torch.save({"state": Bomb(tmp_path / "bombed")}, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(HEADER, header)
    with pytest.raises(ModelError, match="weights cannot be loaded") as caught:
        run(of_checkpoint(path), tmp_path / "tested")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "bombed").exists()
    with pytest.raises(FileNotFoundError):  # the bomb is real
        pickle.loads(pickle.dumps(Bomb(tmp_path / "no such folder" / "bombed")))  # noqa: S301


def test_where_no_checkpoint_can_go_is_noticed_before_training(options, tmp_path, monkeypatch):
    monkeypatch.setattr(workload, "fit", lambda *_arguments: pytest.fail("it trained"))
    for path, message in ((tmp_path, "is a folder"), (tmp_path / "absent" / "learnt.pt", "cannot be written")):
        with pytest.raises(TrainingError, match=message):
            run(options(data="pack-in-memory", checkpoint=str(path)), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_the_earlier_checkpoint(trained):
    path, _ = trained()
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(TrainingError, match="cannot be written"):
            trained(seed=8)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []
