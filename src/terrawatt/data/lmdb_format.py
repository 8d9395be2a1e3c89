"""The format of rico-hdl's LMDB, shared by its reading (`lmdb_archive.py`) and writing (`lmdb_export.py`) side.

One key a patch, its name in UTF-8; the value is in the format safetensors: by band name, such as B8A, a uint16 array
(pixels, pixels) in native resolution. Beside Sentinel-2 patches such an LMDB may hold those of Sentinel-1 (S1A_…), and
reference maps (…_reference_map).

rico-hdl, https://github.com/rsim-tu-berlin/rico-hdl, `bigearthnet`; read likewise by ConfigILM.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from terrawatt.errors import DataError

if TYPE_CHECKING:
    from lmdb import Environment

DATA: Final = "data.mdb"

Tensors = dict[str, NDArray[np.generic]]


def require_lmdb() -> ModuleType:
    """The module `lmdb`.

    Raises:
        DataError: it is not installed.
    """
    try:
        import lmdb
    except ImportError:
        raise _not_installed() from None
    return lmdb


def decoder() -> Callable[[bytes], Tensors]:
    """What turns a value into arrays by band name; raises ValueError with what is wrong with it.

    Raises:
        DataError: safetensors is not installed.
    """
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load
    except ImportError:
        raise _not_installed() from None

    def decode(value: bytes) -> Tensors:
        try:
            return load(value)
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise ValueError(" ".join(str(error).split())) from None

    return decode


def encoder() -> Callable[[dict[str, NDArray[np.uint16]]], bytes]:
    """What turns arrays by band name into a value.

    Raises:
        DataError: safetensors is not installed.
    """
    try:
        from safetensors.numpy import save
    except ImportError:
        raise _not_installed() from None
    return save


@contextmanager
def reading(folder: Path) -> Iterator["Environment"]:
    """An LMDB, opened for reading alone: also on a disk that cannot be written, and without a file of locks.

    Raises:
        DataError: it is no LMDB, or was cut short.
    """
    lmdb = require_lmdb()
    file = folder / DATA
    try:
        environment = lmdb.open(str(folder), readonly=True, lock=False, readahead=False)
    except lmdb.Error as error:
        raise DataError(f"{file} cannot be read as LMDB: {_reason(error, folder)}") from None
    with environment:
        needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
        size = file.stat().st_size
        if size < needed:  # its pages are mapped into memory: touching one that is not there ends the process
            raise DataError(f"{file} is cut short: {size:,} bytes instead of {needed:,}; copy it again")
        yield environment


def _not_installed() -> DataError:
    return DataError("LMDB needs the packages lmdb and safetensors: pip install 'terrawatt[lmdb]'")


def _reason(error: Exception, folder: Path) -> str:
    return str(error).removeprefix(f"{folder}: ")
