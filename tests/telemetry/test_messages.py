"""What runner and sampler tell each other."""

import math
from pathlib import Path

import pytest

from terrawatt.config import SamplingSettings, SourceSettings
from terrawatt.errors import ProtocolError
from terrawatt.records import AccuracyBand, Semantics, SeriesKey, SourceDescription
from terrawatt.telemetry.messages import (
    Failure,
    Latest,
    Message,
    Request,
    SamplerReport,
    decode,
    decode_request,
    encode,
)

KEY = SeriesKey.of("power", "power_w", host="lab", source="plug")


def test_a_request_keeps_the_options_of_each_kind() -> None:
    source = SourceSettings.model_validate({"name": "plug", "kind": "replay", "file": "a.csv", "accuracy": []})
    request = Request(SamplingSettings(interval_s=0.5), (source,), "lab", Path("/tmp/x.sqlite"))  # noqa: S108
    line = encode(request)
    assert line.count(b"\n") == 1
    assert decode_request(line) == request
    assert decode_request(line).sources[0].options == {"file": "a.csv"}


@pytest.mark.parametrize(
    "message",
    [
        SamplerReport(
            (
                SourceDescription(
                    "plug", "replay", Semantics.MEAN, (AccuracyBand(300, 3.0),), KEY, 0.1, None, True, "é"
                ),
            ),
            "lab",
            {"cpu": KEY},
            {"temp": "no sensor\nat all"},
            interval_s=1.0,
            slowest_s=30.0,
            delay_s=15.0,
        ),
        Latest(1_700_000_000_000_000_001, {"plug": 12.5, "other": 0.0}),
        Failure("the disk is full"),
    ],
)
def test_messages_arrive_as_they_were_sent(message: Message) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert decode(line) == message


def test_a_missing_power_stays_missing() -> None:
    found = decode(encode(Latest(1, {"plug": math.nan})))
    assert isinstance(found, Latest)
    assert math.isnan(found.power_w["plug"])


@pytest.mark.parametrize("line", [b"", b"\n", b"{}\n", b"[1]\n", b"\xff\n"])
def test_no_request_is_an_error(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="without a request"):
        decode_request(line)
