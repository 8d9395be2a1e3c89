"""Checkpoints: what a training learnt, in a file of torch that holds all that using it needs."""

import io
import tempfile
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING

import numpy as np
import torch

from terrawatt import __version__
from terrawatt.data.bands import BANDS, BandStatistics
from terrawatt.errors import ModelError, TrainingError
from terrawatt.models.classifier import Classifier
from terrawatt.models.weights import why
from terrawatt.runs.atomic import write_bytes
from terrawatt.training.checkpoint_header import CheckpointHeader, check_whole, with_header

if TYPE_CHECKING:
    from terrawatt.training.setup import Training

_STATE = "state"


def check_target(path: Path) -> None:
    """See, before hours of training, that a checkpoint can go there.

    Raises:
        TrainingError: the folder is missing or cannot be written, or there is a folder of that name.
    """
    if path.is_dir():
        raise TrainingError(f"--checkpoint {path}: is a folder; name a file")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def write_checkpoint(path: Path, training: "Training", epoch: int) -> None:
    """Write what a training's network holds now; the file appears whole, in place of an earlier one, or not at all.

    Args:
        path: of the file.
        training: with the weights of the epoch.
        epoch: its number.

    Raises:
        TrainingError: it cannot be written.
    """
    header = _header(training, epoch)
    buffer = io.BytesIO()
    state = {name: value.detach().cpu() for name, value in training.model.network.state_dict().items()}
    torch.save({"header": header.model_dump(mode="json"), _STATE: state}, buffer)
    try:
        write_bytes(path, with_header(buffer.getvalue(), header))
    except OSError as error:
        raise _unwritable(path, error) from error


def restore(path: Path, model: Classifier) -> None:
    """Load a checkpoint's weights into the network that they fit. No code in it is run.

    Raises:
        ModelError: it is damaged, or its weights are those of another network.
    """
    check_whole(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        model.network.load_state_dict(content[_STATE])
    except (RuntimeError, TypeError, AttributeError, ValueError, KeyError, EOFError, UnpicklingError) as error:
        raise ModelError(f"{path}: its weights cannot be loaded ({why(error)}); write it anew") from error


def statistics(header: CheckpointHeader) -> BandStatistics:
    """The band statistics by which a checkpoint's network reads its images."""
    return BandStatistics(np.array(header.band_mean), np.array(header.band_std), header.band_origin)


def _header(training: "Training", epoch: int) -> CheckpointHeader:
    options, bands = training.options, training.bands
    return CheckpointHeader(
        model=options.model,
        hidden=options.hidden,
        bands=options.bands,
        labels=options.labels,  # type: ignore[arg-type]
        class_names=training.splits.class_names,
        loss=options.loss,
        mean_labels=training.mean_labels,
        band_names=BANDS,
        band_mean=tuple(bands.mean.tolist()),
        band_std=tuple(bands.std.tolist()),
        band_origin=bands.origin,
        options=options.parameters(),
        epoch=epoch,
        terrawatt=__version__,
        torch=torch.__version__,
    )


def _unwritable(path: Path, error: OSError) -> TrainingError:
    return TrainingError(
        f"--checkpoint {path}: cannot be written ({error.strerror or error}); free space there, or name another file"
    )
