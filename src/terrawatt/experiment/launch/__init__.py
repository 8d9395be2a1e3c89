"""Sweeps over many machines, by an engine that is there already: each repetition is a job with a node of its own."""
