"""What is another one than when a run began: its manifest then, and the one that it would get now. Pure.

What one run cannot hold in two ways is never accepted: its plan, and what the numbers of its series mean.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from terrawatt.records import SourceDescription
from terrawatt.runs.manifest import Change, Manifest

_PLANNED = ("repetitions", "until_ci_percent", "min_repetitions", "max_repetitions", "order", "order_seed")
_MEANING = ("series", "semantics", "scale", "wrap_j")
_EMISSIONS = ("enabled", "tool", "country", "interval_s", "tracking")
# What is found out while sampling, or by a calibration, may be another one each time.
_FOUND_OUT = ("latency_s", "u_latency_s", "interval_s", "note", "has_device_time")
_SIZES = ("machine.memory_bytes", "machine.swap_bytes")
_SIZE_TOLERANCE = 0.01  # kernels leave a little more or less to programs


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    Attributes:
        what: its name, e.g. `machine.cpu`.
        before, after: as text; empty where it was, or is, not there.
    """

    what: str
    before: str
    after: str

    @property
    def is_fatal(self) -> bool:
        """Whether it can never be accepted."""
        section, _, key = self.what.partition(".")
        if section == "protocol":
            return key in _PLANNED
        if section == "sources":
            return not self.after or key.rpartition(".")[2] in _MEANING
        return self.what == "sampling.is_external"

    def __str__(self) -> str:
        return f"{self.what}: {self.before or 'nothing'}, now {self.after or 'nothing'}"

    def since(self, repetition: int) -> Change:
        """The same as a change for the manifest."""
        return Change(repetition, self.what, self.before, self.after)


def differences(begun: Manifest, now: Manifest) -> list[Difference]:
    """What differs between the manifest of a run, with the changes accepted since, and the one it would get now."""
    before = conditions(begun) | {change.what: change.after for change in begun.changes}
    after = conditions(now)
    names = dict.fromkeys([*after, *before])
    found = [Difference(name, before.get(name, ""), after.get(name, "")) for name in names]
    return [one for one in found if one.before != one.after and not _is_near(one) and not one.what.startswith("files.")]


def conditions(manifest: Manifest) -> dict[str, str]:
    """All that must stay, as text, by name."""
    sampling: dict[str, Any] = {"is_external": manifest.is_external}
    if not manifest.is_external:
        sampling["interval_s"] = manifest.sampling_interval_s
    emissions = {key: manifest.emissions[key] for key in _EMISSIONS if key in manifest.emissions}
    protocol = manifest.protocol.model_dump(mode="json")
    if manifest.group is None:  # a single scenario knows no order
        protocol = {key: value for key, value in protocol.items() if not key.startswith("order")}
    sections: dict[str, Mapping[str, Any]] = {
        "machine": manifest.machine,
        "versions": manifest.versions,
        "sources": {source.name: _meter(source) for source in manifest.sources},
        "host_series": {quantity: str(key) for quantity, key in manifest.host_series.items()},
        "sampling": sampling,
        "protocol": protocol,
        "data": manifest.data,
        "emissions": emissions,
        "workload": {"working_folder": manifest.working_folder},
    }
    return {name: text for section, values in sections.items() for name, text in _flat(section, values)}


def _meter(source: SourceDescription) -> dict[str, Any]:
    described = {key: value for key, value in asdict(source).items() if key not in (*_FOUND_OUT, "name")}
    return described | {"series": str(source.series), "accuracy": [asdict(band) for band in source.accuracy]}


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A mapping's values by dotted names; everything else is one text."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value)


def _is_near(one: Difference) -> bool:
    """Whether two sizes of memory are of one machine."""
    if one.what not in _SIZES or not (one.before and one.after):
        return False
    before, after = float(one.before), float(one.after)
    return abs(before - after) <= _SIZE_TOLERANCE * max(before, after)
