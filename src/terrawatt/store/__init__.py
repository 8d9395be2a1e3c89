"""Stores: where series are kept."""
