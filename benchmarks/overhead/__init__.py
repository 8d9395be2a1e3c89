"""Tools that watch a machine, as processes whose cost can be measured."""
