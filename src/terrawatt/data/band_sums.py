"""Mean and standard deviation of each band, from sums that are integers: putting parts together loses no digits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from terrawatt.data.bands import Resolution


@dataclass(frozen=True)
class BandSums:
    """What mean and standard deviation follow from, of some patches.

    Attributes:
        patches: how many.
        totals: sum of the digital numbers of each band.
        squares: sum of their squares.
    """

    patches: int
    totals: tuple[int, ...]
    squares: tuple[int, ...]

    def __add__(self, other: "BandSums") -> "BandSums":
        return BandSums(
            self.patches + other.patches,
            tuple(mine + theirs for mine, theirs in zip(self.totals, other.totals, strict=True)),
            tuple(mine + theirs for mine, theirs in zip(self.squares, other.squares, strict=True)),
        )

    @classmethod
    def of_statistics(
        cls, mean: Sequence[float], std: Sequence[float], patches: int, resolutions: tuple[Resolution, ...]
    ) -> "BandSums":
        """The sums that mean and (population) standard deviation were taken from.

        Totals are exact: below 2⁵³, of which a double keeps all digits. Squares are as exact as the deviation.
        """
        totals, squares = [], []
        for a_mean, a_std, n in zip(mean, std, _pixels(patches, resolutions), strict=True):
            total = round(Fraction(a_mean) * n)
            totals.append(total)
            squares.append(round(Fraction(a_std) ** 2 * n + Fraction(total**2, n)))
        return cls(patches, tuple(totals), tuple(squares))

    def statistics(
        self, resolutions: tuple[Resolution, ...]
    ) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
        """Mean and (population) standard deviation of each band; None without patches."""
        if not self.patches:
            return None, None
        sizes = _pixels(self.patches, resolutions)
        mean = tuple(total / n for total, n in zip(self.totals, sizes, strict=True))
        # n·Σx² − (Σx)² in integers: no digits are lost before the root.
        spreads = (n * square - total**2 for total, square, n in zip(self.totals, self.squares, sizes, strict=True))
        return mean, tuple(math.sqrt(max(spread, 0)) / n for spread, n in zip(spreads, sizes, strict=True))


def no_sums(resolutions: tuple[Resolution, ...]) -> BandSums:
    """The sums of no patch."""
    zeros = (0,) * sum(len(resolution.bands) for resolution in resolutions)
    return BandSums(0, zeros, zeros)


def _pixels(patches: int, resolutions: tuple[Resolution, ...]) -> list[int]:
    """How many digital numbers each band has."""
    return [resolution.pixels**2 * patches for resolution in resolutions for _ in resolution.bands]
