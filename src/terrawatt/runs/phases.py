"""`phases.jsonl`: one phase a line, appended when it ends. Also what a workload reports of itself.

A workload finds the file to append to in the environment variable `TERRAWATT_PHASES`; the runner then copies its
phases, with the repetition's number, behind the repetition's own line.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from terrawatt.errors import AnalysisError, RunFolderError
from terrawatt.records import Phase, Window
from terrawatt.runs.atomic import append_lines, write_text
from terrawatt.runs.environment import PHASES_VARIABLE as PHASES_VARIABLE


def append_phase(path: Path, phase: Phase) -> None:
    """Append one phase, on the disk when this returns."""
    append_phases(path, [phase])


def append_phases(path: Path, phases: Sequence[Phase]) -> None:
    """Append several phases together, on the disk when this returns."""
    append_lines(path, [json.dumps(_to_json(phase)) for phase in phases])


def write_phases(path: Path, phases: Sequence[Phase]) -> None:
    """Put these phases in place of the file, atomically."""
    write_text(path, "".join(f"{json.dumps(_to_json(phase))}\n" for phase in phases))


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
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise RunFolderError(f"{path}: not a text of phases ({error})") from error
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
    if phase.sitting != 1:
        entry["sitting"] = phase.sitting
    return entry


def _from_json(line: str, path: Path, number: int) -> Phase:
    try:
        entry = json.loads(line)
        return Phase(
            name=str(entry["name"]),
            window=Window(int(entry["start_ns"]), int(entry["end_ns"])),
            repetition=_number(entry, "repetition"),
            epoch=_number(entry, "epoch"),
            executions=_number(entry, "executions") or 1,
            sitting=_number(entry, "sitting") or 1,
        )
    except (ValueError, KeyError, TypeError, OverflowError, AnalysisError) as error:
        raise RunFolderError(f"{path}, line {number}: not a phase ({error})") from error


def _number(entry: dict[str, Any], key: str) -> int | None:
    """A whole number, or None where the key is missing or null.

    Raises:
        ValueError: something else stands there.
    """
    value = entry.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{key} is {value!r}, not a whole number")
