"""What was measured, on what machine, with what meter, in words."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from terrawatt.records import AccuracyBand, Semantics, SourceDescription
from terrawatt.report.content import RunFacts
from terrawatt.report.language import decimal, mark, recorded, say, typeset
from terrawatt.report.numbers import mean_and_half_width
from terrawatt.report.verdicts import trial_reasons

SEMANTICS_IN_WORDS: Mapping[Semantics, str] = {
    Semantics.INSTANTANEOUS: mark("each reading is the power at that moment"),
    Semantics.MEAN: mark("each reading is the mean power of the interval before it"),
    Semantics.ON_CHANGE: mark("a reading holds until the next; the meter sends one when the power changes"),
    Semantics.COUNTER: mark("each reading is the energy since some start; differences are exact"),
}

_PROTOCOL: Mapping[str, str] = {
    "cold_s": mark("Idle before (s)"),
    "latency_s": mark("Left out at the end of it (s)"),
    "idle_after_s": mark("Idle after (s)"),
    "warmup": mark("Warm-up executions, discarded"),
    "repetitions": mark("Repetitions"),
    "min_window_s": mark("Shortest window (s)"),
    "pause_s": mark("Pause between repetitions (s)"),
    "until_ci_percent": mark("Repeated until known to ± (%)"),
    "min_repetitions": mark("Repetitions at least"),
    "max_repetitions": mark("Repetitions at most"),
}
_OF_STOPPING = ("until_ci_percent", "min_repetitions", "max_repetitions")


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a list of facts."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts that some runs share: `about` names the runs, empty when it is all of them."""

    about: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Meter:
    """A power source in words."""

    name: str
    is_estimate: bool
    facts: tuple[Fact, ...]


def meters(runs: Sequence[RunFacts]) -> tuple[Meter, ...]:
    """The distinct power sources of the runs, the main one first."""
    sources = dict.fromkeys((source, str(source)) for run in runs for source in run.sources)
    return tuple(_meter(source) for source, _ in sources)


def settings(runs: Sequence[RunFacts]) -> tuple[Fact, ...]:
    """Each parameter of the scenarios with its values."""
    values: dict[str, dict[str, None]] = {}
    for run in runs:
        for name, value in run.scenario.items():
            values.setdefault(name, {})[_as_written(value)] = None
    return tuple(Fact(name, ", ".join(found)) for name, found in values.items())


def protocols(runs: Sequence[RunFacts]) -> tuple[Facts, ...]:
    """The protocol, once for all runs that share it; how a run may end by its interval only where one did."""

    def facts(run: RunFacts) -> list[Fact]:
        unused = {"repetitions"} if run.protocol.get("until_ci_percent") else set(_OF_STOPPING)
        shown = [(key, value) for key, value in run.protocol.items() if key not in unused]
        return [Fact(say(_PROTOCOL.get(key, key)), _in_words(value)) for key, value in shown]

    return _shared(runs, facts)


def trials(runs: Sequence[RunFacts]) -> tuple[Facts, ...]:
    """What makes runs a trial rather than publishable work; empty when nothing does."""
    return _told(_shared(runs, lambda run: [Fact("", reason) for reason in trial_reasons(run)]))


def machines(runs: Sequence[RunFacts]) -> tuple[Facts, ...]:
    """The machine, once for all runs that share it."""
    return _shared(runs, lambda run: _flat(run.machine))


def versions(runs: Sequence[RunFacts]) -> tuple[Facts, ...]:
    """The versions of software, once for all runs that share them."""
    return _shared(runs, lambda run: _flat(run.versions))


def notes(runs: Sequence[RunFacts]) -> tuple[Facts, ...]:
    """The remarks on runs, once for all runs that share them."""
    return _told(_shared(runs, lambda run: [Fact("", recorded(note)) for note in run.notes]))


def _meter(source: SourceDescription) -> Meter:
    facts = [
        Fact(say("Kind"), source.kind),
        Fact(say("Semantics"), typeset(f"{source.semantics}: {say(SEMANTICS_IN_WORDS[source.semantics])}")),
        Fact(say("Accuracy"), accuracy_in_words(source.accuracy)),
        Fact(say("Resolution"), f"{decimal(source.resolution_w, 'g')} W" if source.resolution_w else say("not stated")),
        Fact(say("Interval"), f"{decimal(source.interval_s, 'g')} s" if source.interval_s else say("not fixed")),
    ]
    if source.latency_s is not None and source.u_latency_s is not None:
        late = mean_and_half_width(source.latency_s, 2 * source.u_latency_s)
        facts.append(Fact(say("Late by"), say("{late} s (± U, k = 2), calibrated and corrected", late=late)))
    return Meter(
        source.name,
        source.is_estimate,
        (*facts, Fact(say("Note"), recorded(source.note))) if source.note else tuple(facts),
    )


def accuracy_in_words(bands: Sequence[AccuracyBand]) -> str:
    """A meter's limits of error: `± 3 W below 300 W; ± 1 % above`."""
    if not bands:
        return say("not stated")
    parts = []
    for position, band in enumerate(bands):
        limits = [
            f"{decimal(limit, 'g')} {unit}"
            for limit, unit in ((band.plus_minus_w, "W"), (band.plus_minus_percent, say("% of the reading")))
            if limit
        ]
        where = (
            say(" below {below_w:g} W", below_w=band.below_w)
            if band.below_w is not None
            else say(" above")
            if position
            else ""
        )
        parts.append(f"± {' + '.join(limits) or '0 W'}{where}")
    return typeset("; ".join(parts))


def _shared(runs: Sequence[RunFacts], facts: Callable[[RunFacts], Iterable[Fact]]) -> tuple[Facts, ...]:
    """The facts of the runs, each distinct list once with the runs that it is about."""
    by_facts: dict[tuple[Fact, ...], list[str]] = {}
    for run in runs:
        by_facts.setdefault(tuple(facts(run)), []).append(run.name)
    if len(by_facts) == 1:
        return (Facts("", next(iter(by_facts))),)
    return tuple(Facts(_names(names), found) for found, names in by_facts.items())


def _told(groups: Iterable[Facts]) -> tuple[Facts, ...]:
    """The groups that have any fact."""
    return tuple(group for group in groups if group.facts)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:6])
    return say("{shown} and {n_names} more", shown=shown, n_names=len(names) - 6) if len(names) > 6 else shown


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[Fact]:
    """The leaves of nested mappings, named by their path; sizes in bytes as GiB."""
    for key, value in mapping.items():
        name = f"{prefix}{recorded(key.replace('_', ' '))}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name} · ")
        elif key.endswith("_bytes") and isinstance(value, int):
            yield Fact(
                f"{prefix}{recorded(key.removesuffix('_bytes').replace('_', ' '))}",
                say("{value:.1f} GiB", value=value / 2**30),
            )
        else:
            yield Fact(name, _in_words(value))


def _as_written(value: object) -> str:
    """A setting as files and options have it, in every language."""
    return f"{value:g}" if isinstance(value, float) else _in_words(value)


def _in_words(value: object) -> str:
    if value is None:
        return say("unknown")
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, float):
        return f"{decimal(value, 'g')}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_in_words, value))
    return str(value)
