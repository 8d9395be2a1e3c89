"""Numbers with their standard uncertainty in brackets, `5.00(49)`: GUM 7.2.2, and what siunitx reads.

The digits in brackets are those of the uncertainty, in units of the last digit of the value: two of them (7.2.6).
"""

import math

from terrawatt.report.numbers import unlocalised

_ROUNDING = 1e-12  # relative; the standard deviation of equal numbers is no uncertainty
_MOST_DECIMALS, _LARGEST = 7, 1e7  # beyond, numbers are written with a power of ten


def in_brackets(value: float, u: float | None) -> str:
    """`5.00(49)`, `2990(150)`, `1.234(56)e-9`; without an uncertainty four digits, without a value nothing."""
    if not math.isfinite(value):
        return ""
    if u is None or not math.isfinite(u) or u <= _ROUNDING * abs(value):
        return unlocalised(value)
    decimals = _decimals(u)
    if decimals > _MOST_DECIMALS or max(abs(value), u) >= _LARGEST:
        power = math.floor(math.log10(max(abs(value), u)))
        return f"{_fixed(value / 10.0**power, u / 10.0**power)}e{power}"
    return _fixed(value, u)


def _fixed(value: float, u: float) -> str:
    decimals = _decimals(u)
    shown = max(decimals, 0)
    return f"{round(value, decimals) + 0.0:.{shown}f}({round(round(u, decimals) * 10**shown)})"  # + 0.0: no "-0"


def _decimals(u: float) -> int:
    """The decimals that show two digits of an uncertainty, also where rounding gives it a digit more."""
    decimals = 1 - math.floor(math.log10(u))
    return decimals - 1 if round(u, decimals) >= 10.0 ** (2 - decimals) else decimals
