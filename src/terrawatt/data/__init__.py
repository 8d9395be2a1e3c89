"""BigEarthNet: readers of v1.0 and v2.0, labels, packs, splits, and a synthetic archive."""
