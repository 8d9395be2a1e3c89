"""Host series, the sampler process, clocks."""
