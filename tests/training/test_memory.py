"""What is said when memory runs out, and that it is true."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import little_memory
from terrawatt.errors import TrainingError
from terrawatt.training.epoch import predict, train_epoch
from terrawatt.training.memory import Need, advice, explaining_memory, free_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep the limit of addresses")
def test_what_the_message_advises_fits_where_the_batch_did_not(tmp_path):
    command = (sys.executable, "-P", little_memory.__file__, str(tmp_path))
    beside = os.environ | {"PYTHONPATH": str(Path(little_memory.__file__).parent)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=beside)
    line, *as_advised = done.stdout.splitlines()
    assert re.fullmatch(
        r"out of memory in epoch 1, batch 1: --batch 128 needs about [\d.]+ [MG]B, and there was room for \d+ MB; "
        r"give --batch \d+, or learn from this one in parts with --accumulate \d+",
        line,
    )
    assert as_advised == ["enough", "enough"]


@pytest.mark.parametrize("model", ["s-cnn-rgb", "k-branch"])
def test_the_batch_that_failed_is_named(training, monkeypatch, model):
    prepared = training(model=model, batch=5)
    forward, calls = prepared.model.network.forward, []

    def third_fails(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return forward(*arguments)

    monkeypatch.setattr(prepared.model.network, "forward", third_fails)
    with pytest.raises(TrainingError) as raised, explaining_memory(prepared):
        train_epoch(prepared, 7)
    assert str(raised.value).startswith("out of memory in epoch 7, batch 3: --batch 5 needs about")
    calls[:] = [(), ()]
    with pytest.raises(TrainingError) as raised, explaining_memory(prepared):
        predict(prepared, prepared.splits.test)
    assert str(raised.value).startswith("out of memory in batch 1 of a prediction: --batch 5 needs about")


def test_where_nothing_fits_at_all_it_is_said(training, monkeypatch):
    prepared = training()

    def fail(*_arguments):
        raise MemoryError

    monkeypatch.setattr(prepared.model.network, "forward", fail)
    with pytest.raises(TrainingError) as raised, explaining_memory(prepared):
        train_epoch(prepared, 1)
    assert "in epoch 1, batch 1: --batch 4 does not fit, and a few images do not" in str(raised.value)


def test_other_errors_pass(training):
    with pytest.raises(RuntimeError, match="a size"), explaining_memory(training()):
        raise RuntimeError("a size does not match")


def test_a_limit_of_addresses_counts():
    assert 0 < free_bytes(torch.device("cpu")) <= psutil.virtual_memory().total


@given(
    st.integers(2, 5_000),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 10**10),
    st.floats(1, 1e7),
    st.floats(0, 1e9),
    st.floats(0.1, 2),
)
def test_what_is_advised_needs_less_than_there_is(batch, processes, accumulate, room, image, fixed, smaller):
    learning, predicting = Need(image, fixed), Need(image * smaller, 0.0)
    line = advice(batch, processes, accumulate, room, learning=learning, predicting=predicting)
    if found := re.search(r"give --batch (\d+)", line):
        assert 0 < int(found[1]) < batch + processes
        share = int(found[1]) // processes
        assert max(learning.of(-(-share // accumulate)), predicting.of(share)) <= room
    else:
        assert "too little for any batch" in line
    if found := re.search(r"--accumulate (\d+)", line):
        assert accumulate < int(found[1]) <= batch
        part = -(-batch // processes) // int(found[1])
        assert learning.of(part) <= room


def test_what_should_have_fitted_by_what_was_measured_is_halved():
    line = advice(100, 1, 2, 10**9, learning=Need(1e6, 0.0), predicting=Need(1e6, 0.0))
    assert line.endswith("give --batch 50, or learn from this one in parts with --accumulate 4")


def test_a_test_alone_is_not_advised_to_learn_in_parts():
    line = advice(100, 1, 1, 10**9, learning=None, predicting=Need(5e7, 0.0))
    assert line == "--batch 100 needs about 5 GB, and there was room for 1 GB; give --batch 13"
