"""Whole runs with real programs, and what may fail in them."""
