"""Whether runs may be compared: what differs between their machines, meters and data.

Energies of different machines or meters differ for other reasons than the scenarios; such runs are refused unless the
user accepts it. Differences that may be meant, or matter less (settings of the system, versions, the protocol), are
told.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from terrawatt.runs.manifest import Manifest

_MACHINE = ("cpu", "cores", "threads", "memory_bytes", "gpus", "hypervisor")
_SYSTEM = ("system", "governor", "usable_threads", "swap_bytes", "environment")
_PROTOCOL = ("cold_s", "latency_s", "idle_after_s", "warmup", "min_window_s", "pause_s")
_DATA = ("bigearthnet_version", "format_version", "patches", "index_sha256", "splits")


def unlike(manifests: Sequence[Manifest]) -> list[str]:
    """Why runs may not be compared: machine, meter or data, each with what differs; empty when they may."""
    return [
        *_differing(manifests, "machine", lambda run: {"host": run.host, **_of(run.machine, _MACHINE)}),
        *_differing(manifests, "meter", _meter),
        *_differing(manifests, "data", lambda run: _of(run.data, _DATA)),
    ]


def remarks(manifests: Sequence[Manifest]) -> list[str]:
    """What else differs: the system, the versions, the protocol."""
    return [
        *_differing(manifests, "system", lambda run: _of(run.machine, _SYSTEM)),
        *_differing(manifests, "versions", lambda run: run.versions),
        *_differing(manifests, "protocol", lambda run: _of(run.protocol.model_dump(), _PROTOCOL)),
    ]


def _of(facts: Mapping[str, Any], names: Sequence[str]) -> Mapping[str, Any]:
    return {name: facts[name] for name in names if name in facts}


def _meter(manifest: Manifest) -> Mapping[str, Any]:
    """The main source, apart from where its series is kept; a note is for readers only."""
    if not manifest.sources:
        return {"source": "none"}
    source = manifest.sources[0]
    names = ("name", "kind", "semantics", "accuracy", "error", "resolution_w", "interval_s", "is_estimate")
    return {name: getattr(source, name) for name in names}


def _differing(manifests: Sequence[Manifest], what: str, facts: Callable[[Manifest], Mapping[str, Any]]) -> list[str]:
    """`machine: cpu (a, b)` where the facts of two runs differ; a list of one or no line."""
    found = [facts(manifest) for manifest in manifests]
    names = dict.fromkeys(name for one in found for name in one)
    differing = [
        f"{name} ({', '.join(values)})"
        for name in names
        if len(values := _values([one.get(name) for one in found])) > 1
    ]
    return [f"{what}: {', '.join(differing)}"] if differing else []


def _values(values: Sequence[Any]) -> list[str]:
    """The distinct ones, in words."""
    distinct: dict[Hashable, str] = {}
    for value in values:
        distinct.setdefault(repr(value), "none" if value in (None, "", [], ()) else str(value))
    return list(distinct.values())
