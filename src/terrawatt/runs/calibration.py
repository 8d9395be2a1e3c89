"""`calibration/<source>.json`, beside the folder of results: how late a meter's readings come on one machine.

Format history: 1, the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from terrawatt.errors import SourceError
from terrawatt.records import Semantics, SourceDescription
from terrawatt.runs.atomic import write_bytes

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """What load steps told of one source.

    Attributes:
        source: its name.
        kind: its kind.
        semantics: what its readings meant.
        host: the machine whose load was changed.
        date: when, UTC.
        delay_s: the time before a step is seen at all.
        tau_s: the time constant with which it is then seen.
        latency_s: their sum, by which readings are shifted.
        u_delay_s, u_tau_s, u_latency_s: their standard uncertainties.
        step_w: height of the load steps.
        n_steps: how many there were.
        n_readings: readings used.
    """

    source: str
    kind: str
    semantics: Semantics
    host: str
    date: str
    delay_s: float
    u_delay_s: float
    tau_s: float
    u_tau_s: float
    latency_s: float
    u_latency_s: float
    step_w: float
    n_steps: int
    n_readings: int
    format_version: int = FORMAT_VERSION

    def problem_with(self, source: SourceDescription, host: str) -> str:
        """Why it does not hold for a source on a machine; empty when it does."""
        if self.host != host:
            return f"made on {self.host}, not on {host}"
        if (self.kind, self.semantics) != (source.kind, source.semantics):
            return f"made with {self.semantics} readings of kind {self.kind}"
        return ""


_adapter = TypeAdapter(Calibration)


def calibration_path(results: Path, source: str) -> Path:
    """The file of a source, beside the folder of results."""
    return results.parent / "calibration" / f"{source}.json"


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write the file, atomically; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, _adapter.dump_json(calibration, indent=2) + b"\n")


def read_calibration(path: Path) -> Calibration | None:
    """The calibration in a file; None where there is no file.

    Raises:
        SourceError: it is no such file, or of a newer format.
    """
    try:
        found = _adapter.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(str(part) for part in detail["loc"]) or "the file"
        raise SourceError(f"{path}: {where}: {detail['msg']}; calibrate again, or remove it") from error
    if found.format_version > FORMAT_VERSION:
        raise SourceError(
            f"{path}: format {found.format_version}, but this version reads up to {FORMAT_VERSION}; update terrawatt"
        )
    return found


def calibrated(
    sources: Sequence[SourceDescription], results: Path, host: str
) -> tuple[tuple[SourceDescription, ...], list[str]]:
    """Sources with the latency of their calibrations, and remarks on those that do not hold.

    Raises:
        SourceError: a file is damaged.
    """
    described, remarks = [], []
    for source in sources:
        path = calibration_path(results, source.name)
        found = read_calibration(path)
        if found is None:
            described.append(source)
        elif problem := found.problem_with(source, host):
            remarks.append(f"{path} is not used: {problem}")
            described.append(source)
        else:
            described.append(replace(source, latency_s=found.latency_s, u_latency_s=found.u_latency_s))
    return tuple(described), remarks
