"""Looking at sources without recording them."""

import json
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from servers.meter import MeterServer, Question, Reply
from terrawatt.config import SourceSettings
from terrawatt.errors import SourceError
from terrawatt.power import registry
from terrawatt.power.options import describe
from terrawatt.power.source import Take
from terrawatt.records import Sample, Semantics
from terrawatt.telemetry.observe import looking, observe


def entry(name: str, kind: str, **keys: Any) -> SourceSettings:
    return SourceSettings.model_validate({"name": name, "kind": kind, **keys})


class Publisher:
    """A source that sends three readings as soon as it is started, or cannot be reached."""

    def __init__(self, settings: SourceSettings, host: str) -> None:
        self.descriptions = (describe(settings, host, Semantics.MEAN, has_device_time=True),)
        self._is_there = settings.options.get("is_there", True)
        self._key = self.descriptions[0].series

    def start(self, take: Take) -> None:
        if not self._is_there:
            raise SourceError("the broker does not answer")
        now_ns = time.time_ns()
        take([Sample(self._key, now_ns - 2_000_000_000, 40.0), Sample(self._key, now_ns - 1_000_000_000, math.nan)])
        take([Sample(self._key, now_ns, 42.0)])

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: dict[str, Callable[..., Any]] = {**registry.BUILT_IN, "publisher": Publisher}
    monkeypatch.setattr(registry, "BUILT_IN", kinds)


def test_polled_and_pushed_sources_are_looked_at_together() -> None:
    reply = Reply(json.dumps({"apower": 8.9, "aenergy": {"total": 1}}).encode())
    with MeterServer(lambda _: reply) as server:
        plug, published = observe(
            [entry("plug", "shelly", url=server.url), entry("other", "publisher")],
            "lab",
            interval_s=0.02,
            patience_s=10,
            enough=2,
        )
    assert [description.name for description in plug.descriptions] == ["plug", "plug counter"]
    assert {sample.value for sample in plug.readings(plug.descriptions[0])} == {8.9}
    assert plug.clock is not None
    assert (plug.timeout_s, published.timeout_s) == (0.8, None)
    assert (plug.is_pushed, published.is_pushed) == (False, True)
    assert [sample.value for sample in published.readings(published.descriptions[0])] == [40.0, 42.0]
    assert plug.failure() == published.failure() == ""
    assert len(server.asked) >= 2


def test_what_fails_is_told_with_its_reason() -> None:
    with MeterServer(lambda _: Reply(status=500)) as server:
        broken, unknown, absent = observe(
            [
                entry("broken", "shelly", url=server.url),
                entry("unknown", "shely"),
                entry("absent", "publisher", is_there=False),
            ],
            "lab",
            interval_s=0.02,
            patience_s=10,
        )
    assert broken.failure().endswith("it answers with HTTP 500")
    assert unknown.reason.startswith("there is no kind 'shely'")
    assert unknown.descriptions == ()
    assert absent.failure() == "the broker does not answer"


def test_a_source_that_hangs_delays_no_other() -> None:
    with MeterServer(lambda _: Reply(b'{"apower": 1}')) as quick, MeterServer(lambda _: Reply()) as hanging:

        def hang(_: Question) -> Reply:
            hanging.ended.wait()
            return Reply()

        hanging.answer = hang
        slow, plug = observe(
            [entry("slow", "shelly", url=hanging.url, timeout_s=60), entry("plug", "shelly", url=quick.url)],
            "lab",
            interval_s=0.02,
            patience_s=0.5,
        )
    assert slow.failure() == "it does not answer"
    assert plug.readings(plug.descriptions[0])


def test_looking_ends_with_its_block() -> None:
    before = threading.active_count()
    source = registry.create(entry("still", "estimate"), "lab")
    with looking(source, 0.01) as looks:
        assert looks.get(timeout=10) is not None
    source.close()
    assert threading.active_count() == before
