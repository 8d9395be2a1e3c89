"""Files of pre-trained weights: found, checked, loaded.

torchvision names each file with the first 8 hex digits of its sha256, and checks them only when it downloads. Here
every file is checked, wherever it comes from.
"""

import hashlib
import re
import socket
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import nn

from terrawatt.errors import ModelError

DOWNLOAD_TIMEOUT_S = 10.0

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})$")


@dataclass(frozen=True, slots=True)
class PretrainedWeights:
    """Weights that torchvision publishes: where, and how their sha256 begins."""

    url: str
    sha256_prefix: str

    @property
    def file_name(self) -> str:
        """The name that torchvision gives the file."""
        return Path(urllib.parse.urlparse(self.url).path).name


INCEPTION_V3 = PretrainedWeights("https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth", "0cc3c7bd")


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file whose weights were loaded."""

    path: Path
    sha256: str


def locate(weights: PretrainedWeights, given: Path | None = None) -> Path:
    """The file of some weights: the given one, torchvision's cached one, or downloaded into the cache.

    The cache is `$TORCH_HOME/hub/checkpoints`, as for torchvision.

    Raises:
        ModelError: there is no such file and the download fails; the message says which file to put where.
    """
    if given is not None:
        if not given.is_file():
            raise ModelError(f"{given}: no such file; give the weights {weights.file_name} with --weights")
        return given
    cached = Path(torch.hub.get_dir()) / "checkpoints" / weights.file_name
    if not cached.is_file():
        _download(weights, cached)
    return cached


def load_into(network: nn.Module, path: Path, weights: PretrainedWeights) -> WeightsFile:
    """Check a file and load its weights into the network that they fit.

    Its sha256 must begin as its name says (`…-<8 hex digits>.pth`), or as the published one does when its name says
    nothing.

    Raises:
        ModelError: the checksum, the format or the shapes are wrong.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    named = _HASH_IN_NAME.search(path.stem)
    expected = named[1] if named else weights.sha256_prefix
    if not digest.startswith(expected):
        raise ModelError(
            f"{path}: sha256 begins with {digest[:8]}, not {expected}: damaged or another file; get it anew"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError, EOFError, KeyError, UnpicklingError) as error:
        raise ModelError(f"{path}: no weights of this model ({why(error)}); use {weights.file_name}") from error
    return WeightsFile(path, digest)


def why(error: Exception) -> str:
    """The line of an error of `load_state_dict` that tells most: sizes that differ, as of another number of classes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    sizes = [line for line in lines if line.startswith("size mismatch")]
    return (sizes or lines[1:] or lines or [type(error).__name__])[0].rstrip(". ")


def _download(weights: PretrainedWeights, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _socket_timeout(DOWNLOAD_TIMEOUT_S):
            torch.hub.download_url_to_file(weights.url, str(target), weights.sha256_prefix, progress=False)
    except (OSError, RuntimeError) as error:  # no network, no permission, full disk; another checksum
        raise ModelError(
            f"ImageNet weights are not at {target} and cannot be downloaded from {weights.url} ({error}); "
            "put the file there, or name it with --weights FILE"
        ) from error


@contextmanager
def _socket_timeout(timeout_s: float) -> Iterator[None]:
    """Connections that give up; torch's download has no such argument."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(timeout_s)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
