import json

import numpy as np
import pytest
import torch

from terrawatt.data.pack import Pack
from terrawatt.errors import TrainingError
from terrawatt.runs.phases import read_phases
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training import workload
from terrawatt.training.objectives import class_weights


@pytest.fixture
def run(options, pack, monkeypatch, tmp_path):
    """Run a small workload on the pack in memory, with options changed by name."""
    monkeypatch.setattr(Pack, "open", lambda _path: pack)

    def make(folder=tmp_path / "out", *, repetition=None, phases=None, start_ns=None, **changes):
        chosen = options(data="pack-in-memory", **changes)
        return workload.run(
            chosen, folder, repetition=repetition, phases=phases, start_ns=start_ns, say=lambda _line: None
        )

    return make


def test_the_outputs_are_the_test_splits_predictions(run, pack, tmp_path):
    outcome = run(repetition=3)
    rows = pack.rows("test")
    folder = tmp_path / "out"
    np.testing.assert_array_equal(np.load(folder / "repetition_3_probabilities.npy"), outcome.probabilities)
    np.testing.assert_array_equal(np.load(folder / "targets.npy"), pack.labels(19)[rows])
    np.testing.assert_array_equal(np.load(folder / "patch_ids.npy"), pack.patch_ids(rows))


def test_the_record_says_what_was_trained(run, pack, tmp_path):
    run(count=1, optim="Adam", seed=11)
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert (record["model"], record["seed"], record["options"]["optim"]) == ("s-cnn-rgb", 11, "Adam")
    assert record["parameters"] == record["trainable_parameters"] == 1_140_979
    assert record["flops"] == pytest.approx(2 * 0.145e9, rel=0.02)
    assert record["class_names"] == list(pack.class_names(19))
    assert (record["n_train"], record["n_validation"], record["n_test"]) == (12, 5, 6)
    assert record["inputs"].startswith("standardised by band statistics, published")
    assert [epoch["epoch"] for epoch in record["history"]] == [1, 2]
    assert record["tested_epoch"] == 2
    assert record["class_weights"] is None
    assert set(record["history"][0]) == {
        "epoch",
        "train_loss",
        "validation_loss",
        "validation_micro_f1",
        "validation_macro_f1",
        "duration_s",
    }
    assert record["versions"]["torch"] == torch.__version__


def test_the_record_holds_the_class_weights(run, pack, tmp_path):
    run(class_weights=1, epochs=1)
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert record["class_weights"] == class_weights(pack.labels(19)[pack.rows("train")]).tolist()
    assert record["options"]["class-weights"] == 1


def test_operations_are_counted_only_when_asked(run, tmp_path):
    run(count=0)
    assert json.loads((tmp_path / "out" / "training.json").read_text())["flops"] is None


def test_counting_operations_does_not_change_the_training(run, tmp_path):
    first, second = (run(tmp_path / str(count), count=count) for count in (0, 1))
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_the_phases_begin_with_the_setup(run, tmp_path):
    run(phases=PhaseReporter(tmp_path / "phases.jsonl"), start_ns=12, epochs=1)
    phases = read_phases(tmp_path / "phases.jsonl")
    assert [phase.name for phase in phases] == ["setup", "train", "validate", "test"]
    assert phases[0].window.start_ns == 12


def test_a_training_that_diverges_leaves_nothing(run, tmp_path):
    with pytest.raises(TrainingError):
        run(lr=1e30)
    assert not (tmp_path / "out").exists()


def test_outputs_that_cannot_go_anywhere_are_noticed_before_training(run, monkeypatch, tmp_path):
    monkeypatch.setattr(workload, "fit", lambda *_arguments: pytest.fail("it trained"))
    (tmp_path / "out").write_text("a file")
    with pytest.raises(TrainingError, match="cannot be written"):
        run()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: 9 TB"),
    ],
)
def test_memory_that_runs_out_is_one_line_with_advice(run, monkeypatch, error):
    def fail(*_arguments):
        raise error

    monkeypatch.setattr(workload, "fit", fail)
    with pytest.raises(TrainingError, match=r"out of memory: --batch 4 needs about .* MB, and there was room for"):
        run()


def test_memory_that_runs_out_before_the_training_is_said_too(run, monkeypatch):
    def fail(*_arguments):
        raise MemoryError

    monkeypatch.setattr(workload, "prepare", fail)
    with pytest.raises(TrainingError, match="out of memory before s-cnn-rgb could begin"):
        run()


def test_torchs_allocator_really_says_so(run, monkeypatch):
    monkeypatch.setattr(workload, "fit", lambda *_arguments: torch.empty(2**60, dtype=torch.uint8))
    with pytest.raises(TrainingError, match="out of memory"):
        run()


def test_other_errors_of_torch_stay_as_they_are(run, monkeypatch):
    def fail(*_arguments):
        raise RuntimeError("a size does not match")

    monkeypatch.setattr(workload, "fit", fail)
    with pytest.raises(RuntimeError, match="a size does not match"):
        run()
