"""Numbers as a reader wants them: no more digits than their uncertainty allows."""

import math

from terrawatt.report.language import localised
from terrawatt.units import with_si_prefix

_ROUNDING = 1e-12  # relative; equal numbers have a standard deviation of about 1e-16


def plain(value: float, digits: int = 4) -> str:
    """A number with some significant digits: `0.5731`, `12340`, `1.2e-07`; empty where there is none."""
    return localised(unlocalised(value, digits))


def unlocalised(value: float, digits: int = 4) -> str:
    """The same with a point in every language, as programs read it."""
    if not math.isfinite(value):
        return ""
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e7:
        return _fixed(value, digits - 1 - _magnitude(value))
    return f"{value:.{digits - 1}e}"


def joules(value: float, digits: int = 3) -> str:
    """An energy with the SI prefix that fits it: `12.3 kJ`."""
    return localised(with_si_prefix(value, "J", digits))


def mean_and_half_width(mean: float, half_width: float) -> str:
    """`12.34 ± 0.56`: two significant digits of the half-width, and the mean to the same place (GUM 7.2.6)."""
    return "{} ± {}".format(*_to_the_same_place(mean, half_width))


def mean_and_sd(mean: float, sd: float) -> str:
    """`12.34 (0.56)`, in the same way."""
    return "{} ({})".format(*_to_the_same_place(mean, sd))


def _to_the_same_place(mean: float, spread: float) -> tuple[str, str]:
    """Both numbers with the decimals that show two digits of the spread; a spread of mere rounding is 0."""
    if not math.isfinite(spread) or spread <= _ROUNDING * abs(mean):
        return plain(mean), "0"
    decimals = 1 - _magnitude(spread)
    return localised(_fixed(mean, decimals)), localised(_fixed(spread, decimals))


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _fixed(value: float, decimals: int) -> str:
    """Rounded to some decimals, also to tens and hundreds where they are negative."""
    return f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}"  # + 0.0: no "-0"
