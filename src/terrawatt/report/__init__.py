"""Figures, one function each, and the page."""
