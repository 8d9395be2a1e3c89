"""The run folder: its layout, and the formats of the files in it."""
