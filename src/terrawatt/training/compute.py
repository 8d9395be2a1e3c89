"""Where and how a training computes: the device, the generators of random numbers, the choice of algorithms."""

import os
import random

import numpy as np
import torch

from terrawatt.errors import TrainingError
from terrawatt.training.group import ALONE, Group
from terrawatt.training.options import TrainingOptions


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


def make_deterministic(device: torch.device) -> None:
    """Choose the GPU's algorithms that give the same sums each time; those of the CPU do."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else cuBLAS' sums depend on its streams
        torch.use_deterministic_algorithms(True, warn_only=True)
