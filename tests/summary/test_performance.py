import json
import pickle
import sys

import numpy as np
import pytest

from terrawatt.runs.layout import prepare_run
from terrawatt.summary.performance import NOT_REPORTED, model_cells, performance_cells

TARGETS = np.array([[1, 0], [0, 1], [1, 1]], np.uint8)


@pytest.fixture
def folder(tmp_path):
    folder = prepare_run(tmp_path / "run_1")[0]
    np.save(folder.output / "targets.npy", TARGETS)
    np.save(folder.output_of(1, "probabilities.npy"), np.abs(TARGETS - np.float32(0.1)))
    return folder


def test_perfect_predictions(folder):
    cells = performance_cells(folder, 1)
    assert len(cells.values) == 16
    assert all(value == pytest.approx(1) for value in cells.values.values())
    assert cells.verdicts == ()


def test_labels_that_never_occur_are_a_remark_without_a_column(folder):
    np.save(folder.output / "targets.npy", np.array([[1, 0], [1, 0], [1, 0]], np.uint8))
    cells = performance_cells(folder, 1)
    assert len(cells.values) == 16
    assert [(verdict.code, verdict.column) for verdict in cells.verdicts] == [("empty-labels", None)]


def test_a_test_set_without_any_label_has_only_an_accuracy(folder):
    np.save(folder.output / "targets.npy", np.zeros((3, 2), np.uint8))
    cells = performance_cells(folder, 1)
    assert list(cells.values) == ["Accuracy"]
    assert cells.verdicts[0].message == "no label occurs in the test set"


def test_a_workload_without_predictions_has_one_short_reason(folder):
    cells = performance_cells(folder, 2)
    assert cells.values == {}
    assert [(verdict.column, verdict.message) for verdict in cells.verdicts] == [("performance", NOT_REPORTED)]


@pytest.mark.parametrize("name", ["targets.npy", "repetition_1_probabilities.npy"])
@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00", pickle.dumps([1, 2])])
def test_broken_arrays_are_reasons_not_crashes(folder, name, content):
    (folder.output / name).write_bytes(content)
    cells = performance_cells(folder, 1)
    assert cells.values == {}
    assert cells.verdicts[0].message.startswith(name)


def test_missing_targets_and_unlike_shapes(folder):
    np.save(folder.output / "targets.npy", TARGETS[:2])
    assert "do not fit" in performance_cells(folder, 1).verdicts[0].message
    (folder.output / "targets.npy").unlink()
    assert performance_cells(folder, 1).verdicts[0].message == "targets.npy: missing"


def test_scores_need_no_torch(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert len(performance_cells(folder, 1).values) == 16


def test_parameters_flops_and_the_sizes_of_the_splits(folder):
    labels = int(np.load(folder.output / "targets.npy").sum())
    none = {"Epochs done": None, "Train images": None, "Test images": None, "Test labels": labels}
    folder.output_of(1, "training.json").write_text(json.dumps({"parameters": 5, "flops": None}))
    assert model_cells(folder, 1).values == {"Parameters": 5, "FLOPs": None} | none
    assert model_cells(folder, 1).verdicts == ()
    folder.output_of(1, "training.json").write_text(
        json.dumps({"parameters": 5, "flops": 7, "n_train": 9, "n_test": 3, "history": [{"epoch": 1}, {"epoch": 2}]})
    )
    found = {"Parameters": 5, "FLOPs": 7, "Epochs done": 2, "Train images": 9, "Test images": 3, "Test labels": labels}
    assert model_cells(folder, 1).values == found


@pytest.mark.parametrize("text", ["{", "[]", '{"parameters": "many"}', '{"parameters": true}'])
def test_a_broken_record_of_a_training_is_a_reason(folder, text):
    folder.output_of(1, "training.json").write_text(text)
    cells = model_cells(folder, 1)
    assert cells.values.get("Parameters") is None
    assert [verdict.column for verdict in cells.verdicts] == ["Parameters"]
