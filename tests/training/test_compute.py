import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from terrawatt.errors import TrainingError
from terrawatt.runs.reporting import PhaseReporter
from terrawatt.training.epoch import predict
from terrawatt.training.loop import fit


def silent(_line: str) -> None:
    pass


def test_memory_formats_give_the_same_numbers(training):
    changes = {"model": "s-cnn-all", "optim": "SGD", "lr": 0.01}
    last, first = (
        fit(training(**changes, **{"memory-format": layout}), PhaseReporter(), silent)
        for layout in ("channels_last", "contiguous")
    )
    np.testing.assert_allclose(last.probabilities, first.probabilities, atol=1e-5)


def test_images_and_weights_have_the_format_that_is_asked_for(training):
    prepared = training(model="s-cnn-all")
    batch = next(prepared.splits.test.in_order())
    image = prepared.model.inputs(batch.images)
    assert image.is_contiguous(memory_format=torch.channels_last)
    assert prepared.model.network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert training(model="s-cnn-all", **{"memory-format": "contiguous"}).model.inputs(batch.images).is_contiguous()


def test_in_bfloat16_the_network_gets_what_autocast_would_round(training):
    prepared = training(precision="bf16")
    exact = training(**{"memory-format": "contiguous"}).model.inputs
    batch = next(prepared.splits.test.in_order())
    assert torch.equal(prepared.model.inputs(batch.images), exact(batch.images).bfloat16())


@pytest.mark.parametrize("precision", ["fp16", "tf32"])
def test_precisions_of_gpus_are_refused_on_the_cpu(training, precision):
    with pytest.raises(TrainingError, match=f"--precision {precision} is for GPUs"):
        training(precision=precision, device="cpu")


def test_without_a_compiler_nothing_is_compiled(training, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(TrainingError, match=r"--compile 1: torch needs a C\+\+ compiler"):
        training(compile=1, device="cpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "fp16"])
def test_a_gpu_learns_what_the_cpu_learns(training, precision):
    here = fit(training(device="cpu"), PhaseReporter(), silent)
    there = fit(training(device="cuda", precision=precision), PhaseReporter(), silent)
    np.testing.assert_allclose(there.probabilities, here.probabilities, atol=0.02)


def test_a_prediction_with_kept_memory_is_that_of_each_image_alone(training):
    prepared = training(model="s-cnn-all")
    together, _ = predict(prepared, prepared.splits.test)
    assert len({row.tobytes() for row in together}) == len(together)  # no image in another's place


class Roundings(TorchDispatchMode):
    """Counts how often a tensor of some shape is rounded to bfloat16."""

    def __init__(self, shape: torch.Size) -> None:
        super().__init__()
        self.shape, self.n = shape, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.shape == self.shape and result.dtype == torch.bfloat16:
            self.n += args[0].dtype == torch.float32
        return result


def test_a_prediction_in_bfloat16_rounds_the_weights_once_however_many_batches(training):
    prepared = training(model="s-cnn-all", batch=2, precision="bf16")
    assert len(list(prepared.splits.test.in_order())) > 1
    with Roundings(prepared.model.network[0].weight.shape) as roundings:
        together, _ = predict(prepared, prepared.splits.test)
    assert roundings.n == 1
    batch = next(prepared.splits.test.in_order())
    with torch.no_grad(), prepared.autocast():
        alone = torch.sigmoid(prepared.model(batch.images).float())
    np.testing.assert_array_equal(together[:2], alone.numpy())
