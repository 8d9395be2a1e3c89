"""What the power sources give: whether they answer, how fresh, how often, how fine. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from terrawatt.experiment.doctor.finding import Finding, Level
from terrawatt.units import format_duration

SECTION = "sources"
LATE_S = 2.0  # readings may come so late: a network, a radio, a plug's own averaging
SLOW_S = 10.0  # above that, a repetition of some minutes has few readings
_LEAST_READINGS = 20  # that a window should hold
_FINER = 0.5


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What was seen of one series of a source; None where nothing could be told.

    Attributes:
        name: of the source.
        failure: why there is no reading; empty when there is one.
        is_broken: whether it cannot work at all: its settings are wrong, or it cannot be reached.
        watched_s: for how long it was looked at.
        value: of the last reading, with its unit.
        n_readings: how many there were.
        n_failed: how many times there was none.
        why_failed: why, the last time.
        age_s: how old the last reading was when it came, by the device's own time.
        silence_s: how long ago it came.
        interval_s: the time between readings that differ from each other.
        resolution: the smallest step between two readings, with its unit.
        resolution_w: the same of a power, as a number.
        stated_resolution_w: what the settings say; 0: nothing.
        took_s: how long a polled source took to answer, at most.
        timeout_s: how long it may take; None: for ever.
        sampling_interval_s: how often the sampler will ask; 0: it will not.
        is_pushed: whether it sends by itself.
        is_estimate: whether it is no meter.
        has_accuracy: whether limits of error are stated.
    """

    name: str
    failure: str = ""
    is_broken: bool = False
    watched_s: float = 0.0
    value: str = ""
    n_readings: int = 0
    n_failed: int = 0
    why_failed: str = ""
    age_s: float | None = None
    silence_s: float | None = None
    interval_s: float | None = None
    resolution: str = ""
    resolution_w: float | None = None
    stated_resolution_w: float = 0.0
    took_s: float = 0.0
    timeout_s: float | None = None
    sampling_interval_s: float = 1.0
    is_pushed: bool = False
    is_estimate: bool = False
    has_accuracy: bool = True


def judge_source(facts: SourceFacts) -> tuple[Finding, ...]:
    """What the facts of one series mean: first whether it gives readings, then what is doubtful about them."""
    if facts.failure:
        return (_failed(facts),)
    first = _finding(facts, Level.GOOD, ", ".join(_words(facts)))
    judges = (_gaps, _late, _slow_answers, _slow_readings, _resolution, _accuracy)
    return (first, *(finding for judge in judges for finding in judge(facts)))


def _finding(facts: SourceFacts, level: Level, what: str, advice: str = "") -> Finding:
    return Finding(SECTION, facts.name, level, what, advice)


def _failed(facts: SourceFacts) -> Finding:
    if facts.is_pushed and not facts.is_broken:
        what = f"{facts.failure} in {format_duration(facts.watched_s)}"
        advice = "look longer (--watch 120), or let the device report more often"
        return _finding(facts, Level.DOUBTFUL, what, advice)
    advice = "see docs/connect-your-plug.md, and try: terrawatt power read " + facts.name.removesuffix(" counter")
    return _finding(facts, Level.BAD, facts.failure, advice)


def _words(facts: SourceFacts) -> Iterator[str]:
    yield facts.value
    if facts.silence_s is not None:
        yield f"{facts.silence_s:.1f} s ago"
    yield f"a new value every {facts.interval_s:.3g} s" if facts.interval_s else "interval not seen"
    yield f"steps of {facts.resolution} or finer" if facts.resolution else "steps not seen"
    if not facts.is_pushed and facts.took_s >= 0.001:
        yield f"answers in {1000 * facts.took_s:.0f} ms"


def _gaps(facts: SourceFacts) -> Iterator[Finding]:
    if facts.n_failed:
        what = f"{facts.n_failed} of {facts.n_failed + facts.n_readings} readings failed: {facts.why_failed}"
        advice = "bring the device nearer to its access point, or use a cable; gaps widen the uncertainty"
        yield _finding(facts, Level.DOUBTFUL, what, advice)


def _late(facts: SourceFacts) -> Iterator[Finding]:
    """Readings with a time of their own; a clock that is wrong shows in the same number."""
    if facts.age_s is None or abs(facts.age_s) <= LATE_S:
        return
    when = "after" if facts.age_s > 0 else "before"
    what = f"its readings come {abs(facts.age_s):.1f} s {when} the time that it gives them"
    advice = "let NTP steer both clocks; if it is the way that takes so long: terrawatt power calibrate"
    yield _finding(facts, Level.DOUBTFUL, what, advice)


def _slow_answers(facts: SourceFacts) -> Iterator[Finding]:
    if facts.took_s > facts.sampling_interval_s > 0:
        what = (
            f"it answers in up to {facts.took_s:.2g} s, longer than sampling.interval_s = {facts.sampling_interval_s:g}"
        )
        yield _finding(facts, Level.DOUBTFUL, what, "raise sampling.interval_s, or readings are left out")
    elif facts.timeout_s is not None and 0 < facts.sampling_interval_s <= facts.timeout_s:
        what = f"its timeout_s = {facts.timeout_s:g} is not below sampling.interval_s = {facts.sampling_interval_s:g}"
        advice = "lower timeout_s, or an answer that does not come costs the readings after it too"
        yield _finding(facts, Level.DOUBTFUL, what, advice)


def _slow_readings(facts: SourceFacts) -> Iterator[Finding]:
    if facts.interval_s is not None and facts.interval_s > SLOW_S:
        enough = format_duration(_LEAST_READINGS * facts.interval_s)
        what = f"a new value only every {facts.interval_s:.3g} s"
        advice = f"let it report more often, or set protocol.min_window_s so that a repetition lasts {enough}"
        yield _finding(facts, Level.DOUBTFUL, what, advice)


def _resolution(facts: SourceFacts) -> Iterator[Finding]:
    if facts.resolution_w is not None and facts.resolution_w < _FINER * facts.stated_resolution_w:
        what = f"its steps of {facts.resolution_w:.3g} W are finer than resolution_w = {facts.stated_resolution_w:g}"
        yield _finding(facts, Level.DOUBTFUL, what, "correct resolution_w in terrawatt.toml")


def _accuracy(facts: SourceFacts) -> Iterator[Finding]:
    if facts.is_estimate:
        what = "an estimate from the load of the processors, not a measurement"
        yield _finding(facts, Level.DOUBTFUL, what, "connect a meter: docs/connect-your-plug.md")
    elif not facts.has_accuracy:
        what = "its limits of error are not stated, so uncertainties are without them"
        advice = "give accuracy in terrawatt.toml, from the data sheet of the meter"
        yield _finding(facts, Level.DOUBTFUL, what, advice)
