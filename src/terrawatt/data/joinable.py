"""Do packs belong together? Of one version, with the same bands and classes, no patch twice, and of one product."""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrawatt.data.pack import Pack
from terrawatt.errors import PackError, UsageError

OFFSET: Final = 500
"""Digital numbers by which the means of *all* bands differ in one direction, from which on it is another product.

Half of the 1,000 that Sentinel-2's processing baseline 04.00 (25 January 2022) adds to every band. Parts of one product
differ less: a part of water alone, near 0 in all bands, lies below the mean of all of v1 by no more than that in its
darkest band, B01, of 341. Snow is bright in the visible but dark at 1.6 and 2.2 µm (B11, B12), vegetation is bright in
the near infrared but dark in the visible.
"""


def check_joinable(packs: Sequence[Pack], *, other_statistics: bool) -> str | None:
    """See that packs can be joined.

    Args:
        packs: two at least.
        other_statistics: do not refuse those whose band statistics cannot be those of one product.

    Returns:
        How band statistics differ, where that was allowed; else None.

    Raises:
        PackError: they do not belong together; says why.
        UsageError: fewer than two.
    """
    if len(packs) < 2:
        raise UsageError("joining takes two packs at least, and then the new one's folder")
    first = packs[0]
    for other in packs[1:]:
        _check_kind(first, other)
    _check_patches(packs)
    differences = [found for pair in combinations(packs, 2) if (found := _difference(*pair))]
    if differences and not other_statistics:
        raise PackError(
            f"{differences[0]}: that is another product or processing baseline; make both of one, or join them "
            "nevertheless with --other-statistics"
        )
    return "; ".join(differences) or None


def _check_kind(first: Pack, other: Pack) -> None:
    mine, theirs = first.manifest, other.manifest
    if mine.bigearthnet_version != theirs.bigearthnet_version:
        raise PackError(
            f"{first.path} is of BigEarthNet {mine.bigearthnet_version} and {other.path} of "
            f"{theirs.bigearthnet_version}; only packs of one version can be joined"
        )
    if mine.bands != theirs.bands:
        whole, rgb = (first, other) if first.has_all_bands else (other, first)
        raise PackError(f"{whole.path} has all bands and {rgb.path} RGB alone; pack both alike, with --bands")
    if mine.class_names != theirs.class_names:
        raise PackError(
            f"{first.path} and {other.path} have other names of classes, or in another order; pack the data again"
        )


def _check_patches(packs: Sequence[Pack]) -> None:
    names = pa.chunked_array([pack.names(np.arange(len(pack))) for pack in packs]).combine_chunks()
    counts = pc.value_counts(names)
    if len(counts) == len(names):
        return
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    one = pc.min(twice)
    holders = [str(pack.path) for pack in packs if pack.rows_named(pa.array([one.as_py()]))[0] >= 0]
    raise PackError(
        f"{len(twice):,} patches are in two of the packs, such as {one} in {' and '.join(holders)}; each must be in one"
    )


def _difference(first: Pack, other: Pack) -> str | None:
    """How the means of two packs differ beyond belief; None where they do not, or one has no training patches."""
    mine, theirs = first.manifest.band_mean, other.manifest.band_mean
    if mine is None or theirs is None:
        return None
    low, high, less, more = np.array(mine), np.array(theirs), first, other
    if low[0] > high[0]:
        low, high, less, more = high, low, other, first
    offset = float((high - low).min())
    if offset < OFFSET:
        return None
    return (
        f"the means of all bands of {more.path} lie above those of {less.path} by {offset:,.0f} at least "
        f"(B04: {high[0]:,.0f} against {low[0]:,.0f})"
    )
