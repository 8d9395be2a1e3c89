"""What a checkpoint says of itself, read without torch.

A checkpoint is what `torch.save` writes: a zip archive with a pickle of tensors. `terrawatt.json` lies in it beside
them, so that the command line can check it, and name its model in the table, before torch is imported.

    {"format": "terrawatt checkpoint", "format_version": 1, "model": …, …}    the fields of `CheckpointHeader`

Format 1: the first.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from terrawatt.errors import ModelError
from terrawatt.records import Scalar

FORMAT_VERSION = 1
_FORMAT = "terrawatt checkpoint"
_NAME = "archive/terrawatt.json"  # torch's readers look for the names that they know, in the folder `archive`
_MOST_BYTES = 1 << 20  # nobody's classes have longer names

Values = Annotated[tuple[float, ...], Field(min_length=12, max_length=12)]


class CheckpointHeader(BaseModel):
    """What a checkpoint holds, and how it came to be.

    Attributes:
        format: always the same.
        format_version: of this record.
        model: a name of the registry.
        hidden: width of S-CNN's fully connected layer; None for other models.
        bands: `all` or `rgb`, of a model of torchvision; None for other models.
        labels: 19 or 43.
        class_names: of the outputs, in their order.
        loss: by which it learnt, which says how logits become probabilities.
        mean_labels: labels of an image of its train split, on average.
        band_names: the order of the band statistics.
        band_mean: of each band.
        band_std: standard deviation of each band.
        band_origin: of which images they are.
        options: of the training.
        epoch: the one whose weights they are.
        terrawatt: version that wrote it.
        torch: version that wrote it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["terrawatt checkpoint"] = "terrawatt checkpoint"
    format_version: Literal[1] = 1
    model: str
    hidden: int | None
    bands: str | None
    labels: Literal[19, 43]
    class_names: tuple[str, ...]
    loss: str
    mean_labels: float
    band_names: tuple[str, ...]
    band_mean: Values
    band_std: Values
    band_origin: str
    options: Mapping[str, Scalar]
    epoch: int
    terrawatt: str
    torch: str


def read_header(path: Path) -> CheckpointHeader:
    """The header of a checkpoint.

    Raises:
        ModelError: there is no such file, or it is no checkpoint of terrawatt, is damaged, or of a later format.
    """
    raw = _raw(path)
    version = raw.get("format_version")
    if raw.get("format") == _FORMAT and version != FORMAT_VERSION:
        raise ModelError(f"{path}: of format {version}, and this terrawatt reads format {FORMAT_VERSION}; update it")
    try:
        return CheckpointHeader.model_validate(raw)
    except ValidationError as error:
        wrong = ".".join(map(str, error.errors()[0]["loc"]))
        raise ModelError(f"{path}: no checkpoint that terrawatt wrote ({wrong}: {error.errors()[0]['msg']})") from error


def with_header(content: bytes, header: CheckpointHeader) -> bytes:
    """What `torch.save` wrote, with a header in it."""
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(_NAME, header.model_dump_json(indent=2))
    return buffer.getvalue()


def check_whole(path: Path) -> None:
    """Compare the checksums of all parts of a checkpoint.

    Raises:
        ModelError: it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        raise _damaged(path, error) from error
    if damaged is not None:
        raise _damaged(path, f"the checksum of {damaged} is wrong")


def _raw(path: Path) -> Mapping[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_NAME).file_size > _MOST_BYTES:
                raise ModelError(f"{path}: no checkpoint that terrawatt wrote (its header is too long)")
            raw = json.loads(archive.read(_NAME))
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file; terrawatt train --checkpoint FILE writes one") from error
    except KeyError as error:
        raise ModelError(f"{path}: no checkpoint that terrawatt wrote (without terrawatt.json)") from error
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error
    if not isinstance(raw, dict):
        raise ModelError(f"{path}: no checkpoint that terrawatt wrote (its header is no object)")
    return raw


def _damaged(path: Path, reason: object) -> ModelError:
    return ModelError(f"{path}: no checkpoint, or damaged ({reason}); write it anew with terrawatt train --checkpoint")
