"""What the runner and the sampler tell each other: JSON, one object a line.

The runner writes one `Request` to the sampler's stdin. The sampler writes to its stdout one `SamplerReport` when the
first readings are committed, then one `Latest` after each batch that holds power, and one `Failure` if it must end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from terrawatt.config import SamplingSettings, SourceSettings, StoreSettings
from terrawatt.errors import ProtocolError
from terrawatt.records import SeriesKey, SourceDescription


@dataclass(frozen=True, slots=True)
class Request:
    """What to sample, and where to keep it; `host` is the value of the tag.

    `database`: without user, password and token, which its reader finds where the settings found them.
    """

    sampling: SamplingSettings
    sources: tuple[SourceSettings, ...]
    host: str
    store_path: Path
    database: StoreSettings = field(default_factory=StoreSettings)


@dataclass(frozen=True, slots=True)
class SamplerReport:
    """What is being sampled.

    Attributes:
        sources: the power sources, the main one first.
        host: the value of tag `host` of every series.
        host_series: quantity (`cpu`, `mem_free`, `temp`, `reads`) -> its series.
        missing: quantity -> why there is no series of it.
        interval_s: between readings of the host series.
        slowest_s: the same of the slowest series, those of sources included.
        delay_s: how long after its time a reading may come; above 0 where somebody else writes the series.
    """

    sources: tuple[SourceDescription, ...]
    host: str
    host_series: Mapping[str, SeriesKey]
    missing: Mapping[str, str]
    interval_s: float
    slowest_s: float
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Latest:
    """The last power of each source, NaN where its reading failed; `t_ns` is the time of the newest."""

    t_ns: int
    power_w: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the sampler ends, in one line."""

    error: str


Message = SamplerReport | Latest | Failure

_request = TypeAdapter(Request)
# "constants": a power that is NaN stays NaN, for which strict JSON has no word.
_message: TypeAdapter[Message] = TypeAdapter(Message, config=ConfigDict(ser_json_inf_nan="constants"))


def encode(message: Request | Message) -> bytes:
    """One line of JSON."""
    content = _request.dump_json(message) if isinstance(message, Request) else _message.dump_json(message)
    return content + b"\n"


def decode_request(line: bytes) -> Request:
    """The request in a line.

    Raises:
        ProtocolError: it is none.
    """
    try:
        return _request.validate_json(line)
    except ValidationError as error:
        raise ProtocolError("the sampler was started without a request; `terrawatt measure` starts it") from error


def decode(line: bytes) -> Message:
    """The message in a line; pydantic's ValidationError, a ValueError, when there is none."""
    return _message.validate_json(line)
