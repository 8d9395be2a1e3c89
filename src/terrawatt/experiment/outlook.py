"""How far a run is and what is left of it, in words. Pure.

What is left is told by the means of what was measured so far: of each scenario by its own repetitions, of one that
has had none yet by those of all.
"""

from terrawatt.runs.heartbeat import Heartbeat
from terrawatt.units import format_duration, with_si_prefix


def counts(beat: Heartbeat) -> str:
    """`17 of 60 done, 1 failed, 42 left`."""
    left = beat.repetitions - beat.done - beat.failed
    failed = f", {beat.failed} failed" if beat.failed else ""
    return f"{beat.done} of {beat.repetitions} done{failed}, {left} left"


def spent(beat: Heartbeat) -> str:
    """`120 kJ gross in the repetitions that ended (plug)`."""
    if not beat.done + beat.failed:
        return f"no repetition has ended yet ({beat.source})"
    if beat.energy_j <= 0:
        return f"no reading in the repetitions that ended ({beat.source})"
    return f"{with_si_prefix(beat.energy_j, 'J')} gross in the repetitions that ended ({beat.source})"


def left(beat: Heartbeat, since_s: float = 0.0) -> str:
    """`about 2 h 05 min, about 300 kJ gross, by the 18 repetitions so far`.

    Args:
        beat: what was known.
        since_s: how long ago that was; the time left has become shorter by it.
    """
    if beat.left_s is None:
        return "not known before the workload has run once"
    ended = beat.done + beat.failed
    by = {0: "warm-up", 1: "one repetition"}.get(ended, f"{ended} repetitions")
    energy = "" if beat.left_j is None else f", about {with_si_prefix(beat.left_j, 'J')} gross"
    return f"about {format_duration(max(beat.left_s - since_s, 0.0))}{energy}, by the {by} so far"
