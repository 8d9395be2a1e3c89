"""Power sources: where readings of power or energy come from, with their semantics and accuracy."""
