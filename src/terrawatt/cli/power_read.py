"""`terrawatt power read`: the readings of one source, as they come."""

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from terrawatt.cli.options import ConfigOption, parse_number, parse_positive
from terrawatt.errors import SourceError, UsageError, did_you_mean
from terrawatt.units import NS_PER_S

if TYPE_CHECKING:
    from terrawatt.config import Settings, SourceSettings
    from terrawatt.power.source import PowerSource
    from terrawatt.records import Sample, SourceDescription
    from terrawatt.telemetry.observe import Look


def read(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The name of one of [[sources]].")],
    interval: Annotated[
        float,
        typer.Option("--interval", metavar="SECONDS", parser=parse_number, help="How often a source is asked."),
    ] = 1.0,
    count: Annotated[
        int | None,
        typer.Option("--count", "-n", metavar="N", parser=parse_positive, help="End after so many; default: Ctrl-C."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print the readings of a source as they come, until Ctrl-C. Nothing is recorded."""
    if interval <= 0:
        raise UsageError(f"--interval {interval:g}: readings must be some time apart")
    import socket

    from terrawatt.config import load
    from terrawatt.power import registry

    settings = load(config)
    entry = _entry(settings, source)
    opened = registry.create(entry, settings.sampling.host_name or socket.gethostname())
    try:
        _show(opened, interval, count)
    finally:
        opened.close()


def _entry(settings: "Settings", name: str) -> "SourceSettings":
    """The entry with this name; the name of its counter means it too.

    Raises:
        UsageError: there is none.
    """
    for entry in settings.sources:
        if name in (entry.name, f"{entry.name} counter"):
            return entry
    known = tuple(entry.name for entry in settings.sources)
    raise UsageError(f"there is no source {name!r}.{did_you_mean(name, known)}")


def _show(source: "PowerSource", interval_s: float, count: int | None) -> None:
    """Print the looks as lines, and what they were at the end.

    Raises:
        SourceError: nothing was read at all.
    """
    from terrawatt.telemetry.observe import looking

    tally = Tally(source.descriptions)
    typer.echo(tally.head())
    try:
        with looking(source, interval_s) as looks:
            shown = 0
            while count is None or shown < count:
                for line in tally.lines(looks.get()):
                    typer.echo(line)
                    shown += 1
    except KeyboardInterrupt:
        typer.echo()
    for line in tally.ending():
        typer.echo(line)
    if not tally.has_reading:
        raise SourceError(f"{source.descriptions[0].name}: no reading at all; see above, or terrawatt doctor")


class Tally:
    """Makes lines of looks, one for each time that a source has readings for, and counts them.

    A counter has two columns: what it shows, and the mean power since its reading before.
    """

    def __init__(self, descriptions: "tuple[SourceDescription, ...]") -> None:
        self._descriptions = descriptions
        self._samples: dict[str, list[Sample]] = {description.name: [] for description in descriptions}
        self._failed = 0

    @property
    def has_reading(self) -> bool:
        """Whether there was any."""
        return any(self._samples.values())

    def head(self) -> str:
        """The names of the columns, with their units."""
        titles = (f"{title:>{_width(title)}}" for description in self._descriptions for title in _titles(description))
        return "  ".join([f"{'time':<12}", *titles])

    def lines(self, look: "Look") -> Iterator[str]:
        """A line for each time in a look; for one without a reading, its reason."""
        if look.reason:
            self._failed += 1
            yield f"{_clock(look.arrived_ns)}  no reading: {look.reason}"
            return
        by_time: dict[int, dict[object, Sample]] = {}
        for sample in look.samples:
            by_time.setdefault(sample.t_ns, {})[sample.key] = sample
        for t_ns, samples in by_time.items():
            cells = [
                f"{cell:>{_width(title)}}"
                for description in self._descriptions
                for title, cell in zip(
                    _titles(description), self._cells(description, samples.get(description.series)), strict=True
                )
            ]
            yield "  ".join([_clock(t_ns), *cells])

    def ending(self) -> Iterator[str]:
        """What was read, in one line a series."""
        for description in self._descriptions:
            samples = self._samples[description.name]
            values = [sample.value for sample in samples]
            if not values:
                yield f"{description.name}: no reading"
            elif _is_counter(description):
                restarts = sum(after < before for before, after in pairwise(values))
                counted = f"counted {values[-1] - values[0]:.6g} J" if not restarts else f"began again: {restarts}"
                yield f"{description.name}: readings {len(values)}, {counted}"
            else:
                mean = math.fsum(values) / len(values)
                yield (
                    f"{description.name}: readings {len(values)}, mean {mean:.4g} W, "
                    f"least {min(values):.4g} W, most {max(values):.4g} W"
                )
        if self._failed:
            yield f"without a reading: {self._failed}"

    def _cells(self, description: "SourceDescription", sample: "Sample | None") -> list[str]:
        """The values; dots where there is none at this time, dashes where it failed."""
        columns = len(_titles(description))
        if sample is None or math.isnan(sample.value):
            return ["·" if sample is None else "–"] * columns
        samples = self._samples[description.name]
        samples.append(sample)
        cells = [f"{sample.value:.3f}"]
        return cells if columns == 1 else [*cells, _since(samples)]


def _since(samples: "list[Sample]") -> str:
    """The mean power between the last two readings of a counter; a dash where they do not tell."""
    if len(samples) < 2:
        return "–"
    before, last = samples[-2:]
    duration_s = (last.t_ns - before.t_ns) / NS_PER_S
    is_rising = duration_s > 0 and last.value >= before.value
    return f"{(last.value - before.value) / duration_s:.3f}" if is_rising else "–"


def _titles(description: "SourceDescription") -> tuple[str, ...]:
    if _is_counter(description):
        return f"{description.name} (J)", "mean (W)"
    return (f"{description.name} (W)",)


def _width(title: str) -> int:
    return max(12, len(title))


def _is_counter(description: "SourceDescription") -> bool:
    from terrawatt.records import Semantics

    return description.semantics is Semantics.COUNTER


def _clock(t_ns: int) -> str:
    """The local time of day, to the ms."""
    return datetime.fromtimestamp(t_ns / NS_PER_S).astimezone().strftime("%H:%M:%S.%f")[:-3]
