"""Powers whose energy is known exactly, readings of them, and other tools' ways to integrate these."""
