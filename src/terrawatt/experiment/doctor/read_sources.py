"""Makes facts of what was seen of the sources."""

import math
import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise

from terrawatt.experiment.doctor.judge_sources import SourceFacts
from terrawatt.records import Sample, Semantics, SourceDescription
from terrawatt.telemetry.observe import Observed
from terrawatt.units import ns_to_s, with_si_prefix

_ROUNDING = 1e-9  # relative: differences of floats below this are none


def source_facts(one: Observed, *, now_ns: int, watched_s: float, sampling_interval_s: float) -> Iterator[SourceFacts]:
    """The facts of each series of a source.

    Args:
        one: what was seen.
        now_ns: when the looking ended.
        watched_s: for how long it was looked at.
        sampling_interval_s: how often the sampler will ask.
    """
    if failure := one.failure():  # of all its series alike
        is_broken = bool(one.reason)
        yield SourceFacts(
            one.settings.name, failure=failure, is_broken=is_broken, is_pushed=one.is_pushed, watched_s=watched_s
        )
        return
    for description in one.descriptions:
        readings = one.readings(description)
        failed = [look.reason for look in one.looks if look.reason]
        if not readings:
            failure = "nothing has come so far" if one.is_pushed else "its answers have no such reading"
            yield SourceFacts(description.name, failure=failure, is_pushed=one.is_pushed, watched_s=watched_s)
            continue
        arrived_ns = _last_arrival_ns(one, description)
        step = smallest_step([sample.value for sample in readings])
        is_power = description.semantics is not Semantics.COUNTER
        yield SourceFacts(
            name=description.name,
            watched_s=watched_s,
            value=_with_unit(description, readings[-1].value),
            n_readings=len(readings),
            n_failed=len(failed),
            why_failed=failed[-1] if failed else "",
            age_s=ns_to_s(arrived_ns - readings[-1].t_ns) if description.has_device_time else None,
            silence_s=ns_to_s(now_ns - arrived_ns) if one.is_pushed else None,
            interval_s=renewal_s(readings, is_pushed=one.is_pushed),
            resolution=_with_unit(description, step) if step else "",
            resolution_w=step if is_power else None,
            stated_resolution_w=description.resolution_w if is_power else 0.0,
            took_s=max((look.took_s for look in one.looks if not look.reason), default=0.0),
            timeout_s=one.timeout_s,
            sampling_interval_s=sampling_interval_s,
            is_pushed=one.is_pushed,
            is_estimate=description.is_estimate,
            has_accuracy=bool(description.accuracy),
        )


def renewal_s(readings: Sequence[Sample], *, is_pushed: bool) -> float | None:
    """The median time between readings of a pushed source, or between new values of a polled one; None: not seen.

    A polled device gives its last value until it has a new one, so its own interval shows where the value changes.
    """
    times = [sample.t_ns for sample in readings]
    if not is_pushed:
        changes = [i for i in range(1, len(readings)) if readings[i].value != readings[i - 1].value]
        times = [readings[i].t_ns for i in changes]
    gaps_s = [ns_to_s(after - before) for before, after in pairwise(times) if after > before]
    return statistics.median(gaps_s) if gaps_s else None


def smallest_step(values: Sequence[float]) -> float | None:
    """The smallest difference between two readings, an upper limit of the resolution; None where all are equal."""
    distinct = sorted(set(values))
    scale = max(map(abs, distinct), default=0.0)
    steps = [high - low for low, high in pairwise(distinct) if high - low > _ROUNDING * scale]
    return min(steps) if steps else None


def _last_arrival_ns(one: Observed, description: SourceDescription) -> int:
    arrivals = (
        look.arrived_ns
        for look in one.looks
        if any(sample.key == description.series and not math.isnan(sample.value) for sample in look.samples)
    )
    return max(arrivals)


def _with_unit(description: SourceDescription, value: float) -> str:
    if description.semantics is Semantics.COUNTER:
        return with_si_prefix(value, "J", digits=6)
    return f"{float(f'{value:.4g}'):.12g} W"
