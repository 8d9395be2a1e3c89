"""terrawatt: controlled energy experiments of deep learning on Earth-observation images.

What a program may use (docs/api.md):

    read       a run folder: table, series, phases, energies
    energy     gross and net energies, with uncertainties, from arrays
    measure    a block of one's own program, under the protocol
    phase      marks a phase of a workload that is measured

Nothing else is loaded until one of them is used: importing terrawatt in a workload costs what is measured nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terrawatt.api.energy import energy as energy
    from terrawatt.api.measure import Measured as Measured
    from terrawatt.api.measure import measure as measure
    from terrawatt.api.phase import phase as phase
    from terrawatt.api.run import Run as Run
    from terrawatt.api.run import read as read
    from terrawatt.records import AccuracyBand as AccuracyBand
    from terrawatt.records import MeterError as MeterError
    from terrawatt.records import Semantics as Semantics
    from terrawatt.records import Window as Window

__version__ = "0.1.0"

_MODULE_OF = {
    "AccuracyBand": "terrawatt.records",
    "Measured": "terrawatt.api.measure",
    "MeterError": "terrawatt.records",
    "Run": "terrawatt.api.run",
    "Semantics": "terrawatt.records",
    "Window": "terrawatt.records",
    "energy": "terrawatt.api.energy",
    "measure": "terrawatt.api.measure",
    "phase": "terrawatt.api.phase",
    "read": "terrawatt.api.run",
}

__all__ = [
    "AccuracyBand",
    "Measured",
    "MeterError",
    "Run",
    "Semantics",
    "Window",
    "__version__",
    "energy",
    "measure",
    "phase",
    "read",
]


def __getattr__(name: str) -> Any:
    """A public name, from its module (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'terrawatt' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
