"""Where patches lie: the tile of Sentinel-2's grid and the country, as far as names, JSON and tables tell.

| | tile | country |
|---|---|---|
| v2 | in the patch's name | column of metadata.parquet |
| v1 | `tile_source` in the patch's JSON, where the copy has it; else as below | as below |
| v1, with v2's metadata.parquet | that of the patch whose `s2v1_name` it is | likewise |

v2 left about a tenth of v1's patches out; of those the table tells nothing.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrawatt.data.inventory import Inventory
from terrawatt.data.label_table import LabelTable, read_label_table
from terrawatt.data.v1 import LABELS_SUFFIX
from terrawatt.errors import DataError

TILE, COUNTRY = "tile", "country"
_IN_NAME = r"^S2[A-Z]_MSIL2A_\d+T\d+_N\d+_R\d+_(?P<tile>T\d\d[A-Z]{3})_\d+_\d+$"
_IN_SOURCE = re.compile(r"_(T\d\d[A-Z]{3})_")


def places(inventory: Inventory, by: str, metadata: Path | None = None) -> pa.StringArray:
    """The tile or country of each patch; null where it is not known.

    Args:
        inventory: the patches.
        by: `TILE` or `COUNTRY`.
        metadata: v2's table, which also knows most patches of v1.

    Raises:
        DataError: it is known of no patch; says where it could be had.
    """
    table = read_label_table(metadata, with_labels=False) if metadata is not None else None
    known = _countries(inventory, table, metadata) if by == COUNTRY else _tiles(inventory, table)
    if known.null_count == len(known):
        raise DataError(_unknown(inventory, by, metadata))
    return known


def _countries(inventory: Inventory, table: LabelTable | None, metadata: Path | None) -> pa.StringArray:
    own = inventory.countries if inventory.countries is not None else pa.nulls(len(inventory), pa.string())
    if table is None:
        return own
    if table.countries is None:
        raise DataError(f"{metadata} has no column country")
    return pc.coalesce(own, _looked_up(inventory.patch_ids, table, table.countries))


def _tiles(inventory: Inventory, table: LabelTable | None) -> pa.StringArray:
    found = tiles_of_names(inventory.patch_ids)
    if inventory.folders and found.null_count:
        found = pc.coalesce(found, _tiles_of_json(inventory.patch_ids, inventory.folders))
    if table is not None and found.null_count:
        found = pc.coalesce(found, _looked_up(inventory.patch_ids, table, tiles_of_names(table.patch_ids)))
    return found


def tiles_of_names(patch_ids: pa.StringArray) -> pa.StringArray:
    """The tile in each name of a v2 patch, such as T33UUP; null for other names."""
    return pc.struct_field(pc.extract_regex(patch_ids, _IN_NAME), "tile")


def _looked_up(patch_ids: pa.StringArray, table: LabelTable, values: pa.StringArray) -> pa.StringArray:
    """A table's value for each patch, by its name in v2, or in v1."""
    row = pc.index_in(patch_ids, value_set=table.patch_ids)
    if table.v1_names is not None:
        row = pc.coalesce(row, pc.index_in(patch_ids, value_set=table.v1_names))
    return values.take(row)


def _tiles_of_json(patch_ids: pa.StringArray, folders: Mapping[str, Path]) -> pa.StringArray:
    return pa.array([_tile_of_json(folders[name], name) for name in patch_ids.to_pylist()], pa.string())


def _tile_of_json(folder: Path, patch_id: str) -> str | None:
    """The tile in `tile_source` of a v1 patch: S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_….SAFE."""
    try:
        source = json.loads((folder / f"{patch_id}{LABELS_SUFFIX}").read_bytes()).get("tile_source")
    except (OSError, ValueError, AttributeError):
        return None
    found = _IN_SOURCE.search(str(source))
    return found[1] if found else None


def _unknown(inventory: Inventory, by: str, metadata: Path | None) -> str:
    if metadata is not None:
        return f"{inventory.path}: {metadata} tells the {by} of none of its patches"
    advice = "give v2's table with --metadata metadata.parquet; it also names most patches of v1"
    if by == TILE and inventory.kind != "archive":
        advice += ". Or split the archive, whose JSON may tell the tile"
    return f"{inventory.path}: the {by} of its patches is not known; {advice}"


def group_numbers(known: pa.StringArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers from 0 for names, in alphabetical order, and the names."""
    names, numbers = np.unique(np.array(known.to_pylist(), dtype=np.str_), return_inverse=True)
    return numbers.astype(np.int64), tuple(map(str, names))
