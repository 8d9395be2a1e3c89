"""Kind `counters`: the energy counters inside a machine, of processors, memory and accelerators.

They see a part of what a plug sees: no fans, disks, power supply.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import accelerators
from terrawatt.power.bank import CounterBank
from terrawatt.power.options import Options, describe, parse_options, wrong
from terrawatt.power.rapl import RaplBank, find_zones
from terrawatt.records import Semantics, SourceDescription

Device = Literal["rapl", "nvidia", "amd", "apple", "jetson"]

# Not all of them: RAPL's cores are a part of its package, a Jetson's CPU of its total.
_DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "rapl": ("package", "dram"),
    "nvidia": ("gpu",),
    "amd": ("gpu",),
    "apple": ("cpu", "gpu", "dram", "ane"),
    "jetson": ("total",),
}


class CountersOptions(Options):
    """`device`: whose counters. `counters`: which of them, by label or its beginning (`dram-0`, `dram`)."""

    device: Device = "rapl"
    counters: tuple[str, ...] = ()


class CountersSource:
    """Some counters of one device, each a series of its own."""

    def __init__(self, descriptions: tuple[SourceDescription, ...], bank: CounterBank, chosen: tuple[int, ...]) -> None:
        self.descriptions = descriptions
        self._bank = bank
        self._chosen = chosen

    def read(self) -> tuple[float, ...]:
        """The energies counted so far, in J; NaN where one cannot be read now.

        Raises:
            SourceError: none can be read; says why.
        """
        values = self._bank.read()
        return tuple(values[i] for i in self._chosen)

    def close(self) -> None:
        """Release the device."""
        self._bank.close()


@dataclass(frozen=True, slots=True)
class Survey:
    """What one kind of device shows on this machine: its counters, or why there is none."""

    device: str
    counters: tuple[str, ...] = ()
    reason: str = ""


def create(settings: SourceSettings, host: str) -> CountersSource:
    """The source of an entry of kind `counters`.

    The first counter has the entry's name; each further one has its label behind it.

    Raises:
        SourceError: an option is wrong, or there is no such counter, or it cannot be read.
    """
    return open_counters(settings, host, Path("/sys"))


def open_counters(settings: SourceSettings, host: str, sys: Path) -> CountersSource:
    """The same, with the place of `/sys`."""
    options = parse_options(CountersOptions, settings)
    try:
        bank = _opener(options.device, sys, options.counters)()
    except SourceError as error:
        raise wrong(settings, str(error)) from error
    labels = [counter.label for counter in bank.counters]
    wanted = options.counters or _DEFAULTS[options.device]
    missing = [name for name in options.counters if not any(counter.is_named(name) for counter in bank.counters)]
    chosen = tuple(i for i, counter in enumerate(bank.counters) if any(counter.is_named(name) for name in wanted))
    if missing or not chosen:
        bank.close()
        raise wrong(settings, f"counters: there is no {', '.join(missing or wanted)}; known: {', '.join(labels)}")
    descriptions = tuple(_describe(settings, host, bank, i, is_first=i == chosen[0]) for i in chosen)
    return CountersSource(descriptions, bank, chosen)


def survey(sys: Path = Path("/sys")) -> tuple[Survey, ...]:
    """What each kind of device shows on this machine."""
    return tuple(_survey_one(device, sys) for device in _DEFAULTS)


def _survey_one(device: str, sys: Path) -> Survey:
    try:
        bank = _opener(device, sys, ())()
        bank.read()
    except SourceError as error:
        return Survey(device, reason=str(error).removeprefix(f"{device}: "))
    bank.close()
    return Survey(device, tuple(counter.label for counter in bank.counters))


def _opener(device: str, sys: Path, named: tuple[str, ...]) -> Callable[[], CounterBank]:
    openers: dict[str, Callable[[], CounterBank]] = {
        "rapl": lambda: _open_rapl(sys, named),
        "nvidia": accelerators.open_nvidia,
        "amd": accelerators.open_amd,
        "apple": accelerators.open_apple,
        "jetson": accelerators.open_jetson,
    }
    return openers[device]


def _open_rapl(sys: Path, named: tuple[str, ...]) -> RaplBank:
    """The zones that are meant, so that no other one's permission matters; all when a name is unknown."""
    zones = find_zones(sys)
    wanted = named or _DEFAULTS["rapl"]
    if all(any(zone.info.is_named(name) for zone in zones) for name in named):
        zones = tuple(zone for zone in zones if any(zone.info.is_named(name) for name in wanted))
    return RaplBank(zones)


def _describe(
    settings: SourceSettings, host: str, bank: CounterBank, index: int, *, is_first: bool
) -> SourceDescription:
    counter = bank.counters[index]
    name = settings.name if is_first else f"{settings.name} {counter.label}"
    return describe(
        settings.model_copy(update={"name": name, "same_as": settings.same_as if is_first else ""}),
        host,
        Semantics.COUNTER,
        note=f"{counter.label}: {counter.note}" if counter.note else counter.label,
        wrap_j=counter.wrap_j,
    )
