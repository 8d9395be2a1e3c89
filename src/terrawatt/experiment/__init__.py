"""The protocol and its parts: grid, runner, lock, provenance, emissions, progress."""
