"""Where and how a training computes: the device, the generators of random numbers, the choice of algorithms."""

import os
import random
import shutil
from contextlib import AbstractContextManager

import numpy as np
import torch

from terrawatt.errors import TrainingError
from terrawatt.models.classifier import Classifier
from terrawatt.training.group import ALONE, Group
from terrawatt.training.options import GPU_PRECISIONS, TrainingOptions


def device_of(options: TrainingOptions, group: Group = ALONE) -> torch.device:
    """Where one process trains: on the CPU, or on a GPU of its own.

    Raises:
        TrainingError: there is no GPU, or there are fewer than processes.
    """
    name = options.device
    if name == "cuda" and not torch.cuda.is_available():
        raise TrainingError("--device cuda: torch finds no CUDA device here; use --device cpu or auto")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if group.size == 1:
        return torch.device("cuda")
    if group.local_size > torch.cuda.device_count():
        raise TrainingError(
            f"{group.local_size} processes, but torch finds {torch.cuda.device_count()} CUDA devices here; "
            "each needs one: give a smaller --nproc, or --device cpu"
        )
    torch.cuda.set_device(group.local_rank)
    return torch.device("cuda", group.local_rank)


def seed_all(seed: int) -> None:
    """Seed every generator that a training may draw from."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  the global generator, for libraries that use it
    torch.manual_seed(seed)  # of all devices


def make_deterministic(device: torch.device, *, is_wanted: bool = True) -> None:
    """Choose the GPU's algorithms that give the same sums each time, or the fastest; those of the CPU always do."""
    if device.type != "cuda":
        return
    if is_wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else cuBLAS' sums depend on its streams
    torch.use_deterministic_algorithms(is_wanted, warn_only=True)
    torch.backends.cudnn.benchmark = not is_wanted


def lay_out(model: Classifier, options: TrainingOptions, device: torch.device) -> None:
    """Give a model on its device the precision, the memory format and the compiler that the options name.

    Raises:
        TrainingError: the device has not that precision, or there is no compiler.
    """
    if options.precision in GPU_PRECISIONS and device.type != "cuda":
        raise TrainingError(f"--precision {options.precision} is for GPUs; use fp32 or bf16 on the CPU")
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = options.precision == "tf32"
        torch.backends.cudnn.allow_tf32 = options.precision == "tf32"  # torch's own default is True
    model.inputs.keeps_buffers = True
    model.inputs.dtype = _AUTOCAST.get(options.precision, torch.float32)
    if options.memory_format == "channels_last":
        model.network.to(memory_format=torch.channels_last)
        model.inputs.memory_format = torch.channels_last
    if options.compile:
        if device.type == "cpu" and not any(map(shutil.which, ("c++", "g++", "clang++"))):
            raise TrainingError("--compile 1: torch needs a C++ compiler on the CPU; install g++, or use --compile 0")
        (model.network if model.parts is None else model.parts.backbone).compile()


def autocast(options: TrainingOptions, device: torch.device) -> AbstractContextManager[object]:
    """The context of a forward pass: half precision where it is asked for and exact enough, else nothing."""
    dtype = _AUTOCAST.get(options.precision)
    return torch.autocast(device.type, dtype=dtype, enabled=dtype is not None)


def gradient_scaler(options: TrainingOptions, device: torch.device) -> torch.amp.GradScaler:
    """Keeps the small gradients of fp16 from vanishing; does nothing in other precisions."""
    return torch.amp.GradScaler(device.type, enabled=options.precision == "fp16")


_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}
