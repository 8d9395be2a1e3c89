"""Numbers as a reader wants them: no more digits than their uncertainty allows."""

import math


def plain(value: float, digits: int = 4) -> str:
    """A number with some significant digits: `0.5731`, `12340`, `1.2e-07`; empty where there is none."""
    if not math.isfinite(value):
        return ""
    if value == 0 or 1e-4 <= abs(value) < 1e7:
        return _fixed(value, digits - 1 - _magnitude(value))
    return f"{value:.{digits - 1}e}"


def mean_and_half_width(mean: float, half_width: float) -> str:
    """`12.34 ± 0.56`: two significant digits of the half-width, and the mean to the same place (GUM 7.2.6)."""
    decimals = _decimals(mean, half_width)
    return f"{_fixed(mean, decimals)} ± {_fixed(half_width, decimals)}"


def mean_and_sd(mean: float, sd: float) -> str:
    """`12.34 (0.56)`, in the same way."""
    decimals = _decimals(mean, sd)
    return f"{_fixed(mean, decimals)} ({_fixed(sd, decimals)})"


def _decimals(mean: float, spread: float) -> int:
    """Decimals that show two digits of the spread; four digits of the mean where there is no spread."""
    return 1 - _magnitude(spread) if spread > 0 and math.isfinite(spread) else 3 - _magnitude(mean)


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _fixed(value: float, decimals: int) -> str:
    """Rounded to some decimals, also to tens and hundreds where they are negative."""
    return f"{round(value, decimals):.{min(max(decimals, 0), 12)}f}"
