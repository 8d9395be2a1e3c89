"""Pure maths: arrays in, frozen records out. No file, clock, database, or torch."""
