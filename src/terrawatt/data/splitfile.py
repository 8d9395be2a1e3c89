r"""A split kept as a file: which patch is in which part, and how that came about.

Parquet with the columns `patch_id` and `split` (`train`, `validation`, `test`), sorted by name. Its key-value metadata
holds one JSON text under `terrawatt_split`: format and version, method, labels, sizes, seed, source, program, date, and
the digest of the content. The digest, SHA-256 over lines `<patch_id>\t<part>`, tells splits apart wherever they lie:
two files with equal digests put the same patches into the same parts.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terrawatt.data.label_table import part_numbers
from terrawatt.data.packformat import SPLITS
from terrawatt.data.shards import write_durably
from terrawatt.errors import DataError

FORMAT: Final = "terrawatt-split"
FORMAT_VERSION: Final = 1
_KEY: Final = b"terrawatt_split"
_ADVICE = "make a split with `terrawatt data split`"


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Patches in parts.

    Attributes:
        patch_ids: names, sorted, each once.
        parts: the number of each one's part in `packformat.SPLITS`.
        provenance: how it was made; plain values.
    """

    patch_ids: pa.StringArray
    parts: NDArray[np.int8]
    provenance: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hex."""
        return str(self.provenance["sha256"])

    def size(self, part: str) -> int:
        """How many patches a part has."""
        return int((self.parts == SPLITS.index(part)).sum())


def content_digest(patch_ids: pa.StringArray, parts: NDArray[np.int8]) -> str:
    """The digest of a split: of its patches, in the order of their names, and their parts."""
    names = pa.array(SPLITS).take(pa.array(parts))
    lines = pc.binary_join_element_wise(patch_ids, names, "\t")
    return hashlib.sha256("\n".join(lines.to_pylist()).encode()).hexdigest()


def new_split(patch_ids: pa.StringArray, parts: NDArray[np.int8], provenance: Mapping[str, Any]) -> Split:
    """A split of sorted names, with its digest in the provenance."""
    return Split(patch_ids, parts, {**provenance, "sha256": content_digest(patch_ids, parts)})


def write_split(split: Split, path: Path) -> None:
    """Write a split, whole or not at all.

    Raises:
        DataError: the file exists; a run may have been made with it.
    """
    require_new(path)
    table = pa.table({"patch_id": split.patch_ids, "split": pa.array(SPLITS).take(pa.array(split.parts))})
    content = json.dumps({"format": FORMAT, "format_version": FORMAT_VERSION, **split.provenance}, ensure_ascii=False)
    buffer = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({_KEY: content.encode()}), buffer, compression="zstd")
    write_durably(path, buffer.getvalue().to_pybytes())


def require_new(path: Path) -> None:
    """Refuse the place of a split where there is a file, or no folder for one.

    Raises:
        DataError: says which.
    """
    if path.exists():
        raise DataError(f"{path} exists already; give another file with --out, or delete it first")
    if not path.parent.is_dir():
        raise DataError(f"{path.parent} is not a folder; make it first, or give another file with --out")


def read_provenance(path: Path) -> Mapping[str, Any]:
    """How a split was made, from the end of its file: quick, whatever its size.

    Raises:
        DataError: it is no file of a split, or of another format version.
    """
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; {_ADVICE}") from None
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is not the file of a split ({_first_line(error)}); {_ADVICE}") from None
    try:
        content = json.loads(metadata[_KEY])
    except (KeyError, ValueError):
        raise DataError(f"{path} is not the file of a split: it does not say how it was made; {_ADVICE}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("sha256"), str):
        raise DataError(f"{path} is not the file of a split; {_ADVICE}")
    if content.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"{path} has format version {content.get('format_version')}, this program reads {FORMAT_VERSION}; "
            "make the split again"
        )
    del content["format"], content["format_version"]
    return content


def read_split(path: Path) -> Split:
    """Read and check the file of a split.

    Raises:
        DataError: it is none, names a patch twice or in two parts, a part that is not known, or was changed.
    """
    provenance = read_provenance(path)
    try:
        table = pq.read_table(path, columns=["patch_id", "split"])
        patch_ids, parts = (table[name].cast(pa.string()).combine_chunks() for name in ("patch_id", "split"))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read as a split: {_first_line(error)}") from None
    if patch_ids.null_count or parts.null_count:
        raise DataError(f"{path} has empty cells: each patch of a split has a name and a part")
    numbers = part_numbers(parts, patch_ids, path)
    _require_one_part(patch_ids, parts, path)
    order = pc.sort_indices(patch_ids)
    patch_ids, numbers = patch_ids.take(order), numbers[order.to_numpy()]
    if content_digest(patch_ids, numbers) != provenance["sha256"]:
        raise DataError(f"{path} was changed since it was made: its digest is another; {_ADVICE}")
    return Split(patch_ids, numbers, provenance)


def _require_one_part(patch_ids: pa.StringArray, parts: pa.StringArray, path: Path) -> None:
    counts = pc.value_counts(patch_ids)
    if len(counts) == len(patch_ids):
        return
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    first = pc.min(twice).as_py()
    words = list(dict.fromkeys(parts.filter(pc.equal(patch_ids, first)).to_pylist()))
    where = f"in two parts, {' and '.join(words)}" if len(words) > 1 else f"twice in {words[0]}"
    more = f"; {len(twice) - 1} others are listed twice too" if len(twice) > 1 else ""
    raise DataError(f"{path}: patch {first} is {where}{more}")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
