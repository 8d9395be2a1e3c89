"""`phases.jsonl`: one phase a line, appended when it ends. Also what a workload reports of itself.

A workload finds the file to append to in the environment variable `TERRAWATT_PHASES`; the runner then copies its
phases, with the repetition's number, behind the repetition's own line.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from terrawatt.errors import AnalysisError, RunFolderError
from terrawatt.records import Phase, Window
from terrawatt.runs.atomic import append_line

PHASES_VARIABLE = "TERRAWATT_PHASES"


def append_phase(path: Path, phase: Phase) -> None:
    """Append one phase, on the disk when this returns."""
    append_line(path, json.dumps(_to_json(phase)))


def read_phases(path: Path, *, repetition: int | None = None) -> list[Phase]:
    """All phases of a file, in their order; none where there is no file.

    A last line without its newline was cut off by a kill, and is left out.

    Args:
        path: the file.
        repetition: given to phases that name none (a workload does not know its number).

    Raises:
        RunFolderError: a line is not a phase; names file and line.
    """
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    phases = [_from_json(line, path, number) for number, line in enumerate(lines, start=1) if line.strip()]
    if repetition is None:
        return phases
    return [phase if phase.repetition is not None else replace(phase, repetition=repetition) for phase in phases]


def _to_json(phase: Phase) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": phase.name,
        "start_ns": phase.window.start_ns,
        "end_ns": phase.window.end_ns,
    }
    if phase.repetition is not None:
        entry["repetition"] = phase.repetition
    if phase.epoch is not None:
        entry["epoch"] = phase.epoch
    if phase.executions != 1:
        entry["executions"] = phase.executions
    return entry


def _from_json(line: str, path: Path, number: int) -> Phase:
    try:
        entry = json.loads(line)
        return Phase(
            name=str(entry["name"]),
            window=Window(int(entry["start_ns"]), int(entry["end_ns"])),
            repetition=entry.get("repetition"),
            epoch=entry.get("epoch"),
            executions=entry.get("executions", 1),
        )
    except (ValueError, KeyError, TypeError, AnalysisError) as error:
        raise RunFolderError(f"{path}, line {number}: not a phase ({error})") from error
