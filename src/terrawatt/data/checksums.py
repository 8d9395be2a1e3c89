"""CRC-32 of bytes that lie one after the other, from the CRC-32 of each: no byte is looked at twice.

A patch's checksum runs over its three arrays, a shard file's over one array of all patches. Both come from the same
three values a patch.
"""

from typing import Final

try:
    from isal.isal_zlib import crc32  # the same numbers, ten times as fast
except ImportError:
    from zlib import crc32

__all__ = ["Joiner", "crc32"]

_BITS: Final = 32


class Joiner:
    """Joins checksums where the second part is always of the same length, in bytes.

    CRC-32 is affine over GF(2): that of A‖B is L(crc A) ⊕ crc B with a linear L that depends on B's length alone, and
    L(x) = crc(zeros, x) ⊕ crc(zeros, 0). Its 32 columns are summed up in tables of 256 entries a byte.
    """

    def __init__(self, n_bytes: int) -> None:
        zeros = bytes(n_bytes)
        shift = crc32(zeros)
        columns = [crc32(zeros, 1 << bit) ^ shift for bit in range(_BITS)]
        self._tables = tuple(_sums(columns[first : first + 8]) for first in range(0, _BITS, 8))

    def join(self, before: int, after: int) -> int:
        """The checksum of two parts, from theirs."""
        low, second, third, high = self._tables
        return low[before & 255] ^ second[before >> 8 & 255] ^ third[before >> 16 & 255] ^ high[before >> 24] ^ after


def _sums(columns: list[int]) -> tuple[int, ...]:
    """For each of the 256 bytes the sum (exclusive or) of the columns of its bits."""
    sums = [0]
    for column in columns:
        sums += [found ^ column for found in sums]
    return tuple(sums)
