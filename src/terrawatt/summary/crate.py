"""`ro-crate-metadata.json`: a run folder described for archives, as RO-Crate 1.1 (JSON-LD) has it.

https://w3id.org/ro/crate/1.1: the folder is the root data entity, each file a data entity with its size and checksum;
the authors, terrawatt, the meters and the act of measuring are contextual entities. What is not known is said to be
unknown, and nothing is guessed.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from terrawatt import __version__
from terrawatt.config import ExperimentSettings
from terrawatt.records import Phase, SourceDescription
from terrawatt.runs.atomic import sha256, write_text
from terrawatt.runs.layout import RunFolder, scenario_folders
from terrawatt.runs.manifest import Manifest, read_manifest
from terrawatt.runs.phases import read_phases
from terrawatt.runs.times import format_time

FILE_NAME = "ro-crate-metadata.json"
UNKNOWN_LICENSE = "unknown: whoever measured has not said how the data may be used"
_PROFILE = "https://w3id.org/ro/crate/1.1"
_CONTEXT = [f"{_PROFILE}/context", {"sha256": "https://schema.org/sha256"}]  # the profile's context lacks it
_AUTHOR = re.compile(r"^(?P<name>[^<>]+?)\s*(?:<(?P<uri>[^<>\s]+)>)?$")
_FORMATS: Mapping[str, str] = {
    ".bib": "application/x-bibtex",
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".sqlite": "application/vnd.sqlite3",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".txt": "text/plain",
}
_DESCRIPTIONS: Mapping[str, str] = {
    "manifest.json": "what was run, how, on what machine, with which meters; checksums of the measured files",
    "phases.jsonl": "every phase with its start and end in ns since 1970",
    "times.txt": "the same boundaries, one time a line",
    "status.json": "how each repetition ended",
    "telemetry.sqlite": "the readings of the meters and of the machine",
    "log.txt": "what the workload printed, and what the runner did",
    "output_all.csv": "one row a repetition: energies with uncertainties, performance, verdicts",
    "report.html": "the report",
}

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """One scenario of the run."""

    folder: RunFolder
    manifest: Manifest
    phases: Sequence[Phase]


def write_crate(run_path: Path, experiment: ExperimentSettings) -> Path:
    """Describe a run folder, its groups and the summary in it included; takes the place of an older description.

    Args:
        run_path: the folder of the whole run.
        experiment: its authors and licence, where they are given.

    Returns:
        The file.

    Raises:
        RunFolderError: there is no manifest, or it cannot be read.
    """
    parts = [
        _Part(folder, read_manifest(folder.manifest), read_phases(folder.phases))
        for folder in scenario_folders(run_path)
    ]
    path = run_path / FILE_NAME
    graph = list(_graph(run_path, parts, experiment))
    write_text(path, json.dumps({"@context": _CONTEXT, "@graph": graph}, indent=2, ensure_ascii=False) + "\n")
    return path


def _graph(run_path: Path, parts: Sequence[_Part], experiment: ExperimentSettings) -> Iterator[Entity]:
    files = [_file(path, run_path) for path in sorted(run_path.rglob("*")) if _is_kept(path, run_path)]
    authors = [_author(text, number) for number, text in enumerate(experiment.authors, start=1)]
    sources = {one.name: _source(one) for part in parts for one in part.manifest.sources}
    actions = [_action(part, run_path, files) for part in parts]
    terms = experiment.license or UNKNOWN_LICENSE
    is_address = terms.startswith(("http://", "https://"))
    yield {
        "@id": FILE_NAME,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _PROFILE},
        "about": {"@id": "./"},
    }
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{parts[0].manifest.experiment}, {run_path.name}",
        "description": _description(parts),
        "datePublished": format_time(time.time_ns())[:10],
        "license": {"@id": terms} if is_address else terms,
        "hasPart": _references(files),
        "mentions": _references(actions),
        **({"author": _references(authors)} if authors else {}),
    }
    yield from files
    yield from authors
    if is_address:
        yield {"@id": terms, "@type": "CreativeWork", "name": terms, "description": "the terms of use of the data"}
    yield from sources.values()
    yield {
        "@id": "#terrawatt",
        "@type": "SoftwareApplication",
        "name": "terrawatt",
        "version": parts[0].manifest.versions.get("terrawatt", __version__),
    }
    yield from actions


def _description(parts: Sequence[_Part]) -> str:
    repetitions = sum(phase.name == "repetition" for part in parts for phase in part.phases)
    scenarios = "1 scenario" if len(parts) == 1 else f"{len(parts)} scenarios"
    machine = parts[0].manifest.machine.get("cpu", "a machine whose processor is not known")
    return f"Energy measurements with terrawatt: {scenarios}, {repetitions} repetitions, on {machine}."


def _file(path: Path, run_path: Path) -> Entity:
    entity: Entity = {
        "@id": quote(path.relative_to(run_path).as_posix()),
        "@type": "File",
        "name": path.name,
        "contentSize": str(path.stat().st_size),
        "sha256": sha256(path),
    }
    if (media_type := _FORMATS.get(path.suffix.lower())) is not None:
        entity["encodingFormat"] = media_type
    if (description := _DESCRIPTIONS.get(path.name)) is not None:
        entity["description"] = description
    return entity


def _is_kept(path: Path, run_path: Path) -> bool:
    """Not what an interrupted write left, nor the journal beside an open database, nor the description itself."""
    relative = path.relative_to(run_path)
    hidden = any(part.startswith(".") for part in relative.parts)
    return path.is_file() and not hidden and not path.name.endswith((".tmp", "-wal", "-shm")) and path.name != FILE_NAME


def _author(text: str, number: int) -> Entity:
    """A person; `Ada Lovelace <https://orcid.org/0000-0002-1825-0097>` has an identity of its own."""
    found = _AUTHOR.match(text)
    name, uri = (found["name"], found["uri"]) if found else (text, None)
    return {"@id": uri or f"#author-{number}", "@type": "Person", "name": name}


def _source(source: SourceDescription) -> Entity:
    bands = "; ".join(
        f"± ({band.plus_minus_w:g} W + {band.plus_minus_percent:g} %)"
        + ("" if band.below_w is None else f" below {band.below_w:g} W")
        for band in source.accuracy
    )
    words = (
        f"power source of kind {source.kind}",
        "estimated, not measured" if source.is_estimate else "measured",
        f"a reading is {source.semantics}",
        f"accuracy {bands or 'not declared'}",
    )
    return {
        "@id": f"#source-{quote(source.name)}",
        "@type": "Product",
        "name": source.name,
        "description": "; ".join(words),
    }


def _action(part: _Part, run_path: Path, files: Sequence[Entity]) -> Entity:
    """The act of measuring one scenario."""
    folder = part.folder.path.relative_to(run_path).as_posix()
    prefix = "" if folder == "." else f"{quote(folder)}/"
    parameters = ", ".join(f"{name} {value}" for name, value in part.manifest.scenario.parameters.items())
    windows = [phase.window for phase in part.phases]
    times = {
        "startTime": format_time(min(window.start_ns for window in windows)),
        "endTime": format_time(max(window.end_ns for window in windows)),
    }
    name = run_path.name if folder == "." else f"{run_path.name}/{folder}"
    return {
        "@id": f"#measurement-{quote(name)}",
        "@type": "CreateAction",
        "name": f"measurement of {name}: {parameters or 'one scenario'}",
        "instrument": [{"@id": "#terrawatt"}, *({"@id": _source(one)["@id"]} for one in part.manifest.sources)],
        "result": [{"@id": one["@id"]} for one in files if one["@id"].startswith(prefix)],
        **(times if windows else {}),
    }


def _references(entities: Sequence[Entity]) -> list[Entity]:
    return [{"@id": entity["@id"]} for entity in entities]
