"""The emissions of one repetition, from the file that CodeCarbon wrote of it."""

import csv
import math
from collections.abc import Mapping
from typing import Any

from terrawatt.analysis.verdict import missing_verdict
from terrawatt.runs.layout import RunFolder
from terrawatt.summary.cells import Cells
from terrawatt.units import kwh_to_j

_EMISSIONS, _ENERGY = "Emissions", "Energy (CodeCarbon)"


def emissions_cells(folder: RunFolder, settings: Mapping[str, Any], repetition: int, executions: int) -> Cells:
    """`Emissions` and `Energy (CodeCarbon)` of one execution in one repetition.

    The file is found by the repetition's number in its name. Its last line counts: CodeCarbon appends.

    Args:
        folder: of the run.
        settings: what the manifest says of emissions.
        repetition: its number.
        executions: in the repetition's window.
    """
    path = folder.emissions_of(repetition)
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except FileNotFoundError:
        return _empty(_why_none(settings, repetition))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return _empty(f"{path.name} cannot be read ({error})")
    if not rows:
        return _empty(f"{path.name} holds no line of values")
    emissions_kg, energy_kwh = (_number(rows[-1].get(name)) for name in ("emissions", "energy_consumed"))
    if emissions_kg is None or energy_kwh is None:
        return _empty(f"{path.name}: emissions or energy_consumed is not a number")
    return Cells({_EMISSIONS: emissions_kg / executions, _ENERGY: kwh_to_j(energy_kwh) / executions})


def _empty(reason: str) -> Cells:
    return Cells(verdicts=(missing_verdict(_EMISSIONS, reason), missing_verdict(_ENERGY, reason)))


def _why_none(settings: Mapping[str, Any], repetition: int) -> str:
    if settings.get("enabled") is False:
        return "emissions.enabled is false"
    missing = settings.get("missing")
    reason = missing.get(str(repetition)) if isinstance(missing, Mapping) else None
    return str(reason) if reason else "CodeCarbon left no file"


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
