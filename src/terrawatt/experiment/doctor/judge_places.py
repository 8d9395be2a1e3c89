"""Folder of results, disk, temperature, lock. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from terrawatt.experiment.doctor.finding import Finding, Level
from terrawatt.experiment.preflight import MIN_FREE_BYTES

DOUBTFUL_FREE_BYTES = 20 * MIN_FREE_BYTES
WARM_C = 70.0  # of an idle processor


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """The folder of results, or the nearest one above that exists.

    Attributes:
        path: the folder.
        exists: whether it is the folder itself.
        is_writable: whether this user may make files in it.
        is_open_to_all: whether every user may.
        free_bytes: on its disk; None where the file system does not say.
    """

    path: str
    exists: bool
    is_writable: bool
    is_open_to_all: bool
    free_bytes: int | None


@dataclass(frozen=True, slots=True)
class TemperatureFacts:
    """The sensors of this machine.

    Attributes:
        wanted: `sampling.temp_sensor`.
        known: the names of those there are.
        temperature_c: of the wanted one; None where there is none, or it does not answer.
    """

    wanted: str
    known: tuple[str, ...]
    temperature_c: float | None


def judge_folder(facts: FolderFacts) -> Iterator[Finding]:
    """Whether a run can leave its files there."""
    about = facts.path if facts.exists else f"{facts.path} (the folder of results is made in it)"
    if not facts.is_writable:
        advice = "chown or chmod it, or choose another (experiment.results, --results)"
        yield Finding("results", "permissions", Level.BAD, f"{about}: cannot be written", advice)
    elif facts.is_open_to_all:
        advice = f"chmod o-w {facts.path}"
        yield Finding("results", "permissions", Level.DOUBTFUL, f"{about}: every user can write there", advice)
    else:
        yield Finding("results", "permissions", Level.GOOD, f"{about}: can be written")
    yield _space(facts.free_bytes)


def _space(free_bytes: int | None) -> Finding:
    if free_bytes is None:
        return Finding("results", "disk space", Level.UNKNOWN, "this file system does not say")
    what = f"{free_bytes / 1e9:.1f} GB free" if free_bytes >= 1e9 else f"{free_bytes / 1e6:.0f} MB free"
    level = Level.GOOD
    if free_bytes < DOUBTFUL_FREE_BYTES:
        level = Level.BAD if free_bytes < MIN_FREE_BYTES else Level.DOUBTFUL
    advice = "" if level is Level.GOOD else "make room: predictions and series of a run take some 100 MB"
    return Finding("results", "disk space", level, what, advice)


def judge_temperature(facts: TemperatureFacts) -> Finding:
    """Whether the temperature will be recorded, and is that of an idle machine."""
    if not facts.known:
        what = "this machine shows no temperature sensor (a virtual machine seldom does)"
        return Finding("host", "temperature", Level.UNKNOWN, what)
    if facts.wanted not in facts.known:
        what = f"there is no sensor {facts.wanted!r}"
        advice = f"set sampling.temp_sensor to one of {', '.join(facts.known)}"
        return Finding("host", "temperature", Level.DOUBTFUL, what, advice)
    if facts.temperature_c is None:
        return Finding(
            "host", "temperature", Level.DOUBTFUL, f"{facts.wanted} does not answer", "see sensors (lm-sensors)"
        )
    what = f"{facts.wanted} {facts.temperature_c:.0f} °C"
    if facts.temperature_c > WARM_C:
        advice = "wait until it has cooled, and look at its fans"
        return Finding("host", "temperature", Level.DOUBTFUL, f"{what}, warm for an idle machine", advice)
    return Finding("host", "temperature", Level.GOOD, what)


def judge_lock(error: str) -> Finding:
    """Whether another run is measuring on this machine; `error`: why the lock cannot be had, with what to do."""
    if error:
        return Finding("results", "lock", Level.BAD, error)
    return Finding("results", "lock", Level.GOOD, "no other run is measuring on this machine")
