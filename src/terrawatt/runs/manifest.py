"""`manifest.json`: what was run, how, on what machine, with which meters. Written before the first measurement.

Format history: 1, the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from terrawatt.config import ProtocolSettings
from terrawatt.errors import RunFolderError
from terrawatt.records import Order, Scenario, SeriesKey, SourceDescription
from terrawatt.runs.atomic import sha256, sha256_once, write_bytes
from terrawatt.runs.layout import RunFolder

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Change:
    """Something that has been another one since a resume, which the user accepted.

    Attributes:
        from_repetition: the first repetition of this scenario that was measured with it.
        what: its name, e.g. `machine.cpu`, `versions.torch`, `sources.plug.accuracy`, `protocol.pause_s`.
        before, after: as text; empty where it was not there.
    """

    from_repetition: int
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run was: everything that is needed to compute its numbers again, and to refuse mixing it with others.

    Attributes:
        store: the file of the series, relative to the folder.
        database: where they are too (`store.url`, which holds no secret); empty: nowhere.
        is_external: whether somebody else wrote them there, and the file is a copy.
        host_series: quantity (`cpu`, `mem_free`, `temp`, `reads`) -> series; those without a sensor are in `missing`.
        missing: quantity -> why there is no series of it.
        blocks: the block of each repetition.
        order: of the repetitions of a sweep's scenarios (`records.Order`); of one scenario `sequential`.
        changes: what was another one after a resume; the rest of the manifest tells how it was at the beginning.
        options: what was given on the command line over the settings' file: section -> key -> value.
        working_folder: in which the workload ran; empty where it was a part of a program, or in older manifests.
        data: of the pack: its path, number of patches, class names, checksum; empty for other workloads.
        checksums: file, relative to the folder -> sha256, filled in when the run ends. Those of a sweep's group hold
            what its groups share too: `../telemetry.sqlite`, `../plan.json`.
    """

    experiment: str
    run: str
    group: int | None
    scenario: Scenario
    protocol: ProtocolSettings
    sources: tuple[SourceDescription, ...]
    host: str
    host_series: Mapping[str, SeriesKey]
    missing: Mapping[str, str]
    store: str
    created: str
    blocks: tuple[int, ...]
    sampling_interval_s: float
    machine: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    emissions: Mapping[str, Any] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    database: str = ""
    is_external: bool = False
    order: str = Order.SEQUENTIAL
    changes: tuple[Change, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    working_folder: str = ""
    format_version: int = FORMAT_VERSION

    def seed_of(self, repetition: int) -> int | None:
        """The seed of one repetition."""
        return None if self.scenario.seed is None else self.scenario.seed + repetition - 1


_adapter = TypeAdapter(Manifest)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest, atomically."""
    write_bytes(path, _adapter.dump_json(manifest, indent=2) + b"\n")


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        RunFolderError: it is not there, not a manifest, or of a newer format.
    """
    try:
        manifest = _adapter.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise RunFolderError(f"{path.parent}: no {path.name}, so no run of terrawatt") from error
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(str(part) for part in detail["loc"]) or "the file"
        raise RunFolderError(f"{path}: {where}: {detail['msg']}") from error
    if manifest.format_version > FORMAT_VERSION:
        raise RunFolderError(
            f"{path}: format {manifest.format_version}, but this version reads up to {FORMAT_VERSION}; update terrawatt"
        )
    return manifest


def seal(folder: RunFolder, manifest: Manifest) -> Manifest:
    """The manifest with the checksums of the folder's files, and of those that a sweep's groups share; also written."""
    files = sorted(path for path in folder.path.rglob("*") if path.is_file() and _is_record(path, folder))
    checksums = {str(path.relative_to(folder.path)): sha256(path) for path in files}
    shared = {path for path in (folder.telemetry, folder.plan) if path.parent != folder.path and path.exists()}
    checksums |= {f"../{path.name}": sha256_once(path) for path in sorted(shared)}
    sealed = replace(manifest, checksums=checksums)
    write_manifest(folder.manifest, sealed)
    return sealed


def _is_record(path: Path, folder: RunFolder) -> bool:
    """Whether a file holds measurements: times, phases, plan, series, and what workload and tracker left.

    Not those that still change (manifest, status, log, what was sent on, the journal that SQLite keeps beside an open
    file), nor summaries, nor what others keep here (Qanat its records), nor what an interrupted write left (hidden, or
    `.tmp`).
    """
    inside = path.relative_to(folder.path).parts
    if path.name.endswith(".tmp") or any(part.startswith(".") for part in inside):
        return False
    own = (folder.times, folder.phases, folder.plan, folder.path / folder.telemetry.name)
    return path in own or inside[0] in (folder.output.name, folder.emissions.name)
