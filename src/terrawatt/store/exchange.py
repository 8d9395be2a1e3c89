"""Series as files for other programs: Parquet and CSV, which come back exactly, and InfluxDB's line protocol.

One row a reading, in the columns `measurement, field, tags, t_ns, value`: tags as JSON, times in ns, and an empty value
where the reading failed.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from terrawatt.errors import StoreError
from terrawatt.records import Sample, SeriesKey
from terrawatt.store.line_protocol import LineEncoder
from terrawatt.store.sqlite import SqliteStore

COLUMNS = ("measurement", "field", "tags", "t_ns", "value")
_SCHEMA = pa.schema(
    [
        *((name, pa.dictionary(pa.int32(), pa.string())) for name in COLUMNS[:3]),
        ("t_ns", pa.int64()),
        ("value", pa.float64()),
    ],
    metadata={"terrawatt": "1"},
)
_BATCH_ROWS = 65_536


class Format(StrEnum):
    """The kinds of file."""

    PARQUET = "parquet"
    CSV = "csv"
    LINE = "line"


def write(store: SqliteStore, file: BinaryIO, form: Format) -> int:
    """Write all series of a store, one after the other. Returns how many readings.

    Raises:
        StoreError: the store cannot be read, or line protocol has no way to say a name.
    """
    writers: dict[Format, Callable[[SqliteStore, BinaryIO], int]] = {
        Format.PARQUET: _write_parquet,
        Format.CSV: _write_csv,
        Format.LINE: _write_lines,
    }
    return writers[form](store, file)


def read(path: Path) -> Iterator[Sample]:
    """The readings of a file that `write` made: Parquet when it ends in `.parquet`, else CSV.

    Raises:
        StoreError: it is no such file; names the file and, for CSV, the line.
    """
    try:
        yield from _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror or error})") from error


def _write_parquet(store: SqliteStore, file: BinaryIO) -> int:
    count = 0
    with parquet.ParquetWriter(file, _SCHEMA) as writer:
        for key in store.keys():  # noqa: SIM118  # a store is no mapping
            series = store.read(key)
            names = [
                pa.DictionaryArray.from_arrays(pa.array([0] * len(series), pa.int32()), [text]) for text in _texts(key)
            ]
            value = pa.array(series.value, from_pandas=True)
            writer.write_table(pa.Table.from_arrays([*names, pa.array(series.t_ns), value], schema=_SCHEMA))
            count += len(series)
    return count


def _write_csv(store: SqliteStore, file: BinaryIO) -> int:
    count = 0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    csv.writer(text, lineterminator="\n").writerow(COLUMNS)
    for key in store.keys():  # noqa: SIM118
        series, texts = store.read(key), _texts(key)
        # The module forgets to quote a carriage return (fixed in Python 3.13).
        if "\r" in "".join(texts):
            writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        else:
            writer = csv.writer(text, lineterminator="\n")
        pairs = zip(series.t_ns.tolist(), series.value.tolist(), strict=True)
        writer.writerows((*texts, t_ns, "" if math.isnan(value) else repr(value)) for t_ns, value in pairs)
        count += len(series)
    text.detach()
    return count


def _write_lines(store: SqliteStore, file: BinaryIO) -> int:
    count = 0
    encoder = LineEncoder()
    for key in store.keys():  # noqa: SIM118
        series = store.read(key)
        pairs = zip(series.t_ns.tolist(), series.value.tolist(), strict=True)
        file.writelines(f"{encoder.line(Sample(key, t_ns, value))}\n".encode() for t_ns, value in pairs)
        count += len(series)
    return count


def _texts(key: SeriesKey) -> tuple[str, str, str]:
    return key.measurement, key.field, json.dumps(dict(key.tags), sort_keys=True, ensure_ascii=False)


def _read_parquet(path: Path) -> Iterator[Sample]:
    keys = _Keys()
    try:
        with parquet.ParquetFile(path) as file:
            _require_columns(path, file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(COLUMNS)):
                columns = (batch.column(name).to_pylist() for name in COLUMNS)
                for row, (measurement, field, tags, t_ns, value) in enumerate(zip(*columns, strict=True)):
                    yield _sample(f"{path}, row {row}", keys, (measurement, field, tags), t_ns, value)
    except pa.ArrowInvalid as error:
        raise StoreError(f"{path}: not a file of Parquet ({' '.join(str(error).split())})") from error


def _read_csv(path: Path) -> Iterator[Sample]:
    keys = _Keys()
    with path.open(encoding="utf-8", newline="") as file:
        try:
            rows = csv.DictReader(file)
            _require_columns(path, rows.fieldnames or ())
            for row in rows:
                texts = (row["measurement"], row["field"], row["tags"])
                yield _sample(f"{path}, line {rows.line_num}", keys, texts, row["t_ns"], row["value"])
        except (UnicodeDecodeError, csv.Error) as error:
            raise StoreError(f"{path}: not a CSV in UTF-8 ({error})") from error


class _Keys(dict[tuple[str, str, str], SeriesKey]):
    """Series by their texts."""

    def __missing__(self, texts: tuple[str, str, str]) -> SeriesKey:
        measurement, field, tags = texts
        pairs = json.loads(tags)
        if not measurement or not field or not all(isinstance(value, str) for value in pairs.values()):
            raise ValueError("measurement, field and tags must name a series")
        self[texts] = key = SeriesKey(measurement, field, tuple(sorted(pairs.items())))
        return key


def _sample(where: str, keys: _Keys, texts: tuple[str, str, str], t_ns: Any, value: Any) -> Sample:
    """One row.

    Raises:
        StoreError: something in it is not what it should be.
    """
    try:
        return Sample(keys[texts], int(t_ns), math.nan if value in (None, "") else float(value))
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"{where}: not a reading ({error})") from error


def _require_columns(path: Path, names: Any) -> None:
    lacking = [name for name in COLUMNS if name not in names]
    if lacking:
        raise StoreError(f"{path}: no column {', '.join(lacking)}; needed are {', '.join(COLUMNS)}")
