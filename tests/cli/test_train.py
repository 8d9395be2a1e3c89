"""`terrawatt train` from the command line to its files, on a small pack of synthetic patches."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from terrawatt.cli import app
from terrawatt.data.archive import open_archive
from terrawatt.data.pack import Pack
from terrawatt.data.packer import pack_archive
from terrawatt.data.synth import synthesise
from terrawatt.runs.phases import PHASES_VARIABLE, read_phases

SMALL = ("--model", "s-cnn-rgb", "--hidden", "0", "--epochs", "1", "--batch", "8", "--threads", "1", "--device", "cpu")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "v1"
    synthesise(folder, version="v1", patches=24, seed=1)
    return folder


@pytest.fixture(scope="module")
def pack(archive: Path) -> Path:
    return pack_archive(open_archive(archive), archive.parent / "pack").path


def call(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = 0
    try:
        app.main(["train", *map(str, arguments)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def assert_one_line(error: str, *parts: str) -> None:
    assert error.startswith("terrawatt: error: ")
    assert error.count("\n") == 1
    for part in parts:
        assert part in error


def test_a_training_from_options_to_files(pack, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(PHASES_VARIABLE, str(tmp_path / "phases.jsonl"))
    out = tmp_path / "out"
    code, printed, error = call(*SMALL, "--data", pack, "--out", out, "--repetition", "2", capsys=capsys)
    assert (code, error) == (0, "")
    assert "epoch 1   train loss" in printed
    opened = Pack.open(pack)
    rows = opened.rows("test")
    assert np.load(out / "repetition_2_probabilities.npy").shape == (len(rows), 19)
    np.testing.assert_array_equal(np.load(out / "targets.npy"), opened.labels(19)[rows])
    np.testing.assert_array_equal(np.load(out / "patch_ids.npy"), opened.patch_ids(rows))
    record = json.loads((out / "repetition_2_training.json").read_text())
    assert record["inputs"].startswith("standardised by band statistics, training split of the pack")
    phases = read_phases(tmp_path / "phases.jsonl")
    assert [phase.name for phase in phases] == ["setup", "train", "validate", "test"]


def test_43_labels_and_all_bands_in_bfloat16_with_a_worker(pack, tmp_path, capsys):
    options = (*SMALL, "--labels", "43", "--precision", "bf16", "--workers", "1", "--optim", "adamw", "--count", "1")
    code, _, error = call(*options, "--model", "S-CNN-All", "--data", pack, "--out", tmp_path, capsys=capsys)
    assert (code, error) == (0, "")
    assert np.load(tmp_path / "probabilities.npy").shape[1] == 43
    assert json.loads((tmp_path / "training.json").read_text())["flops"] > 0


def test_inception_v3_from_scratch_by_its_older_name(pack, tmp_path, capsys):
    options = ("--model", "InceptionV3", "--finetune", "2", "--rgb", "1", "--epochs", "1.0", "--batch", "8")
    code, _, error = call(*options, "--data", pack, "--out", tmp_path, capsys=capsys)
    assert (code, error) == (0, "")
    assert json.loads((tmp_path / "training.json").read_text())["model"] == "inception-v3-scratch"


def test_the_pack_of_the_settings_is_the_default(pack, tmp_path, capsys):
    (tmp_path / "terrawatt.toml").write_text(f'[data]\npack = "{pack}"\n')
    config = ("--config", tmp_path / "terrawatt.toml", "--no-verify")
    assert call(*SMALL, *config, "--out", tmp_path / "out", capsys=capsys)[0] == 0


def test_two_processes_speak_and_write_as_one(pack, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv(PHASES_VARIABLE, str(tmp_path / "phases.jsonl"))
    out = tmp_path / "out"
    options = (*SMALL, "--threads", "2", "--nproc", "2", "--data", pack, "--out", out, "--repetition", "1")
    code, printed, error = call(*options, capsys=capfd)
    assert (code, error) == (0, "")
    assert "on cpu in 2 processes" in printed
    assert printed.count("epoch 1   train loss") == printed.count("checksums of 24 patches are right") == 1
    files = {"patch_ids.npy", "repetition_1_probabilities.npy", "repetition_1_training.json", "targets.npy"}
    assert {path.name for path in out.iterdir()} == files
    record = json.loads((out / "repetition_1_training.json").read_text())
    assert (record["options"]["nproc"], record["processes"], record["threads"]) == (2, 2, 1)
    assert [phase.name for phase in read_phases(tmp_path / "phases.jsonl")] == ["setup", "train", "validate", "test"]


def test_an_error_of_a_process_is_one_line_that_names_it(tmp_path, capfd):
    absent = tmp_path / "absent"
    code, _, error = call(*SMALL, "--threads", "2", "--nproc", "2", "--data", absent, "--out", tmp_path, capsys=capfd)
    assert code == 1
    assert_one_line(error, " of 2: ", str(absent))


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--nproc", "2"), ("--nproc 2: more processes than --threads 1",)),
        (("--nproc", "9", "--threads", "9"), ("--nproc 9: more processes than --batch 8",)),
        (("--model", "s-cnn-al"), ("s-cnn-al: unknown model", "Did you mean s-cnn-all")),
        (("--lr", "fast"), ("--lr fast: not a number",)),
        (("--epochs", "10.5"), ("--epochs 10.5: must be a whole number",)),
        (("--model", "s-cnn-all", "--rgb", "1"), ("leave out --rgb 1",)),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(options, parts, pack, tmp_path, capsys):
    code, _, error = call(*SMALL, *options, "--data", pack, "--out", tmp_path / "out", capsys=capsys)
    assert code == 2
    assert_one_line(error, *parts)
    assert not (tmp_path / "out").exists()


def test_a_batch_larger_than_the_split(pack, tmp_path, capsys):
    code, _, error = call(*SMALL, "--batch", "1000", "--data", pack, "--out", tmp_path / "out", capsys=capsys)
    assert code == 1
    assert_one_line(error, "--batch 1000 is larger than the train split")
    assert not (tmp_path / "out").exists()


def test_a_pack_without_splits(archive, tmp_path, capsys):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "BigEarthNet-v1.0").symlink_to(archive / "BigEarthNet-v1.0")
    pack_archive(open_archive(bare / "BigEarthNet-v1.0"), tmp_path / "pack")
    code, _, error = call(*SMALL, "--data", tmp_path / "pack", "--out", tmp_path / "out", capsys=capsys)
    assert code == 1
    assert_one_line(error, "the train split is empty", "--splits")


def test_a_flipped_byte_is_found_before_training(archive, tmp_path, capsys):
    damaged = pack_archive(open_archive(archive), tmp_path / "pack").path
    pixels = next(path for path in sorted(damaged.rglob("*r10*")) if path.is_file())
    content = bytearray(pixels.read_bytes())
    content[-1] ^= 1
    pixels.write_bytes(bytes(content))
    code, _, error = call(*SMALL, "--data", damaged, "--out", tmp_path / "out", capsys=capsys)
    assert code == 1
    assert_one_line(error, "checksum")
    assert not (tmp_path / "out").exists()


def test_no_data_and_no_weights(pack, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, error = call(*SMALL, "--out", "out", capsys=capsys)
    assert code == 2
    assert_one_line(error, "no data", "--data")
    options = ("--model", "inception-v3-transfer", "--weights", tmp_path / "absent.pth", "--batch", "8")
    code, _, error = call(*options, "--data", pack, "--out", "out", capsys=capsys)
    assert code == 1
    assert_one_line(error, "absent.pth: no such file", "--weights")


@pytest.fixture(scope="module")
def checkpoint(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a small training learnt; its predictions lie beside it."""
    folder = tmp_path_factory.mktemp("learnt")
    with pytest.raises(SystemExit):
        app.main(
            ["train", *SMALL, "--data", str(pack), "--out", str(folder), "--checkpoint", str(folder / "learnt.pt")]
        )
    return folder / "learnt.pt"


def test_a_checkpoint_alone_predicts_what_its_training_did(pack, checkpoint, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(PHASES_VARIABLE, str(tmp_path / "phases.jsonl"))
    options = ("--test-only", checkpoint, "--batch", "8", "--threads", "1", "--device", "cpu")
    code, printed, error = call(*options, "--data", pack, "--out", tmp_path / "out", capsys=capsys)
    assert (code, error) == (0, "")
    assert f"s-cnn-rgb of {checkpoint}" in printed
    found, learnt = (np.load(folder / "probabilities.npy") for folder in (tmp_path / "out", checkpoint.parent))
    np.testing.assert_array_equal(found, learnt)
    assert [phase.name for phase in read_phases(tmp_path / "phases.jsonl")] == ["setup", "test"]


def test_a_checkpoint_of_other_classes_is_refused_in_one_line(pack, checkpoint, tmp_path, capsys, monkeypatch):
    options = ("--test-only", checkpoint, "--data", pack, "--out", tmp_path / "out")
    code, _, error = call(*options, "--labels", "43", capsys=capsys)
    assert code == 2
    assert_one_line(error, "learnt.pt", "a checkpoint with --labels 19, not 43; leave --labels out")
    code, _, error = call(*options, "--epochs", "2", capsys=capsys)
    assert code == 2
    assert_one_line(error, "--epochs belongs to training")
    names = Pack.open(pack).class_names(19)
    monkeypatch.setattr(Pack, "class_names", lambda _pack, _n: (names[1], names[0], *names[2:]))
    code, _, error = call(*options, capsys=capsys)
    assert code == 1
    assert_one_line(error, "learnt.pt: its classes are not those of", f"({names[0]!r} for {names[1]!r})")
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_43_classes_is_refused_on_a_pack_of_19(archive, pack, tmp_path, capsys):
    learnt = tmp_path / "learnt.pt"
    options = (*SMALL, "--labels", "43", "--data", pack, "--out", tmp_path / "learnt", "--checkpoint", learnt)
    assert call(*options, capsys=capsys)[0] == 0
    synthesise(tmp_path / "v2", version="v2", patches=8, seed=1)
    other = pack_archive(open_archive(tmp_path / "v2"), tmp_path / "pack").path
    code, _, error = call("--test-only", learnt, "--data", other, "--out", tmp_path / "out", capsys=capsys)
    assert code == 1
    assert_one_line(error, "43")
    assert not (tmp_path / "out").exists()


def limit_file_size() -> None:
    """In the new process: no file above 1 kB, as if the disk were full (the system gives the same kind of error)."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))


def test_a_full_disk_leaves_nothing_half_written(pack, tmp_path):
    command = [sys.executable, "-B", "-m", "terrawatt", "train", *SMALL, "--data", pack, "--out", tmp_path / "out"]
    # The report of coverage in the child would itself be too large for this limit.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    ended = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit_file_size, env=env, check=False)
    assert ended.returncode == 1
    assert_one_line(ended.stderr, "outputs cannot be written", "File too large")
    assert list((tmp_path / "out").iterdir()) == []
