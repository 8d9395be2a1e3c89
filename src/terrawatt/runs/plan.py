"""`plan.json` of a sweep: which repetition of which scenario comes when. Written before anything is measured.

It never changes: a resume goes on where the list was left.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from terrawatt.errors import RunFolderError
from terrawatt.records import Order
from terrawatt.runs.atomic import write_text

FORMAT_VERSION = 1


class Entry(NamedTuple):
    """One repetition of one scenario; all numbers from 1. The scenario's is that of its group."""

    block: int
    scenario: int
    repetition: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The entries of a sweep in the order of time, and what they come from.

    Attributes:
        order: how they were ordered.
        seed: of the random order; also written where nothing is random.
        entries: each repetition of each scenario once.
    """

    order: Order
    seed: int
    entries: tuple[Entry, ...]


def write_plan(path: Path, plan: Plan) -> None:
    """Write the plan, atomically, an entry a line."""
    entries = ",\n    ".join(json.dumps(entry._asdict()) for entry in plan.entries)
    head = json.dumps({"format_version": FORMAT_VERSION, "order": plan.order, "seed": plan.seed}, indent=2)
    write_text(path, head.removesuffix("\n}") + f',\n  "entries": [\n    {entries}\n  ]\n}}\n')


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        RunFolderError: it is not there, not a plan, or of a newer format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["format_version"]
        plan = Plan(Order(content["order"]), content["seed"], _entries(content["entries"]))
    except FileNotFoundError as error:
        raise RunFolderError(f"{path.parent}: no {path.name}, so no sweep of terrawatt") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{path}: not a plan ({type(error).__name__}: {error})") from error
    if version > FORMAT_VERSION:
        raise RunFolderError(
            f"{path}: format {version}, but this version reads up to {FORMAT_VERSION}; update terrawatt"
        )
    return plan


def _entries(found: Sequence[dict[str, int]]) -> tuple[Entry, ...]:
    """The entries of a file.

    Raises:
        ValueError: one is not of whole numbers from 1, or stands twice.
    """
    entries = tuple(Entry(**entry) for entry in found)
    if not all(type(number) is int and number >= 1 for entry in entries for number in entry):
        raise ValueError("block, scenario and repetition are whole numbers from 1")
    if len({entry[1:] for entry in entries}) < len(entries):
        raise ValueError("a repetition stands twice")
    return entries
