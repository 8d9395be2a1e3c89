"""Units: conversions between those of meters and files and the ones used inside (J, W, s, ns)."""

import math

J_PER_WH = 3_600.0
J_PER_KWH = 3_600_000.0
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

_SI_PREFIXES = {-2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G", 4: "T"}


def kwh_to_j(energy_kwh: float) -> float:
    """Energy in J of an energy in kWh."""
    return energy_kwh * J_PER_KWH


def s_to_ns(duration_s: float) -> int:
    """Duration in ns (rounded) of a duration in s."""
    return round(duration_s * NS_PER_S)


def ns_to_s(duration_ns: int) -> float:
    """Duration in s of a duration in ns."""
    return duration_ns / NS_PER_S


def with_si_prefix(value: float, unit: str, digits: int = 3) -> str:
    """A number with the SI prefix that fits it, e.g. `12345, "J"` -> `"12.3 kJ"`."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    rounded = float(f"{value:.{digits}g}")
    step = min(max(math.floor(math.log10(abs(rounded)) / 3), min(_SI_PREFIXES)), max(_SI_PREFIXES))
    return f"{float(f'{rounded / 1000.0**step:.{digits}g}'):.12g} {_SI_PREFIXES[step]}{unit}"


def format_duration(duration_s: float) -> str:
    """A duration for people: `"42 s"`, `"3 min 05 s"`, `"2 h 07 min"`, `"3 d 04 h"`."""
    seconds = round(duration_s)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600:02d} h"
