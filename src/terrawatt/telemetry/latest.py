"""The present power of each source, from the samples as they come."""

import math
from collections.abc import Iterable, Sequence

from terrawatt.records import Sample, Semantics, SourceDescription
from terrawatt.telemetry.messages import Latest
from terrawatt.units import ns_to_s


class LatestPower:
    """Follows the samples of all sources; of a counter the power is the difference of its last two readings."""

    def __init__(self, sources: Sequence[SourceDescription]) -> None:
        self._sources = {source.series: source for source in sources}
        self._counted: dict[str, Sample] = {}
        self._power_w = {source.name: math.nan for source in sources}

    def follow(self, samples: Iterable[Sample]) -> Latest | None:
        """The last powers after these samples; None when there is no reading of a source among them."""
        newest_ns = None
        for sample in samples:
            source = self._sources.get(sample.key)
            if source is None:
                continue
            is_counter = source.semantics is Semantics.COUNTER
            value = self._of_counter(source.name, sample) if is_counter else sample.value
            self._power_w[source.name] = source.scale * value
            newest_ns = sample.t_ns if newest_ns is None else max(newest_ns, sample.t_ns)
        return None if newest_ns is None else Latest(newest_ns, dict(self._power_w))

    def _of_counter(self, name: str, sample: Sample) -> float:
        """The mean power since the counter's last reading (its unit per s); NaN without one, or when it went back."""
        if math.isnan(sample.value):
            return math.nan
        before = self._counted.get(name)
        self._counted[name] = sample
        if before is None or sample.t_ns <= before.t_ns or sample.value < before.value:
            return math.nan
        return (sample.value - before.value) / ns_to_s(sample.t_ns - before.t_ns)
