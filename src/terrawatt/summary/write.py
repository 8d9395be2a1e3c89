"""Writes `output_all.csv`, `.parquet` and `.json`, each whole or not at all."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from terrawatt.analysis.table import TABLE_VERSION, Table
from terrawatt.report.repetitions import csv_text
from terrawatt.runs.atomic import replacing, write_bytes
from terrawatt.summary.record import SummaryRecord, write_record
from terrawatt.summary.tables import is_whole


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The three files of a table in one folder."""

    folder: Path

    @property
    def csv(self) -> Path:
        """For people and every program."""
        return self.folder / "output_all.csv"

    @property
    def parquet(self) -> Path:
        """The same columns with their types."""
        return self.folder / "output_all.parquet"

    @property
    def json(self) -> Path:
        """Units, methods, versions, sources, verdicts."""
        return self.folder / "output_all.json"


def write_tables(table: Table, record: SummaryRecord, folder: Path) -> TableFiles:
    """Write the three files; the folder is made.

    CSV as RFC 4180: UTF-8, comma, CR LF, quotes where needed; `.` for decimals, all digits, missing values empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = TableFiles(folder)
    write_bytes(files.csv, csv_text(table).encode("utf-8"))
    with replacing(files.parquet) as file:
        pq.write_table(_arrow(table), file)
    write_record(files.json, record)
    return files


def _arrow(table: Table) -> pa.Table:
    """The table with a type for each column, also for those that are empty."""
    whole = [name for name, column in table.columns.items() if is_whole(column)]
    arrow = pa.Table.from_pandas(table.frame.astype(dict.fromkeys(whole, "Int64")), preserve_index=False)
    metadata = {**(arrow.schema.metadata or {}), b"terrawatt_table_version": str(TABLE_VERSION).encode()}
    return arrow.replace_schema_metadata(metadata)
