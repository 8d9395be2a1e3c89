"""A table of patches and their labels in Parquet, such as `metadata.parquet` of BigEarthNet v2.0, read by columns.

Half a million rows take a second: labels become bitmasks without a Python object for each patch.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from terrawatt.data.labels import LABELS_19, LABELS_43, mask_to_19
from terrawatt.data.packformat import FLAG_CLOUD, FLAG_SNOW, SPLITS
from terrawatt.errors import DataError, did_you_mean

NO_PART = -1
FLAG_COLUMNS: Final = {"contains_seasonal_snow": FLAG_SNOW, "contains_cloud_or_shadow": FLAG_CLOUD}
_OPTIONAL = ("labels", "split", "country", "s2v1_name", *FLAG_COLUMNS)


@dataclass(frozen=True, slots=True, eq=False)
class LabelTable:
    """The rows of a table, in its order.

    Attributes:
        patch_ids: names.
        masks: labels as bitmasks (n,) by their number, 43 or 19; empty where the table has no labels.
        parts: the number of each patch's split in `packformat.SPLITS`, `NO_PART` where it has none.
        flags: snow, cloud or shadow, as bitmasks of `packformat.FLAGS`.
        countries: of each patch; None where the table has no such column.
        v1_names: the name of each patch in v1.0, likewise.
    """

    patch_ids: pa.StringArray
    masks: dict[int, NDArray[np.int64]]
    parts: NDArray[np.int8]
    flags: NDArray[np.int32]
    countries: pa.StringArray | None
    v1_names: pa.StringArray | None

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Whether they have snow, cloud or shadow."""
        return np.asarray(self.flags != 0, dtype=np.bool_)


def read_label_table(file: Path, *, with_labels: bool = True, known: tuple[str, ...] | None = None) -> LabelTable:
    """Read a table with the column `patch_id`, and what there is of the columns of v2.0's metadata.

    Args:
        file: Parquet.
        with_labels: also read the labels, lists of names of the 19 classes or of the 43 labels.
        known: which of them; default: the 19 classes where they are all that occur.

    Raises:
        DataError: it is no such table, a patch is listed twice, or a label or split is unknown.
    """
    table = _read(file, with_labels)
    patch_ids = _strings(table, "patch_id")
    if patch_ids.null_count:
        raise DataError(f"{file}: the column patch_id has empty cells")
    require_once(patch_ids, file)
    masks = _masks(table["labels"], patch_ids, file, known) if "labels" in table.schema.names else {}
    has = table.schema.names
    flags = np.zeros(len(patch_ids), dtype=np.int32)
    for name, flag in FLAG_COLUMNS.items():
        if name in has:
            flags |= flag * pc.fill_null(table[name], False).to_numpy().astype(np.int32)
    return LabelTable(
        patch_ids=patch_ids,
        masks=masks,
        parts=part_numbers(_strings(table, "split"), patch_ids, file) if "split" in has else _no_parts(len(patch_ids)),
        flags=flags,
        countries=_strings(table, "country") if "country" in has else None,
        v1_names=_strings(table, "s2v1_name") if "s2v1_name" in has else None,
    )


def require_once(patch_ids: pa.StringArray, file: Path) -> None:
    """Refuse names that stand in a file twice.

    Raises:
        DataError: names the first.
    """
    counts = pc.value_counts(patch_ids)
    if len(counts) < len(patch_ids):
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        raise DataError(f"{file}: {len(twice)} patches are listed twice, the first is {pc.min(twice)}")


def part_numbers(splits: pa.StringArray, patch_ids: pa.StringArray, file: Path) -> NDArray[np.int8]:
    """The number of each patch's split in `packformat.SPLITS`; `NO_PART` for empty cells.

    Raises:
        DataError: another word, with the patch that has it.
    """
    found = pc.index_in(splits, value_set=pa.array(SPLITS))
    unknown = pc.and_(pc.is_null(found), pc.is_valid(splits))
    if pc.any(unknown).as_py():
        row = pc.index(unknown, True).as_py()
        word = splits[row].as_py()
        raise DataError(
            f"{file}: patch {patch_ids[row]} is in a part named {word!r}; parts are {', '.join(SPLITS)}."
            f"{did_you_mean(word, SPLITS)}"
        )
    numbers: NDArray[np.int8] = pc.fill_null(found, NO_PART).to_numpy(zero_copy_only=False).astype(np.int8)
    return numbers


def _read(file: Path, with_labels: bool) -> pa.Table:
    try:
        names = pq.read_schema(file).names
        if "patch_id" not in names:
            raise DataError(f"{file} has no column patch_id: it is no table of patches")
        wanted = [name for name in ("patch_id", *_OPTIONAL) if name in names and (with_labels or name != "labels")]
        return pq.read_table(file, columns=wanted)
    except FileNotFoundError:
        raise DataError(f"{file} does not exist") from None
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file} cannot be read as Parquet: {error}") from None


def _strings(table: pa.Table, name: str) -> pa.StringArray:
    return table[name].cast(pa.string()).combine_chunks()


def _no_parts(n: int) -> NDArray[np.int8]:
    return np.full(n, NO_PART, dtype=np.int8)


def _masks(
    labels: pa.ChunkedArray, patch_ids: pa.StringArray, file: Path, known: tuple[str, ...] | None
) -> dict[int, NDArray[np.int64]]:
    """Bitmasks of lists of names, and of their classes where they are of the 43."""
    if not (pa.types.is_list(labels.type) or pa.types.is_large_list(labels.type)):
        raise DataError(f"{file}: the column labels holds {labels.type} instead of lists of names")
    lists = labels.combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy().astype(np.int64)
    names = pc.list_flatten(lists).cast(pa.string())
    if known is None:
        known = LABELS_19 if set(names.unique().drop_null().to_pylist()) <= set(LABELS_19) else LABELS_43
    bits = pc.index_in(names, value_set=pa.array(known))
    row_of = np.repeat(np.arange(len(lengths)), lengths)
    if bits.null_count:
        wrong = pc.index(pc.is_null(bits), True).as_py()
        label = str(names[wrong])
        raise DataError(
            f"{file}: patch {patch_ids[int(row_of[wrong])]} has an unknown label {label!r}."
            f"{did_you_mean(label, (*LABELS_19, *LABELS_43))}"
        )
    masks = np.zeros(len(lengths), dtype=np.int64)
    np.bitwise_or.at(masks, row_of, np.left_shift(1, bits.to_numpy().astype(np.int64)))
    return {19: masks} if known is LABELS_19 else with_19(masks)


def with_19(masks_43: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """Bitmasks of the 43 labels, and those of the 19 classes that follow from them."""
    distinct, of_row = np.unique(masks_43, return_inverse=True)
    masks_19 = np.array([mask_to_19(int(mask)) for mask in distinct], dtype=np.int64)
    return {43: masks_43, 19: masks_19[of_row]}
