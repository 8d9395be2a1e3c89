"""A simulated plug: a power that is known exactly, a meter with faults that reads it, and real plugs' protocols."""
