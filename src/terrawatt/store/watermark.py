"""How far the rows of a store were sent on to each database: `forwarded.json` beside it.

A file of its own, since the store is sealed by its checksum when the run ends. It is replaced at once, but not waited
for on the disk: losing it costs sending the rows again, which changes nothing.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError

from terrawatt.errors import StoreError

FILE_NAME = "forwarded.json"


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far one database got.

    Attributes:
        position: of the last row that was sent, in the order of commits.
        refused: how many rows the database refused for good.
    """

    position: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Content:
    __pydantic_config__: ClassVar = {"extra": "forbid"}

    databases: dict[str, Watermark]
    format_version: int = 1


_adapter = TypeAdapter(_Content)


class Watermarks:
    """The file beside one store."""

    def __init__(self, store_path: Path) -> None:
        self._path = store_path.with_name(FILE_NAME)

    def of(self, database: str) -> Watermark:
        """How far a database got; from the beginning where nothing is known of it."""
        return self._read().get(database, Watermark())

    def set(self, database: str, mark: Watermark) -> None:
        """Remember how far a database got.

        Raises:
            StoreError: the file cannot be written.
        """
        content = _Content({**self._read(), database: mark})
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_bytes(_adapter.dump_json(content, indent=2) + b"\n")
            temporary.replace(self._path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise StoreError(f"{self._path}: cannot be written ({error.strerror})") from error

    def _read(self) -> dict[str, Watermark]:
        try:
            return _adapter.validate_json(self._path.read_bytes()).databases
        except (OSError, ValidationError):
            return {}
